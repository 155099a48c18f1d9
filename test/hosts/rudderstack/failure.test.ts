import { delivered, failed, skipped } from "../../../src/delivery/result";
import { explain } from "../../../src/hosts/rudderstack/failure";

const facts = { messageId: "m", durationMs: 0, attempts: 1 };

test.each([
  [
    "ExecutionError",
    "The function failed with Error: boom",
    /^Execution Error: The function failed with Error: boom\. The function threw/,
  ],
  ["NetworkError", "No route. Twice", /^Network error: No route\. Twice\. The router cannot/],
  ["NetworkError", "No route.", /^Network error: No route\. The router cannot/],
  [
    "InvalidSettings",
    "Invalid settings: lambda is needed.",
    /^Invalid settings: lambda is needed\. Correct the settings/,
  ],
] as const)("%s says what happened and what to do", (code, message, expected) => {
  expect(explain(failed(code, message, facts))).toMatch(expected);
});

test("a skipped event says which function is not set", () => {
  expect(explain(skipped({ ...facts, callType: "page" }))).toBe("No Lambda function is set for page calls.");
});

test("a delivered event says no more than that", () => {
  expect(explain(delivered(200, { ...facts, callType: "page" }))).toBe("delivered");
});
