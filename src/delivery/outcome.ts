import type { Invocation } from "../aws/invoker";
import { fromBase64 } from "../encoding/base64";
import { utf8Text } from "../encoding/utf8";
import type { CallType } from "../events/segment-event";
import { classifyAwsFailure, classifyFunctionError } from "./classify";
import type { DeliveryResult, FunctionError } from "./delivery-result";
import { hintFor } from "./failures";
import { readBatchAnswer, readFunctionError, readReturnValue } from "./function-answer";
import { type DeliveryFacts, delivered, failed } from "./result";

/** A delivery that was in the invocation. */
export interface Sent {
  readonly callType: CallType;
  readonly messageId: string;
  readonly function: string;
  readonly externalId?: string | undefined;
  /** Where the function is durable, and has one execution for the event. */
  readonly executionName?: string | undefined;
}

/** How the function was invoked, as far as its answer's meaning depends on it. */
export interface Asked {
  /** Given an array of events. */
  readonly asBatch: boolean;
  /** Whether results are to tell what it returned. */
  readonly returnValue?: "None" | "Include";
}

/**
 * What an invocation means for each of the deliveries in it. A failure of the invocation is the failure of each;
 * a function that answers with `batchItemFailures` fails those only.
 */
export function resultsOfInvocation(
  deliveries: readonly Sent[],
  invocation: Invocation,
  durationMs: number,
  asked: Asked,
): DeliveryResult[] {
  const resultOf = "error" in invocation ? afterError(invocation) : afterAnswer(invocation, deliveries, asked);
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
  return (facts, { externalId, executionName }) => {
    // The event has its execution: this try found another payload under its name.
    if (executionName !== undefined && details.code === "DurableExecutionAlreadyStartedException") {
      return delivered(200, { ...facts, ...(requestId !== undefined && { requestId }) });
    }
    const deniedRole = details.service === "sts" && code === "AccessDenied" && externalId !== undefined;
    const origin = details.kind === "withheld" ? "" : `${ORIGIN[details.service]}: `;
    const message = `${origin}${details.message}${nameless}${deniedRole ? ` (External ID sent: ${externalId})` : ""}`;
    return failed(
      code,
      message,
      { ...facts, ...(requestId !== undefined && { requestId }), ...(retryAfterMs !== undefined && { retryAfterMs }) },
      { awsError: details.code, hint, ...(details.reason !== undefined && { reason: details.reason }) },
    );
  };
}

const ORIGIN = { lambda: "AWS Lambda", sts: "AWS STS, assuming the role" } as const;

const FINAL_EXECUTION =
  "The event's one execution failed, was stopped or timed out, which is final: its steps retry inside it. See its history in the Lambda console, and start it again from there or by sending the event anew under another message ID.";
const REPORTED =
  "The function reports by batchItemFailures which events to retry. Its log says why it did; what the message says of its answer tells whether it could be read.";

/** Characters of a log tail that are read at most: AWS sends 4 KB as base64. */
const MAX_LOG_LENGTH = 8192;

function afterAnswer(
  { answer }: Extract<Invocation, { answer: unknown }>,
  deliveries: readonly Sent[],
  { asBatch, returnValue }: Asked,
): ResultOf {
  const { status, requestId, executedVersion, functionError: kind, logResult, executionArn, payload } = answer;
  const logTail = logResult === undefined ? undefined : utf8Text(fromBase64(logResult.slice(-MAX_LOG_LENGTH)));
  const tells = returnValue === "Include" && kind === undefined && status === 200;
  const returned = tells ? readReturnValue(payload) : undefined;
  const answered = (facts: Facts): Facts => {
    if (executedVersion !== undefined) facts.executedVersion = executedVersion;
    if (requestId !== undefined) facts.requestId = requestId;
    if (logTail !== undefined) facts.logTail = logTail;
    if (executionArn !== undefined) facts.executionArn = executionArn;
    if (returned !== undefined) facts.returnValue = returned;
    return facts;
  };
  const circumstances = logTail === undefined ? {} : { logTail };
  if (kind !== undefined) {
    const functionError = readFunctionError(kind, payload);
    const code = classifyFunctionError(functionError.errorType, functionError.errorMessage);
    const message = describeFunctionError(functionError);
    const hint = hintFor(code, circumstances);
    return (facts, { executionName }) =>
      executionName !== undefined && executionArn !== undefined
        ? failed("RejectedByFunction", message, answered(facts), { functionError, hint: FINAL_EXECUTION })
        : failed(code, message, answered(facts), { functionError, hint });
  }
  const success: ResultOf = (facts) => delivered(status, answered(facts));
  // Nobody waits for what an `Event` invocation returns.
  if (!asBatch || status !== 200) return success;
  const said = readBatchAnswer(
    payload,
    deliveries.map(({ messageId }) => messageId),
  );
  const failure = (facts: Facts, message: string) =>
    failed("ExecutionError", message, answered(facts), { hint: REPORTED });
  if ("unreadable" in said) return (facts) => failure(facts, said.unreadable);
  return (facts, delivery, position) =>
    said.failed.has(position)
      ? failure(facts, "The function reported this event as failed (batchItemFailures).")
      : success(facts, delivery, position);
}

function describeFunctionError({ errorType = "an error", errorMessage }: FunctionError): string {
  return `The function failed with ${errorType}${errorMessage ? `: ${errorMessage}` : ""}`;
}
