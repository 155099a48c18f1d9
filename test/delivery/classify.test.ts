import fc from "fast-check";
import { classifyAwsFailure, classifyFunctionError } from "../../src/delivery/classify";
import type { DeliveryErrorCode } from "../../src/delivery/delivery-result";
import { FAILURES, scopeOf } from "../../src/delivery/failures";
import { SKIPPED_STATUS } from "../../src/delivery/result";

test("every failure says what to do next", () => {
  for (const { hint } of Object.values(FAILURES)) expect(hint).toMatch(/\.$/);
});

test("a host that thinks in HTTP codes does the same as one that reads outcomes", () => {
  const retried = (status: number) => status === 429 || status >= 500;
  for (const { outcome, status } of Object.values(FAILURES)) expect(retried(status)).toBe(outcome === "retry");
  expect(SKIPPED_STATUS).toBe(298);
});

test("a queue stands still only for what waiting or the settings can mend: what is given up is always the event's own", () => {
  const scopes = Object.entries(FAILURES).map(([code, { outcome }]) => [
    code,
    outcome,
    scopeOf(code as DeliveryErrorCode),
  ]);

  expect(scopes.filter(([, outcome, scope]) => outcome === "rejected" && scope !== "event")).toEqual([]);
  expect(scopes.filter(([, outcome, scope]) => outcome === "retry" && scope === "event").map(([code]) => code)).toEqual(
    ["ExecutionError", "OperationTimedOut"],
  );
});

test("whatever AWS answers, it is one of the failures", () => {
  const kind = fc.constantFrom("service", "network", "timeout", "identity");
  fc.assert(
    fc.property(kind, fc.string(), fc.option(fc.integer(), { nil: 0 }), (each, code, status) => {
      expect(FAILURES).toHaveProperty(classifyAwsFailure({ kind: each, code, status }));
    }),
  );
});

test("whatever a function throws, it is retried unless it asks for the opposite by name", () => {
  const givenUp = /(^|\W)(DropEvent|EventNotSupported|InvalidEventPayload|ValidationError)>?$/;
  fc.assert(
    fc.property(fc.string(), fc.string(), (errorType, errorMessage) => {
      const { outcome } = FAILURES[classifyFunctionError(errorType, errorMessage)];
      expect(outcome).toBe(givenUp.test(errorType) ? "rejected" : "retry");
    }),
  );
});

test.each([
  ["Sandbox.Timedout", "RequestId: 1 Error: over"],
  ["Runtime.Unknown", "2026-01-02T03:04:05Z 1 Task timed out after 3.01 seconds"],
])("a function that AWS cut off is one that was too slow: %s, %s", (errorType, errorMessage) => {
  expect(classifyFunctionError(errorType, errorMessage)).toBe("OperationTimedOut");
});

test("a function that says nothing of its error failed all the same", () => {
  expect(classifyFunctionError()).toBe("ExecutionError");
});
