import { type EmbeddedAws, startEmbeddedAws } from "../../src/local/aws/embedded-aws";
import type { Source, Try } from "../../src/local/local-host";
import { createRudderStackHost } from "../../src/local/rudderstack-host";

let aws: EmbeddedAws;
let source: Source;
/** Names of the errors that the function throws next. */
let failures: string[];
/** What the function got, oldest first. */
let payloads: unknown[];

beforeAll(async () => {
  aws = await startEmbeddedAws();
  const { accessKeyId, secretAccessKey } = aws.addUser({ name: "router" });
  aws.addFunction({
    name: "function",
    handler: async (payload) => {
      payloads.push(payload);
      const name = failures.shift();
      if (name) throw Object.assign(new Error("not now"), { name });
    },
  });
  source = { id: "source", settings: { trackLambda: "function", region: aws.region, accessKeyId, secretAccessKey } };
  process.env["AWS_ENDPOINT_URL"] = aws.url;
});

afterAll(async () => {
  delete process.env["AWS_ENDPOINT_URL"];
  await aws.close();
});

beforeEach(() => {
  failures = [];
  payloads = [];
});

/** Hands the events over at once, and waits for their ends. */
async function deliver(...events: unknown[]): Promise<Try[]> {
  const tries: Try[] = [];
  const host = createRudderStackHost((attempt) => tries.push(attempt), { minuteMs: 0, batchTimeoutMs: 0 });
  await Promise.all(events.map((event) => host.deliver(event, source)));
  return tries;
}

test("an event is delivered once", async () => {
  const tries = await deliver({ type: "track", event: "A", messageId: "m" });

  expect(tries).toMatchObject([{ next: "done", retries: 0, result: { outcome: "delivered", messageId: "m" } }]);
});

test("a function that fails gets the event again", async () => {
  failures = ["Error"];

  const tries = await deliver({ type: "track", event: "A", messageId: "m" });

  expect(tries.map(({ next, result }) => [next, result.outcome])).toEqual([
    ["retry", "retry"],
    ["done", "delivered"],
  ]);
});

test("a function that goes on failing is asked for three hours, as the server does it", async () => {
  failures = Array(100).fill("Error");

  const tries = await deliver({ type: "track", event: "A", messageId: "m" });

  expect(tries.at(-1)?.next).toBe("dead letter");
  expect(tries).toHaveLength(41);
});

test.each([
  ["given up by the function", { type: "track", event: "A" }, "rejected"],
  ["without a function", { type: "page" }, "skipped"],
  ["that is none", { type: "purchase" }, "rejected"],
])("an event %s is not sent again", async (_name, event, outcome) => {
  failures = ["DropEvent"];

  const tries = await deliver(event);

  expect(tries.map(({ next, result }) => [next, result.outcome])).toEqual([["done", outcome]]);
});

describe("events that come together", () => {
  const events = (count: number, users = count) =>
    Array.from({ length: count }, (_, i) => ({
      type: "track",
      event: "A",
      userId: `u-${i % users}`,
      messageId: `m-${i}`,
    }));
  const sizes = () => payloads.map((payload) => (Array.isArray(payload) ? payload.length : "one"));

  /** Changes the settings for one test. */
  function withSettings(settings: object): void {
    const { settings: before } = source;
    source = { ...source, settings: { ...before, ...settings } };
    restore = () => {
      source = { ...source, settings: before };
    };
  }
  let restore = () => {};
  afterEach(() => restore());

  test("are batches of twenty at most, as a worker of the server hands them over", async () => {
    withSettings({ maxBatchSize: 50 });

    const tries = await deliver(...events(45));

    expect(sizes()).toEqual([20, 20, 5]);
    expect(new Set(tries.map(({ result }) => result.messageId)).size).toBe(45);
  });

  test("are divided by the settings' Max Batch Size", async () => {
    withSettings({ maxBatchSize: 8 });

    await deliver(...events(20));

    expect(sizes()).toEqual([8, 8, 4]);
  });

  test("go one by one where the settings want no batches", async () => {
    await deliver(...events(3));

    expect(sizes()).toEqual(["one", "one", "one"]);
  });

  test("of one user keep their order, also when one fails meanwhile", async () => {
    failures = ["", "Error"];

    const tries = await deliver(...events(4, 1));

    expect(payloads.map((payload) => (payload as { messageId: string }).messageId)).toEqual([
      "m-0",
      "m-1",
      "m-1",
      "m-2",
      "m-3",
    ]);
    expect(tries.map(({ next, retries }) => [next, retries])).toEqual([
      ["done", 0],
      ["retry", 0],
      ["done", 1],
      ["done", 0],
      ["done", 0],
    ]);
  });

  test("do not hold each other up where users differ", async () => {
    failures = ["Error"];

    await deliver(...events(3));

    expect(payloads.map((payload) => (payload as { messageId: string }).messageId)).toEqual([
      "m-0",
      "m-1",
      "m-2",
      "m-0",
    ]);
  });

  test("of which some are no events share nothing with the others", async () => {
    withSettings({ maxBatchSize: 10 });

    const tries = await deliver(...events(2), { type: "purchase" }, { type: "page" });

    expect(sizes()).toEqual([2]);
    expect(tries.map(({ result }) => result.outcome)).toEqual(["delivered", "delivered", "rejected", "skipped"]);
  });
});
