import { randomUUID } from "node:crypto";
import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import type { Socket } from "node:net";
import { parseFunctionName } from "./arn";
import type { Clock } from "./clock";
import type { Faults, Misbehaviour } from "./faults";
import { type Answer, type RawRequest, readRequest } from "./http-message";
import { type InvokeTarget, invokeTarget, maxPayloadBytes } from "./invoke-request";
import { type Lambda, lambdaError } from "./lambda";
import type { AwsObserver } from "./observer";
import type { CallRecord, Records } from "./records";
import { type Service, ServiceError } from "./service-error";
import type { Caller, SignatureVerifier } from "./signature-v4";
import { type Sqs, sqsAction, sqsError } from "./sqs";
import { type Sts, stsParameters } from "./sts";
import { stsError } from "./sts-xml";

interface Parts {
  readonly clock: Clock;
  readonly verifier: SignatureVerifier;
  readonly sts: Sts;
  readonly lambda: Lambda;
  readonly sqs: Sqs;
  readonly faults: Faults;
  readonly records: Records;
  readonly observer?: AwsObserver | undefined;
}

/** A request on its way: to which service, asking what. */
interface Call {
  readonly service: Service;
  readonly action: string;
  readonly requestId: string;
  readonly request: RawRequest & { readonly bodyBytes: number };
  readonly target: InvokeTarget | undefined;
  readonly parameters: URLSearchParams | undefined;
  /** Whether the caller has hung up. */
  readonly isGone: () => boolean;
}

/** What is written to the connection; undefined if it is cut instead. */
type Ending = { readonly answer: Answer; readonly half: boolean } | undefined;

/** All services on one port: SQS is told by a header, a path of Lambda's API goes to Lambda, everything else to STS. */
export function createAwsServer(parts: Parts): Server {
  const server = createServer({ keepAliveTimeout: 60_000 }, (message, response) => {
    handle(parts, message, response).catch(() => response.destroy());
  });
  server.on("clientError", (_: Error, socket: Socket) => {
    if (socket.writable) socket.end("HTTP/1.1 400 Bad Request\r\nconnection: close\r\n\r\n");
    else socket.destroy();
  });
  return server;
}

async function handle(parts: Parts, message: IncomingMessage, response: ServerResponse): Promise<void> {
  const call = readCall(await readRequest(message, maxPayloadBytes), () => message.socket.destroyed);
  const at = parts.clock.now();
  let caller: Caller | undefined;
  let errorCode: string | undefined;
  let ending: Ending;
  try {
    caller = authenticate(parts, call);
    ending = await perform(parts, call, caller);
  } catch (error) {
    const failure =
      error instanceof ServiceError
        ? error
        : new ServiceError(call.service === "lambda" ? "ServiceException" : "InternalFailure", 500, String(error));
    errorCode = failure.code;
    ending = { answer: errorAnswer(call, failure, caller !== undefined), half: false };
  }
  const record: CallRecord = {
    ...asked(call),
    at,
    status: ending?.answer.status ?? 0,
    errorCode,
    principalArn: caller?.identity.arn,
    accessKeyId: caller?.accessKeyId,
    region: caller?.region,
  };
  parts.records.addCall(record);
  parts.observer?.called?.(record, call.request.body.toString());
  if (ending) write(response, ending, parts.clock.now());
  else response.destroy();
}

/** Each of Lambda's operations has the date in its path on which it was made. STS has none. */
const LAMBDA_PATH = /^\/20\d\d-\d\d-\d\d\//;

function readCall(request: Call["request"], isGone: Call["isGone"]): Call {
  const target = invokeTarget(request);
  const queueing = sqsAction(request);
  const service = queueing ? "sqs" : LAMBDA_PATH.test(request.path) ? "lambda" : "sts";
  const parameters = service === "sts" ? stsParameters(request) : undefined;
  return {
    service,
    action: queueing ?? parameters?.get("Action") ?? (target && request.method === "POST" ? "Invoke" : ""),
    requestId: randomUUID(),
    request,
    target,
    parameters,
    isGone,
  };
}

/** A body that was too large to keep cannot be checked against its signature, so it is answered first. */
function authenticate(parts: Parts, call: Call): Caller {
  if (call.request.bodyBytes > maxPayloadBytes) {
    const message = `Request must be smaller than ${maxPayloadBytes} bytes for the ${call.service === "lambda" ? "InvokeFunction" : call.action} operation`;
    throw new ServiceError("RequestTooLargeException", 413, message);
  }
  return parts.verifier.verify(call.request, call.service);
}

async function perform(parts: Parts, call: Call, caller: Caller): Promise<Ending> {
  const functionName = call.target && parseFunctionName(call.target.functionName)?.name;
  const trouble = parts.faults.take(call.service, call.action, functionName);
  if (trouble?.latencyMs) {
    const { latencyMs } = trouble;
    await new Promise<void>((resolve) => parts.clock.schedule(latencyMs, resolve));
  }
  if (trouble?.error) {
    const { code, status, message = "", ...more } = trouble.error;
    throw new ServiceError(code, status, message, more);
  }
  if (trouble?.fault === "drop") return undefined;
  const answer = await answerOf(parts, call, caller);
  return afterRun(trouble, answer);
}

function afterRun(trouble: Misbehaviour | undefined, answer: Answer): Ending {
  if (trouble?.fault === "drop-after-run") return undefined;
  if (trouble?.fault === "garbage") return { answer: { ...answer, body: '\u0000{"<garbage' }, half: false };
  return { answer, half: trouble?.fault === "half" };
}

async function answerOf(parts: Parts, call: Call, caller: Caller): Promise<Answer> {
  if (call.service === "sqs") return parts.sqs.answer(call, caller);
  if (call.parameters) return parts.sts.answer(call.parameters, caller, call.requestId);
  if (!call.target || call.action === "") {
    const message = `The embedded AWS has no operation for ${call.request.method} ${call.request.path}`;
    throw new ServiceError("UnknownOperationException", 404, message);
  }
  return parts.lambda.answer(call.request, call.target, caller, call.requestId);
}

function errorAnswer(call: Call, error: ServiceError, authenticated: boolean): Answer {
  if (call.service === "sqs") return sqsError(error, call.requestId);
  return call.service === "sts" ? stsError(error, call.requestId) : lambdaError(error, call.requestId, authenticated);
}

type Asked = Omit<CallRecord, "at" | "status" | "errorCode" | "principalArn" | "accessKeyId" | "region">;

/** What a call's record says of the request. */
function asked({ service, action, requestId, target, parameters }: Call): Asked {
  const told = (name: string): string | undefined => parameters?.get(name) ?? undefined;
  const duration = told("DurationSeconds");
  return {
    service,
    action,
    requestId,
    function: target?.functionName,
    roleArn: told("RoleArn"),
    externalId: told("ExternalId"),
    roleSessionName: told("RoleSessionName"),
    durationSeconds: duration === undefined ? undefined : Number(duration),
    policy: told("Policy"),
  };
}

function write(response: ServerResponse, { answer, half }: NonNullable<Ending>, now: number): void {
  if (response.destroyed) return;
  const body = Buffer.from(answer.body);
  response.writeHead(answer.status, {
    ...answer.headers,
    date: new Date(now).toUTCString(),
    ...(answer.status !== 204 && { "content-length": String(body.length) }),
  });
  if (!half) return void response.end(body);
  response.write(body.subarray(0, body.length >> 1), () => response.destroy());
}
