// @ts-nocheck
import type { FunctionError } from "./delivery-result";

/** Characters kept of an error's type and message; a function may write megabytes, and each event of a batch gets a copy. */
const MAX_TEXT = 1000;
/** Lines kept of a trace, and characters of each. */
const MAX_LINES = 20;
const MAX_LINE = 300;

/**
 * What the function said about its error, cut to what a person reads.
 *
 * @param kind `X-Amz-Function-Error`
 * @param payload the answer's body: `{"errorType","errorMessage","trace"}` by custom, whatever the runtime wrote in fact
 */
export function readFunctionError(kind: string, payload: string): FunctionError {
  const { errorType, errorMessage, trace, stackTrace } = parseObject(payload);
  const lines = Array.isArray(trace) ? trace : stackTrace;
  return {
    kind,
    ...(typeof errorType === "string" && { errorType: errorType.slice(0, MAX_TEXT) }),
    ...(typeof errorMessage === "string"
      ? { errorMessage: errorMessage.slice(0, MAX_TEXT) }
      : typeof errorType !== "string" && payload && { errorMessage: payload.slice(0, MAX_TEXT) }),
    ...(Array.isArray(lines) && { trace: lines.slice(0, MAX_LINES).map((line) => asText(line).slice(0, MAX_LINE)) }),
  };
}

/**
 * Which events of a batch a function reports as failed, in the partial batch response that AWS uses elsewhere:
 * `{"batchItemFailures":[{"itemIdentifier":"<messageId>"}]}`.
 *
 * As at AWS, a report that cannot be read or names something else than the batch's own events fails the whole batch:
 * better twice than lost.
 *
 * @param payload what the function returned, as text
 * @param messageIds the batch's own
 * @returns the failed ones; empty where the function reports none
 */
export function readBatchItemFailures(payload: string, messageIds: readonly string[]): ReadonlySet<string> {
  if (!payload.includes('"batchItemFailures"')) return NONE;
  const { batchItemFailures } = parseObject(payload);
  if (batchItemFailures === undefined || batchItemFailures === null) return NONE;
  const known = new Set(messageIds);
  if (!Array.isArray(batchItemFailures)) return known;
  const reported = batchItemFailures.map(
    (item: unknown) => (item as { itemIdentifier?: unknown } | null)?.itemIdentifier,
  );
  return reported.every((id): id is string => typeof id === "string" && known.has(id)) ? new Set(reported) : known;
}

const NONE: ReadonlySet<string> = new Set();

function asText(line: unknown): string {
  return typeof line === "string" ? line : JSON.stringify(line);
}

function parseObject(text: string): Record<string, unknown> {
  try {
    const value: unknown = JSON.parse(text);
    return value !== null && typeof value === "object" ? (value as Record<string, unknown>) : {};
  } catch {
    return {};
  }
}
