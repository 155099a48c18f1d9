import type { InvokeAnswer } from "../../src/aws/aws";
import { AwsError, type AwsErrorDetails } from "../../src/aws/aws-error";
import { type Asked, resultsOfInvocation, type Sent } from "../../src/delivery/outcome";
import { failed } from "../../src/delivery/result";

const SENT: Sent = { callType: "track", messageId: "m-1", function: "router-events", externalId: "my-source-id" };
const FACTS = { messageId: "m-1", callType: "track", function: "router-events", durationMs: 7, attempts: 1 };

const one = (answer: Partial<InvokeAnswer>, sent: Partial<Sent> = {}, asked: Asked = { asBatch: false }) => {
  const whole = { status: 200, payload: "null", ...answer } as InvokeAnswer;
  return resultsOfInvocation([{ ...SENT, ...sent }], { attempts: 1, answer: whole }, 7, asked)[0];
};

const failing = (details: Partial<AwsErrorDetails>, sent: Partial<Sent> = {}) => {
  const error = new AwsError({
    service: "lambda",
    kind: "service",
    code: "AccessDeniedException",
    message: "No.",
    ...details,
  });
  return resultsOfInvocation([{ ...SENT, ...sent }], { attempts: 1, error }, 7, { asBatch: false })[0];
};

test("a result says what there was, and nothing of what there was not", () => {
  expect(one({})).toStrictEqual({ outcome: "delivered", status: 200, ...FACTS });
  const told = { requestId: "r-1", executedVersion: "7", executionArn: "arn:e" };
  expect(one(told)).toStrictEqual({ outcome: "delivered", status: 200, ...FACTS, ...told });
  expect(Object.keys(failing({}) ?? {})).not.toEqual(expect.arrayContaining(["requestId"]));
  expect(
    failing({ status: 429, code: "TooManyRequestsException", reason: "Why", requestId: "r-1", retryAfterMs: 5 }),
  ).toMatchObject({
    requestId: "r-1",
    retryAfterMs: 5,
    error: { reason: "Why" },
  });
  expect(Object.keys(failing({})?.error ?? {})).toEqual(["code", "label", "message", "awsError", "hint"]);
});

test.each<[string, Partial<AwsErrorDetails>, Partial<Sent>, boolean]>([
  ["a role that is denied", { service: "sts", code: "AccessDenied" }, {}, true],
  [
    "a role that is denied where none was sent",
    { service: "sts", code: "AccessDenied" },
    { externalId: undefined },
    false,
  ],
  ["a role that is throttled", { service: "sts", code: "Throttling" }, {}, false],
  ["a function that is denied", { service: "lambda", code: "AccessDeniedException" }, {}, false],
])("whether the external ID is told of %s", (_what, details, sent, told) => {
  expect(failing(details, sent)?.error?.message.includes("External ID sent: my-source-id")).toBe(told);
});

test("who said it is told, but where nobody was asked", () => {
  expect(failing({})?.error?.message).toBe("AWS Lambda: No.");
  expect(failing({ service: "sts" })?.error?.message).toMatch(/^AWS STS, assuming the role: No\./);
  expect(failing({ kind: "withheld" })?.error?.message).toBe("No.");
});

test("of a log that is longer than AWS's own, the end is read", () => {
  const log = "x".repeat(9000) + "y".repeat(6144);
  expect(one({ logResult: Buffer.from(log).toString("base64") })?.logTail).toBe("y".repeat(6144));
});

const functionError = {
  functionError: "Unhandled",
  payload: JSON.stringify({ errorType: "TypeError", errorMessage: "x" }),
};

test("a log that is in the result need not be switched on", () => {
  expect(one(functionError)?.error?.hint).toContain("Log Type Tail");
  expect(one({ ...functionError, logResult: "" })?.error?.hint).not.toContain("Log Type Tail");
});

test.each<[string, Partial<Sent>, Partial<InvokeAnswer>, string]>([
  ["a durable function's one execution of the event", { executionName: "e" }, { executionArn: "arn:e" }, "rejected"],
  ["a function that is not durable", { executionName: "e" }, {}, "retry"],
  ["a durable function that has no execution of the event's own", {}, { executionArn: "arn:e" }, "retry"],
])("what fails in %s is final only where it is that", (_what, sent, answer, outcome) => {
  expect(one({ ...functionError, ...answer }, sent)?.outcome).toBe(outcome);
});

test("an event that has its execution already is delivered", () => {
  const already = { code: "DurableExecutionAlreadyStartedException", status: 409 };
  expect(failing(already, { executionName: "e" })).toStrictEqual({ outcome: "delivered", status: 200, ...FACTS });
  expect(failing({ ...already, requestId: "r-1" }, { executionName: "e" })?.requestId).toBe("r-1");
  expect(failing(already)?.outcome).toBe("retry");
});

test("batchItemFailures count for a batch whose answer is waited for, and for nothing else", () => {
  const payload = JSON.stringify({ batchItemFailures: [{ itemIdentifier: "m-1" }] });
  const outcomeOf = (status: number, asBatch: boolean, said = payload) =>
    one({ status, payload: said }, {}, { asBatch })?.outcome;
  expect(outcomeOf(200, true)).toBe("retry");
  expect(outcomeOf(202, true)).toBe("delivered");
  expect(outcomeOf(200, false)).toBe("delivered");
  expect(outcomeOf(200, true, "<html>")).toBe("retry");
  expect(outcomeOf(200, false, "<html>")).toBe("delivered");
});

test("what is given up is not to be sent again alone, and has no time to come back", () => {
  const { outcome, ...rest } = failed("RejectedByFunction", "No.", {
    messageId: "m-1",
    durationMs: 1,
    attempts: 1,
    alone: true,
    retryAfterMs: 5,
  });
  expect(outcome).toBe("rejected");
  expect(Object.keys(rest)).not.toEqual(expect.arrayContaining(["alone"]));
  expect(rest).not.toHaveProperty("retryAfterMs");
});
