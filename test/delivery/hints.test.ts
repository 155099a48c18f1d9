import { type Circumstances, FAILURES, hintFor } from "../../src/delivery/failures";

const denied = (ending: string) =>
  `User: arn:aws:sts::123456789012:assumed-role/invoker/s is not authorized to perform: lambda:InvokeFunction on resource: arn:aws:lambda:us-east-1:123456789012:function:orders${ending}`;

test.each<[what: string, circumstances: Circumstances, hint: RegExp]>([
  ["STS, without a reason", { service: "sts", message: denied("") }, /role does not exist, or its trust policy/],
  [
    "STS, for the tags of the router's session",
    {
      service: "sts",
      message:
        "User: arn:aws:sts::123456789012:assumed-role/router/eks-1 is not authorized to perform: sts:TagSession on resource: arn:aws:iam::123456789012:role/router-events-invoker",
    },
    /allow sts:TagSession in the role's trust policy, in a statement without the External ID/,
  ],
  [
    "STS, by the router's own policies",
    { service: "sts", message: denied(" because no identity-based policy allows the sts:AssumeRole action") },
    /router's own identity may not assume the role/,
  ],
  [
    "STS, by a Deny",
    { service: "sts", message: denied(" with an explicit deny in a service control policy") },
    /^A policy denies this/,
  ],
  [
    "Lambda, by the role's policies",
    { service: "lambda", message: denied(" because no identity-based policy allows the lambda:InvokeFunction action") },
    /correct its name in the settings, or allow lambda:InvokeFunction/,
  ],
  [
    "Lambda, by the function's policy",
    { service: "lambda", message: denied(" because no resource-based policy allows the lambda:InvokeFunction action") },
    /in another account/,
  ],
  [
    "Lambda, by the session's policy",
    { service: "lambda", message: denied(" because no session policy allows the lambda:InvokeFunction action") },
    /functions in the settings and no other/,
  ],
  [
    "Lambda, by a permissions boundary",
    { service: "lambda", message: denied(" because no permissions boundary allows the lambda:InvokeFunction action") },
    /^A limit above/,
  ],
  [
    "Lambda, by a Deny",
    { service: "lambda", message: denied(" with an explicit deny in a resource-based policy") },
    /^A policy denies this/,
  ],
  ["Lambda, without a reason", { service: "lambda", message: denied("") }, /^Check the IAM role/],
])("what was denied by %s has a hint of its own, and names the check", (_what, circumstances, hint) => {
  expect(hintFor("AccessDenied", circumstances)).toMatch(hint);
  expect(hintFor("AccessDenied", circumstances)).toMatch(/`amazon-lambda-destination check` tells what to change\.$/);
});

test("a log that is in the result already need not be switched on", () => {
  expect(hintFor("ExecutionError", {})).toMatch(/Log Type Tail/);
  expect(hintFor("ExecutionError", { logTail: "" })).not.toMatch(/Log Type/);
});

test("a role that was not assumed in time is not the function's slowness", () => {
  expect(hintFor("OperationTimedOut", { service: "sts" })).toMatch(/^The function was not reached/);
  expect(hintFor("OperationTimedOut", { service: "lambda" })).toBe(FAILURES.OperationTimedOut.hint);
});

test.each<[what: string, circumstances: Circumstances, hint: RegExp]>([
  [
    "its reserved concurrency",
    { reason: "ReservedFunctionConcurrentInvocationLimitExceeded" },
    /reserved concurrency is used up/,
  ],
  ["its own rate", { reason: "ReservedFunctionInvocationRateLimitExceeded" }, /ten times its reserved concurrency/],
  ["the account's concurrency", { reason: "ConcurrentInvocationLimitExceeded" }, /account's concurrency in the region/],
  ["its rate", { reason: "FunctionInvocationRateLimitExceeded" }, /more often per second than its concurrency/],
  ["the account's rate", { reason: "CallerRateLimitExceeded" }, /account calls Lambda more often/],
  ["snapshots", { reason: "ConcurrentSnapshotCreateLimitExceeded" }, /SnapStart snapshots/],
  ["our own limit", { code: "TooManyInFlight", service: "lambda" }, /Max Concurrency, or ask the router's operator/],
  ["STS", { code: "Throttling", service: "sts" }, /how often roles are assumed/],
  [
    "none of these",
    { code: "TooManyRequestsException", service: "lambda", reason: "New" },
    /^AWS limits the rate of calls/,
  ],
])("what is throttled by %s has a hint of its own", (_what, circumstances, hint) => {
  expect(hintFor("Throttled", circumstances)).toMatch(hint);
});

test("a request that something on the way finds too large is no question of the network alone", () => {
  expect(hintFor("NetworkError", { status: 413 })).toMatch(/client_max_body_size/);
  expect(hintFor("NetworkError", { status: 502 })).toBe(FAILURES.NetworkError.hint);
});

test("a package that is missing is to be installed, and an unknown error to be reported", () => {
  expect(hintFor("Unknown", { kind: "installation" })).toMatch(/^Install what is missing/);
  expect(hintFor("Unknown", { kind: "service" })).toBe(FAILURES.Unknown.hint);
});

test("an endpoint of another region is no question of keys", () => {
  const message = "Credential should be scoped to a valid region, not 'eu-west-1'. ";
  expect(hintFor("InvalidCredentials", { service: "sts", message })).toMatch(/AWS_ENDPOINT_URL/);
});
