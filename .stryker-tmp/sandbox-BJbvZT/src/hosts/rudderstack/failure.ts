// @ts-nocheck
import type { DeliveryResult } from "../../delivery/delivery-result";

/** What a user of the host reads about a delivery that was not made: what happened, and what to do. */
export function explain({ outcome, callType, error }: DeliveryResult): string {
  if (!error) return outcome === "skipped" ? `No Lambda function is set for ${callType} calls.` : outcome;
  const { label, message, hint } = error;
  const begun = message.toLowerCase().startsWith(label.toLowerCase()) ? message : `${label}: ${message}`;
  return `${begun}${/[.!?]$/.test(begun) ? "" : "."} ${hint}`;
}
