import type { Invocation } from "../aws/invoker";
import { fromBase64 } from "../encoding/base64";
import { utf8Text } from "../encoding/utf8";
import type { CallType } from "../events/segment-event";
import { classifyAwsFailure, classifyFunctionError } from "./classify";
import type { DeliveryResult, FunctionError } from "./delivery-result";
import { hintFor } from "./failures";
import { readBatchAnswer, readFunctionError } from "./function-answer";
import { type DeliveryFacts, delivered, failed } from "./result";

/** A delivery that was in the invocation. */
export interface Sent {
  readonly callType: CallType;
  readonly messageId: string;
  readonly function: string;
  readonly externalId?: string | undefined;
}

/**
 * What an invocation means for each of the deliveries in it. A failure of the invocation is the failure of each;
 * a function that answers with `batchItemFailures` fails those only.
 *
 * @param asBatch whether the function was given an array
 */
export function resultsOfInvocation(
  deliveries: readonly Sent[],
  invocation: Invocation,
  durationMs: number,
  asBatch: boolean,
): DeliveryResult[] {
  const resultOf = "error" in invocation ? afterError(invocation) : afterAnswer(invocation, deliveries, asBatch);
  const { attempts } = invocation;
  return deliveries.map((delivery, position) => {
    const { messageId, callType, function: name } = delivery;
    return resultOf({ messageId, callType, function: name, durationMs, attempts }, delivery, position);
  });
}

/** The facts are the result's own: they are added to. */
type Facts = { -readonly [Fact in keyof DeliveryFacts]: DeliveryFacts[Fact] };
type ResultOf = (facts: Facts, delivery: Sent, position: number) => DeliveryResult;

function afterError({ error: { details } }: Extract<Invocation, { error: unknown }>): ResultOf {
  const code = classifyAwsFailure(details);
  const hint = hintFor(code, details);
  const { requestId, retryAfterMs } = details;
  const nameless = details.code === "Unknown" ? ` (HTTP status ${details.status})` : "";
  return (facts, { externalId }) => {
    const deniedRole = details.service === "sts" && code === "AccessDenied" && externalId !== undefined;
    const message = `${ORIGIN[details.service]}: ${details.message}${nameless}${deniedRole ? ` (External ID sent: ${externalId})` : ""}`;
    return failed(
      code,
      message,
      { ...facts, ...(requestId !== undefined && { requestId }), ...(retryAfterMs !== undefined && { retryAfterMs }) },
      { awsError: details.code, hint },
    );
  };
}

const ORIGIN = { lambda: "AWS Lambda", sts: "AWS STS, assuming the role" } as const;

/** Characters of a log tail that are read at most: AWS sends 4 KB as base64. */
const MAX_LOG_LENGTH = 8192;

function afterAnswer(
  { answer }: Extract<Invocation, { answer: unknown }>,
  deliveries: readonly Sent[],
  asBatch: boolean,
): ResultOf {
  const { status, requestId, executedVersion, functionError: kind, logResult, payload } = answer;
  const logTail = logResult === undefined ? undefined : utf8Text(fromBase64(logResult.slice(-MAX_LOG_LENGTH)));
  const answered = (facts: Facts): Facts => {
    if (executedVersion !== undefined) facts.executedVersion = executedVersion;
    if (requestId !== undefined) facts.requestId = requestId;
    if (logTail !== undefined) facts.logTail = logTail;
    return facts;
  };
  const circumstances = logTail === undefined ? {} : { logTail };
  if (kind !== undefined) {
    const functionError = readFunctionError(kind, payload);
    const code = classifyFunctionError(functionError.errorType, functionError.errorMessage);
    const message = describeFunctionError(functionError);
    const hint = hintFor(code, circumstances);
    return (facts) => failed(code, message, answered(facts), { functionError, hint });
  }
  const success: ResultOf = (facts) => delivered(status, answered(facts));
  // Nobody waits for what an `Event` invocation returns.
  if (!asBatch || status !== 200) return success;
  const said = readBatchAnswer(
    payload,
    deliveries.map(({ messageId }) => messageId),
  );
  const failure = (facts: Facts, message: string) =>
    failed("ExecutionError", message, answered(facts), { hint: hintFor("ExecutionError", circumstances) });
  if ("unreadable" in said) return (facts) => failure(facts, said.unreadable);
  return (facts, delivery, position) =>
    said.failed.has(position)
      ? failure(facts, "The function reported this event as failed (batchItemFailures).")
      : success(facts, delivery, position);
}

function describeFunctionError({ errorType = "an error", errorMessage }: FunctionError): string {
  return `The function failed with ${errorType}${errorMessage ? `: ${errorMessage}` : ""}`;
}
