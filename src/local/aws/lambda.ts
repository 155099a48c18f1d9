import { accountOf } from "../../names/principals";
import { denialMessage, denialOf } from "./authorization";
import type { Clock } from "./clock";
import type { Concurrency } from "./concurrency";
import { type DurableExecution, DurableExecutions, type DurableStart } from "./durable-executions";
import { type Execution, execute } from "./execution";
import type { Functions, FunctionVersion, LambdaFunction } from "./functions";
import { type Answer, header, type RawRequest } from "./http-message";
import {
  type InvokeTarget,
  readClientContext,
  readExecutionName,
  readInvocationType,
  readName,
  readPayload,
  readTenant,
} from "./invoke-request";
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
  readonly #durable: DurableExecutions;
  #underWay = 0;
  #dueRetries = 0;
  #onIdle: (() => void)[] = [];

  constructor(
    private readonly functions: Functions,
    private readonly concurrency: Concurrency,
    private readonly clock: Clock,
    private readonly records: Records,
    private readonly eventRetryDelaysMs: readonly number[],
    private readonly observer: AwsObserver = {},
  ) {
    this.#durable = new DurableExecutions(clock);
  }

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
    const { retentionMs, tenantIsolation } = version.function;
    const tenantId = readTenant(request, tenantIsolation);
    const executionName = readExecutionName(request, {
      durable: retentionMs !== undefined,
      qualified: name.qualifier !== undefined,
    });
    const { payload, event } = readPayload(request, invocationType);
    const clientContext = readClientContext(request, invocationType);
    const headers = { "x-amzn-requestid": requestId, "x-amz-executed-version": version.settings.functionVersion };
    if (invocationType === "DryRun") return { status: 204, headers, body: "" };

    const run: Run = {
      ...version,
      invocation: { requestId, payload, clientContext, invokedFunctionArn: qualifiedArn, tenantId },
      record: {
        requestId,
        function: version.function.name,
        arn: qualifiedArn,
        version: version.settings.functionVersion,
        payload: event,
        clientContext: clientContext === undefined ? undefined : JSON.parse(clientContext),
        principalArn: caller.identity.arn,
        invocationType,
        tenantId,
        executionName,
      },
    };
    if (retentionMs !== undefined) {
      const { account, region: home } = version.function;
      const versionArn = `${arn}:${version.settings.functionVersion}`;
      const start = { name: executionName, account, region: home, versionArn, payload, retentionMs };
      const durable = this.#startOrFind(run, start, invocationType);
      const more = { "x-amz-durable-execution-arn": durable.arn };
      if (invocationType === "Event") return { status: 202, headers: { ...headers, ...more }, body: "" };
      return answerOf(await durable.result, { ...headers, ...more }, request);
    }
    if (invocationType === "Event") {
      void this.#runEvent(run, 0);
      return { status: 202, headers: { "x-amzn-requestid": requestId }, body: "" };
    }
    this.concurrency.enter(run.function);
    return answerOf(await this.#run(run, 1), headers, request);
  }

  /** Ends a durable function's execution that runs. */
  stopExecution(arn: string): void {
    this.#durable.stop(arn);
  }

  /** Resolves once nothing runs; a failed asynchronous invocation that waits to be run again does not count. */
  async idle(): Promise<void> {
    while (this.#underWay > 0) await new Promise<void>((resolve) => this.#onIdle.push(resolve));
  }

  /** Resolves once nothing runs and nothing waits to be run again. */
  async settled(): Promise<void> {
    while (this.#underWay + this.#dueRetries > 0) await new Promise<void>((resolve) => this.#onIdle.push(resolve));
  }

  /** The execution of that name if there is one, else a new one; one that failed is not run again by itself. */
  #startOrFind(run: Run, start: DurableStart, invocationType: string): DurableExecution {
    const known = this.#durable.find(start);
    if (known) return known;
    if (invocationType !== "Event") {
      this.concurrency.enter(run.function);
      return this.#durable.start(start, () => this.#run(run, 1));
    }
    return this.#durable.start(start, async () => {
      this.#underWay++;
      try {
        await this.concurrency.enterWhenFree(run.function);
        return await this.#run(run, 1);
      } finally {
        this.#end();
      }
    });
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
    if (error && delay !== undefined) {
      this.#dueRetries++;
      this.clock.schedule(delay, () => {
        this.#dueRetries--;
        void this.#runEvent(run, retries + 1);
      });
    }
    this.#end();
  }

  #end(): void {
    this.#underWay--;
    if (this.#underWay === 0) for (const resolve of this.#onIdle.splice(0)) resolve();
  }
}

/** What the caller of a synchronous invocation gets. */
function answerOf(execution: Execution, headers: Answer["headers"], request: RawRequest): Answer {
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
