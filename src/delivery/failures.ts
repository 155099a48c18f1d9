import type { AwsErrorDetails } from "../aws/aws-error";
import type { DeliveryErrorCode, DeliveryOutcome } from "./delivery-result";

/**
 * What has to wait after a failure: this event (`event`), every event of its function (`function`), or every event of these settings
 * (`account`), because its role, its network or AWS itself is what fails.
 */
export type FailureScope = "event" | "function" | "account";

/** What a failure means for the host and for the user. */
export interface Failure {
  /** The words that users search for. */
  readonly label: string;
  /** `rejected` only where no waiting and no change of settings can make the event deliverable. */
  readonly outcome: Extract<DeliveryOutcome, "retry" | "rejected">;
  readonly status: number;
  readonly scope: FailureScope;
  /** What to do next, where no row of {@link CAUSES} fits. */
  readonly hint: string;
}

/** Where AWS is asked at an endpoint that is not the region's own. */
export const WRONG_SCOPE = /Credential should be scoped to (?:a valid region|correct service)/;

const CHECK = "`amazon-lambda-destination check` tells what to change.";

/** Every way a delivery can fail, and what it means. */
export const FAILURES: Readonly<Record<DeliveryErrorCode, Failure>> = {
  ExecutionError: {
    label: "Execution Error",
    outcome: "retry",
    status: 500,
    scope: "event",
    hint: "The function threw an error for this event. Read its log (Log Type Tail puts the end of it into the result), fix the function, and the retry will be delivered. To give an event up on purpose, throw an error named DropEvent.",
  },
  RejectedByFunction: {
    label: "Execution Error",
    outcome: "rejected",
    status: 400,
    scope: "event",
    hint: "The function threw an error whose name gives the event up (DropEvent, for example). If that was not meant, let it throw a RetryError or any other error.",
  },
  OperationTimedOut: {
    label: "Operation timedout",
    outcome: "retry",
    status: 504,
    scope: "event",
    hint: "Make the function faster, give it more memory, raise its own timeout at AWS, or raise Timeout (ms) in the settings. The function may have run: let it tolerate the same messageId twice.",
  },
  AccessDenied: {
    label: "Accessdenied",
    outcome: "retry",
    status: 500,
    scope: "account",
    hint: `Check the IAM role: its trust policy must name the identity that the router runs as and the External ID; its permission policy must allow lambda:InvokeFunction on the function's ARN and on ARN:*. ${CHECK}`,
  },
  InvalidCredentials: {
    label: "Invalid Credentials",
    outcome: "retry",
    status: 500,
    scope: "account",
    hint: "Check the keys in the settings, or the AWS identity that the router runs as: they are missing, wrong, expired or switched off. Check the router's clock as well.",
  },
  Throttled: {
    label: "Throttled",
    outcome: "retry",
    status: 429,
    scope: "function",
    hint: "AWS limits the rate of calls. The event is sent again later; if this lasts, raise the function's reserved concurrency or the account's limit, or raise Max Batch Size.",
  },
  FunctionNotFound: {
    label: "Function not found",
    outcome: "retry",
    status: 500,
    scope: "function",
    hint: "Check the function's name, its version or alias, and the region in the settings. The event is kept and retried.",
  },
  FunctionNotReady: {
    label: "Function not ready",
    outcome: "retry",
    status: 500,
    scope: "function",
    hint: "AWS cannot start the function at the moment (it is being changed, or its runtime, network, file system, key or code package has a problem). Look at the function's state in the Lambda console.",
  },
  ServiceError: {
    label: "AWS service error",
    outcome: "retry",
    status: 500,
    scope: "account",
    hint: "AWS itself failed. The event is retried; if this lasts, look at the AWS Health Dashboard.",
  },
  NetworkError: {
    label: "Network error",
    outcome: "retry",
    status: 500,
    scope: "account",
    hint: "The router cannot reach AWS. Check its network, DNS, firewall, proxy (HTTPS_PROXY) and the region in the settings. If the connection broke after the request was sent, the function may have run.",
  },
  InvalidSettings: {
    label: "Invalid Settings",
    outcome: "retry",
    status: 500,
    scope: "account",
    hint: "Correct the settings named in the message. The event is kept and retried.",
  },
  PayloadTooLarge: {
    label: "Payload too large",
    outcome: "rejected",
    status: 413,
    scope: "event",
    hint: "AWS Lambda takes 6,291,456 bytes per invocation, 1,048,576 with Invocation Type Event. Send less in one event.",
  },
  InvalidEvent: {
    label: "Invalid Event",
    outcome: "rejected",
    status: 400,
    scope: "event",
    hint: "An event must be a JSON object with a type of track, identify, page, screen, group or alias. Correct the sender.",
  },
  RecursiveInvocation: {
    label: "Recursive invocation",
    outcome: "rejected",
    status: 400,
    scope: "event",
    hint: "AWS stopped a loop: the function sends events that come back to it. Break the loop, or allow it in the function's recursion settings.",
  },
  Unknown: {
    label: "Unknown error",
    outcome: "retry",
    status: 500,
    scope: "function",
    hint: "AWS answered with an error that this version does not know. The event is retried; please report the error's name.",
  },
};

/**
 * Whether a failure is the event's own, or everything that goes to its function or through its settings fails as well. A queue parks the one
 * event and goes on after the first, and stands still after the others.
 *
 * @example
 * if (result.outcome === "retry" && result.error && scopeOf(result.error.code) !== "event") await pause(result.retryAfterMs);
 */
export function scopeOf(code: DeliveryErrorCode): FailureScope {
  return FAILURES[code].scope;
}

/** What tells one cause of a failure from another. */
export interface Circumstances
  extends Partial<Pick<AwsErrorDetails, "service" | "kind" | "code" | "message" | "reason" | "status">> {
  readonly logTail?: string;
}

/** A cause of a failure that asks for a hint of its own. */
interface Cause {
  readonly code: DeliveryErrorCode;
  readonly applies: (circumstances: Circumstances) => boolean;
  readonly hint: string;
}

const says =
  (words: RegExp, service?: AwsErrorDetails["service"]) =>
  ({ message = "", ...circumstances }: Circumstances) =>
    words.test(message) && (service === undefined || circumstances.service === service);

const throttledFor = (reason: string, hint: string): Cause => ({
  code: "Throttled",
  applies: (circumstances) => circumstances.reason === reason,
  hint: `${hint} The event is sent again later.`,
});

/** Causes that AWS's answer gives away; the first row that fits counts. */
const CAUSES: readonly Cause[] = [
  throttledFor(
    "ReservedFunctionConcurrentInvocationLimitExceeded",
    "The function's reserved concurrency is used up. If this lasts, raise it, make the function faster, or raise Max Batch Size.",
  ),
  throttledFor(
    "ReservedFunctionInvocationRateLimitExceeded",
    "The function is invoked more than ten times its reserved concurrency per second. If this lasts, raise that or Max Batch Size.",
  ),
  throttledFor(
    "ConcurrentInvocationLimitExceeded",
    "The account's concurrency in the region is used up, by whichever functions. If this lasts, reserve some for this function, or ask AWS to raise the account's limit.",
  ),
  throttledFor(
    "FunctionInvocationRateLimitExceeded",
    "The function is invoked more often per second than its concurrency allows. If this lasts, raise Max Batch Size, or ask AWS to raise the account's limit.",
  ),
  throttledFor(
    "CallerRateLimitExceeded",
    "The account calls Lambda more often per second than AWS allows. If this lasts, raise Max Batch Size, or ask AWS to raise the account's limit.",
  ),
  throttledFor(
    "ConcurrentSnapshotCreateLimitExceeded",
    "AWS makes too many SnapStart snapshots for the account at once.",
  ),
  {
    code: "Throttled",
    applies: ({ code }) => code === "TooManyInFlight",
    hint: "The event is sent again later. If this lasts, make the function faster, raise Max Batch Size or Max Concurrency, or ask the router's operator for a higher limit.",
  },
  {
    code: "Throttled",
    applies: ({ service }) => service === "sts",
    hint: "AWS limits how often roles are assumed. Sessions that are there stay in use; the event is sent again later.",
  },
  {
    code: "AccessDenied",
    applies: says(/explicit deny/),
    hint: `A policy denies this, and no Allow outweighs a Deny: take it out, or except the role from it. ${CHECK}`,
  },
  {
    code: "AccessDenied",
    applies: says(/no (?:permissions boundary|(?:service|resource) control policy|VPC endpoint policy)/),
    hint: `A limit above the policies of role and function (permissions boundary, organisation, VPC endpoint) does not allow this: ask whoever set it. ${CHECK}`,
  },
  {
    code: "AccessDenied",
    applies: says(/perform: sts:TagSession\b/, "sts"),
    hint: `The router's identity has session tags (EKS Pod Identity gives them out): allow sts:TagSession in the role's trust policy, in a statement without the External ID. ${CHECK}`,
  },
  {
    code: "AccessDenied",
    applies: says(/no identity-based policy/, "sts"),
    hint: `The router's own identity may not assume the role: allow it sts:AssumeRole on the role's ARN. ${CHECK}`,
  },
  {
    code: "AccessDenied",
    applies: ({ service }) => service === "sts",
    hint: `The role does not exist, or its trust policy does not name the identity that the router runs as, or not the External ID. ${CHECK}`,
  },
  {
    code: "AccessDenied",
    applies: says(/no identity-based policy/),
    hint: `The permission policy does not allow this function: correct its name in the settings, or allow lambda:InvokeFunction on its ARN and on ARN:*. ${CHECK}`,
  },
  {
    code: "AccessDenied",
    applies: says(/no resource-based policy/),
    hint: `The function is in another account, whose owner has to allow it (aws lambda add-permission). ${CHECK}`,
  },
  {
    code: "AccessDenied",
    applies: says(/no session policy/),
    hint: `The session may invoke the functions in the settings and no other: correct them. ${CHECK}`,
  },
  {
    code: "InvalidCredentials",
    applies: says(WRONG_SCOPE),
    hint: "The endpoint belongs to another region or service: correct the router's AWS_ENDPOINT_URL, or the region in the settings.",
  },
  {
    code: "NetworkError",
    applies: ({ status }) => status === 413,
    hint: "Something between the router and AWS, a proxy or a gateway, refuses requests of this size: raise its limit (nginx: client_max_body_size) to 7 MB, or lower Max Batch Size.",
  },
  {
    code: "OperationTimedOut",
    applies: ({ service }) => service === "sts",
    hint: "The function was not reached: assuming the role took too long. Check the router's way to AWS STS, or raise Timeout (ms) in the settings.",
  },
  {
    code: "ExecutionError",
    applies: ({ logTail }) => logTail !== undefined,
    hint: "The function threw an error for this event. Read its log (the end of it is in the result), fix the function, and the retry will be delivered. To give an event up on purpose, throw an error named DropEvent.",
  },
  {
    code: "Unknown",
    applies: ({ kind }) => kind === "installation",
    hint: "Install what is missing next to this package, and restart the router.",
  },
];

/** What to do next about a failure. */
export function hintFor(code: DeliveryErrorCode, circumstances: Circumstances): string {
  const cause = CAUSES.find((each) => each.code === code && each.applies(circumstances));
  return (cause ?? FAILURES[code]).hint;
}
