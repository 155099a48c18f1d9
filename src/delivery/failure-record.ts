import { utf8Length } from "../encoding/utf8";
import type { DeliveryError, DeliveryResult } from "./delivery-result";

/** An event that is given up, and what became of it. */
export interface Rejected {
  readonly result: DeliveryResult;
  /** The event as JSON: what the function was sent, or would have been. Absent where it has none. */
  readonly json?: string | undefined;
  /** ARN of the function with its version or alias; absent where the event never came to have one. */
  readonly functionArn?: string | undefined;
}

/** Bytes that an `Event` invocation takes at most. */
const MAX_RECORD_BYTES = 1_048_576;
/** Characters of an event that are kept where it is too large for a record: its first ones. */
const MAX_EXCERPT = 100_000;

/**
 * The record of a rejected event, in the shape in which Lambda sends one to an on-failure destination, so that handlers
 * written for that work as they are.
 *
 * @param now milliseconds since 1970
 * @see https://docs.aws.amazon.com/lambda/latest/dg/invocation-async-retain-records.html
 */
export function failureRecord({ result, json = "null", functionArn }: Rejected, now: number): string {
  const record = (payload: string) =>
    `{${[
      '"version":"1.0"',
      `"timestamp":${JSON.stringify(new Date(now).toISOString())}`,
      `"requestContext":${JSON.stringify(requestContext(result, functionArn))}`,
      `"requestPayload":${payload}`,
      ...(result.attempts > 0 ? [`"responseContext":${JSON.stringify(responseContext(result))}`] : []),
      `"responsePayload":${JSON.stringify(responsePayload(result))}`,
    ].join(",")}}`;
  const whole = record(json);
  return utf8Length(whole) <= MAX_RECORD_BYTES ? whole : record(excerpt(json));
}

// JSON leaves out what is undefined.

function requestContext({ requestId, attempts }: DeliveryResult, functionArn: string | undefined) {
  return { requestId, functionArn, condition: "RetriesExhausted", approximateInvokeCount: attempts };
}

function responseContext({ executedVersion, error }: DeliveryResult) {
  return { statusCode: 200, executedVersion, functionError: error?.functionError?.kind };
}

/** What the function said of its error, else what we say of the event. */
function responsePayload({ error }: DeliveryResult) {
  const { code, message, functionError } = error as DeliveryError;
  if (!functionError) return { errorType: code, errorMessage: message };
  const { errorType, errorMessage, trace } = functionError;
  return { errorType, errorMessage, trace };
}

/** What fits of an event that is too large for a record, marked as such. */
function excerpt(json: string): string {
  return JSON.stringify({ truncated: true, bytes: utf8Length(json), beginning: json.slice(0, MAX_EXCERPT) });
}
