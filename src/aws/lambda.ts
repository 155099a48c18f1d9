import { functionNameForInvoke } from "../names/function-reference";
import type { AwsCredentials, InvokeAnswer, InvokeRequest, InvokeTarget } from "./aws";
import { AwsError, type AwsErrorDetails } from "./aws-error";
import type { AwsTime } from "./clock";
import type { Deadline } from "./deadline";
import { noIdentity, transportFailure } from "./failed-call";
import { withoutSecretsOf } from "./quoted-secrets";
import { retryAfterMs } from "./retry-after";
import { type Crypto, SignedRequest, Signer, uriEncode } from "./signature";
import type { Endpoint, Transport, WireAnswer } from "./transport";

/** What invoking needs of its surroundings. */
export interface LambdaPorts {
  readonly time: AwsTime;
  readonly crypto: Crypto;
  readonly transport: Transport;
  /** Where Lambda is for a region; a promise only until that is known. @throws AwsError */
  endpoint(region: string, deadline: Deadline): Endpoint | Promise<Endpoint>;
  /** Who signs where a request brings no credentials. @throws AwsError */
  identity?(region: string, deadline: Deadline): Promise<AwsCredentials>;
}

/** What each kind of invocation is answered with where Lambda took it. */
const ACCEPTED: Readonly<Record<InvokeTarget["invocationType"], number>> = {
  RequestResponse: 200,
  Event: 202,
  DryRun: 204,
};

/**
 * Characters of a payload from which others get their turn before it is hashed, and once more before it is sent: a JSON text of 6 MB costs the
 * process 8 ms to write, 4 to hash and 8 to hand over, which no other delivery should have to wait for at once.
 */
const LARGE_LENGTH = 256 * 1024;

/** A target's request with a caller's signature, all but the body, and where it goes. */
interface Prepared {
  readonly endpoint: Endpoint;
  readonly request: SignedRequest;
}

/**
 * Lambda's Invoke. What does not change between two invocations of a function by the same caller is prepared once, and
 * goes with the caller's credentials.
 *
 * @see https://docs.aws.amazon.com/lambda/latest/api/API_Invoke.html
 */
export function lambdaInvoke(ports: LambdaPorts) {
  const { time, crypto, transport } = ports;
  const prepared = new WeakMap<AwsCredentials, WeakMap<InvokeTarget, Prepared>>();

  async function prepare(target: InvokeTarget, credentials: AwsCredentials, deadline: Deadline): Promise<Prepared> {
    const endpoint = await ports.endpoint(target.region, deadline);
    const signer = new Signer(crypto, credentials, target.region, "lambda");
    const made = { endpoint, request: new SignedRequest(signer, invokeRequest(target, endpoint)) };
    const ofCaller = prepared.get(credentials) ?? new WeakMap<InvokeTarget, Prepared>();
    prepared.set(credentials, ofCaller.set(target, made));
    return made;
  }

  return async function invoke(
    { target, payload, credentials }: InvokeRequest,
    deadline: Deadline,
  ): Promise<InvokeAnswer> {
    const caller = credentials ?? (await ports.identity?.(target.region, deadline));
    if (!caller) throw noIdentity("lambda");
    const { endpoint, request } = prepared.get(caller)?.get(target) ?? (await prepare(target, caller, deadline));
    const large = payload.length > LARGE_LENGTH;
    if (large) await deadline.pause(0);
    const headers = request.headers(payload, time.now());
    if (large) await deadline.pause(0);
    // What would be sent after the deadline might run, and be taken for lost.
    if (deadline.left <= 0) throw deadline.error("lambda");
    let answer: WireAnswer;
    try {
      const way = deadline.via ?? transport;
      const raw = await way.post({ endpoint, path: request.path, headers, body: payload }, deadline);
      answer = withoutSecretsOf(raw, caller);
    } catch (error) {
      throw transportFailure("lambda", error, deadline);
    }
    if (answer.status !== ACCEPTED[target.invocationType]) throw notAccepted(answer, time);
    if (endpoint.ofAws && answer.header("x-amzn-requestid") === undefined) throw notFromLambda(answer.status);
    return readAnswer(answer);
  };
}

function invokeRequest(target: InvokeTarget, { host, basePath }: Endpoint) {
  const { function: reference, invocationType, logType, clientContext, tenantId, executionName } = target;
  return {
    host,
    path: `${basePath}/2015-03-31/functions/${uriEncode(functionNameForInvoke(reference))}/invocations`,
    ...(reference.qualifier && { query: { Qualifier: reference.qualifier } }),
    headers: {
      "content-type": "application/octet-stream",
      "x-amz-invocation-type": invocationType,
      ...(logType === "Tail" && { "x-amz-log-type": logType }),
      ...(clientContext && { "x-amz-client-context": clientContext }),
      ...(tenantId && { "x-amz-tenant-id": tenantId }),
      ...(executionName && { "x-amz-durable-execution-name": executionName }),
    },
  };
}

function readAnswer(answer: WireAnswer): InvokeAnswer {
  return {
    status: answer.status,
    payload: answer.body,
    requestId: answer.header("x-amzn-requestid"),
    executedVersion: answer.header("x-amz-executed-version"),
    functionError: answer.header("x-amz-function-error"),
    logResult: answer.header("x-amz-log-result"),
    executionArn: answer.header("x-amz-durable-execution-arn"),
  };
}

/** An error of Lambda's, or a status that is no answer to what was asked. */
function notAccepted(answer: WireAnswer, time: AwsTime): AwsError {
  const { status } = answer;
  if (!(status >= 400 && status <= 599)) {
    return new AwsError({
      service: "lambda",
      kind: "service",
      code: "UnexpectedStatus",
      message: `The answer has HTTP status ${status}, by which Lambda does not say that it took the invocation. Redirects are not followed.`,
      ...(Number.isInteger(status) && { status }),
    });
  }
  const body = jsonObject(answer.body);
  const text = (...keys: string[]) => keys.map((key) => body[key]).find((value) => typeof value === "string");
  // `AccessDeniedException:http://internal.amazon.com/coral/com.amazon.coral.service/`
  const code = (answer.header("x-amzn-errortype") ?? text("code", "__type"))?.split(/[:,]/)[0]?.split("#").at(-1);
  const message = text("message", "Message", "errorMessage");
  const requestId = answer.header("x-amzn-requestid");
  return serviceError("lambda", answer, time, { code, message, requestId, reason: text("Reason") });
}

/** AWS gives every answer of Lambda's an ID: this one is a page of something in between. */
function notFromLambda(status: number): AwsError {
  const message = "The answer has no AWS request ID: something between the router and AWS answered in Lambda's place.";
  return new AwsError({ service: "lambda", kind: "network", code: "NotFromLambda", message, status });
}

/** What a service answered with an error. As the AWS SDK puts what is missing. */
export function serviceError(
  service: AwsErrorDetails["service"],
  answer: WireAnswer,
  time: AwsTime,
  {
    code,
    message,
    requestId,
    reason,
  }: {
    code: string | undefined;
    message: string | undefined;
    requestId: string | undefined;
    reason?: string | undefined;
  },
): AwsError {
  const clockWasOff = time.learn(answer.header("date"));
  const wait = retryAfterMs(answer.header("retry-after"));
  return new AwsError({
    service,
    kind: "service",
    code: code || "Unknown",
    message: message || "UnknownError",
    status: answer.status,
    ...(requestId !== undefined && { requestId }),
    // A word of AWS's own; what is none is of no use.
    ...(reason !== undefined && /^[A-Za-z]{1,80}$/.test(reason) && { reason }),
    ...(wait !== undefined && { retryAfterMs: wait }),
    ...(clockWasOff && { clockWasOff }),
  });
}

function jsonObject(text: string): Record<string, unknown> {
  try {
    const value: unknown = JSON.parse(text);
    return value !== null && typeof value === "object" ? (value as Record<string, unknown>) : {};
  } catch {
    return {};
  }
}
