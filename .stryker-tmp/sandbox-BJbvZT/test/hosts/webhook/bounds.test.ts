// @ts-nocheck
import { once } from "node:events";
import { request } from "node:http";
import { connect } from "node:net";
import { gzipSync } from "node:zlib";
import { bearer } from "../../../src/hosts/webhook/credentials";
import { type Serving, startServing } from "./serving";

const MIB = 1024 * 1024;
const EVENT = { type: "track", event: "e", userId: "u" };

let serving: Serving;

async function open(...args: Parameters<typeof startServing>): Promise<Serving> {
  serving = await startServing(...args);
  return serving;
}

afterEach(async () => {
  await serving.close();
});

async function answerTo(body: unknown, headers: Record<string, string> = {}) {
  const response = await serving.post("/webhook/shop", body, headers);
  const { code } = (await response.json()) as { code?: string };
  return [response.status, code];
}

const nested = (depth: number) => `${'{"a":'.repeat(depth)}1${"}".repeat(depth)}`;

describe("a request may have", () => {
  beforeEach(async () => {
    await open();
  });

  test("6 MiB of body", async () => {
    const event = (bytes: number) => JSON.stringify({ ...EVENT, properties: { text: "x".repeat(bytes) } });
    expect(await answerTo(event(6 * MIB - 200))).toEqual([200, undefined]);
    expect(await answerTo(event(6 * MIB))).toEqual([413, "BodyTooLarge"]);
  });

  test("6 MiB of body, also where it does not say how much comes", async () => {
    const upload = request(`${serving.url}/webhook/shop`, { method: "POST" });
    upload.on("error", () => {});
    upload.write("[");
    for (let i = 0; i < 7; i++) upload.write(" ".repeat(MIB));
    const [response] = await once(upload, "response");
    expect(response.statusCode).toBe(413);
    upload.destroy();
  });

  test("16 MiB of body once it is inflated: a bomb is not", async () => {
    const bomb = gzipSync(`[${" ".repeat(17 * MIB)}]`);
    expect(bomb.length).toBeLessThan(100_000);
    expect(await answerTo(bomb)).toEqual([413, "BodyTooLarge"]);
    expect(await answerTo(gzipSync(JSON.stringify(EVENT)))).toEqual([200, undefined]);
    expect(await answerTo(Buffer.from([0x1f, 0x8b, 0, 1, 2]))).toEqual([400, "InvalidBody"]);
    expect(await answerTo("{}", { "content-encoding": "br" })).toEqual([415, "UnsupportedEncoding"]);
  });

  test("100 levels of nesting, brackets in texts not counted", async () => {
    expect(await answerTo(`{"type":"track","event":"e","properties":${nested(99)}}`)).toEqual([200, undefined]);
    expect(await answerTo(nested(101))).toEqual([400, "InvalidBody"]);
    expect(await answerTo("[".repeat(1_000_000))).toEqual([400, "InvalidBody"]);
    expect(await answerTo({ ...EVENT, properties: { text: `\\"${"[{".repeat(500)}"` } })).toEqual([200, undefined]);
  });

  test("1,000 events", async () => {
    expect(await answerTo(Array(1_000).fill(EVENT))).toEqual([200, undefined]);
    expect(await answerTo(Array(1_001).fill(EVENT))).toEqual([413, "TooManyEvents"]);
    expect(await answerTo({ batch: Array(1_001).fill(EVENT) })).toEqual([413, "TooManyEvents"]);
  });
});

test("a full receiver refuses, says when to come back, and takes events again once it has room", async () => {
  const { url, post, receiver } = await open({}, [{}], { roomBytes: 2 * MIB });
  const half = request(`${url}/webhook/shop`, { method: "POST" });
  half.write(`{"type":"track","event":"e","properties":{"text":"${"x".repeat(1.5 * MIB)}`);
  while (receiver.heldBytes < 1.5 * MIB) await new Promise(setImmediate);

  const response = await post("/webhook/shop", { ...EVENT, properties: { text: "x".repeat(MIB) } });
  expect([response.status, response.headers.get("retry-after"), await response.json()]).toEqual([
    503,
    "1",
    { success: false, code: "ReceiverFull", message: expect.any(String) },
  ]);

  const answered = once(half, "response");
  half.end('"}}');
  expect((await answered)[0].statusCode).toBe(200);
  (await answered)[0].resume();
  expect(receiver.heldBytes).toBe(0);
  expect(await answerTo({ ...EVENT, properties: { text: "x".repeat(MIB) } })).toEqual([200, undefined]);
});

test("what a sender that hung up had sent is forgotten", async () => {
  const { url, receiver, behind } = await open();
  const upload = request(`${url}/webhook/shop`, { method: "POST", headers: { "content-length": 1000 } });
  upload.on("error", () => {});
  upload.write('{"type":"track"');
  while (receiver.heldBytes === 0) await new Promise(setImmediate);
  upload.destroy();
  while (receiver.inFlight > 0) await new Promise(setImmediate);

  expect(receiver.heldBytes).toBe(0);
  expect(behind.taken).toEqual([]);
});

test("who has no secret is refused before anything is parsed, and an upload before it has ended", async () => {
  const { url } = await open({ credentials: [bearer(["a-secret-of-mine"])] });
  expect(await answerTo("{", {})).toEqual([401, "Unauthorized"]);

  const upload = request(`${url}/webhook/nobody`, { method: "POST" });
  upload.on("error", () => {});
  upload.write("[");
  const [response] = await once(upload, "response");
  expect([response.statusCode, response.headers.connection]).toEqual([401, "close"]);
  upload.destroy();
});

test("a refused request's body is not taken for the next request", async () => {
  const { url } = await open();
  const socket = connect(Number(new URL(url).port), "127.0.0.1");
  const smuggled = "POST /webhook/shop HTTP/1.1\r\nhost: a\r\ncontent-length: 2\r\n\r\n{}";
  socket.write(`POST /nowhere HTTP/1.1\r\nhost: a\r\ncontent-length: 500\r\n\r\n${smuggled}`);
  let answer = "";
  socket.on("data", (chunk) => {
    answer += String(chunk);
  });
  await once(socket, "close");

  expect(answer.match(/HTTP\/1\.1 \d+/g)).toEqual(["HTTP/1.1 404"]);
});

describe("browsers", () => {
  const origin = "https://shop.example";
  const event = { ...EVENT, writeKey: "public" };

  beforeEach(async () => {
    await open({ credentials: [bearer(["a-secret-of-mine"])] }, [
      { id: "public", origins: [origin], eventsPerSecond: 2 },
      { id: "server" },
    ]);
  });

  const ask = (path: string, from: string) =>
    fetch(serving.url + path, {
      method: "OPTIONS",
      headers: { origin: from, "access-control-request-headers": "authorization, content-type" },
    });

  test("may send from the origins of their key, and are told so beforehand", async () => {
    const preflight = await ask("/v1/track", origin);
    expect(preflight.status).toBe(204);
    expect(Object.fromEntries([...preflight.headers.entries()])).toMatchObject({
      "access-control-allow-origin": origin,
      "access-control-allow-headers": "authorization, content-type",
      "access-control-allow-methods": "GET, POST",
      vary: "Origin",
    });
    const response = await serving.post("/v1/track", event, { origin });
    expect([response.status, response.headers.get("access-control-allow-origin")]).toEqual([200, origin]);
  });

  test("of other origins may not", async () => {
    const elsewhere = "https://elsewhere.example";
    expect((await ask("/v1/track", elsewhere)).headers.get("access-control-allow-origin")).toBeNull();
    expect((await ask("/webhook/shop", origin)).headers.get("access-control-allow-origin")).toBeNull();
    for (const writeKey of ["public", "server"]) {
      const response = await serving.post("/v1/track", { ...event, writeKey }, { origin: elsewhere });
      expect([response.status, await response.json()]).toMatchObject([403, { code: "OriginNotAllowed" }]);
    }
    expect(serving.behind.taken).toEqual([]);
  });

  test("get the settings of their library, with this server in them", async () => {
    const response = await fetch(`${serving.url}/v1/projects/public/settings`, { headers: { origin } });
    expect(await response.json()).toMatchObject({
      integrations: {
        "Segment.io": { apiKey: "public", apiHost: `${new URL(serving.url).host}/v1`, protocol: "http" },
      },
    });
    const config = await fetch(`${serving.url}/sourceConfig/?p=web`, {
      headers: { origin, authorization: `Basic ${btoa("public:")}` },
    });
    expect(await config.json()).toMatchObject({ source: { enabled: true, destinations: [] } });
    expect((await fetch(`${serving.url}/v1/projects/other/settings`)).status).toBe(401);
  });
});

test("a write key may send so many events a second, and a batch beyond them once", async () => {
  let now = 1_000_000;
  const { post, behind } = await open({}, [{ eventsPerSecond: 2 }], { now: () => now });
  const send = async (events: number) => {
    const response = await post("/v1/batch", { writeKey: "key", batch: Array(events).fill(EVENT) });
    return [response.status, response.headers.get("retry-after")];
  };

  expect(await send(12)).toEqual([200, null]);
  expect(await send(1)).toEqual([429, "2"]);
  now += 2_000;
  expect(await send(1)).toEqual([200, null]);
  expect(behind.taken).toHaveLength(13);
});

test.each([
  [0, "127.0.0.1"],
  [1, "198.51.100.7"],
  [2, "203.0.113.5"],
  [3, "127.0.0.1"],
])("behind %s proxies the sender's address is %s", async (proxies, ip) => {
  const { post, behind } = await open({}, [{}], { proxies });
  await post("/v1/track", { ...EVENT, writeKey: "key" }, { "x-forwarded-for": "203.0.113.5, 198.51.100.7" });
  expect(behind.taken[0]?.["requestIp"]).toBe(ip);
});
