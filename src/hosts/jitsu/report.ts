import type { FullContext } from "@jitsu/protocols/functions";
import type { DeliveryResult } from "../../delivery/delivery-result";

/** Minutes before each retry where AWS asked to wait; never less than it asked for, and longer each time. */
const RETRY_DELAYS_MINUTES = [1, 10, 100] as const;

/** The component under which the host counts outcomes. */
const COMPONENT = "amazon-lambda";

type JitsuContext = Pick<FullContext, "log" | "metrics">;

/**
 * Tells Jitsu what became of a delivery, in the only ways it understands: by returning, or by an error whose name says
 * whether to retry and whose message is all that a user gets to see.
 *
 * @throws an Error named `RetryError` (Jitsu retries, then dead-letters) or `NoRetryError` (Jitsu gives the event up)
 */
export function reportToJitsu(result: DeliveryResult, { log, metrics }: JitsuContext): void {
  const { outcome, error, logTail } = result;
  // Older versions have metrics without `status`.
  metrics?.status?.(COMPONENT, error ? "error" : "ok", error?.code).inc(1);
  if (logTail) log.info(`Log of ${result.function}:\n${logTail}`);
  if (error) throw jitsuError(result, error);
  log.debug(
    outcome === "skipped"
      ? `Skipped ${result.messageId}: no Lambda function is set for ${result.callType} calls.`
      : `Delivered ${result.messageId} to ${result.function} in ${result.durationMs} ms (AWS request ${result.requestId}).`,
  );
}

function jitsuError(result: DeliveryResult, error: NonNullable<DeliveryResult["error"]>): Error {
  const { outcome, status, retryAfterMs, requestId } = result;
  const where = result.function ? ` [${result.function}${requestId ? `, AWS request ${requestId}` : ""}]` : "";
  return Object.assign(new Error(`${error.label}: ${error.message}${where} ${error.hint}`), {
    name: outcome === "retry" ? "RetryError" : "NoRetryError",
    status,
    // Kept by the host's own rendering of an error, unlike any other key.
    response: {
      code: error.code,
      ...(error.awsError && { awsError: error.awsError }),
      ...(requestId && { requestId }),
    },
    ...(outcome === "retry" && retryAfterMs !== undefined && { retryPolicy: retryPolicy(retryAfterMs) }),
  });
}

function retryPolicy(retryAfterMs: number): { retries: number; delays: number[] } {
  const atLeast = Math.ceil(retryAfterMs / 60_000);
  return {
    retries: RETRY_DELAYS_MINUTES.length,
    delays: RETRY_DELAYS_MINUTES.map((minutes) => Math.max(minutes, atLeast)),
  };
}
