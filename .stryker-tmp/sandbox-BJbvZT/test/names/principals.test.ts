// @ts-nocheck
import { isAccount, isPrincipal, parseRole, parseSession } from "../../src/names/principals";

test.each([
  ["arn:aws:iam::123456789012:role/invoker", { partition: "aws", path: "/", name: "invoker" }],
  [
    "arn:aws-cn:iam::123456789012:role/routers/eu/invoker",
    { partition: "aws-cn", path: "/routers/eu/", name: "invoker" },
  ],
])("%s is a role", (arn, parts) => {
  expect(parseRole(arn)).toEqual({ arn, account: "123456789012", ...parts });
  expect(isPrincipal(arn)).toBe(true);
});

test.each([
  "arn:aws:iam::123456789012:user/router",
  "arn:aws:iam::12345:role/invoker",
  "arn:aws:iam::123456789012:role/",
  "arn:aws:iam::123456789012:role/a//b",
  "arn:aws:sts::123456789012:assumed-role/router/session",
  "invoker",
])("%s is no role", (arn) => {
  expect(parseRole(arn)).toBeUndefined();
});

test("a session's role is known, by its name", () => {
  expect(parseSession("arn:aws:sts::123456789012:assumed-role/router/i-0abc")).toEqual({
    partition: "aws",
    account: "123456789012",
    roleName: "router",
  });
  expect(parseSession("arn:aws:iam::123456789012:role/router")).toBeUndefined();
});

test.each([
  ["123456789012", true],
  ["12345678901", false],
  ["1234567890123", false],
  ["123456789012\n", false],
])("%j is an account: %s", (text, is) => {
  expect(isAccount(text)).toBe(is);
});
