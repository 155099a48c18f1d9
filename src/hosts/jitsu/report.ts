import type { FullContext } from "@jitsu/protocols/functions";
import type { DeliveryResult } from "../../delivery/delivery-result";

/** Minutes before each retry, unless the operator has set others. The last counts for all further ones. */
const HOST_DELAYS_MINUTES = [10, 100, 1000] as const;

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
  const { outcome, error, logTail, executionArn, returnValue } = result;
  // Older versions have metrics without `status`.
  metrics?.status?.(COMPONENT, error ? "error" : "ok", error?.code).inc(1);
  if (logTail) log.info(`Log of ${result.function}:\n${logTail}`);
  if (error) throw jitsuError(result, error);
  log.info(
    outcome === "skipped"
      ? `Skipped ${result.messageId}: no Lambda function is set for ${result.callType} calls.`
      : `Delivered ${result.messageId} to ${result.function} in ${result.durationMs} ms (AWS request ${result.requestId}${executionArn === undefined ? "" : `, execution ${executionArn}`}).`,
  );
  if (returnValue !== undefined) log.info(`Returned by ${result.function}: ${returnValue}`);
}

function jitsuError(result: DeliveryResult, error: NonNullable<DeliveryResult["error"]>): Error {
  const { outcome, status, retryAfterMs, requestId } = result;
  const where = result.function ? ` [${result.function}${requestId ? `, AWS request ${requestId}` : ""}]` : "";
  return Object.assign(new Error(`${sentence(error)}${where} ${error.hint}`), {
    name: outcome === "retry" ? "RetryError" : "NoRetryError",
    status,
    // Kept by the host's own rendering of an error, unlike any other key.
    response: {
      code: error.code,
      ...(error.awsError && { awsError: error.awsError }),
      ...(requestId && { requestId }),
    },
    ...retryPolicy(retryAfterMs),
  });
}

function sentence({ label, message }: NonNullable<DeliveryResult["error"]>): string {
  const named = message.toLowerCase().startsWith(`${label.toLowerCase()}:`);
  return named ? label + message.slice(label.length) : `${label}: ${message}`;
}

/**
 * Longer delays than the host's own where AWS asks for them. How often an event is retried is the operator's to say: a
 * policy with a number in it would outweigh `MESSAGES_RETRY_COUNT`.
 */
function retryPolicy(retryAfterMs = 0): { retryPolicy?: { delays: number[] } } {
  const atLeast = Math.ceil(retryAfterMs / 60_000);
  if (atLeast <= HOST_DELAYS_MINUTES[0]) return {};
  return { retryPolicy: { delays: HOST_DELAYS_MINUTES.map((minutes) => Math.max(minutes, atLeast)) } };
}
