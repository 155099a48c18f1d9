import type { AnalyticsServerEvent } from "@jitsu/protocols/analytics";
import type { FullContext } from "@jitsu/protocols/functions";
import type { InvokeAnswer } from "../../../src/aws/aws";
import { createDestinationIn } from "../../../src/destination/create-destination";
import { jitsuFunction } from "../../../src/hosts/jitsu/destination-function";
import type { Settings } from "../../../src/settings/settings";
import { ANSWER, FakeAws, failure, pending, settled } from "../../aws/fake-aws";
import { routerOn } from "../../router";

const props = {
  lambda: "arn:aws:lambda:us-east-1:123456789012:function:events",
  roleAddress: "arn:aws:iam::123456789012:role/router",
};
const keys = { accessKeyId: "AKIDEXAMPLE00000000", secretAccessKey: "not/a/real+secret/only+for+this+test00000" };
const event = {
  type: "track",
  event: "Order Completed",
  messageId: "m-1",
  context: {},
  writeKey: "not-a-real-write-key",
} as unknown as AnalyticsServerEvent;

/** What Jitsu reads of a thrown error. */
interface JitsuError extends Error {
  readonly status?: number;
  readonly response?: unknown;
  readonly retryPolicy?: { readonly delays: readonly number[] };
}

let aws: FakeAws;
let made: unknown[];
let deliver: ReturnType<typeof jitsuFunction>;
let logged: string[];
let counted: unknown[][];

beforeEach(() => {
  aws = new FakeAws();
  made = [];
  logged = [];
  counted = [];
  deliver = jitsuFunction((settings) => {
    made.push(settings);
    const surroundings = routerOn(aws);
    const destination = createDestinationIn(surroundings, settings);
    return { deliver: (event, context, options) => destination.deliver(event, context, options) };
  });
});

function context(more: object = {}): FullContext<Settings> {
  const log =
    (level: string) =>
    (message: string, ...args: unknown[]) => {
      logged.push([level, message, ...args].join(" "));
    };
  return {
    props,
    log: { info: log("info"), warn: log("warn"), debug: log("debug"), error: log("error") },
    metrics: { status: (...labels: unknown[]) => ({ inc: (by: number) => counted.push([...labels, by]) }) },
    source: { id: "source-1" },
    workspace: { id: "workspace-1" },
    receivedAt: new Date("2026-01-02T03:04:05.000Z"),
    retries: 0,
    ...more,
  } as unknown as FullContext<Settings>;
}

async function errorOf(ctx = context(), input = event): Promise<JitsuError> {
  const error = await Promise.resolve(deliver(input, ctx)).then(
    () => undefined,
    (thrown: unknown) => thrown,
  );
  expect(error).toBeInstanceOf(Error);
  return error as JitsuError;
}

const answering = (answer: Partial<InvokeAnswer>) => async () => ({ ...ANSWER, ...answer });
const functionError = (errorType: string, errorMessage: string) =>
  answering({ functionError: "Unhandled", payload: JSON.stringify({ errorType, errorMessage }) });

describe("what Jitsu sees", () => {
  test("of a delivery is the event, unchanged", async () => {
    expect(await deliver(event, context())).toBe(event);
    expect(counted).toEqual([["amazon-lambda", "ok", undefined, 1]]);
    expect(logged).toEqual([expect.stringMatching(/^info Delivered m-1 to arn:.*:events in 0 ms \(AWS request r-1\)/)]);
  });

  test("of a call type without a function is the event, unchanged", async () => {
    const ctx = context({ props: { ...props, lambda: "", trackLambda: "", pageLambda: "pages", region: "us-east-1" } });
    expect(await deliver(event, ctx)).toBe(event);
    expect(logged).toEqual(["info Skipped m-1: no Lambda function is set for track calls."]);
    expect(aws.invoked).toEqual([]);
  });

  test("of a function that threw is an error to retry, which says everything in its message", async () => {
    aws.onInvoke = functionError("TypeError", "x is not a function");
    const error = await errorOf();
    expect(error).toMatchObject({ name: "RetryError", status: 500 });
    expect(error.response).toEqual({ code: "ExecutionError", requestId: "r-1" });
    expect(error.message).toMatch(
      /^Execution Error: The function failed with TypeError: x is not a function \[arn:.*:events, AWS request r-1\] The function threw .*Log Type Tail/,
    );
    expect(counted).toEqual([["amazon-lambda", "error", "ExecutionError", 1]]);
    expect(error).not.toHaveProperty("retryPolicy");
  });

  test("of a function that gave the event up is an error not to retry", async () => {
    aws.onInvoke = functionError("DropEvent", "not mine");
    expect(await errorOf()).toMatchObject({ name: "NoRetryError", status: 400 });
  });

  test("of an event that is none is an error not to retry", async () => {
    const error = await errorOf(context(), { type: "video" } as unknown as AnalyticsServerEvent);
    expect(error).toMatchObject({ name: "NoRetryError", status: 400 });
    expect(error.message).toMatch(/^Invalid Event: .*must be one of track/);
  });

  test("of settings that are no good is an error to retry that names them", async () => {
    const error = await errorOf(context({ props: { ...props, region: "the moon" } }));
    expect(error.name).toBe("RetryError");
    expect(error.message).toMatch(/^Invalid Settings: (?!Invalid).*region must be the name of an AWS region/);
  });

  test("of a denied role is an error to retry that says what to change", async () => {
    aws.onAssumeRole = async () => Promise.reject(failure({ status: 403 }));
    const { name, message, response } = await errorOf();
    expect(name).toBe("RetryError");
    expect(message).toMatch(/^Accessdenied: .*External ID sent: source-1.*trust policy/);
    expect(response).toEqual({ code: "AccessDenied", awsError: "AccessDenied" });
  });

  test.each([
    [600_001, [11, 100, 1000]],
    [7_200_000, [120, 120, 1000]],
  ])(
    "of AWS asking to wait %i ms are delays that are long enough, and no number of them",
    async (retryAfterMs, delays) => {
      const throttled = { service: "lambda", code: "TooManyRequestsException", status: 429, retryAfterMs } as const;
      aws.onInvoke = async () => Promise.reject(failure(throttled));
      expect((await errorOf()).retryPolicy).toEqual({ delays });
    },
  );

  test("of AWS asking to wait no longer than Jitsu does is an error that leaves the policy to the operator", async () => {
    aws.onInvoke = async () =>
      Promise.reject(
        failure({ service: "lambda", code: "TooManyRequestsException", status: 429, retryAfterMs: 600_000 }),
      );
    const error = await errorOf();
    expect(error).toMatchObject({ name: "RetryError", status: 429 });
    expect(error).not.toHaveProperty("retryPolicy");
  });

  test("of a durable function is its execution, and of one that returns something what that was", async () => {
    const executionArn = `${props.lambda}:1/durable-execution/e/i`;
    aws.onInvoke = answering({ executionArn, payload: JSON.stringify({ ok: true }) });
    await deliver(event, context({ props: { ...props, returnValue: "Include" } }));
    expect(logged).toEqual([
      expect.stringContaining(`(AWS request r-1, execution ${executionArn}).`),
      `info Returned by ${props.lambda}: {"ok":true}`,
    ]);
  });

  test("of the function's log is one entry in the log", async () => {
    aws.onInvoke = answering({ logResult: Buffer.from("START\nsomething\nEND").toString("base64") });
    await deliver(event, context({ props: { ...props, logType: "Tail" } }));
    expect(logged[0]).toBe(`info Log of ${props.lambda}:\nSTART\nsomething\nEND`);
  });
});

describe("what Jitsu gives", () => {
  test("reaches the function as Segment has it, and no secret of the host", async () => {
    await deliver(event, context());
    const payload = JSON.parse(aws.invoked[0]?.request.payload ?? "");
    expect(payload).toMatchObject({ projectId: "source-1", receivedAt: "2026-01-02T03:04:05.000Z" });
    expect(payload).not.toHaveProperty("writeKey");
  });

  test("names the source as the external ID", async () => {
    await deliver(event, context());
    expect(aws.assumed[0]?.request.externalId).toBe("source-1");
  });

  test("beside the settings is no matter", async () => {
    await deliver(event, context({ props: { ...props, mode: "stream", "amazon-lambda": true } }));
    expect(made).toEqual([props]);
  });

  test("as strings, as forms do, is read", async () => {
    const form = { ...props, timeoutMs: "250", maxBatchSize: "1", externalId: "", clientContext: "{}" };
    await deliver(event, context({ props: form }));
    expect(aws.invoked[0]?.timeoutMs).toBe(250);
  });

  test("is checked once per settings object", async () => {
    const ctx = context();
    await deliver(event, ctx);
    await deliver(event, ctx);
    expect(made).toHaveLength(1);
    await deliver(event, context({ props: { ...props } }));
    expect(made).toHaveLength(2);
  });

  test.each([
    ["no metrics", { metrics: undefined }],
    ["metrics without status", { metrics: {} }],
    ["no time of receipt", { receivedAt: undefined }],
    ["no workspace", { workspace: undefined }],
  ])("may be less in older versions: %s", async (_what, less) => {
    expect(await deliver(event, context(less))).toBe(event);
    aws.onInvoke = functionError("TypeError", "x");
    expect((await errorOf(context(less))).name).toBe("RetryError");
  });

  test.each([null, undefined])("may be no settings at all: %p", async (none) => {
    const { name, message } = await errorOf(context({ props: none }));
    expect(name).toBe("RetryError");
    expect(message).toContain("lambda is needed");
  });

  test("may lack a source: then there is no external ID, and the error says so", async () => {
    const { name, message } = await errorOf(context({ source: undefined }));
    expect(name).toBe("RetryError");
    expect(message).toContain("externalId is needed");
  });
});

test("secrets are in no log, error or metric", async () => {
  const secret = { ...props, ...keys };
  await deliver(event, context({ props: secret }));
  const errors: JitsuError[] = [await errorOf(context({ props: { ...secret, region: "the moon" } }))];
  aws.onInvoke = functionError("TypeError", "x");
  errors.push(await errorOf(context({ props: secret })));
  aws.onInvoke = async () =>
    Promise.reject(
      failure({
        service: "lambda",
        code: "InvalidSignatureException",
        status: 403,
        message: `No match.\n\nThe Canonical String for this request should have been\n'x-amz-security-token:token-1 ${keys.accessKeyId}'`,
      }),
    );
  errors.push(await errorOf(context({ props: secret })));

  const told = JSON.stringify([
    logged,
    counted,
    errors.map(({ message, stack, response }) => [message, stack, response]),
  ]);
  for (const hidden of [...Object.values(keys), "not-a-real-write-key", "token-1", "not-a-real-secret"]) {
    expect(told).not.toContain(hidden);
  }
});

test("is named and described as the host shows it", () => {
  expect(deliver.displayName).toBe("amazon-lambda");
  expect(deliver.description).toContain("AWS Lambda");
});

describe("an event whose function has no room", () => {
  const ofFourPlaces = { ...props, maxConcurrency: 4 };
  const onTry = (retries: number) => context({ props: ofFourPlaces, retries });
  let first: ReturnType<typeof pending<InvokeAnswer>>;
  let underWay: unknown;

  /** Others that take all of its places. */
  beforeEach(async () => {
    first = pending();
    aws.onInvoke = () => first.promise;
    underWay = Promise.all(Array.from({ length: 4 }, () => deliver(event, onTry(0))));
    await settled();
    aws.onInvoke = async () => ANSWER;
  });

  afterEach(() => {
    first.resolve(ANSWER);
    return underWay;
  });

  async function passing(ms: number): Promise<void> {
    for (let passed = 0; passed < ms; passed += 50) {
      await settled();
      aws.pass(50);
    }
    await settled();
  }

  test.each([0, 1, 2])("comes back later on try %i, and holds nobody up", async (retries) => {
    expect(await errorOf(onTry(retries))).toMatchObject({ name: "RetryError", status: 429 });
    expect(aws.slept).toEqual([]);
  });

  test("waits for its turn on the last one, before which it would be lost", async () => {
    const last = deliver(event, onTry(3));
    await settled();
    first.resolve(ANSWER);
    await passing(500);

    expect(await last).toBe(event);
  });

  test("is given up where that takes more than two seconds", async () => {
    const last = errorOf(onTry(3));
    await passing(1900);
    expect(aws.timers).toBeGreaterThan(0);
    await passing(500);

    expect(await last).toMatchObject({ name: "RetryError", status: 429 });
    expect(aws.timers).toBe(0);
  });

  test("is sent once more where it was AWS that had none", async () => {
    first.resolve(ANSWER);
    await underWay;
    first = pending();
    aws.onInvoke = () => first.promise;
    underWay = Promise.all([deliver(event, onTry(0)), deliver(event, onTry(0))]);
    await settled();
    aws.onInvoke = async () => {
      aws.onInvoke = async () => ANSWER;
      throw failure({ service: "lambda", code: "TooManyRequestsException", status: 429, retryAfterMs: 1000 });
    };
    const last = deliver(event, onTry(3));
    await passing(100);
    first.resolve(ANSWER);
    await passing(500);

    expect(await last).toBe(event);
    expect(aws.invoked).toHaveLength(8);
  });

  test("has as many tries as the operator says", async () => {
    process.env["MESSAGES_RETRY_COUNT"] = "1";
    try {
      const surroundings = routerOn(aws);
      deliver = jitsuFunction((settings) => {
        const destination = createDestinationIn(surroundings, settings);
        return { deliver: (event, context, options) => destination.deliver(event, context, options) };
      });
    } finally {
      delete process.env["MESSAGES_RETRY_COUNT"];
    }
    aws.onInvoke = () => first.promise;
    const others = Array.from({ length: 4 }, () => deliver(event, onTry(0)));
    await settled();
    aws.onInvoke = async () => ANSWER;
    const last = deliver(event, onTry(1));
    await settled();
    first.resolve(ANSWER);
    await passing(500);

    expect(await last).toBe(event);
    await Promise.all(others);
  });
});
