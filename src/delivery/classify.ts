import type { DeliveryErrorCode } from "./delivery-result";

/** AWS's names for errors, as the AWS SDK has them for Lambda's Invoke and STS's AssumeRole, and the failure each one is. */
const BY_NAME: Readonly<Record<string, DeliveryErrorCode>> = {
  AccessDenied: "AccessDenied",
  AccessDeniedException: "AccessDenied",
  UnrecognizedClientException: "InvalidCredentials",
  InvalidClientTokenId: "InvalidCredentials",
  InvalidSignatureException: "InvalidCredentials",
  SignatureDoesNotMatch: "InvalidCredentials",
  IncompleteSignature: "InvalidCredentials",
  IncompleteSignatureException: "InvalidCredentials",
  MissingAuthenticationToken: "InvalidCredentials",
  MissingAuthenticationTokenException: "InvalidCredentials",
  RequestExpired: "InvalidCredentials",
  ExpiredToken: "InvalidCredentials",
  ExpiredTokenException: "InvalidCredentials",
  TooManyRequestsException: "Throttled",
  ThrottlingException: "Throttled",
  Throttling: "Throttled",
  RequestLimitExceeded: "Throttled",
  EC2ThrottledException: "Throttled",
  ServiceQuotaExceededException: "Throttled",
  // Ours, where AWS was not even asked.
  TooManyInFlight: "Throttled",
  ResourceNotFoundException: "FunctionNotFound",
  NoPublishedVersionException: "FunctionNotFound",
  ResourceNotReadyException: "FunctionNotReady",
  ResourceConflictException: "FunctionNotReady",
  InvalidRuntimeException: "FunctionNotReady",
  InvalidZipFileException: "FunctionNotReady",
  ServiceException: "ServiceError",
  InternalFailure: "ServiceError",
  InternalServerError: "ServiceError",
  ServiceUnavailable: "ServiceError",
  ServiceUnavailableException: "ServiceError",
  RequestTooLargeException: "PayloadTooLarge",
  SerializedRequestEntityTooLargeException: "PayloadTooLarge",
  // Not in the API reference, but what Lambda is seen to answer.
  RequestEntityTooLargeException: "PayloadTooLarge",
  InvalidRequestContentException: "InvalidEvent",
  UnsupportedMediaTypeException: "InvalidEvent",
  RecursiveInvocationException: "RecursiveInvocation",
  InvalidParameterValueException: "InvalidSettings",
  // STS, about what the settings gave it.
  ValidationError: "InvalidSettings",
  PackedPolicyTooLargeException: "InvalidSettings",
  MalformedPolicyDocumentException: "InvalidSettings",
  RegionDisabledException: "InvalidSettings",
};

/** Families of names, looked at where the name alone is not listed. */
const BY_PATTERN: readonly (readonly [RegExp, DeliveryErrorCode])[] = [
  [/^(SnapStart|EFS|S3Files|Subnet|ENI|EC2|KMS|CodeArtifact)/, "FunctionNotReady"],
  [/^InvalidS.*IDException$/, "FunctionNotReady"],
  [/^ModeNotSupported/, "InvalidSettings"],
];

/** What happened, as far as classification needs to know it. */
export interface AwsFailure {
  readonly kind: "service" | "network" | "timeout" | "identity" | "installation" | "withheld";
  readonly code: string;
  readonly status?: number;
}

const BY_KIND: Readonly<Record<Exclude<AwsFailure["kind"], "service" | "withheld">, DeliveryErrorCode>> = {
  network: "NetworkError",
  timeout: "OperationTimedOut",
  identity: "InvalidCredentials",
  installation: "Unknown",
};

/** The failure that an error from AWS, or the absence of an answer, is. */
export function classifyAwsFailure({ kind, code, status }: AwsFailure): DeliveryErrorCode {
  if (kind !== "service" && kind !== "withheld") return BY_KIND[kind];
  const listed = Object.hasOwn(BY_NAME, code) ? BY_NAME[code] : BY_PATTERN.find(([names]) => names.test(code))?.[1];
  return listed ?? classifyStatus(status);
}

function classifyStatus(status = 0): DeliveryErrorCode {
  if (status === 429) return "Throttled";
  // Lambda gives its own limit a name. This is a proxy's, and no event is given up for that.
  if (status === 413) return "NetworkError";
  // Lambda answers 502 where it could not start the function, whatever the error's name.
  if (status === 502) return "FunctionNotReady";
  return status >= 500 ? "ServiceError" : "Unknown";
}

/** Names of errors by which a function says that it will never take the event. */
const GIVEN_UP: readonly string[] = ["DropEvent", "EventNotSupported", "InvalidEventPayload", "ValidationError"];

/** The failure that a function's own error is, by its `errorType`. */
export function classifyFunctionError(errorType = "", errorMessage = ""): DeliveryErrorCode {
  // Java says `com.example.DropEvent` or `com.example.Handler$DropEvent`, Ruby `Function<Handlers::DropEvent>`.
  const name = /(\w+)>?$/.exec(errorType)?.[1] ?? "";
  if (GIVEN_UP.includes(name)) return "RejectedByFunction";
  const timedOut = errorType === "Sandbox.Timedout" || /Task timed out after [\d.]+ seconds/.test(errorMessage);
  return timedOut ? "OperationTimedOut" : "ExecutionError";
}
