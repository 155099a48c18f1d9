// @ts-nocheck
import fc from "fast-check";
import { sessionPolicy } from "../../src/aws/session-policy";
import { functionArn, parseFunctionReference } from "../../src/names/function-reference";

const home = { partition: "aws", region: "us-east-1", account: "123456789012" };
const policyOf = (...functions: string[]) => sessionPolicy(functions.map(parseFunctionReference), home);
const resourcesOf = ({ json }: { json: string }): string[] => JSON.parse(json).Statement[0].Resource;

test.each([
  ["events", "arn:aws:lambda:us-east-1:123456789012:function:events"],
  ["events:live", "arn:aws:lambda:us-east-1:123456789012:function:events:live"],
  ["events:$LATEST", "arn:aws:lambda:us-east-1:123456789012:function:events:$LATEST"],
  ["999999999999:function:events", "arn:aws:lambda:us-east-1:999999999999:function:events"],
  [
    "arn:aws:lambda:us-east-1:999999999999:function:events:7",
    "arn:aws:lambda:us-east-1:999999999999:function:events:7",
  ],
])("a session for %s may invoke that and nothing else", (configured, arn) => {
  const policy = policyOf(configured);
  expect(JSON.parse(policy.json)).toEqual({
    Version: "2012-10-17",
    Statement: [{ Effect: "Allow", Action: "lambda:InvokeFunction", Resource: [arn] }],
  });
  expect(policy.namesFunctions).toBe(true);
  expect(functionArn(parseFunctionReference(configured), home)).toBe(arn);
});

test("a function is named once, and in an order that does not depend on the settings'", () => {
  expect(resourcesOf(policyOf("b", "a", "b"))).toEqual([
    "arn:aws:lambda:us-east-1:123456789012:function:a",
    "arn:aws:lambda:us-east-1:123456789012:function:b",
  ]);
  expect(policyOf("a", "b").json).toBe(policyOf("b", "a").json);
});

test("the role's partition is the functions'", () => {
  const china = { partition: "aws-cn", region: "cn-north-1", account: "123456789012" };
  expect(resourcesOf(sessionPolicy([parseFunctionReference("events")], china))).toEqual([
    "arn:aws-cn:lambda:cn-north-1:123456789012:function:events",
  ]);
});

test("too many functions to name are those of their accounts", () => {
  const many = Array.from({ length: 40 }, (_, i) => `function-with-a-rather-long-name-${i}`);
  const policy = policyOf(...many, "999999999999:function:elsewhere");
  expect(policy.namesFunctions).toBe(false);
  expect(resourcesOf(policy)).toEqual([
    "arn:aws:lambda:us-east-1:123456789012:function:*",
    "arn:aws:lambda:us-east-1:999999999999:function:*",
  ]);
});

test("too many accounts to name are those of the region", () => {
  const many = Array.from({ length: 100 }, (_, i) => `${String(i).padStart(12, "1")}:function:events`);
  const policy = policyOf(...many);
  expect(policy.namesFunctions).toBe(false);
  expect(resourcesOf(policy)).toEqual(["arn:aws:lambda:us-east-1:*:function:*"]);
});

test("a policy is never longer than AWS takes", () => {
  const name = fc.stringMatching(/^[a-zA-Z0-9_-]{1,64}$/);
  const configured = fc.oneof(
    name,
    fc.tuple(fc.stringMatching(/^\d{12}$/), name).map(([account, own]) => `${account}:function:${own}`),
  );
  fc.assert(
    fc.property(fc.array(configured, { minLength: 1, maxLength: 120 }), (functions) => {
      expect(policyOf(...functions).json.length).toBeLessThanOrEqual(2048);
    }),
  );
});
