import { utf8, utf8Length, utf8Text } from "../encoding/utf8";
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

/** Bytes of what a function returned that a result tells. */
const MAX_RETURN_VALUE = 4096;

/** What the function returned, as text: 4 KB in UTF-8 at most, and where it is cut, that is said at its end. */
export function readReturnValue(payload: string): string {
  const bytes = utf8Length(payload);
  if (bytes <= MAX_RETURN_VALUE) return payload;
  const mark = `… (cut, ${bytes} bytes in all)`;
  // Stryker disable next-line MethodExpression: no more of it is encoded than can be kept
  const beginning = utf8(payload.slice(0, MAX_RETURN_VALUE));
  let end = MAX_RETURN_VALUE - utf8Length(mark);
  // A character's further bytes begin with the bits 10.
  while (((beginning[end] ?? 0) & 0xc0) === 0x80) end--;
  return utf8Text(beginning.subarray(0, end)) + mark;
}

/** What a function that did not throw says of the events of a batch. */
export type BatchAnswer =
  /** The positions of the events that failed; mostly none. */
  | { readonly failed: ReadonlySet<number> }
  /** What is wrong with an answer that fails the whole batch. */
  | { readonly unreadable: string };

const HOW_TO_ANSWER =
  'A function answers a batch with nothing, null or JSON; with {"batchItemFailures":[{"itemIdentifier":"<messageId>"}]} where some of its events failed.';

/**
 * Which events of a batch a function reports as failed, in the partial batch response that AWS uses elsewhere:
 * `{"batchItemFailures":[{"itemIdentifier":"<messageId>"}]}`. Of events with the same message ID, all.
 *
 * As at AWS's own event source mappings, an answer that is no JSON (cut on the way, an error page), a report that cannot be
 * read, or one that names something else than the batch's own events fails the whole batch: better twice than lost.
 *
 * @param payload what the function returned, as text
 * @param messageIds the batch's own
 */
export function readBatchAnswer(payload: string, messageIds: readonly string[]): BatchAnswer {
  if (payload === "") return NONE;
  let answer: unknown;
  try {
    answer = JSON.parse(payload);
  } catch {
    return {
      unreadable: `The function's answer to a batch is no JSON, so nothing is known of its events. ${HOW_TO_ANSWER}`,
    };
  }
  const { batchItemFailures: reports } = Object(answer) as { batchItemFailures?: unknown };
  if (reports === undefined || reports === null) return NONE;
  if (!Array.isArray(reports)) return { unreadable: `The function's batchItemFailures are no array. ${HOW_TO_ANSWER}` };
  const reported = new Set(
    reports.map((item: unknown) => (item as { itemIdentifier?: unknown } | null)?.itemIdentifier),
  );
  const failed = new Set(messageIds.flatMap((id, position) => (reported.has(id) ? [position] : [])));
  const known = new Set<unknown>(messageIds);
  return [...reported].every((id) => known.has(id))
    ? { failed }
    : {
        unreadable: `The function's batchItemFailures name something that is no message ID of the batch. ${HOW_TO_ANSWER}`,
      };
}

const NONE: BatchAnswer = { failed: new Set() };

/** A line of a trace; Python wrote lists of file, line and name. What is nested deeper is left out: it may be so without end. */
function asText(line: unknown): string {
  const parts = Array.isArray(line) ? line.slice(0, 10) : [line];
  return parts.map((part) => (part !== null && typeof part === "object" ? "…" : String(part))).join(", ");
}

function parseObject(text: string): Record<string, unknown> {
  try {
    return Object(JSON.parse(text)) as Record<string, unknown>;
  } catch {
    return {};
  }
}
