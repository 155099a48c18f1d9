import { createHmac, generateKeyPairSync, sign } from "node:crypto";
import {
  basic,
  bearer,
  type Credential,
  inHeader,
  jitsuEd25519,
  jitsuHmac,
  outpostSignature,
  segmentSignature,
} from "../../../src/hosts/webhook/credentials";
import { ROUTERS, type RouterName } from "../../../src/hosts/webhook/routers";
import { type Serving, startServing } from "./serving";

const EVENT = { type: "track", event: "Signed Up", userId: "u", messageId: "m-1" };
const NOW = Date.parse("2026-05-01T12:00:00Z");
const hex = (algorithm: string, secret: string, text: string) =>
  createHmac(algorithm, secret).update(text).digest("hex");

let serving: Serving;

async function open(...args: Parameters<typeof startServing>): Promise<Serving> {
  serving = await startServing(...args);
  return serving;
}

afterEach(async () => {
  await serving.close();
});

describe("the bodies of routers", () => {
  const two = [EVENT, { ...EVENT, messageId: "m-2" }];

  test.each<[string, unknown, object[], string?]>([
    ["RudderStack, Jitsu, Segment: one event", EVENT, [EVENT]],
    ["RudderStack HTTP, Jitsu's bulker, Snowbridge, Segment: an array", two, two],
    ["Segment Extensible: an array of wrapped events", two.map((json) => ({ json })), two],
    ["a batch", { batch: two, sentAt: "2026-01-01T00:00:00Z" }, two],
    ["NDJSON", two.map((event) => JSON.stringify(event)).join("\n"), two, "application/x-ndjson"],
    ["NDJSON that calls itself JSON", `${two.map((event) => JSON.stringify(event)).join("\r\n")}\r\n`, two],
    [
      "PostHog",
      {
        event: {
          uuid: "u-1",
          event: "$pageview",
          distinct_id: "d-1",
          timestamp: "2026-01-01T00:00:00Z",
          properties: { title: "Home", $device_id: "a-1" },
        },
        person: { id: "p", properties: { email: "jane@example.com" } },
      },
      [
        {
          type: "page",
          name: "Home",
          userId: "d-1",
          anonymousId: "a-1",
          messageId: "u-1",
          timestamp: "2026-01-01T00:00:00Z",
          properties: { title: "Home", $device_id: "a-1" },
          context: { traits: { email: "jane@example.com" } },
        },
      ],
    ],
    [
      "Jitsu's reverse ETL",
      {
        syncId: "s",
        runId: "r",
        sentAt: "2026-01-01T00:00:00Z",
        records: [
          { operation: "upsert", key: "7", idempotencyKey: "k-1", data: { plan: "pro" } },
          { operation: "upsert", key: "8", idempotencyKey: "k-2", data: { type: "identify", userId: "8" } },
        ],
      },
      [
        {
          type: "track",
          event: "Record upsert",
          userId: "7",
          messageId: "k-1",
          properties: { plan: "pro" },
          context: { reverseEtl: { operation: "upsert", key: "7", syncId: "s" } },
        },
        { type: "identify", userId: "8", messageId: "k-2" },
      ],
    ],
  ])("%s", async (_router, body, events, type = "application/json") => {
    const { post, behind } = await open();

    const response = await post("/webhook/shop", body, { "content-type": type });

    expect(await response.json()).toEqual({ success: true, delivered: events.length });
    expect(behind.taken).toEqual(events);
  });

  test.each([
    ["", "The body is empty"],
    ["{", "not JSON"],
    [`{"a":1}\n{`, "not JSON"],
  ])("%j is no body", async (body, reason) => {
    const { post, behind } = await open();

    const response = await post("/webhook/shop", body);

    expect([response.status, await response.json()]).toEqual([
      400,
      { success: false, code: "InvalidBody", message: expect.stringContaining(reason) },
    ]);
    expect(behind.taken).toEqual([]);
  });
});

describe("who may send", () => {
  const refused = { success: false, code: "Unauthorized", message: expect.any(String) };
  const at = (...credentials: Credential[]) => open({ credentials }, [], { now: () => NOW });
  const text = JSON.stringify(EVENT);
  const seconds = String(NOW / 1000);
  const { publicKey, privateKey } = generateKeyPairSync("ed25519");

  test.each<[string, Credential, Record<string, string>, Record<string, string>]>([
    [
      "bearer",
      bearer(["old-secret", "new-secret"]),
      { authorization: "Bearer new-secret" },
      { authorization: "Bearer new-secre" },
    ],
    ["bearer, the old one", bearer(["old-secret", "new-secret"]), { authorization: "bearer old-secret" }, {}],
    [
      "Basic",
      basic("me", ["pass:word"]),
      { authorization: `Basic ${btoa("me:pass:word")}` },
      { authorization: `Basic ${btoa("me:pass")}` },
    ],
    ["a header", inHeader("X-Api-Key", ["s3cret"]), { "x-api-key": "s3cret" }, { "x-api-key": "" }],
    [
      "Jitsu's signature",
      jitsuHmac("Jitsu-Signature", "timestamp.body", ["old", "s3cret"]),
      { "jitsu-signature": hex("sha256", "s3cret", `${seconds}.${text}`), "jitsu-signature-timestamp": seconds },
      {
        "jitsu-signature": hex("sha256", "s3cret", `${seconds}.${text}`),
        "jitsu-signature-timestamp": `${NOW / 1000 - 1}`,
      },
    ],
    [
      "Jitsu's signature of the body alone",
      jitsuHmac("X-Own", "body", ["s3cret"]),
      { "x-own": hex("sha256", "s3cret", text) },
      { "x-own": hex("sha256", "other", text) },
    ],
    [
      "Jitsu's Ed25519",
      jitsuEd25519("Jitsu-Signature", "timestamp.body", [publicKey]),
      {
        "jitsu-signature": sign(null, Buffer.from(`${seconds}.${text}`), privateKey).toString("hex"),
        "jitsu-signature-timestamp": seconds,
      },
      { "jitsu-signature": "00".repeat(64), "jitsu-signature-timestamp": seconds },
    ],
    [
      "Segment's signature",
      segmentSignature(["s3cret"]),
      { "x-signature": hex("sha1", "s3cret", text) },
      { "x-signature": hex("sha1", "s3cret", `${text} `) },
    ],
    [
      "Outpost's, two while the secret is rotated",
      outpostSignature(["s3cret"]),
      { "x-outpost-signature": `v0=${hex("sha256", "other", text)},${hex("sha256", "s3cret", text)}` },
      { "x-outpost-signature": `v0=${hex("sha256", "other", text)}` },
    ],
  ])("%s", async (_what, credential, right, wrong) => {
    const { post, behind } = await at(credential);

    expect((await post("/webhook/shop", EVENT, right)).status).toBe(200);
    expect(behind.taken).toHaveLength(1);
    for (const headers of [wrong, {}]) {
      const response = await post("/webhook/shop", EVENT, headers);
      expect([response.status, await response.json()]).toEqual([401, refused]);
    }
    expect(behind.taken).toHaveLength(1);
  });

  test.each([
    [299, 200],
    [-299, 200],
    [301, 401],
    [-301, 401],
  ])("a signature of a time that is %s s off is answered %s", async (off, status) => {
    const { post } = await at(jitsuHmac("Jitsu-Signature", "timestamp.body", ["s3cret"]));
    const timestamp = String(NOW / 1000 + off);

    const response = await post("/webhook/shop", text, {
      "jitsu-signature": hex("sha256", "s3cret", `${timestamp}.${text}`),
      "jitsu-signature-timestamp": timestamp,
    });

    expect(response.status).toBe(status);
  });

  test("Segment's signature of a batch proves its first item only: another secret is asked for", async () => {
    const { post, behind } = await at(segmentSignature(["s3cret"]), bearer(["second"]));
    const signature = { "x-signature": hex("sha1", "s3cret", text) };
    const altered = [EVENT, { ...EVENT, messageId: "m-2", userId: "somebody-else" }];

    const response = await post("/webhook/shop", altered, signature);
    expect([response.status, await response.json()]).toEqual([
      401,
      { success: false, code: "BatchNotSigned", message: expect.stringContaining("second secret") },
    ]);
    const wrapped = altered.map((json) => ({ json }));
    expect((await post("/webhook/shop", wrapped, signature)).status).toBe(401);
    expect((await post("/webhook/shop", ` \n${JSON.stringify(altered)}`, signature)).status).toBe(401);
    expect(behind.taken).toEqual([]);

    expect((await post("/webhook/shop", [EVENT], signature)).status).toBe(200);
    expect((await post("/webhook/shop", [{ json: EVENT }], signature)).status).toBe(200);
    expect((await post("/webhook/shop", altered, { ...signature, authorization: "Bearer second" })).status).toBe(200);
  });

  test("who has no secret learns no names, and a write key opens no webhook", async () => {
    const { post } = await at(bearer(["s3cret"]));
    const ask = async (path: string, headers = {}) => {
      const response = await post(path, EVENT, headers);
      return [response.status, ((await response.json()) as { code: string }).code];
    };

    expect(await ask("/webhook/nobody")).toEqual(await ask("/webhook/shop"));
    expect(await ask("/webhook/shop?writeKey=key", { authorization: `Basic ${btoa("key:")}` })).toEqual([
      401,
      "Unauthorized",
    ]);
  });
});

describe("what is answered", () => {
  const failing = { ...EVENT, messageId: "m-retry" };
  const hopeless = { ...EVENT, messageId: "m-rejected" };

  async function answer(router: RouterName, events: unknown, keep?: () => Promise<void>) {
    const { post, behind } = await open({ router, ...(keep && { keep }) });
    behind.failures.set("m-retry", { code: "Throttled", retryAfterMs: 1_500 });
    behind.failures.set("m-rejected", { code: "InvalidEvent" });
    const response = await post("/webhook/shop", events);
    return { status: response.status, wait: response.headers.get("retry-after"), body: await response.json(), behind };
  }

  test.each(Object.keys(ROUTERS) as RouterName[])("%s", async (router) => {
    const { retryStatus, rejectedStatus, deadlineMs } = ROUTERS[router];

    const { status, wait, behind } = await answer(router, [EVENT, failing, hopeless]);
    expect([status, wait]).toEqual([retryStatus, "2"]);
    expect(behind.options[0]?.timeoutMs).toBeLessThanOrEqual(deadlineMs);
    expect(behind.options[0]?.timeoutMs).toBeGreaterThan(0);
    await serving.close();

    const kept: unknown[] = [];
    const keep = async (...what: unknown[]) => void kept.push(what);
    expect((await answer(router, [EVENT, hopeless], keep)).status).toBe(rejectedStatus);
    expect(kept).toEqual([[hopeless, { messageId: "m-rejected", code: "InvalidEvent", message: "It failed." }]]);
    await serving.close();

    const nowhere = (await answer(router, [EVENT, hopeless])).status;
    expect(nowhere).toBe(router === "per-event" ? 200 : 400);
    await serving.close();

    const full = await answer(router, [EVENT, hopeless], () => Promise.reject(new Error("ENOSPC")));
    expect(full.status).toBe(router === "per-event" ? 200 : 400);
  });

  test("says per event what happened and what to do", async () => {
    const { body } = await answer("generic", [EVENT, failing, hopeless]);

    expect(body).toMatchObject({
      success: false,
      code: "Throttled",
      message: expect.stringContaining("1 of 3 must be sent again, 1 of 3 cannot be delivered: Throttled"),
      delivered: 1,
      retry: 1,
      rejected: 1,
      results: [
        { messageId: "m-1", outcome: "delivered" },
        {
          messageId: "m-retry",
          outcome: "retry",
          status: 429,
          code: "Throttled",
          retryAfterMs: 1_500,
          hint: expect.any(String),
        },
        { messageId: "m-rejected", outcome: "rejected", status: 400, code: "InvalidEvent" },
      ],
    });
  });

  test("a repeated request delivers what failed and nothing twice", async () => {
    const { behind } = await answer("generic", [EVENT, failing]);
    behind.failures.clear();

    const again = await serving.post("/webhook/shop", [EVENT, failing]);

    expect(await again.json()).toEqual({ success: true, repeated: 1, delivered: 1 });
    expect(behind.taken.map(({ messageId }) => messageId)).toEqual(["m-1", "m-retry", "m-retry"]);
  });

  test.each<RouterName>(["jitsu-batch", "per-event"])(
    "what has to share no invocation does not, once %s repeats it",
    async (router) => {
      const { post, behind } = await open({ router });
      behind.failures.set("m-retry", { code: "ExecutionError", alone: true });
      const request = [failing, { ...EVENT, messageId: "m-2" }, { ...EVENT, messageId: "m-3" }];
      await post("/webhook/shop", request);
      await post("/webhook/shop", [failing, { ...EVENT, messageId: "m-4" }]);

      const { alone } = behind.options.at(-1) ?? {};
      expect([alone?.(0), alone?.(1)]).toEqual([true, false]);
    },
  );
});

test.each([
  ["GET", "/v1/track", 405],
  ["GET", "/webhook/shop", 405],
  ["POST", "/v1/pixel/track", 404],
  ["POST", "/", 404],
  ["DELETE", "/webhook/shop", 405],
])("%s %s is answered %s, with code and message", async (method, path, status) => {
  const { url } = await open();

  const response = await fetch(url + path, { method });

  expect([response.status, await response.json()]).toEqual([
    status,
    { success: false, code: expect.any(String), message: expect.any(String) },
  ]);
});

test.each([
  ["XML", '<?xml version="1.0"?><event/>', "application/xml"],
  ["a form", "type=track&event=Signed+Up&userId=u", "application/x-www-form-urlencoded"],
  ["a form", "context%5Bip%5D=203.0.113.7", "application/x-www-form-urlencoded"],
  ["XML", "<event/>", "application/json"],
])("%s is refused, and told what to change: %s", async (format, body, contentType) => {
  const { post, behind } = await open();
  const response = await post("/webhook/shop", body, { "content-type": contentType });

  expect([response.status, await response.json()]).toEqual([
    415,
    { success: false, code: "UnsupportedFormat", message: `The body is ${format}: let the router send JSON.` },
  ]);
  expect(behind.taken).toEqual([]);
});

test.each(["GET", "DELETE"])(
  "a webhook that is sent with %s is told that a query has no room for an event",
  async (method) => {
    const { url, behind } = await open();
    const response = await fetch(`${url}/webhook/shop?type=track&event=Signed+Up`, { method });

    expect([response.status, await response.json()]).toEqual([
      405,
      {
        success: false,
        code: "MethodNotAllowed",
        message: "Send events with POST: in a query there is no room for an event.",
      },
    ]);
    expect(behind.taken).toEqual([]);
  },
);

test("a form's content type does not matter where the body is JSON", async () => {
  const { post, behind } = await open();
  const response = await post("/webhook/shop", EVENT, { "content-type": "application/x-www-form-urlencoded" });

  expect(response.status).toBe(200);
  expect(behind.taken).toEqual([EVENT]);
});

test("all events of a request share the time that their sender waits", async () => {
  const { post, behind } = await open({ router: "jitsu" });
  await post("/webhook/shop", [EVENT, { ...EVENT, messageId: "m-2" }]);

  const [options] = behind.options;
  expect(options?.timeoutMs).toBeLessThanOrEqual(ROUTERS.jitsu.deadlineMs);
  expect(options?.timeoutMs).toBeGreaterThan(0);
});

test.each([
  ["00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01", true],
  ["00-00000000000000000000000000000000-00f067aa0ba902b7-01", false],
  ["00-4bf92f3577b34da6a3ce929d0e0e4736-0000000000000000-01", false],
  ["ff-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01", false],
  ["00-4BF92F3577B34DA6A3CE929D0E0E4736-00f067aa0ba902b7-01", false],
  ["anything else", false],
])("traceparent %s is handed on: %s", async (traceparent, isHandedOn) => {
  const { post, behind } = await open();
  await post("/webhook/shop", EVENT, { traceparent });

  expect(behind.options[0]?.traceparent).toBe(isHandedOn ? traceparent : undefined);
});
