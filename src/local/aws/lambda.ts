import { type FunctionName, functionNamePattern, parseFunctionName } from "./arn";
import { denialMessage, denialOf } from "./authorization";
import type { Clock } from "./clock";
import type { Concurrency } from "./concurrency";
import { type Execution, execute } from "./execution";
import type { Functions, FunctionVersion, LambdaFunction } from "./functions";
import { type Answer, header, type RawRequest } from "./http-message";
import type { InvocationRecord, InvocationType, Records } from "./records";
import type { Invocation } from "./runtime";
import { ServiceError, validationError } from "./service-error";
import type { Caller } from "./signature-v4";

const invocationTypes: readonly string[] = ["RequestResponse", "Event", "DryRun"];

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

interface Run extends FunctionVersion {
  readonly function: LambdaFunction;
  readonly invocation: Invocation;
  readonly record: Omit<InvocationRecord, "attempt" | "at" | "error" | "logTail" | "durationMs">;
}

/**
 * AWS Lambda's Invoke. Authorization comes first, as at AWS: who may not invoke does not learn whether a function exists.
 * Asynchronous invocations (`Event`) wait for a free place instead of being throttled, and one that fails is run again
 * after each of `eventRetryDelaysMs`, by the clock.
 * @see https://docs.aws.amazon.com/lambda/latest/api/API_Invoke.html
 */
export class Lambda {
  #underWay = 0;
  #onIdle: (() => void)[] = [];

  constructor(
    private readonly functions: Functions,
    private readonly concurrency: Concurrency,
    private readonly clock: Clock,
    private readonly records: Records,
    private readonly eventRetryDelaysMs: readonly number[],
  ) {}

  /** @throws ServiceError */
  async answer(request: RawRequest, target: InvokeTarget, caller: Caller, requestId: string): Promise<Answer> {
    const name = readName(target);
    const type = header(request, "x-amz-invocation-type") ?? "RequestResponse";
    if (!invocationTypes.includes(type)) {
      throw validationError("ValidationException", [
        `Value '${type}' at 'invocationType' failed to satisfy constraint: Member must satisfy enum value set: [Event, RequestResponse, DryRun]`,
      ]);
    }
    const invocationType = type as InvocationType;
    const region = name.region ?? caller.region;
    const arn = this.functions.arn({ name: name.name, account: name.account ?? caller.identity.account, region });
    const qualifiedArn = name.qualifier === undefined ? arn : `${arn}:${name.qualifier}`;
    this.#authorize(caller, arn, qualifiedArn);
    if (region !== caller.region) {
      const message = `Functions from '${region}' are not reachable in this region ('${caller.region}')`;
      throw new ServiceError("ResourceNotFoundException", 404, message);
    }
    const version = this.functions.resolve(arn, name.qualifier);
    const { payload, event } = readPayload(request, invocationType);
    const clientContext = readClientContext(request, invocationType);
    const headers = { "x-amzn-requestid": requestId, "x-amz-executed-version": version.settings.functionVersion };
    if (invocationType === "DryRun") return { status: 204, headers, body: "" };

    const run: Run = {
      ...version,
      invocation: { requestId, payload, clientContext, invokedFunctionArn: qualifiedArn },
      record: {
        requestId,
        function: version.function.name,
        arn: qualifiedArn,
        version: version.settings.functionVersion,
        payload: event,
        clientContext: clientContext === undefined ? undefined : JSON.parse(clientContext),
        principalArn: caller.identity.arn,
        invocationType,
      },
    };
    if (invocationType === "Event") {
      void this.#runEvent(run, 0);
      return { status: 202, headers: { "x-amzn-requestid": requestId }, body: "" };
    }
    this.concurrency.enter(run.function);
    const execution = await this.#run(run, 1);
    return {
      status: 200,
      headers: {
        ...headers,
        "content-type": "application/json",
        ...(execution.error && { "x-amz-function-error": "Unhandled" }),
        ...(header(request, "x-amz-log-type") === "Tail" && {
          "x-amz-log-result": Buffer.from(execution.logTail).toString("base64"),
        }),
      },
      body: execution.payload,
    };
  }

  /** Resolves once nothing runs and no asynchronous invocation is due. */
  async idle(): Promise<void> {
    while (this.#underWay > 0) await new Promise<void>((resolve) => this.#onIdle.push(resolve));
  }

  #authorize(caller: Caller, arn: string, qualifiedArn: string): void {
    const fn = this.functions.get(arn);
    const action = "lambda:InvokeFunction";
    const denial = denialOf({
      identity: caller.identity,
      action,
      resource: qualifiedArn,
      context: { "lambda:functionarn": qualifiedArn },
      resourcePolicy: fn?.resourcePolicy,
      resourceAccount: arn.split(":")[4] ?? "",
      resourcePolicyRequired: false,
    });
    if (denial) {
      throw new ServiceError(
        "AccessDeniedException",
        403,
        denialMessage(caller.identity, action, qualifiedArn, denial),
      );
    }
  }

  /** Runs a function that has a place; gives the place back. */
  async #run(run: Run, attempt: number): Promise<Execution> {
    const at = this.clock.now();
    this.#underWay++;
    try {
      const execution = await execute(run.runtime, run.settings, run.invocation);
      this.records.addInvocation({
        ...run.record,
        attempt,
        at,
        durationMs: execution.durationMs,
        logTail: execution.logTail,
        ...(execution.error && { error: execution.error }),
      });
      return execution;
    } finally {
      this.concurrency.leave(run.function);
      this.#end();
    }
  }

  async #runEvent(run: Run, retries: number): Promise<void> {
    this.#underWay++;
    await this.concurrency.enterWhenFree(run.function);
    const { error } = await this.#run(run, retries + 1);
    const delay = this.eventRetryDelaysMs[retries];
    if (error && delay !== undefined) this.clock.schedule(delay, () => void this.#runEvent(run, retries + 1));
    this.#end();
  }

  #end(): void {
    this.#underWay--;
    if (this.#underWay === 0) for (const resolve of this.#onIdle.splice(0)) resolve();
  }
}

function readName(target: InvokeTarget): FunctionName {
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

function readPayload(request: RawRequest, type: InvocationType): { readonly payload: string; readonly event: unknown } {
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

/** The client context's JSON. Only a synchronous run gets it. */
function readClientContext(request: RawRequest, type: InvocationType): string | undefined {
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

function isJsonObject(json: string): boolean {
  try {
    const value: unknown = JSON.parse(json);
    return typeof value === "object" && value !== null && !Array.isArray(value);
  } catch {
    return false;
  }
}

/** Errors of the front door carry `message` alone, these two `Message`, errors of Lambda itself a `Type` too. */
const capitalised = new Set(["AccessDeniedException", "ResourceNotFoundException"]);

export function lambdaError(error: ServiceError, requestId: string, authenticated: boolean): Answer {
  const message = capitalised.has(error.code) ? { Message: error.message } : { message: error.message };
  const type = authenticated &&
    error.code !== "AccessDeniedException" && { Type: error.status >= 500 ? "Service" : "User" };
  return {
    status: error.status,
    headers: {
      "content-type": "application/json",
      "x-amzn-requestid": requestId,
      "x-amzn-errortype": error.code,
      ...error.headers,
    },
    body: JSON.stringify({ ...(error.reason !== undefined && { Reason: error.reason }), ...type, ...message }),
  };
}
