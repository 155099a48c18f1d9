import { accountOf } from "../../names/principals";
import { denialMessage, denialOf } from "./authorization";
import type { Clock } from "./clock";
import type { Concurrency } from "./concurrency";
import { type Execution, execute } from "./execution";
import type { Functions, FunctionVersion, LambdaFunction } from "./functions";
import { type Answer, header, type RawRequest } from "./http-message";
import { type InvokeTarget, readClientContext, readInvocationType, readName, readPayload } from "./invoke-request";
import type { AwsObserver } from "./observer";
import type { InvocationRecord, Records } from "./records";
import type { Invocation } from "./runtime";
import { ServiceError } from "./service-error";
import type { Caller } from "./signature-v4";

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
    private readonly observer: AwsObserver = {},
  ) {}

  /** @throws ServiceError */
  async answer(request: RawRequest, target: InvokeTarget, caller: Caller, requestId: string): Promise<Answer> {
    const name = readName(target);
    const invocationType = readInvocationType(request);
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
      resourceAccount: accountOf(arn),
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
      const record: InvocationRecord = {
        ...run.record,
        attempt,
        at,
        durationMs: execution.durationMs,
        logTail: execution.logTail,
        ...(execution.error && { error: execution.error }),
      };
      this.records.addInvocation(record);
      this.observer.ran?.(record, { log: execution.log, answer: execution.payload });
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
