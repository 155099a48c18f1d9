// @ts-nocheck
import { type FunctionName, functionNamePattern, parseFunctionName } from "./arn";
import { header, type RawRequest } from "./http-message";
import type { InvocationType } from "./records";
import { ServiceError, validationError } from "./service-error";

/** Bytes of payload. */
export const maxPayloadBytes = 6_291_456;
const maxEventPayloadBytes = 1_048_576;
/** Characters of a client context's base64. */
const maxClientContext = 3583;

/** What the path of an Invoke request asks for. */
export interface InvokeTarget {
  /** Decoded, as the caller wrote it. */
  readonly functionName: string;
  readonly qualifier: string | undefined;
}

/** Reads `/2015-03-31/functions/{FunctionName}/invocations?Qualifier=`; undefined for any other path. */
export function invokeTarget(request: RawRequest): InvokeTarget | undefined {
  const [, encoded] = /^\/2015-03-31\/functions\/([^/]+)\/invocations\/?$/.exec(request.path) ?? [];
  if (encoded === undefined) return undefined;
  return {
    functionName: decodePercent(encoded),
    qualifier: new URLSearchParams(request.query).get("Qualifier") ?? undefined,
  };
}

function decodePercent(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}

const invocationTypes: readonly string[] = ["RequestResponse", "Event", "DryRun"] satisfies InvocationType[];

/** @throws ServiceError */
export function readInvocationType(request: RawRequest): InvocationType {
  const type = header(request, "x-amz-invocation-type") ?? "RequestResponse";
  if (invocationTypes.includes(type)) return type as InvocationType;
  throw validationError("ValidationException", [
    `Value '${type}' at 'invocationType' failed to satisfy constraint: Member must satisfy enum value set: [Event, RequestResponse, DryRun]`,
  ]);
}

/**
 * The function's name or ARN with its qualifier, wherever that stands.
 * @throws ServiceError
 */
export function readName(target: InvokeTarget): FunctionName {
  const name = parseFunctionName(target.functionName);
  if (!name) {
    throw validationError("ValidationException", [
      `Value '${target.functionName}' at 'functionName' failed to satisfy constraint: Member must satisfy regular expression pattern: ${functionNamePattern}`,
    ]);
  }
  const { qualifier } = target;
  if (qualifier === undefined) return name;
  if (!/^(\$LATEST|[a-zA-Z0-9-_$]{1,128})$/.test(qualifier)) {
    throw validationError("ValidationException", [
      `Value '${qualifier}' at 'qualifier' failed to satisfy constraint: Member must satisfy regular expression pattern: (|[a-zA-Z0-9$_-]+)`,
    ]);
  }
  if (name.qualifier !== undefined && name.qualifier !== qualifier) {
    throw new ServiceError(
      "InvalidParameterValueException",
      400,
      "The derived qualifier from the function name does not match the specified qualifier.",
    );
  }
  return { ...name, qualifier };
}

/** @throws ServiceError if it is too large or not JSON */
export function readPayload(
  request: RawRequest,
  type: InvocationType,
): { readonly payload: string; readonly event: unknown } {
  const bytes = request.body.length;
  if (type === "Event" && bytes > maxEventPayloadBytes) {
    throw new ServiceError(
      "RequestTooLargeException",
      413,
      `${bytes} byte payload is too large for the Event invocation type (limit ${maxEventPayloadBytes} bytes)`,
    );
  }
  if (bytes === 0) return { payload: "{}", event: {} };
  try {
    const payload = new TextDecoder("utf-8", { fatal: true }).decode(request.body);
    return { payload, event: JSON.parse(payload) };
  } catch (error) {
    throw new ServiceError(
      "InvalidRequestContentException",
      400,
      `Could not parse request body into json: Could not parse payload into json: ${(error as Error).message}`,
    );
  }
}

/**
 * The client context's JSON. Only a synchronous run gets it.
 * @throws ServiceError
 */
export function readClientContext(request: RawRequest, type: InvocationType): string | undefined {
  const encoded = header(request, "x-amz-client-context");
  if (encoded === undefined) return undefined;
  if (encoded.length > maxClientContext) {
    throw new ServiceError(
      "InvalidRequestContentException",
      400,
      `Client context must be no more than ${maxClientContext} bytes when base64-encoded.`,
    );
  }
  const json = Buffer.from(encoded, "base64").toString("utf8");
  if (!/^[A-Za-z0-9+/]+={0,2}$/.test(encoded) || !isJsonObject(json)) {
    throw new ServiceError(
      "InvalidRequestContentException",
      400,
      "Client context must be a valid Base64-encoded JSON object.",
    );
  }
  return type === "RequestResponse" ? json : undefined;
}

/**
 * The tenant on whose behalf the function runs: one for a function in tenant isolation mode, none for any other.
 *
 * @see https://docs.aws.amazon.com/lambda/latest/dg/tenant-isolation.html
 * @throws ServiceError
 */
export function readTenant(request: RawRequest, isolated: boolean): string | undefined {
  const tenant = header(request, "x-amz-tenant-id");
  if (tenant !== undefined && !/^[a-zA-Z0-9._:/=+\-@ ]{1,256}$/.test(tenant)) {
    throw validationError("ValidationException", [
      `Value '${tenant}' at 'tenantId' failed to satisfy constraint: Member must satisfy regular expression pattern: [a-zA-Z0-9\\._:\\/=+\\-@ ]+`,
    ]);
  }
  if (isolated && tenant === undefined) {
    throw new ServiceError(
      "InvalidParameterValueException",
      400,
      "The invoked function is enabled with tenancy configuration. Add a valid tenant ID in your request and try again.",
    );
  }
  if (!isolated && tenant !== undefined) {
    throw new ServiceError(
      "InvalidParameterValueException",
      400,
      "The invoked function is not enabled with tenancy configuration. Remove the tenant ID from your request and try again.",
    );
  }
  return tenant;
}

/**
 * The name of a durable function's execution.
 *
 * @see https://docs.aws.amazon.com/lambda/latest/dg/durable-invoking.html
 * @throws ServiceError
 */
export function readExecutionName(
  request: RawRequest,
  { durable, qualified }: { readonly durable: boolean; readonly qualified: boolean },
): string | undefined {
  const name = header(request, "x-amz-durable-execution-name");
  if (name !== undefined && !/^[a-zA-Z0-9-_]{1,64}$/.test(name)) {
    throw validationError("ValidationException", [
      `Value '${name}' at 'durableExecutionName' failed to satisfy constraint: Member must satisfy regular expression pattern: [a-zA-Z0-9-_]+`,
    ]);
  }
  if (durable && !qualified) {
    throw new ServiceError(
      "InvalidParameterValueException",
      400,
      "You cannot invoke a durable function using an unqualified ARN.",
    );
  }
  if (!durable && name !== undefined) {
    throw new ServiceError(
      "InvalidParameterValueException",
      400,
      "DurableExecutionName can only be given for a durable function.",
    );
  }
  return name;
}

function isJsonObject(json: string): boolean {
  try {
    const value: unknown = JSON.parse(json);
    return typeof value === "object" && value !== null && !Array.isArray(value);
  } catch {
    return false;
  }
}
