import type { DeliveryErrorCode, FunctionError } from "../../src/delivery/delivery-result";

/** An answer as AWS sends it. */
export interface WireAnswer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
}

/** A failure on the wire, and what a delivery makes of it. */
export interface FailureRow {
  readonly title: string;
  /** Who answers so; where it is Lambda, STS has handed out a session before. */
  readonly service: "lambda" | "sts";
  readonly answer: WireAnswer;
  readonly code: DeliveryErrorCode;
  readonly label: string;
  readonly outcome: "retry" | "rejected";
  readonly status: number;
  readonly retryAfterMs?: number;
  readonly awsError?: string;
  readonly functionError?: FunctionError;
  /** Where it is not 1 for Lambda, 0 for STS. */
  readonly attempts?: number;
}

type Verdict = Pick<FailureRow, "code" | "label" | "outcome" | "status">;

/** What each failure means to a user and to a host: a contract, written down apart from the source. */
const VERDICTS = {
  ExecutionError: { label: "Execution Error", outcome: "retry", status: 500 },
  RejectedByFunction: { label: "Execution Error", outcome: "rejected", status: 400 },
  OperationTimedOut: { label: "Operation timedout", outcome: "retry", status: 504 },
  AccessDenied: { label: "Accessdenied", outcome: "retry", status: 500 },
  InvalidCredentials: { label: "Invalid Credentials", outcome: "retry", status: 500 },
  Throttled: { label: "Throttled", outcome: "retry", status: 429 },
  FunctionNotFound: { label: "Function not found", outcome: "retry", status: 500 },
  FunctionNotReady: { label: "Function not ready", outcome: "retry", status: 500 },
  ServiceError: { label: "AWS service error", outcome: "retry", status: 500 },
  NetworkError: { label: "Network error", outcome: "retry", status: 500 },
  InvalidSettings: { label: "Invalid Settings", outcome: "retry", status: 500 },
  PayloadTooLarge: { label: "Payload too large", outcome: "rejected", status: 413 },
  InvalidEvent: { label: "Invalid Event", outcome: "rejected", status: 400 },
  RecursiveInvocation: { label: "Recursive invocation", outcome: "rejected", status: 400 },
  Unknown: { label: "Unknown error", outcome: "retry", status: 500 },
} as const satisfies Record<DeliveryErrorCode, Omit<Verdict, "code">>;

export function verdict(code: DeliveryErrorCode): Verdict {
  return { code, ...VERDICTS[code] };
}

/** An error as Lambda's REST-JSON protocol has it. */
export function lambdaError(name: string, status: number, headers: Record<string, string> = {}): WireAnswer {
  return {
    status,
    headers: {
      "content-type": "application/json",
      "x-amzn-requestid": "11111111-2222-4333-8444-555555555555",
      "x-amzn-errortype": name,
      ...headers,
    },
    body: JSON.stringify({ Type: status < 500 ? "User" : "Service", Message: `What AWS says of ${name}.` }),
  };
}

/** An error as STS's query protocol has it. */
export function stsError(name: string, status: number): WireAnswer {
  return {
    status,
    headers: { "content-type": "text/xml", "x-amzn-requestid": "11111111-2222-4333-8444-555555555555" },
    body: `<ErrorResponse xmlns="https://sts.amazonaws.com/doc/2011-06-15/">
  <Error><Type>Sender</Type><Code>${name}</Code><Message>What AWS says of ${name}.</Message></Error>
  <RequestId>11111111-2222-4333-8444-555555555555</RequestId>
</ErrorResponse>`,
  };
}

/** A session as STS hands it out. */
export function stsSession({
  accessKeyId = "ASIAEXAMPLE000000001",
  secretAccessKey = "session/secret+not+real/0000000000000000",
  sessionToken = "session-token-not-real//with+signs==",
  expiration = "2099-01-01T00:00:00Z",
} = {}): WireAnswer {
  return {
    status: 200,
    headers: { "content-type": "text/xml" },
    body: `<AssumeRoleResponse xmlns="https://sts.amazonaws.com/doc/2011-06-15/"><AssumeRoleResult>
  <AssumedRoleUser><AssumedRoleId>AROAEXAMPLE:s</AssumedRoleId><Arn>arn:aws:sts::123456789012:assumed-role/r/s</Arn></AssumedRoleUser>
  <Credentials><AccessKeyId>${accessKeyId}</AccessKeyId><SecretAccessKey>${secretAccessKey}</SecretAccessKey><SessionToken>${sessionToken}</SessionToken><Expiration>${expiration}</Expiration></Credentials>
</AssumeRoleResult></AssumeRoleResponse>`,
  };
}

/** What a function returned. */
export function lambdaAnswer(payload: string, headers: Record<string, string> = {}): WireAnswer {
  return {
    status: 200,
    headers: {
      "content-type": "application/json",
      "x-amzn-requestid": "11111111-2222-4333-8444-555555555555",
      "x-amz-executed-version": "$LATEST",
      ...headers,
    },
    body: payload,
  };
}

type Named = readonly [name: string, status: number, code: DeliveryErrorCode];

const LAMBDA: readonly Named[] = [
  ["AccessDeniedException", 403, "AccessDenied"],
  ["UnrecognizedClientException", 403, "InvalidCredentials"],
  ["InvalidSignatureException", 403, "InvalidCredentials"],
  ["IncompleteSignatureException", 403, "InvalidCredentials"],
  ["MissingAuthenticationTokenException", 403, "InvalidCredentials"],
  ["RequestExpired", 400, "InvalidCredentials"],
  ["TooManyRequestsException", 429, "Throttled"],
  ["ThrottlingException", 400, "Throttled"],
  ["EC2ThrottledException", 502, "Throttled"],
  ["ServiceQuotaExceededException", 402, "Throttled"],
  ["ResourceNotFoundException", 404, "FunctionNotFound"],
  ["NoPublishedVersionException", 400, "FunctionNotFound"],
  ["ResourceNotReadyException", 502, "FunctionNotReady"],
  ["ResourceConflictException", 409, "FunctionNotReady"],
  ["SnapStartException", 400, "FunctionNotReady"],
  ["SnapStartNotReadyException", 409, "FunctionNotReady"],
  ["SnapStartTimeoutException", 408, "FunctionNotReady"],
  ["SnapStartRegenerationFailureException", 500, "FunctionNotReady"],
  ["EFSIOException", 410, "FunctionNotReady"],
  ["EFSMountConnectivityException", 408, "FunctionNotReady"],
  ["EFSMountFailureException", 403, "FunctionNotReady"],
  ["EFSMountTimeoutException", 408, "FunctionNotReady"],
  ["S3FilesMountConnectivityException", 408, "FunctionNotReady"],
  ["S3FilesMountFailureException", 403, "FunctionNotReady"],
  ["S3FilesMountTimeoutException", 408, "FunctionNotReady"],
  ["ENILimitReachedException", 502, "FunctionNotReady"],
  ["ENINotReadyException", 502, "FunctionNotReady"],
  ["SubnetIPAddressLimitReachedException", 502, "FunctionNotReady"],
  ["EC2AccessDeniedException", 502, "FunctionNotReady"],
  ["EC2UnexpectedException", 502, "FunctionNotReady"],
  ["KMSAccessDeniedException", 502, "FunctionNotReady"],
  ["KMSDisabledException", 502, "FunctionNotReady"],
  ["KMSInvalidStateException", 502, "FunctionNotReady"],
  ["KMSNotFoundException", 502, "FunctionNotReady"],
  ["CodeArtifactUserDeletedException", 502, "FunctionNotReady"],
  ["CodeArtifactUserFailedException", 502, "FunctionNotReady"],
  ["CodeArtifactUserPendingException", 502, "FunctionNotReady"],
  ["InvalidRuntimeException", 502, "FunctionNotReady"],
  ["InvalidZipFileException", 502, "FunctionNotReady"],
  ["InvalidSecurityGroupIDException", 502, "FunctionNotReady"],
  ["InvalidSubnetIDException", 502, "FunctionNotReady"],
  ["BadGatewayOfTomorrowException", 502, "FunctionNotReady"],
  ["ServiceException", 500, "ServiceError"],
  ["InternalFailure", 500, "ServiceError"],
  ["ServiceUnavailable", 503, "ServiceError"],
  ["ServiceUnavailableException", 503, "ServiceError"],
  ["FailureOfTomorrowException", 500, "ServiceError"],
  ["RequestTooLargeException", 413, "PayloadTooLarge"],
  ["SerializedRequestEntityTooLargeException", 413, "PayloadTooLarge"],
  ["RequestEntityTooLargeException", 413, "PayloadTooLarge"],
  ["InvalidRequestContentException", 400, "InvalidEvent"],
  ["UnsupportedMediaTypeException", 415, "InvalidEvent"],
  ["RecursiveInvocationException", 400, "RecursiveInvocation"],
  ["InvalidParameterValueException", 400, "InvalidSettings"],
  ["ModeNotSupportedException", 400, "InvalidSettings"],
  ["DurableExecutionAlreadyStartedException", 409, "Unknown"],
  ["ErrorOfTomorrowException", 400, "Unknown"],
  // Names that JavaScript objects have by themselves.
  ["constructor", 400, "Unknown"],
  ["toString", 400, "Unknown"],
];

const STS: readonly Named[] = [
  ["AccessDenied", 403, "AccessDenied"],
  ["InvalidClientTokenId", 403, "InvalidCredentials"],
  ["SignatureDoesNotMatch", 403, "InvalidCredentials"],
  ["IncompleteSignature", 400, "InvalidCredentials"],
  ["MissingAuthenticationToken", 403, "InvalidCredentials"],
  ["RequestExpired", 400, "InvalidCredentials"],
  ["ExpiredToken", 403, "InvalidCredentials"],
  ["ExpiredTokenException", 400, "InvalidCredentials"],
  ["Throttling", 400, "Throttled"],
  ["ThrottlingException", 400, "Throttled"],
  ["RequestLimitExceeded", 503, "Throttled"],
  ["ValidationError", 400, "InvalidSettings"],
  ["RegionDisabledException", 403, "InvalidSettings"],
  ["InternalFailure", 500, "ServiceError"],
  ["ServiceUnavailable", 503, "ServiceError"],
  ["ErrorOfTomorrow", 400, "Unknown"],
];

/** Names that the AWS SDK changes. */
const STS_RENAMED: readonly (readonly [name: string, sdkName: string])[] = [
  ["MalformedPolicyDocument", "MalformedPolicyDocumentException"],
  ["PackedPolicyTooLarge", "PackedPolicyTooLargeException"],
];

const page = (status: number): WireAnswer => ({
  status,
  headers: { "content-type": "text/html" },
  body: "<html><body>Something on the way</body></html>",
});

/** A function's own errors, as the runtimes write them. */
const FUNCTION_ERRORS: readonly (readonly [
  title: string,
  code: DeliveryErrorCode,
  error: FunctionError,
  body: string,
])[] = [
  ...[
    ["Node.js", "ExecutionError", "TypeError"],
    ["Node.js", "ExecutionError", "RetryError"],
    ["Node.js", "RejectedByFunction", "DropEvent"],
    ["Node.js", "RejectedByFunction", "EventNotSupported"],
    ["Node.js", "RejectedByFunction", "InvalidEventPayload"],
    ["Node.js", "RejectedByFunction", "ValidationError"],
    ["Node.js", "ExecutionError", "NotADropEvent"],
    ["Node.js", "ExecutionError", "DropEventually"],
    ["Ruby", "ExecutionError", "Function<RuntimeError>"],
    ["Ruby", "RejectedByFunction", "Function<DropEvent>"],
    ["Ruby", "RejectedByFunction", "Function<Handlers::DropEvent>"],
  ].map(([runtime, code, errorType = ""]) => {
    const said = {
      errorType,
      errorMessage: "No luck",
      trace: [`${errorType}: No luck`, "    at handler (index.mjs:1:1)"],
    };
    const error = { kind: "Unhandled", ...said };
    return [`${runtime}: ${errorType}`, code as DeliveryErrorCode, error, JSON.stringify(said)] as const;
  }),
  ...[
    ["Python", "ExecutionError", "KeyError"],
    ["Python", "RejectedByFunction", "DropEvent"],
    ["Python", "RejectedByFunction", "handlers.errors.DropEvent"],
    ["Java", "ExecutionError", "java.lang.IllegalStateException"],
    ["Java", "RejectedByFunction", "com.example.DropEvent"],
    ["Java", "RejectedByFunction", "com.example.Handler$DropEvent"],
  ].map(([runtime, code, errorType = ""]) => {
    const said = { errorMessage: "No luck", errorType, stackTrace: ["one", "two"] };
    const error = { kind: "Unhandled", errorType, errorMessage: "No luck", trace: ["one", "two"] };
    return [`${runtime}: ${errorType}`, code as DeliveryErrorCode, error, JSON.stringify(said)] as const;
  }),
  ...[
    ["timed out", "OperationTimedOut", "Sandbox.Timedout", "RequestId: 1 Error: Task timed out after 3.00 seconds"],
    ["out of memory", "ExecutionError", "Runtime.OutOfMemory", "RequestId: 1 Error: Runtime exited with error"],
    ["killed", "ExecutionError", "Runtime.ExitError", "RequestId: 1 Error: Runtime exited with error: signal: killed"],
    ["answer too large", "ExecutionError", "Function.ResponseSizeTooLarge", "Response payload size exceeded"],
    ["no such handler", "ExecutionError", "Runtime.HandlerNotFound", "index.handler is undefined or not exported"],
  ].map(([title, code, errorType = "", errorMessage = ""]) => {
    const said = { errorType, errorMessage };
    return [
      `by AWS: ${title}`,
      code as DeliveryErrorCode,
      { kind: "Unhandled", ...said },
      JSON.stringify(said),
    ] as const;
  }),
  [
    "by AWS: timed out, in the older form",
    "OperationTimedOut",
    { kind: "Unhandled", errorMessage: "2026-01-02T03:04:05.678Z 1 Task timed out after 3.00 seconds" },
    '{"errorMessage":"2026-01-02T03:04:05.678Z 1 Task timed out after 3.00 seconds"}',
  ],
  ["no JSON", "ExecutionError", { kind: "Unhandled", errorMessage: "Segmentation fault" }, "Segmentation fault"],
  ["nothing", "ExecutionError", { kind: "Unhandled" }, ""],
  ["null", "ExecutionError", { kind: "Unhandled", errorMessage: "null" }, "null"],
  [
    "other types than promised",
    "ExecutionError",
    { kind: "Unhandled", errorMessage: '{"errorType":7,"errorMessage":{},"trace":"x"}' },
    '{"errorType":7,"errorMessage":{},"trace":"x"}',
  ],
];

/** Every failure that AWS or something before it can answer with. */
export const FAILURE_TABLE: readonly FailureRow[] = [
  ...LAMBDA.map(([name, status, code]) => ({
    title: `Lambda ${status} ${name}`,
    service: "lambda" as const,
    answer: lambdaError(name, status),
    ...verdict(code),
    awsError: name,
  })),
  {
    title: "Lambda 429 TooManyRequestsException with a Retry-After too long to wait for",
    service: "lambda",
    answer: lambdaError("TooManyRequestsException", 429, { "retry-after": "30" }),
    ...verdict("Throttled"),
    retryAfterMs: 30_000,
    awsError: "TooManyRequestsException",
  },
  {
    title: "Lambda 429 TooManyRequestsException with a short Retry-After, which is the host's to wait for",
    service: "lambda",
    answer: lambdaError("TooManyRequestsException", 429, { "retry-after": "1" }),
    ...verdict("Throttled"),
    retryAfterMs: 1000,
    awsError: "TooManyRequestsException",
  },
  ...(
    [
      ["31536000", 900_000],
      ["99999999999999999999", 900_000],
      ["0.25", 250],
    ] as const
  ).map(([seconds, retryAfterMs]) => ({
    title: `Lambda 429 TooManyRequestsException with a Retry-After of ${seconds} s, of which 15 minutes are believed at most`,
    service: "lambda" as const,
    answer: lambdaError("TooManyRequestsException", 429, { "retry-after": seconds }),
    ...verdict("Throttled"),
    retryAfterMs,
    awsError: "TooManyRequestsException",
  })),
  ...["-1", "1e9", "NaN", "Infinity", "Fri, 02 Jan 2026 03:04:05 GMT"].map((value) => ({
    title: `Lambda 429 TooManyRequestsException with a Retry-After that is no number of seconds: ${value}`,
    service: "lambda" as const,
    answer: lambdaError("TooManyRequestsException", 429, { "retry-after": value }),
    ...verdict("Throttled"),
    awsError: "TooManyRequestsException",
  })),
  {
    title: "Lambda 413 with a Retry-After that means nothing",
    service: "lambda",
    answer: lambdaError("RequestTooLargeException", 413, { "retry-after": "30" }),
    ...verdict("PayloadTooLarge"),
    awsError: "RequestTooLargeException",
  },
  {
    title: "Lambda 403 ExpiredTokenException, and again after the role was assumed again",
    service: "lambda",
    answer: lambdaError("ExpiredTokenException", 403),
    ...verdict("InvalidCredentials"),
    awsError: "ExpiredTokenException",
    attempts: 2,
  },
  {
    title: "Lambda's error name with its namespace",
    service: "lambda",
    answer: lambdaError("AccessDeniedException:http://internal.amazon.com/coral/com.amazon.coral.service/", 403),
    ...verdict("AccessDenied"),
    awsError: "AccessDeniedException",
  },
  ...STS.map(([name, status, code]) => ({
    title: `STS ${status} ${name}`,
    service: "sts" as const,
    answer: stsError(name, status),
    ...verdict(code),
    awsError: name,
  })),
  ...STS_RENAMED.map(([name, awsError]) => ({
    title: `STS 400 ${name}`,
    service: "sts" as const,
    answer: stsError(name, 400),
    ...verdict("InvalidSettings"),
    awsError,
  })),
  ...(["lambda", "sts"] as const).flatMap((service) =>
    (
      [
        [502, "FunctionNotReady"],
        [503, "ServiceError"],
        [500, "ServiceError"],
        [429, "Throttled"],
        [413, "NetworkError"],
        [407, "Unknown"],
        [301, "Unknown"],
      ] as const
    ).map(([status, code]) => ({
      title: `${status} with a gateway's page instead of ${service}`,
      service,
      answer: page(status),
      ...verdict(code),
      // Lambda answers no invocation so: it is named, and never followed.
      awsError: service === "lambda" && status < 400 ? "UnexpectedStatus" : "Unknown",
    })),
  ),
  ...FUNCTION_ERRORS.map(([title, code, functionError, body]) => ({
    title: `function error: ${title}`,
    service: "lambda" as const,
    answer: lambdaAnswer(body, { "x-amz-function-error": functionError.kind }),
    ...verdict(code),
    functionError,
  })),
  {
    title: "function error: Handled",
    service: "lambda",
    answer: lambdaAnswer('{"errorType":"Error","errorMessage":"x"}', { "x-amz-function-error": "Handled" }),
    ...verdict("ExecutionError"),
    functionError: { kind: "Handled", errorType: "Error", errorMessage: "x" },
  },
];
