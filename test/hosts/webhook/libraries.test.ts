import { gzipSync } from "node:zlib";
import { jitsuAnalytics } from "@jitsu/js";
import RudderAnalytics from "@rudderstack/rudder-sdk-node";
import { Analytics } from "@segment/analytics-node";
import { digest } from "../../../src/hosts/webhook/credentials";
import { type Serving, startServing } from "./serving";

let serving: Serving;

beforeEach(async () => {
  serving = await startServing({}, [{}, { id: "secret-key", secretDigest: digest("s3cret") }]);
});

afterEach(async () => {
  await serving.close();
});

test("@segment/analytics-node delivers every call type", async () => {
  const errors: unknown[] = [];
  const analytics = new Analytics({ writeKey: "key", host: serving.url, maxEventsInBatch: 3 });
  analytics.on("error", (error) => errors.push(error));
  analytics.track({ userId: "u", event: "Signed Up" });
  analytics.identify({ userId: "u", traits: { plan: "pro" } });
  analytics.page({ userId: "u", name: "Home" });
  analytics.screen({ userId: "u", name: "Home" });
  analytics.group({ userId: "u", groupId: "g" });
  analytics.alias({ userId: "u", previousId: "a" });
  await analytics.closeAndFlush();

  expect(errors).toEqual([]);
  expect(serving.behind.taken.map(({ type }) => type).sort()).toEqual([
    "alias",
    "group",
    "identify",
    "page",
    "screen",
    "track",
  ]);
  expect(serving.behind.contexts[0]).toMatchObject({
    sourceId: "my-source-id",
    receivedAt: expect.stringMatching(/Z$/),
  });
  expect(serving.behind.taken[0]).toMatchObject({ requestIp: "127.0.0.1", receivedAt: expect.stringMatching(/Z$/) });
});

test("@segment/analytics-node sends again what is to be retried, after the Retry-After, and what was delivered only once", async () => {
  serving.behind.failures.set("m-2", { code: "Throttled", retryAfterMs: 10 });
  const analytics = new Analytics({ writeKey: "key", host: serving.url, maxEventsInBatch: 2 });
  const all = new Promise<void>((resolve) => {
    let tries = 0;
    const { deliver } = serving.behind;
    serving.behind.deliver = async (...args) => {
      const outcome = await deliver.apply(serving.behind, args);
      if (outcome.messageId === "m-2" && ++tries === 1) serving.behind.failures.clear();
      else if (outcome.messageId === "m-2") resolve();
      return outcome;
    };
  });
  analytics.track({ userId: "u", event: "One", messageId: "m-1" });
  analytics.track({ userId: "u", event: "Two", messageId: "m-2" });
  await all;
  await analytics.closeAndFlush();

  expect(serving.behind.taken.map(({ messageId }) => messageId)).toEqual(["m-1", "m-2", "m-2"]);
});

test("@rudderstack/rudder-sdk-node delivers as it is, gzip under another content type", async () => {
  const analytics = new RudderAnalytics("key", { dataPlaneUrl: serving.url, flushInterval: 10 });
  analytics.track({ userId: "u", event: "Signed Up" });
  analytics.identify({ userId: "u", traits: { plan: "pro" } });
  await new Promise((resolve) => analytics.flush(resolve));

  expect(serving.behind.taken.map(({ type }) => type)).toEqual(["track", "identify"]);
  expect(serving.behind.taken[0]?.["originalTimestamp"]).toEqual(expect.any(String));
});

test.each([
  ["a server's key with its secret", "secret-key:s3cret", true],
  ["a key without a secret", "key:anything", true],
  ["a wrong secret", "secret-key:wrong", false],
])("@jitsu/js, by X-Write-Key: %s", async (_what, writeKey, delivers) => {
  for (const s2s of [true, false]) {
    const analytics = jitsuAnalytics({ host: serving.url, writeKey, fetch, s2s });
    await analytics.track("Signed Up", { plan: "pro" }).catch(() => {});
  }

  expect(serving.behind.taken.map(({ event }) => event)).toEqual(delivers ? ["Signed Up", "Signed Up"] : []);
});

describe("the write key", () => {
  const event = { type: "track", event: "e", userId: "u", messageId: "m" };
  const basic = (text: string) => ({ authorization: `Basic ${btoa(text)}` });

  test.each<[string, string, object, Record<string, string>]>([
    ["Basic", "/v1/track", event, basic("key:")],
    ["Basic with a secret", "/v1/track", event, basic("secret-key:s3cret")],
    ["in the body", "/v1/track", { ...event, writeKey: "key" }, {}],
    ["in the body, as text", "/v1/t", { ...event, writeKey: "key" }, { "content-type": "text/plain" }],
    ["in the query, where beacons have it", "/beacon/v1/batch?writeKey=key", { batch: [event] }, {}],
    [
      "in a header, over the body's masked one",
      "/api/s/s2s/track",
      { ...event, writeKey: "secret-key:***" },
      { "x-write-key": "secret-key:s3cret" },
    ],
  ])("%s", async (_where, path, body, headers) => {
    const response = await serving.post(path, body, headers);

    expect([response.status, await response.json()]).toEqual([200, { success: true, delivered: 1 }]);
    expect(serving.behind.taken).toHaveLength(1);
  });

  test.each<[string, object, Record<string, string>]>([
    ["none", event, {}],
    ["an unknown one", event, basic("other:")],
    ["a wrong secret", event, basic("secret-key:wrong")],
    ["no secret", event, basic("secret-key:")],
    ["a masked one", { ...event, writeKey: "secret-key:***" }, {}],
    ["a number", { ...event, writeKey: 7 }, {}],
  ])("%s is refused with code and message", async (_what, body, headers) => {
    const response = await serving.post("/v1/track", body, headers);

    expect([response.status, await response.json()]).toEqual([
      401,
      { success: false, code: "InvalidWriteKey", message: expect.stringContaining("Basic") },
    ]);
    expect(serving.behind.taken).toEqual([]);
  });
});

describe("the tracking API at", () => {
  const types = ["track", "identify", "page", "screen", "group", "alias"] as const;
  const single = ["/v1/", "/api/s/", "/api/s/s2s/"].flatMap((api) =>
    types.flatMap((type) => [
      [`${api}${type}`, type],
      [`${api}${type[0]}`, type],
    ]),
  );

  test.each(single)("%s takes a call of type %s", async (path, type) => {
    const response = await serving.post(path, { writeKey: "key", userId: "u", messageId: "m" });

    expect([response.status, await response.json()]).toEqual([200, { success: true, delivered: 1 }]);
    expect(serving.behind.taken).toMatchObject([{ type, userId: "u", messageId: "m" }]);
  });

  test.each(["/v1/batch", "/v1/import", "/v1/b", "/beacon/v1/batch", "/api/s/batch", "/api/s/s2s/batch"])(
    "%s takes a batch",
    async (path) => {
      const batch = types.map((type) => ({ type, userId: "u", messageId: type }));
      const response = await serving.post(path, { writeKey: "key", batch });

      expect([response.status, await response.json()]).toEqual([200, { success: true, delivered: 6 }]);
      expect(serving.behind.taken).toMatchObject(batch);
    },
  );
});

test("what the root of a batch says counts for its events", async () => {
  const context = { library: { name: "analytics-go" } };
  const batch = [
    { type: "track", event: "e", messageId: "1", context: { ip: "203.0.113.9" } },
    { type: "track", event: "e", messageId: "2", sentAt: "2026-01-01T00:00:00Z" },
  ];
  await serving.post("/v1/batch", { writeKey: "key", context, sentAt: "2026-01-02T00:00:00Z", batch });

  expect(serving.behind.taken).toMatchObject([
    { context: { ...context, ip: "203.0.113.9" }, sentAt: "2026-01-02T00:00:00Z" },
    { context, sentAt: "2026-01-01T00:00:00Z" },
  ]);
});

test("the time of an event is corrected by how far off the sender's clock is", async () => {
  const now = Date.parse("2026-05-01T12:00:00.000Z");
  const corrected = await startServing({}, [{}], { now: () => now });
  try {
    await corrected.post("/v1/track", {
      writeKey: "key",
      event: "e",
      timestamp: "2026-05-01T09:00:00.000+00:00",
      sentAt: "2026-05-01T09:00:30.000Z",
    });
    await corrected.post("/v1/track", { writeKey: "key", event: "e", timestamp: "yesterday", sentAt: "today" });

    expect(corrected.behind.taken).toMatchObject([
      { timestamp: "2026-05-01T11:59:30.000Z", originalTimestamp: "2026-05-01T09:00:00.000+00:00" },
      { timestamp: "yesterday" },
    ]);
  } finally {
    await corrected.close();
  }
});

test("an event without a message ID has the same one however often it is sent", async () => {
  const event = { writeKey: "key", event: "e", userId: "u", timestamp: "2026-05-01T09:00:00Z" };
  await serving.post("/v1/track", { ...event, sentAt: "2026-05-01T09:00:01Z" });
  await serving.post("/v1/track", { ...event, sentAt: "2026-05-01T09:30:00Z" });

  const [first, second] = serving.behind.taken;
  expect(first?.["messageId"]).toMatch(/^[0-9a-f-]{36}$/);
  expect(second?.["messageId"]).toBe(first?.["messageId"]);
});

test.each([
  [{ All: false }, 0],
  [{ All: false, "Amazon Lambda": true }, 1],
  [{ All: true }, 1],
  [{ "Amazon Lambda": false }, 0],
])("integrations %j", async (integrations, deliveries) => {
  const response = await serving.post("/v1/track", { writeKey: "key", event: "e", integrations });

  expect(response.status).toBe(200);
  expect(serving.behind.taken).toHaveLength(deliveries);
});

test("gzip is inflated whatever the content type says, announced or not", async () => {
  const body = gzipSync(JSON.stringify({ writeKey: "key", event: "e" }));
  for (const headers of [{ "content-encoding": "gzip" }, { "content-type": "text/plain" }]) {
    expect((await serving.post("/v1/track", body, headers as Record<string, string>)).status).toBe(200);
  }
  expect(serving.behind.taken).toHaveLength(2);
});

test("a message ID that is none is the event's fault, not the receiver's", async () => {
  const response = await serving.post("/v1/track", { writeKey: "key", event: "e", messageId: { a: 1 } });

  expect(response.status).toBe(200);
  expect(serving.behind.taken).toHaveLength(1);
});
