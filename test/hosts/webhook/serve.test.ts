import { once } from "node:events";
import { mkdtemp, readFile, rename, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { jitsuAnalytics } from "@jitsu/js";
import RudderAnalytics from "@rudderstack/rudder-sdk-node";
import { Analytics } from "@segment/analytics-node";
import type { JsonObject } from "../../../src/events/segment-event";
import { type EmbeddedAws, startEmbeddedAws } from "../../../src/local/aws/embedded-aws";
import { runCli } from "../../cli/run-cli";
import { permit, trust } from "../../local/aws/policies";
import { SECRET, ServiceProcess } from "./service-process";

const KEY_SECRET = "the-write-key-secret";

let folder: string;
let aws: EmbeddedAws;
let settings: JsonObject;
let environment: NodeJS.ProcessEnv;
/** What the function waits for, at the event "Waits". */
let held: Promise<void>;
let release: () => void;
/** The client contexts that the function was called with. */
const contexts: unknown[] = [];

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "serve-"));
  aws = await startEmbeddedAws();
  const user = aws.addUser({ name: "router", policy: permit("sts:AssumeRole", "*") });
  const { arn } = aws.addFunction({
    name: "router-events",
    handler: async (event, { clientContext }) => {
      const { event: name } = event as { event?: string };
      contexts.push(clientContext);
      if (name === "Waits") await held;
      if (name === "Fails") throw new Error("It is broken.");
      if (name === "Dropped") throw Object.assign(new Error("Not this one."), { name: "DropEvent" });
      return null;
    },
  });
  const { arn: roleAddress } = aws.addRole({
    name: "router-events-invoker",
    trustPolicy: trust(user.arn, "my-source-id"),
    permissionPolicies: [permit("lambda:InvokeFunction", [arn, `${arn}:*`, arn.replace("router-events", "no-room")])],
  });
  settings = { lambda: arn, roleAddress };
  environment = {
    AWS_ENDPOINT_URL: aws.url,
    AWS_ACCESS_KEY_ID: user.accessKeyId,
    AWS_SECRET_ACCESS_KEY: user.secretAccessKey,
    AWS_REGION: aws.region,
    AWS_EC2_METADATA_DISABLED: "true",
    HOOK_SECRET: SECRET,
  };
});

beforeEach(() => {
  aws.clearRecords();
  held = new Promise((resolve) => {
    release = resolve;
  });
});

afterAll(async () => {
  await aws.close();
  await rm(folder, { recursive: true });
});

const connection = (more: JsonObject = {}): JsonObject => ({
  settings: { $ref: "#/settings/all" },
  sourceId: "my-source-id",
  webhook: [{ type: "bearer", secrets: ["env:HOOK_SECRET"] }],
  writeKeys: [{ key: "my-write-key" }, { key: `server:${KEY_SECRET}` }],
  ...more,
});

async function start(connections: JsonObject, options: readonly string[] = []): Promise<ServiceProcess> {
  const file = join(folder, `connections-${Math.random().toString(36).slice(2)}.json`);
  await writeFile(file, JSON.stringify({ settings: { all: settings }, connections }));
  return ServiceProcess.start(file, environment, options);
}

let service: ServiceProcess | undefined;

afterEach(async () => {
  await service?.end("SIGKILL");
  service = undefined;
});

const delivered = () => aws.invocations.map(({ payload }) => payload as JsonObject);

test("delivers what the libraries of Segment, RudderStack and Jitsu send", async () => {
  service = await start({ shop: connection() });
  const { url } = service;

  const segment = new Analytics({ writeKey: "my-write-key", host: url, maxEventsInBatch: 2 });
  segment.track({ userId: "u", event: "By Segment" });
  segment.identify({ userId: "u", traits: { plan: "pro" } });
  const rudder = new RudderAnalytics("my-write-key", { dataPlaneUrl: url, flushInterval: 10 });
  rudder.track({ userId: "u", event: "By RudderStack" });
  const jitsu = jitsuAnalytics({ host: url, writeKey: `server:${KEY_SECRET}`, fetch, s2s: true });
  await Promise.all([
    segment.closeAndFlush(),
    new Promise((resolve) => rudder.flush(resolve)),
    jitsu.track("By Jitsu"),
  ]);

  expect(
    delivered()
      .map(({ type, event, projectId, context }) => [type, event, projectId, Object(context).ip])
      .sort(),
  ).toEqual([
    ["identify", undefined, "my-source-id", "127.0.0.1"],
    ["track", "By Jitsu", "my-source-id", "127.0.0.1"],
    ["track", "By RudderStack", "my-source-id", "127.0.0.1"],
    ["track", "By Segment", "my-source-id", "127.0.0.1"],
  ]);
});

test("tells what it did by metrics and log, and none of the secrets, addresses and bodies", async () => {
  service = await start({ shop: connection({ deadLetter: join(folder, "dead.ndjson"), router: "jitsu" }) }, [
    "--log-level",
    "debug",
  ]);
  const event = (name: string) => ({ type: "track", event: name, userId: "somebody-private", messageId: name });
  expect((await service.post("/webhook/shop?token=in-the-query", event("Works"))).status).toBe(200);
  expect((await service.post("/webhook/shop", event("Fails"))).status).toBe(503);
  expect((await service.post("/webhook/shop", event("Dropped"))).status).toBe(200);
  expect(
    (await service.post("/webhook/shop", event("Works"), { authorization: "Bearer wrong-secret-of-mine" })).status,
  ).toBe(401);
  expect((await service.post("/v1/track?writeKey=my-write-key", event("Works"), {})).status).toBe(200);

  const metrics = await service.metrics();
  for (const line of [
    'amazon_lambda_deliveries_total{connection="shop",outcome="delivered",code=""} 2',
    'amazon_lambda_deliveries_total{connection="shop",outcome="retry",code="ExecutionError"} 1',
    'amazon_lambda_deliveries_total{connection="shop",outcome="rejected",code="RejectedByFunction"} 1',
    'amazon_lambda_delivery_duration_seconds_count{connection="shop"} 4',
    'amazon_lambda_requests_total{route="/webhook/:connection",status="401",code="Unauthorized"} 1',
    "amazon_lambda_requests_in_flight 0",
    "amazon_lambda_invocations_in_flight 0",
    "amazon_lambda_sessions 1",
    'amazon_lambda_gates{state="limited"} 0',
  ])
    expect(metrics.split("\n")).toContain(line);

  expect(JSON.parse(await readFile(join(folder, "dead.ndjson"), "utf8"))).toMatchObject({
    event: event("Dropped"),
    connection: "shop",
    code: "RejectedByFunction",
    messageId: "Dropped",
  });
  await service.end();
  const told = service.out + service.err + metrics;
  for (const secret of [
    SECRET,
    "wrong-secret",
    KEY_SECRET,
    "my-write-key",
    "in-the-query",
    "somebody-private",
    String(environment["AWS_SECRET_ACCESS_KEY"]),
  ])
    expect(told).not.toContain(secret);
  expect(service.log.map(({ level, route, status, msg }) => [level, route, status, msg])).toEqual(
    expect.arrayContaining([
      ["debug", "/webhook/:connection", 200, "answered"],
      ["warn", "/webhook/:connection", 503, "failed"],
      ["warn", "/webhook/:connection", 401, "refused"],
    ]),
  );
});

test("tells how many functions AWS throttles or refuses", async () => {
  const name = (function_: string) => String(settings["lambda"]).replace("router-events", function_);
  const to = (lambda: string) => connection({ settings: { ...settings, lambda }, writeKeys: undefined });
  aws.addFunction({ name: "no-room", concurrency: 0, handler: async () => null });
  service = await start({
    throttled: to(name("no-room")),
    refused: to(name("not-there")),
    fine: to(name("router-events")),
  });
  const event = { type: "track", event: "Works", userId: "u" };
  const posted = async (path: string) => (await service?.post(path, event))?.status;
  const gates = async () => {
    const metrics = String(await service?.metrics());
    const states = metrics.matchAll(/^amazon_lambda_gates\{state="(\w+)"\} (\d+)$/gm);
    return Object.fromEntries([...states].map(([, state, functions]) => [state, Number(functions)]));
  };
  expect(await gates()).toEqual({ limited: 0, throttled: 0, refused: 0 });

  expect([await posted("/webhook/throttled"), await posted("/webhook/refused"), await posted("/webhook/fine")]).toEqual(
    [503, 503, 200],
  );
  expect(await gates()).toEqual({ limited: 0, throttled: 1, refused: 1 });
});

test("hands a trace on in the client context, and never over a user's own key", async () => {
  const traceparent = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";
  const own = { ...settings, clientContext: { plan: "pro" } };
  const busy = { ...settings, clientContext: { traceparent: "mine" } };
  service = await start({
    plain: connection({ settings: own }),
    busy: connection({ settings: busy, writeKeys: undefined }),
  });
  contexts.length = 0;
  const headers = { authorization: `Bearer ${SECRET}`, traceparent };
  const event = { type: "track", event: "Works", userId: "u" };
  await service.post("/webhook/plain", event, headers);
  await service.post("/webhook/busy", event, headers);
  await service.post("/webhook/plain", event);
  await service.post("/webhook/plain", event, { ...headers, traceparent: "nonsense" });

  expect(contexts).toMatchObject([
    { plan: "pro", traceparent, custom: { traceparent } },
    { traceparent: "mine" },
    { plan: "pro" },
    { plan: "pro" },
  ]);
  expect(JSON.stringify(contexts.slice(1))).not.toContain(traceparent);
});

test("takes new connections from a changed file or at SIGHUP, keeps the old where the new are no good, and loses no request", async () => {
  service = await start({ shop: connection() });
  const running = service;
  let busy = true;
  const statuses = new Set<number>();
  const load = async () => {
    for (let i = 0; busy; i++) {
      const response = await running.post("/webhook/shop", { type: "track", event: "Works", userId: `u-${i}` });
      statuses.add(response.status);
      await response.text();
    }
  };
  const loads = [load(), load(), load()];

  const change = async (connections: JsonObject) => {
    // Not read while it is half written.
    await writeFile(`${running.file}.new`, JSON.stringify({ settings: { all: settings }, connections }));
    await rename(`${running.file}.new`, running.file);
  };
  await change({ shop: connection(), other: connection({ writeKeys: undefined }) });
  running.child.kill("SIGHUP");
  await running.says(/"connections":2,"msg":"reloaded"/);
  expect((await running.post("/webhook/other", { type: "track", event: "Works", userId: "u" })).status).toBe(200);

  await change({ shop: connection({ router: "nobody" }) });
  await running.says(/not reloaded/);
  expect(running.out).toContain("shop: router must be one of generic");
  expect((await running.post("/webhook/other", { type: "track", event: "Works", userId: "u" })).status).toBe(200);

  busy = false;
  await Promise.all(loads);
  expect([...statuses]).toEqual([200]);
});

test("at SIGTERM it finishes what is in flight and ends with 0", async () => {
  service = await start({ shop: connection() });
  const running = service;
  const requests = Array.from({ length: 20 }, (_, i) =>
    running.post("/webhook/shop", { type: "track", event: "Waits", userId: `u-${i}`, messageId: `m-${i}` }),
  );
  while (!/in_flight 20$/m.test(await running.metrics()));
  const code = running.end();
  await running.says(/"msg":"ending"/);
  await expect(fetch(`${running.url}/healthz`)).rejects.toThrow();
  release();

  const answers = await Promise.all(requests);
  expect(new Set(answers.map(({ status }) => status))).toEqual(new Set([200]));
  expect(await code).toBe(0);
  expect(delivered()).toHaveLength(20);
});

test("a second SIGTERM ends it at once, whatever is in flight", async () => {
  service = await start({ shop: connection() });
  const { child } = service;
  const answer = service.post("/webhook/shop", { type: "track", event: "Waits", userId: "u" }).catch(() => "cut off");
  while (!/in_flight 1$/m.test(await service.metrics()));
  child.kill("SIGTERM");
  await service.says(/"msg":"ending"/);
  const exit = once(child, "exit");
  child.kill("SIGTERM");

  expect(await exit).toEqual([1, null]);
  expect(await answer).toBe("cut off");
});

test("nothing that was answered 2xx is lost when it is killed in the middle", async () => {
  const dead = join(folder, "killed.ndjson");
  const sent = new Map<string, number>();
  for (let round = 0; round < 3; round++) {
    service = await start({ shop: connection({ router: "jitsu", deadLetter: dead }) });
    const running = service;
    let enough = () => {};
    const sentEnough = new Promise<void>((resolve) => {
      enough = resolve;
    });
    const send = async (sender: number) => {
      for (let i = 0; ; i++) {
        const ids = Array.from({ length: 5 }, (_, n) => `${round}-${sender}-${i}-${n}`);
        const events = ids.map((messageId, n) => ({
          type: "track",
          event: n === 3 ? "Dropped" : "Works",
          userId: messageId,
          messageId,
        }));
        const response = await running.post("/webhook/shop", events).catch(() => undefined);
        if (!response) return;
        for (const id of ids) sent.set(id, response.status);
        if (sent.size >= (round + 1) * 300) enough();
      }
    };
    const senders = Array.from({ length: 10 }, (_, sender) => send(sender));
    await sentEnough;
    await running.end("SIGKILL");
    await Promise.all(senders);
  }

  const kept = (await readFile(dead, "utf8")).split("\n").flatMap((line) => {
    try {
      return [(JSON.parse(line) as { messageId: string }).messageId];
    } catch {
      return [];
    }
  });
  const there = new Set([...delivered().map(({ messageId }) => messageId), ...kept]);
  const acknowledged = [...sent].filter(([, status]) => status === 200).map(([id]) => id);
  expect(acknowledged.length).toBeGreaterThanOrEqual(900);
  expect(acknowledged.filter((id) => !there.has(id))).toEqual([]);
});

test("a flood of large requests is refused before the memory is full", async () => {
  // All wait for their function, so that the receiver holds what it has taken until all have been answered: 7 times 4 MiB have room.
  const patient = { ...settings, timeoutMs: 28_000 };
  service = await start({ shop: connection({ settings: patient, router: "jitsu-reverse-etl" }) }, [
    "--max-memory",
    "32",
  ]);
  const running = service;
  const body = Buffer.from(
    JSON.stringify({ type: "track", event: "Waits", properties: { text: "x".repeat(4 * 1024 * 1024) } }),
  );
  const statuses = Promise.all(
    Array.from({ length: 24 }, async () => {
      const response = await fetch(`${running.url}/webhook/shop`, {
        method: "POST",
        headers: { authorization: `Bearer ${SECRET}` },
        body,
      }).catch(() => undefined);
      await response?.text().catch(() => undefined);
      return response?.status;
    }),
  );
  await running.says(/(?:.*"code":"ReceiverFull".*\n){17}/);
  const [, resident] = /^process_resident_memory_bytes (\S+)/m.exec(await running.metrics()) ?? [];
  expect(Number(resident)).toBeLessThan(500 * 1024 * 1024);
  release();

  // Of the others, some see the connection closed under what they were still sending.
  expect((await statuses).filter((status) => status !== 503 && status !== undefined)).toEqual(Array(7).fill(200));
  expect((await running.post("/webhook/shop", { type: "track", event: "Works", userId: "u" })).status).toBe(200);
});

describe("does not start, and says why,", () => {
  test.each<[string[], string]>([
    [["--connections", "/nowhere.json"], "Cannot read /nowhere.json: there is no such file"],
    [["--insecure", "--listen", "0.0.0.0"], "--insecure is for a loopback address only"],
    [["--listen", "example.com"], "--listen must be an IP address"],
    [["--port", "x"], "--port must be a whole number"],
    [["--log-level", "loud"], "--log-level must be one of"],
    [["--nonsense"], "--nonsense"],
  ])("with %j", async (args, reason) => {
    const { code, err, out } = await runCli(["serve", ...args]);
    expect([code, out]).toEqual([2, ""]);
    expect(err).toContain(reason);
  });

  test("with connections that are no good", async () => {
    const file = join(folder, "wrong.json");
    await writeFile(
      file,
      JSON.stringify({
        connections: {
          shop: { settings, webhook: [{ type: "bearer", secrets: [`x${SECRET}`, "env:NONE"] }] },
          open: { settings },
        },
      }),
    );
    const { code, err } = await runCli(["serve", "--connections", file]);
    expect(code).toBe(2);
    expect(err).toContain("shop: webhook.0.secrets.1: the environment variable NONE is not set");
    expect(err).toContain("open: needs `webhook` or `writeKeys`");
    expect(err).not.toContain(SECRET);
  });
});
