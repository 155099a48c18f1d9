import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { Admin, Consumer, Producer, stringSerializers } from "@platformatic/kafka";
import { type EmbeddedAws, startEmbeddedAws } from "../../src/local/aws/embedded-aws";
import { permit, trust } from "../local/aws/policies";
import { Broker } from "./broker";
import { until } from "./until";
import { WorkerProcess } from "./worker-process";

const EVENTS = Number(process.env["KAFKA_EVENTS"] ?? 3000);
const USERS = 100;
const PARTITIONS = 6;
const SESSION_MS = 6000;
const EVENTS_PER_CALL = 50;
const keys = { accessKeyId: "AKIDEXAMPLE", secretAccessKey: "not-a-secret-EXAMPLEKEY" };

const say = (text: string) => process.stderr.write(`${text}\n`);

interface Delivery {
  readonly messageId: string;
  readonly userId: string;
  readonly place: number;
  readonly at: number;
}

/** Something that may have an event delivered twice. */
interface Disturbance {
  readonly what: string;
  readonly from: number;
  readonly to: number;
}

let broker: Broker;
let aws: EmbeddedAws;
let folder: string;
let clients: { close(): Promise<void> }[];
let workers: WorkerProcess[];
let deliveries: Delivery[];
/** Events that fail once. */
let failsLeft: Set<string>;

beforeEach(async () => {
  deliveries = [];
  failsLeft = new Set();
  workers = [];
  clients = [];
  folder = mkdtempSync(join(tmpdir(), "kafka-worker-"));
  [broker, aws] = await Promise.all([Broker.start(), startEmbeddedAws({ history: 10 })]);
  const user = aws.addUser({ name: "worker", ...keys });
  aws.addRole({
    name: "router-events-invoker",
    trustPolicy: trust(user.arn, "my-source-id"),
    permissionPolicies: [
      permit("lambda:InvokeFunction", "arn:aws:lambda:us-east-1:123456789012:function:router-events*"),
    ],
  });
  aws.addFunction({ name: "router-events", handler: receive });
  writeFileSync(
    join(folder, "settings.json"),
    JSON.stringify({
      lambda: "router-events",
      region: "us-east-1",
      roleAddress: "arn:aws:iam::123456789012:role/router-events-invoker",
      externalId: "my-source-id",
    }),
  );
});

afterEach(async () => {
  await Promise.all(workers.map((worker) => worker.end("SIGKILL")));
  await Promise.all(clients.map((client) => client.close()));
  await Promise.all([broker.remove(), aws.close()]);
  rmSync(folder, { recursive: true, force: true });
});

/** The function: notes what it gets, and gets nowhere with a poison event. */
async function receive(event: unknown): Promise<void> {
  const { messageId, userId, properties } = Object(event);
  await sleep(2);
  if (properties.poison || failsLeft.delete(messageId)) throw new Error("I cannot digest this.");
  deliveries.push({ messageId, userId, place: properties.place, at: Date.now() });
}

function opened<Client extends { close(): Promise<void> }>(client: Client): Client {
  clients.push(client);
  return client;
}

const connection = (clientId: string) => ({ clientId, bootstrapBrokers: [broker.address], retries: 30 });

async function createTopics(topic: string): Promise<void> {
  const admin = opened(new Admin(connection("admin")));
  await admin.createTopics({
    topics: [topic, `${topic}.retry`, `${topic}.dead-letter`],
    partitions: PARTITIONS,
    replicas: 1,
  });
}

function startWorker(topic: string, more: Readonly<Record<string, string>> = {}): WorkerProcess {
  const worker = new WorkerProcess({
    AWS_ENDPOINT_URL: aws.url,
    AWS_ACCESS_KEY_ID: keys.accessKeyId,
    AWS_SECRET_ACCESS_KEY: keys.secretAccessKey,
    KAFKA_BROKERS: broker.address,
    KAFKA_TOPIC: topic,
    KAFKA_SESSION_TIMEOUT_MS: String(SESSION_MS),
    SETTINGS: join(folder, "settings.json"),
    SOURCE_ID: "my-source-id",
    RETRY_FOR_MS: "5000",
    EVENTS_PER_CALL: String(EVENTS_PER_CALL),
    ...more,
  });
  workers.push(worker);
  return worker;
}

const eventOf = (n: number, more: object = {}) => {
  const [userId, place] = [`user-${n % USERS}`, Math.floor(n / USERS)];
  const event = { type: "track", event: "Order Completed", messageId: `${userId}/${place}`, userId };
  return { ...event, properties: { place, ...more } };
};

const recordOf = (topic: string, event: ReturnType<typeof eventOf>) => ({
  topic,
  key: event.userId,
  value: JSON.stringify(event),
});

const distinct = () => new Set(deliveries.map(({ messageId }) => messageId)).size;

/** Partitions that the living workers hold; not one of them twice. */
const settled = () => {
  const living = workers.filter((worker) => !worker.hasEnded);
  const owned = living.flatMap((worker) => worker.owned);
  return (
    living.every(({ owned }) => owned.length > 0) && owned.length === PARTITIONS && new Set(owned).size === PARTITIONS
  );
};

interface DeadLetter {
  readonly value: string;
  readonly headers: Readonly<Record<string, string>>;
}

async function deadLetters(topic: string): Promise<DeadLetter[]> {
  const consumer = opened(new Consumer({ ...connection("reader"), groupId: "reader" }));
  const [ends] = [(await consumer.listOffsets({ topics: [`${topic}.dead-letter`] })).get(`${topic}.dead-letter`) ?? []];
  const expected = ends.reduce((sum, end) => sum + Number(end), 0);
  const stream = await consumer.consume({ topics: [`${topic}.dead-letter`], mode: "earliest", autocommit: false });
  const found: DeadLetter[] = [];
  for await (const { value, headers } of stream) {
    found.push({
      value: String(value),
      headers: Object.fromEntries([...headers].map(([name, text]) => [String(name), String(text)])),
    });
    if (found.length === expected) break;
  }
  return found;
}

/** What the group has left of a topic. */
async function lag(topic: string): Promise<number> {
  const consumer = opened(new Consumer({ ...connection("lag"), groupId: "amazon-lambda-destination" }));
  const ends = (await consumer.listOffsets({ topics: [topic] })).get(topic) ?? [];
  const partitions = ends.map((_end, partition) => partition);
  const committed = (await consumer.listCommittedOffsets({ topics: [{ topic, partitions }] })).get(topic) ?? [];
  await consumer.close();
  return ends.reduce((sum, end, partition) => sum + Number(end - BigInt(Math.max(0, Number(committed[partition])))), 0);
}

test("three workers lose nothing and keep each key's order, whatever falls over", async () => {
  const topic = "events";
  const disturbances: Disturbance[] = [];
  const disturb = async (what: string, trouble: () => Promise<unknown>) => {
    const from = Date.now();
    await trouble();
    disturbances.push({ what, from, to: Date.now() });
    say(`${what}: ${((Date.now() - from) / 1000).toFixed(1)} s; ${distinct()} of ${EVENTS} delivered`);
  };
  const reached = (share: number) => until(`${share * 100} % are delivered`, () => distinct() >= share * EVENTS);
  await createTopics(topic);
  const producer = opened(
    new Producer({ ...connection("producer"), serializers: stringSerializers, idempotent: true }),
  );
  for (let i = 0; i < 3; i++) startWorker(topic);
  await until("all partitions are owned", settled);

  const poison = EVENTS / 10;
  const mended = eventOf(EVENTS / 20).messageId;
  failsLeft.add(mended);
  const produced = (async () => {
    const chunk = Math.ceil(EVENTS / 100);
    for (let n = 0; n < EVENTS; n += chunk) {
      const some = Array.from({ length: Math.min(chunk, EVENTS - n) }, (_none, i) => n + i);
      const events = some.map((each) => eventOf(each, each === poison ? { poison: true } : {}));
      await producer.send({ messages: events.map((event) => recordOf(topic, event)) });
      // Spread over what happens below, each time as much as was taken.
      await until("there is room", () => deliveries.length >= n - EVENTS / 5);
    }
    await producer.send({ messages: [{ topic, key: "nobody", value: "{no JSON" }] });
    await producer.send({ messages: [{ topic, key: "nobody" } as { topic: string; key: string; value: string }] });
  })();

  await reached(0.1);
  await disturb("kill -9 of one of three", async () => {
    await workers[0]?.end("SIGKILL");
    startWorker(topic);
    await until("its partitions have moved", settled);
  });
  await reached(0.35);
  await disturb("throttled for 20 s", async () => {
    const before = deliveries.length;
    const error = {
      status: 429,
      code: "TooManyRequestsException",
      reason: "ReservedFunctionConcurrentInvocationLimitExceeded",
    };
    aws.misbehave({ service: "lambda", action: "Invoke", times: Number.POSITIVE_INFINITY, error });
    await sleep(20_000);
    aws.behave();
    expect(deliveries.length).toBeLessThan(before + 50);
    await until("it goes on", () => deliveries.length > before + 50);
  });
  await reached(0.6);
  await disturb("broker restart", async () => {
    await broker.stop();
    await broker.run();
    const before = deliveries.length;
    await until("it goes on", () => deliveries.length > before && settled());
  });
  await reached(0.8);
  await disturb("SIGTERM of one of three", async () => {
    expect(await workers[1]?.end("SIGTERM")).toBe(0);
    await until("its partitions have moved", settled);
  });
  await produced;
  await until("every event is delivered but the poison", () => distinct() === EVENTS - 1);
  await until("all offsets are committed", async () => (await lag(topic)) + (await lag(`${topic}.retry`)) === 0);

  const found = await deadLetters(topic);
  const origin = ({ headers }: DeadLetter) => `${headers["source-partition"]}/${headers["source-offset"]}`;
  const given = [...new Map(found.map((letter) => [origin(letter), letter])).values()];
  expect(given.map(({ headers }) => headers["error-code"]).sort()).toEqual(["ExecutionError", "InvalidEvent"]);
  const poisoned = given.find(({ headers }) => headers["error-code"] === "ExecutionError");
  expect(JSON.parse(poisoned?.value ?? "{}")).toEqual(eventOf(poison, { poison: true }));

  const first = new Map<string, Delivery>();
  const twice: (Delivery & { readonly why: string | undefined })[] = [];
  const perUser = new Map<string, number[]>();
  const rebalances = workers.flatMap((worker) => worker.lines.filter(({ partitions }) => partitions));
  const known: Disturbance[] = [
    ...disturbances.filter(({ what }) => !what.startsWith("throttled")),
    ...rebalances.map(({ time }) => ({
      what: "rebalance",
      from: Date.parse(time) - 1000,
      to: Date.parse(time) + 1000,
    })),
  ];
  const lines = workers.flatMap((worker) => worker.lines);
  const timedOut = new Set(
    lines.filter((line) => line["error-code"] === "OperationTimedOut").map((line) => line["message-id"]),
  );
  expect(lines.filter((line) => line.message === "parked" && line["message-id"] === mended)).not.toEqual([]);
  const parked = lines.filter(({ message }) => message === "parked").map((line) => line["message-id"]);
  const parkedTwice = (messageId: string) => parked.indexOf(messageId) !== parked.lastIndexOf(messageId);
  for (const delivery of deliveries) {
    const before = first.get(delivery.messageId);
    if (before) {
      const disturbance = known.find(({ from, to }) => before.at <= to && delivery.at >= from);
      const why =
        (timedOut.has(delivery.messageId) && "timeout") ||
        (parkedTwice(delivery.messageId) && "parked by the old owner and by the new one") ||
        disturbance?.what;
      twice.push({ ...delivery, why });
      continue;
    }
    first.set(delivery.messageId, delivery);
    perUser.set(delivery.userId, [...(perUser.get(delivery.userId) ?? []), delivery.place]);
  }
  const byCause = new Map<string, number>();
  for (const letter of found.filter((each) => !given.includes(each))) {
    const times = lines
      .filter((line) => line.message === "dead-lettered" && line["error-code"] === letter.headers["error-code"])
      .map(({ time }) => Date.parse(time));
    const cause = known.find(({ from, to }) => Math.min(...times) <= to && Math.max(...times) >= from);
    const why = `dead-lettered twice: ${cause?.what ?? "unexplained"}`;
    byCause.set(why, (byCause.get(why) ?? 0) + 1);
  }
  for (const { why = "unexplained" } of twice) byCause.set(why, (byCause.get(why) ?? 0) + 1);
  say(
    `${EVENTS} events: ${first.size} delivered, ${given.length - 1} dead-lettered, 0 lost; delivered twice: ${JSON.stringify(Object.fromEntries(byCause))}`,
  );
  for (const [userId, places] of perUser) {
    expect([userId, places]).toEqual([userId, [...places].sort((a, b) => a - b)]);
  }
  expect([...byCause.keys()].filter((why) => why.endsWith("unexplained"))).toEqual([]);
  // What was under way in all partitions, once per time that they changed hands.
  expect(twice.length).toBeLessThan(2 * PARTITIONS * EVENTS_PER_CALL);
});
