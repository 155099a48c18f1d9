import type { CallType } from "../events/segment-event";
import type { DeliveryError, DeliveryErrorCode, DeliveryResult } from "./delivery-result";
import { FAILURES } from "./failures";

/** Status of a delivery that was left out on purpose, because no function is set for its call type. */
export const SKIPPED_STATUS = 298;

/** Everything about a delivery but how it ended. */
export type DeliveryFacts = Pick<DeliveryResult, "messageId" | "durationMs" | "attempts"> &
  Partial<
    Pick<
      DeliveryResult,
      | "function"
      | "executedVersion"
      | "requestId"
      | "logTail"
      | "executionArn"
      | "returnValue"
      | "retryAfterMs"
      | "alone"
    >
  > & {
    callType?: CallType;
  };

export function delivered(status: number, facts: DeliveryFacts): DeliveryResult {
  return { outcome: "delivered", status, ...facts };
}

export function skipped(facts: DeliveryFacts): DeliveryResult {
  return { outcome: "skipped", status: SKIPPED_STATUS, ...facts };
}

/** What becomes of an event that is settled without being sent. */
export function unsent({ messageId, callType, function: name, problem }: Unplanned): DeliveryResult {
  const facts = {
    messageId,
    durationMs: 0,
    attempts: 0,
    ...(callType && { callType }),
    ...(name !== undefined && { function: name }),
  };
  return problem ? failed(problem.code, problem.message, facts) : skipped(facts);
}

/** An event that was planned and not sent, as far as a result tells of it. */
interface Unplanned extends Pick<DeliveryResult, "messageId" | "callType" | "function"> {
  readonly problem?: { readonly code: DeliveryErrorCode; readonly message: string };
}

export function failed(
  code: DeliveryErrorCode,
  message: string,
  facts: DeliveryFacts,
  {
    hint = FAILURES[code].hint,
    ...more
  }: Partial<Pick<DeliveryError, "awsError" | "functionError" | "reason" | "hint">> = {},
): DeliveryResult {
  const { label, outcome, status } = FAILURES[code];
  const { retryAfterMs, alone, ...rest } = facts;
  return {
    outcome,
    status,
    ...rest,
    error: { code, label, message, ...more, hint },
    ...(outcome === "retry" && retryAfterMs !== undefined && { retryAfterMs: Math.ceil(retryAfterMs) }),
    ...(outcome === "retry" && alone && { alone }),
  };
}
