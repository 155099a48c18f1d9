// @ts-nocheck
import { type Circumstances, FAILURES, hintFor } from "../../src/delivery/failures";

const denied = (ending: string) =>
  `User: arn:aws:sts::123456789012:assumed-role/invoker/s is not authorized to perform: lambda:InvokeFunction on resource: arn:aws:lambda:us-east-1:123456789012:function:orders${ending}`;

test.each<[what: string, circumstances: Circumstances, hint: RegExp]>([
  ["STS, without a reason", { service: "sts", message: denied("") }, /role does not exist, or its trust policy/],
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

test("an endpoint of another region is no question of keys", () => {
  const message = "Credential should be scoped to a valid region, not 'eu-west-1'. ";
  expect(hintFor("InvalidCredentials", { service: "sts", message })).toMatch(/AWS_ENDPOINT_URL/);
});
