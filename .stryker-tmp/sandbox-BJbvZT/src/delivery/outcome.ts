// @ts-nocheck
import type { Invocation } from "../aws/invoker";
import { fromBase64 } from "../encoding/base64";
import { utf8Text } from "../encoding/utf8";
import type { CallType } from "../events/segment-event";
import { classifyAwsFailure, classifyFunctionError } from "./classify";
import type { DeliveryResult, FunctionError } from "./delivery-result";
import { hintFor } from "./failures";
import { readBatchItemFailures, readFunctionError } from "./function-answer";
import { type DeliveryFacts, delivered, failed } from "./result";

/** A delivery that shared the invocation. */
interface Sent {
  readonly callType: CallType;
  readonly messageId: string;
  readonly function: string;
  readonly externalId?: string;
}

/**
 * What an invocation means for each of the deliveries in it. A failure of the invocation is the failure of each;
 * a function that answers with `batchItemFailures` fails those only.
 */
export function resultsOfInvocation(
  deliveries: readonly Sent[],
  invocation: Invocation,
  durationMs: number,
): DeliveryResult[] {
  const resultOf = "error" in invocation ? afterError(invocation) : afterAnswer(invocation, deliveries);
  return deliveries.map((delivery) =>
    resultOf(delivery, { ...identityOf(delivery), durationMs, attempts: invocation.attempts }),
  );
}

type ResultOf = (delivery: Sent, facts: DeliveryFacts) => DeliveryResult;

function identityOf({ messageId, callType, function: name }: Sent) {
  return { messageId, callType, function: name };
}

function afterError({ error: { details } }: Extract<Invocation, { error: unknown }>): ResultOf {
  const code = classifyAwsFailure(details);
  const hint = hintFor(code, details);
  const { requestId, retryAfterMs } = details;
  const nameless = details.code === "Unknown" ? ` (HTTP status ${details.status})` : "";
  return ({ externalId }, facts) => {
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

function afterAnswer({ answer }: Extract<Invocation, { answer: unknown }>, deliveries: readonly Sent[]): ResultOf {
  const { status, requestId, executedVersion, functionError: kind, logResult, payload } = answer;
  const answered = {
    ...(executedVersion !== undefined && { executedVersion }),
    ...(requestId !== undefined && { requestId }),
    ...(logResult !== undefined && { logTail: utf8Text(fromBase64(logResult)) }),
  };
  if (kind !== undefined) {
    const functionError = readFunctionError(kind, payload);
    const code = classifyFunctionError(functionError.errorType, functionError.errorMessage);
    const message = describeFunctionError(functionError);
    const hint = hintFor(code, answered);
    return (_delivery, facts) => failed(code, message, { ...facts, ...answered }, { functionError, hint });
  }
  const failures = readBatchItemFailures(
    payload,
    deliveries.map(({ messageId }) => messageId),
  );
  return ({ messageId }, facts) =>
    failures.has(messageId)
      ? failed(
          "ExecutionError",
          "The function reported this event as failed (batchItemFailures).",
          { ...facts, ...answered },
          { hint: hintFor("ExecutionError", answered) },
        )
      : delivered(status, { ...facts, ...answered });
}

function describeFunctionError({ errorType = "an error", errorMessage }: FunctionError): string {
  return `The function failed with ${errorType}${errorMessage ? `: ${errorMessage}` : ""}`;
}
