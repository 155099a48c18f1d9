import { setTimeout as sleep } from "node:timers/promises";
import { until } from "./until";
import { type DeadLetter, PARTITIONS, WorkerStage } from "./worker-stage";

const EVENTS = Number(process.env["KAFKA_EVENTS"] ?? 3000);
const USERS = 100;
const EVENTS_PER_CALL = 50;

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

let stage: WorkerStage;
let deliveries: Delivery[];
/** Events that fail until a worker has parked them. */
let failing: Set<string>;

beforeEach(async () => {
  deliveries = [];
  failing = new Set();
  stage = await WorkerStage.open(receive);
});

afterEach(() => stage.close());

/** The function: notes what it gets, and gets nowhere with a poison event. */
async function receive(event: unknown): Promise<void> {
  const { messageId, userId, properties } = Object(event);
  await sleep(2);
  if (properties.poison || (failing.has(messageId) && !isParked(messageId))) throw new Error("I cannot digest this.");
  deliveries.push({ messageId, userId, place: properties.place, at: Date.now() });
}

const isParked = (messageId: string) =>
  stage.workers.some(({ lines }) =>
    lines.some((line) => line.message === "parked" && line["message-id"] === messageId),
  );

const startWorker = (topic: string) =>
  stage.startWorker(topic, {
    KAFKA_SESSION_TIMEOUT_MS: "6000",
    RETRY_FOR_MS: "5000",
    EVENTS_PER_CALL: String(EVENTS_PER_CALL),
  });

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
  const living = stage.workers.filter((worker) => !worker.hasEnded);
  const owned = living.flatMap((worker) => worker.owned);
  return (
    living.every(({ owned }) => owned.length > 0) && owned.length === PARTITIONS && new Set(owned).size === PARTITIONS
  );
};

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
  await stage.createTopics(topic);
  for (let i = 0; i < 3; i++) startWorker(topic);
  await until("all partitions are owned", settled);

  const poison = EVENTS / 10;
  const mended = eventOf(EVENTS / 20).messageId;
  failing.add(mended);
  const produced = (async () => {
    const chunk = Math.ceil(EVENTS / 100);
    for (let n = 0; n < EVENTS; n += chunk) {
      const some = Array.from({ length: Math.min(chunk, EVENTS - n) }, (_none, i) => n + i);
      const events = some.map((each) => eventOf(each, each === poison ? { poison: true } : {}));
      await stage.produce(events.map((event) => recordOf(topic, event)));
      // Spread over what happens below, each time as much as was taken.
      await until("there is room", () => deliveries.length >= n - EVENTS / 5);
    }
    await stage.produce([{ topic, key: "nobody", value: "{no JSON" }]);
    await stage.produce([{ topic, key: "nobody" }]);
  })();

  await reached(0.1);
  await disturb("kill -9 of one of three", async () => {
    await stage.workers[0]?.end("SIGKILL");
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
    stage.aws.misbehave({ service: "lambda", action: "Invoke", times: Number.POSITIVE_INFINITY, error });
    await sleep(20_000);
    stage.aws.behave();
    expect(deliveries.length).toBeLessThan(before + 50);
    await until("it goes on", () => deliveries.length > before + 50);
  });
  await reached(0.6);
  await disturb("broker restart", async () => {
    await stage.broker.stop();
    await stage.broker.run();
    const before = deliveries.length;
    await until("it goes on", () => deliveries.length > before && settled());
  });
  await reached(0.8);
  await disturb("SIGTERM of one of three", async () => {
    expect(await stage.workers[1]?.end("SIGTERM")).toBe(0);
    await until("its partitions have moved", settled);
  });
  await produced;
  await until("every event is delivered but the poison", () => distinct() === EVENTS - 1);
  await until(
    "all offsets are committed",
    async () => (await stage.lag(topic)) + (await stage.lag(`${topic}.retry`)) === 0,
  );

  const found = await stage.deadLetters(topic);
  const origin = ({ headers }: DeadLetter) => `${headers["source-partition"]}/${headers["source-offset"]}`;
  const given = [...new Map(found.map((letter) => [origin(letter), letter])).values()];
  expect(given.map(({ headers }) => headers["error-code"]).sort()).toEqual(["ExecutionError", "InvalidEvent"]);
  const poisoned = given.find(({ headers }) => headers["error-code"] === "ExecutionError");
  expect(JSON.parse(poisoned?.value ?? "{}")).toEqual(eventOf(poison, { poison: true }));

  const first = new Map<string, Delivery>();
  const twice: (Delivery & { readonly why: string | undefined })[] = [];
  const perUser = new Map<string, number[]>();
  const rebalances = stage.workers.flatMap((worker) => worker.lines.filter(({ partitions }) => partitions));
  const known: Disturbance[] = [
    ...disturbances.filter(({ what }) => !what.startsWith("throttled")),
    ...rebalances.map(({ time }) => ({
      what: "rebalance",
      from: Date.parse(time) - 1000,
      to: Date.parse(time) + 1000,
    })),
  ];
  const lines = stage.workers.flatMap((worker) => worker.lines);
  const timedOut = new Set(
    lines.filter((line) => line["error-code"] === "OperationTimedOut").map((line) => line["message-id"]),
  );
  expect(isParked(mended)).toBe(true);
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
