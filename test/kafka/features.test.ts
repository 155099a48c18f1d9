import { setTimeout as sleep } from "node:timers/promises";
import { LOGIN } from "./broker";
import { freePort } from "./free-port";
import { until } from "./until";
import { WorkerStage } from "./worker-stage";

let stage: WorkerStage;
let received: string[];
/** What the function waits for before it answers. */
let held: Promise<unknown>;

beforeAll(async () => {
  stage = await WorkerStage.open(async (event) => {
    received.push(Object(event).messageId);
    await held;
  });
});

beforeEach(() => {
  received = [];
  held = Promise.resolve();
});

afterEach(() => Promise.all(stage.workers.splice(0).map((worker) => worker.end("SIGKILL"))));

afterAll(() => stage.close());

const record = (topic: string, messageId: string) => ({
  topic,
  key: "user",
  value: JSON.stringify({ type: "track", event: "Order Completed", userId: "user", messageId }),
});

/** How to reach the broker over TLS. */
const secure = () => ({
  KAFKA_BROKERS: stage.broker.secureAddress,
  KAFKA_TLS: "true",
  KAFKA_CA_FILE: stage.broker.caFile,
  KAFKA_USERNAME: LOGIN.username,
  KAFKA_PASSWORD: LOGIN.password,
});

test.each(["PLAIN", "SCRAM-SHA-256", "SCRAM-SHA-512"])(
  "reaches a broker that wants TLS and a login (%s)",
  async (mechanism) => {
    const topic = mechanism.toLowerCase();
    await stage.createTopics(topic);
    await stage.produce(["1", "2", "3"].map((messageId) => record(topic, messageId)));
    const worker = stage.startWorker(topic, { ...secure(), KAFKA_SASL_MECHANISM: mechanism });
    await until("all are delivered", () => received.length === 3);

    expect(received).toEqual(["1", "2", "3"]);
    expect(await worker.end("SIGTERM")).toBe(0);
    expect(await stage.lag(topic)).toBe(0);
  },
);

test("says why it does not reach a broker, and nothing that is secret", async () => {
  const [password, mechanism] = ["another-password", "SCRAM-SHA-512"];
  const strangers = [
    stage.startWorker("events", { ...secure(), KAFKA_SASL_MECHANISM: mechanism, KAFKA_PASSWORD: password }),
    stage.startWorker("events", { ...secure(), KAFKA_CA_FILE: "" }),
  ];
  const told = strangers.map(async (worker) => {
    await until("it says so", () => worker.lines.some(({ message }) => message === "starting anew"));
    return JSON.stringify(worker.lines) + worker.other.join();
  });
  const [wrongPassword, unknownCa] = await Promise.all(told);

  expect(wrongPassword).toMatch(/authentication/i);
  expect(wrongPassword).not.toContain(password);
  expect(unknownCa).toContain("self-signed certificate");
});

test("a call that is longer than the session costs neither the partition nor a second delivery", async () => {
  const session = 1500;
  await stage.createTopics("slow");
  const worker = stage.startWorker("slow", { KAFKA_SESSION_TIMEOUT_MS: String(session) });
  await until("it has its partitions", () => worker.owned.length > 0);
  held = sleep(4 * session);
  await stage.produce([record("slow", "1"), record("slow", "2")]);
  await until("both are delivered", async () => received.length === 2 && (await stage.lag("slow")) === 0);

  expect(received).toEqual(["1", "2"]);
  expect(worker.lines.map(({ message }) => message)).toEqual(["assigned"]);
});

test("a tombstone is passed over, and the metrics say what is left, what was done and whether all waits", async () => {
  let release = () => {};
  held = new Promise<void>((resolve) => {
    release = resolve;
  });
  await stage.createTopics("metrics");
  const port = await freePort();
  const worker = stage.startWorker("metrics", { METRICS_PORT: String(port), METRICS_HOST: "127.0.0.1" });
  await stage.produce([record("metrics", "1"), { topic: "metrics", key: "user" }, record("metrics", "2")]);
  await until("the first is under way", () => received.length === 1);
  const metrics = async () => (await fetch(`http://127.0.0.1:${port}/metrics`)).text();
  const lag = (text: string) =>
    [...text.matchAll(/^kafka_lambda_lag\{topic="metrics",\S+ (\d+)$/gm)].reduce((sum, [, n]) => sum + Number(n), 0);

  await until("three are left", async () => lag(await metrics()) === 3);
  const refused = { status: 403, code: "AccessDeniedException" };
  stage.aws.misbehave({ service: "lambda", times: Number.POSITIVE_INFINITY, error: refused });
  release();
  await until("all waits", async () => /^kafka_lambda_paused\{partition="\d"\} 1$/m.test(await metrics()));
  expect(await metrics()).toMatch(/^kafka_lambda_events_total\{outcome="retry",code="AccessDenied"\} \d+$/m);
  stage.aws.behave();
  await until("nothing is left", async () => lag(await metrics()) === 0);
  expect(received).toEqual(["1", "2"]);
  expect(await metrics()).toMatch(/^kafka_lambda_events_total\{outcome="delivered",code=""\} 2$/m);
  expect(worker.lines.some(({ message, code }) => message === "paused" && code === "AccessDenied")).toBe(true);
});
