import { functionNameForInvoke, parseFunctionReference } from "../../src/settings/function-reference";

test.each([
  ["my-function", "my-function"],
  ["my-function:live", "my-function"],
  ["123456789012:function:my-function:3", "123456789012:function:my-function"],
  ["123456789012:my-function", "123456789012:function:my-function"],
  ["us-east-1:123456789012:function:my-function", "123456789012:function:my-function"],
  [
    "arn:aws-cn:lambda:cn-north-1:123456789012:function:my-function:live",
    "arn:aws-cn:lambda:cn-north-1:123456789012:function:my-function",
  ],
])("%s is invoked by the name %s", (configured, name) => {
  expect(functionNameForInvoke(parseFunctionReference(configured))).toBe(name);
});

test("a text that the schema would not have accepted is a programmer's mistake, and is not repeated", () => {
  expect(() => parseFunctionReference("no function, perhaps a secret")).toThrow(TypeError);
  expect(() => parseFunctionReference("no function, perhaps a secret")).not.toThrow("secret");
});
