import type { CallType } from "../events/segment-event";

/** How a delivery ended. `retry` means: nothing is lost, hand the same event in again later. */
export type DeliveryOutcome = "delivered" | "skipped" | "retry" | "rejected";

/** Every way a delivery can fail; each one is a row of the table in `failures.ts`. */
export type DeliveryErrorCode =
  | "ExecutionError"
  | "RejectedByFunction"
  | "OperationTimedOut"
  | "AccessDenied"
  | "InvalidCredentials"
  | "Throttled"
  | "FunctionNotFound"
  | "FunctionNotReady"
  | "ServiceError"
  | "NetworkError"
  | "InvalidSettings"
  | "PayloadTooLarge"
  | "InvalidEvent"
  | "RecursiveInvocation"
  | "Unknown";

/** What a function that threw said about itself, in Lambda's words. */
export interface FunctionError {
  /** `Handled` or `Unhandled`, from `X-Amz-Function-Error`. */
  readonly kind: string;
  readonly errorType?: string;
  readonly errorMessage?: string;
  readonly trace?: readonly string[];
}

export interface DeliveryError {
  readonly code: DeliveryErrorCode;
  /** The words that users search for, e.g. `Operation timedout`. */
  readonly label: string;
  /** What happened. Never contains a secret. */
  readonly message: string;
  /** AWS's own name for it, e.g. `AccessDeniedException`, or the network error's code. */
  readonly awsError?: string;
  /** Lambda's own reason for throttling, e.g. `ReservedFunctionConcurrentInvocationLimitExceeded`. */
  readonly reason?: string;
  readonly functionError?: FunctionError;
  /** What to do next. */
  readonly hint: string;
}

/** The structured outcome of one delivery; validates against `schemas/delivery-result.schema.json`. */
export interface DeliveryResult {
  readonly outcome: DeliveryOutcome;
  /** HTTP-like: 2xx done (298 skipped), 429 and 5xx retry, other 4xx give up. */
  readonly status: number;
  /** The event's `messageId`, derived from its content where it has none; empty for what is no event or cannot be read. */
  readonly messageId: string;
  readonly callType?: CallType;
  /** The function as it stands in the settings. */
  readonly function?: string;
  readonly executedVersion?: string;
  /** AWS request ID of the last invocation. */
  readonly requestId?: string;
  /** Milliseconds from the call of `deliver()` to this result. */
  readonly durationMs: number;
  /** Invocations sent for this delivery. */
  readonly attempts: number;
  /** Decoded end of the execution log, 4 KB at most; with Log Type `Tail` only. */
  readonly logTail?: string;
  /** Of the durable function's execution that the event has. */
  readonly executionArn?: string;
  /** What the function returned, as text, 4 KB at most and marked where it was cut; with Return Value `Include` only. */
  readonly returnValue?: string;
  readonly error?: DeliveryError;
  /** Milliseconds to wait before the next try, where AWS says so (15 minutes are believed at most) or nothing would be sent before. */
  readonly retryAfterMs?: number;
  /** Of a retry: the event shared an invocation that failed, perhaps by its fault, and should share none the next time. */
  readonly alone?: true;
}
