import type { DeliveryResult } from "../../delivery/delivery-result";

/** What a user of the host reads about a delivery that was not made. */
export function explain({ outcome, callType, error }: DeliveryResult): string {
  if (error) return `${error.label}: ${error.message} ${error.hint}`;
  return outcome === "skipped" ? `No Lambda function is set for ${callType} calls.` : outcome;
}
