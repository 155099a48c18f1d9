// @ts-nocheck
import type { CallType } from "../events/segment-event";
import type { DeliveryError, DeliveryErrorCode, DeliveryResult } from "./delivery-result";
import { FAILURES } from "./failures";

/** Status of a delivery that was left out on purpose, because no function is set for its call type. */
export const SKIPPED_STATUS = 298;

/** Everything about a delivery but how it ended. */
export type DeliveryFacts = Pick<DeliveryResult, "messageId" | "durationMs" | "attempts"> &
  Partial<Pick<DeliveryResult, "function" | "executedVersion" | "requestId" | "logTail" | "retryAfterMs">> & {
    callType?: CallType;
  };

export function delivered(status: number, facts: DeliveryFacts): DeliveryResult {
  return { outcome: "delivered", status, ...facts };
}

export function skipped(facts: DeliveryFacts): DeliveryResult {
  return { outcome: "skipped", status: SKIPPED_STATUS, ...facts };
}

export function failed(
  code: DeliveryErrorCode,
  message: string,
  facts: DeliveryFacts,
  { hint = FAILURES[code].hint, ...more }: Partial<Pick<DeliveryError, "awsError" | "functionError" | "hint">> = {},
): DeliveryResult {
  const { label, outcome, status } = FAILURES[code];
  const { retryAfterMs, ...rest } = facts;
  return {
    outcome,
    status,
    ...rest,
    error: { code, label, message, ...more, hint },
    ...(outcome === "retry" && retryAfterMs !== undefined && { retryAfterMs: Math.ceil(retryAfterMs) }),
  };
}
