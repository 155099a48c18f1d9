import { createNodeAws } from "../src/aws/node";
import { createDestinationIn } from "../src/destination/create-destination";
import { type EmbeddedAws, startEmbeddedAws } from "../src/local/aws/embedded-aws";
import { assessedResult } from "./assess";
import { pointEnvironmentAt } from "./iam/scene";
import { addRouter } from "./local/aws/router-account";
import { routerOn } from "./router";

const environment = { ...process.env };
const CONTEXT = { sourceId: "my-source-id" };
const ORDER = { type: "track", event: "Order Completed", userId: "u-1", messageId: "m-1" };
const ARN = "arn:aws:lambda:us-east-1:123456789012:function:router-events";

let aws: EmbeddedAws;
let settings: Readonly<Record<string, unknown>>;

beforeEach(async () => {
  aws = await startEmbeddedAws();
  pointEnvironmentAt(aws.url);
  const { roleAddress, accessKeyId, secretAccessKey } = addRouter(aws);
  aws.addFunction({ name: "failures", handler: () => null, aliases: { live: "$LATEST" } });
  settings = { lambda: `${ARN}:live`, failureLambda: "failures:live", roleAddress, accessKeyId, secretAccessKey };
});

afterEach(async () => {
  await aws.close();
  process.env = { ...environment };
});

const dropping = (message: string) => () => {
  throw Object.assign(new Error(message), { name: "DropEvent" });
};

function addFunction(handler: (event: unknown) => unknown): void {
  aws.addFunction({ name: "router-events", handler: (event) => handler(event), aliases: { live: "$LATEST" } });
}

function destination(more: object = {}) {
  const own = createNodeAws();
  const surroundings = routerOn(own);
  return createDestinationIn(surroundings, { ...settings, ...more });
}

async function deliver(event: unknown = ORDER, more: object = {}) {
  return assessedResult(await destination(more).deliver(event, CONTEXT));
}

/** What the Failure Lambda was given, once it has run. */
async function records(): Promise<Record<string, unknown>[]> {
  await aws.idle();
  return aws.invocations
    .filter((each) => each.function === "failures")
    .map(({ payload }) => payload as Record<string, unknown>);
}

test("a rejected event goes to it as the record that AWS itself would make of it", async () => {
  addFunction(dropping("not for us"));
  const result = await deliver();
  const [record, ...others] = await records();

  expect(result).toMatchObject({ outcome: "rejected", status: 400 });
  expect(others).toEqual([]);
  expect(record).toEqual({
    version: "1.0",
    timestamp: expect.stringMatching(/^20\d\d-\d\d-\d\dT[\d:.]+Z$/),
    requestContext: {
      requestId: result.requestId,
      functionArn: `${ARN}:live`,
      condition: "RetriesExhausted",
      approximateInvokeCount: 1,
    },
    requestPayload: { ...ORDER, projectId: "my-source-id", version: 2 },
    responseContext: { statusCode: 200, executedVersion: "$LATEST", functionError: "Unhandled" },
    responsePayload: { errorType: "DropEvent", errorMessage: "not for us", trace: expect.any(Array) },
  });
});

test("nothing but what is rejected goes to it", async () => {
  let failure: (() => never) | undefined;
  addFunction(() => failure?.() ?? null);
  await deliver();
  failure = () => {
    throw new Error("try again");
  };
  await deliver();
  await deliver({ ...ORDER, type: "page" }, { pageLambda: "(skip)" });

  expect(await records()).toEqual([]);
});

test("an event that never was sent has no request ID, and its record no answer", async () => {
  const unknown = { ...ORDER, type: "purchase", writeKey: "not-a-real-write-key", $table: "x" };
  const result = await deliver(unknown);
  const [record] = await records();

  expect(result).toMatchObject({ outcome: "rejected", error: { code: "InvalidEvent" } });
  expect(record).toEqual({
    version: "1.0",
    timestamp: expect.any(String),
    requestContext: { condition: "RetriesExhausted", approximateInvokeCount: 0 },
    requestPayload: { ...ORDER, type: "purchase" },
    responsePayload: { errorType: "InvalidEvent", errorMessage: result.error?.message },
  });
});

test("the record of an event without the tenant that its function needs has the event", async () => {
  await deliver(ORDER, { tenantId: "{group}" });
  expect(await records()).toEqual([
    expect.objectContaining({
      requestPayload: { ...ORDER, projectId: "my-source-id", version: 2 },
      responsePayload: { errorType: "InvalidEvent", errorMessage: expect.stringContaining("no tenant") },
    }),
  ]);
});

test.each([
  ["a text", "hello", "hello"],
  ["nothing", null, null],
  ["what has no JSON", { big: 1n }, {}],
])("the record of %s in place of an event is a record all the same", async (_what, event, requestPayload) => {
  expect(await deliver(event)).toMatchObject({ outcome: "rejected" });
  expect(await records()).toEqual([expect.objectContaining({ requestPayload })]);
});

test("of an event that is too large for a record, it carries what fits, marked", async () => {
  const result = await deliver({ ...ORDER, properties: { text: "ü".repeat(4_000_000) } });
  const [record = {}] = await records();

  expect(result).toMatchObject({ outcome: "rejected", status: 413, error: { code: "PayloadTooLarge" } });
  expect(record).toMatchObject({
    requestContext: { functionArn: `${ARN}:live` },
    requestPayload: {
      truncated: true,
      bytes: expect.any(Number),
      beginning: expect.stringMatching(
        /^\{"type":"track","event":"Order Completed","userId":"u-1","properties":\{"text":"ü+$/,
      ),
    },
    responsePayload: { errorType: "PayloadTooLarge" },
  });
  const { bytes } = record["requestPayload"] as { bytes: number };
  expect(bytes).toBeGreaterThan(8_000_000);
});

test("each rejected event of a batch has a record of its own", async () => {
  addFunction((events) => {
    if ((events as { userId: string }[]).some(({ userId }) => userId === "bad"))
      throw Object.assign(new Error("bad"), { name: "DropEvent" });
  });
  const events = Array.from({ length: 8 }, (_, i) => ({
    ...ORDER,
    messageId: `m-${i}`,
    userId: i % 4 === 1 ? "bad" : `u-${i}`,
  }));
  const results = await destination({ maxBatchSize: 10 }).deliverBatch(
    [...events, { type: "none", messageId: "m-9" }],
    CONTEXT,
  );

  const rejected = results.filter(({ outcome }) => outcome === "rejected").map(({ messageId }) => messageId);
  expect(rejected).toContain("m-9");
  const recorded = (await records()).map(({ requestPayload }) => (requestPayload as { messageId: string }).messageId);
  expect(recorded.sort()).toEqual(rejected.sort());
});

test.each([
  ["is missing", { failureLambda: "missing" }, "FunctionNotFound"],
  ["may not be invoked", {}, "AccessDenied"],
  ["is throttled", {}, "Throttled"],
])("where it %s, the event is kept for a retry", async (how, more, code) => {
  addFunction(dropping("not for us"));
  if (how === "may not be invoked") {
    aws.misbehave({ service: "lambda", function: "failures", error: { code: "AccessDeniedException", status: 403 } });
  }
  if (how === "is throttled") {
    aws.misbehave({
      service: "lambda",
      function: "failures",
      error: { code: "TooManyRequestsException", status: 429, headers: { "retry-after": "7" } },
    });
  }
  const result = await deliver(ORDER, more);

  expect(result).toMatchObject({
    outcome: "retry",
    error: {
      code,
      message: expect.stringMatching(
        /^The event was rejected, and Failure Lambda \S+ did not take the record.*not for us/,
      ),
    },
    ...(code === "Throttled" && { status: 429, retryAfterMs: 7000 }),
  });
  expect(await records()).toEqual([]);
});

test("a record that it finds too large is kept for a retry as well, and not given up", async () => {
  addFunction(dropping("not for us"));
  aws.misbehave({
    service: "lambda",
    function: "failures",
    error: { code: "RequestTooLargeException", status: 413 },
  });
  expect(await deliver()).toMatchObject({
    outcome: "retry",
    status: 500,
    error: { code: "Unknown", awsError: "RequestTooLargeException" },
  });
});

test("it shares the delivery's time: an event whose record was not taken in it is a retry", async () => {
  addFunction(dropping("not for us"));
  aws.misbehave({ service: "lambda", function: "failures", latencyMs: 60_000 });
  const result = await deliver(ORDER, { timeoutMs: 1500 });

  expect(result).toMatchObject({ outcome: "retry", error: { code: "OperationTimedOut" } });
});

test("what it rejects as an event's own function is not sent to it again", async () => {
  aws.addFunction({ name: "both", handler: dropping("no") });
  const result = await deliver(ORDER, { lambda: "both", failureLambda: "both", region: "us-east-1" });
  await aws.idle();

  expect(result).toMatchObject({ outcome: "rejected" });
  expect(aws.invocations).toHaveLength(1);
});

test("one event rejected by a durable execution is recorded with that", async () => {
  aws.addFunction({ name: "durable", durable: true, handler: () => Promise.reject(new Error("no stock")) });
  const result = await deliver(ORDER, { lambda: "durable:$LATEST", executionName: "MessageId", region: "us-east-1" });

  expect(result).toMatchObject({ outcome: "rejected" });
  expect(await records()).toEqual([
    expect.objectContaining({ responsePayload: expect.objectContaining({ errorMessage: "no stock" }) }),
  ]);
});
