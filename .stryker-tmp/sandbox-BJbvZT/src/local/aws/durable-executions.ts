// @ts-nocheck
import { randomUUID } from "node:crypto";
import type { Clock } from "./clock";
import type { Execution } from "./execution";
import { ServiceError } from "./service-error";

/** One run of a durable function, under its name. */
export interface DurableExecution {
  /** `<the version's ARN>/durable-execution/<name>/<ID>` */
  readonly arn: string;
  /** How it ends, however many callers wait for it. */
  readonly result: Promise<Execution>;
}

interface Kept extends DurableExecution {
  readonly versionArn: string;
  readonly payload: string;
  readonly retentionMs: number;
  /** Milliseconds since 1970, by the embedded AWS's clock; undefined while it runs. */
  closedAt: number | undefined;
  stop(): void;
}

/** What starts an execution. */
export interface DurableStart {
  /** Idempotency key within account and region; a new one where absent. */
  readonly name: string | undefined;
  readonly account: string;
  readonly region: string;
  /** ARN with the version that an alias led to. */
  readonly versionArn: string;
  readonly payload: string;
  /** Milliseconds that a closed execution is remembered. */
  readonly retentionMs: number;
}

/** So that an embedded AWS that runs for days does not grow: the oldest closed executions are forgotten first. */
const maxExecutions = 20_000;

/**
 * Executions of durable functions by name: a name starts one execution, and leads back to it until its retention ends,
 * whether it runs, succeeded, failed or was stopped.
 *
 * @see https://docs.aws.amazon.com/lambda/latest/dg/durable-execution-idempotency.html
 */
export class DurableExecutions {
  readonly #byName = new Map<string, Kept>();

  constructor(private readonly clock: Clock) {}

  /**
   * The execution of that name, if there is one already.
   *
   * @throws ServiceError `DurableExecutionAlreadyStartedException` if it was started with something else
   */
  find(start: DurableStart): DurableExecution | undefined {
    if (start.name === undefined) return undefined;
    const kept = this.#byName.get(keyOf(start, start.name));
    if (!kept) return undefined;
    if (kept.closedAt !== undefined && kept.closedAt + kept.retentionMs <= this.clock.now()) return undefined;
    if (kept.payload !== start.payload || unversioned(kept.versionArn) !== unversioned(start.versionArn)) {
      const message = `Durable execution with name ${start.name} already exists with a different payload`;
      throw new ServiceError("DurableExecutionAlreadyStartedException", 409, message);
    }
    return kept;
  }

  /** Starts a new one; {@link find} has found none. */
  start(start: DurableStart, run: () => Promise<Execution>): DurableExecution {
    const name = start.name ?? randomUUID();
    let stop = (): void => {};
    const stopped = new Promise<Execution>((resolve) => {
      stop = () => resolve(STOPPED);
    });
    const result = Promise.race([run(), stopped]);
    const kept: Kept = {
      arn: `${start.versionArn}/durable-execution/${name}/${randomUUID()}`,
      result,
      versionArn: start.versionArn,
      payload: start.payload,
      retentionMs: start.retentionMs,
      closedAt: undefined,
      stop,
    };
    void result.then(() => {
      kept.closedAt = this.clock.now();
    });
    const key = keyOf(start, name);
    this.#byName.delete(key);
    this.#byName.set(key, kept);
    this.#forgetOldest();
    return kept;
  }

  /** Ends an execution that runs. */
  stop(arn: string): void {
    const kept = [...this.#byName.values()].find((each) => each.arn === arn);
    if (!kept) throw new Error(`no execution ${arn}`);
    kept.stop();
  }

  #forgetOldest(): void {
    if (this.#byName.size <= maxExecutions) return;
    const oldest = [...this.#byName].find(([, { closedAt }]) => closedAt !== undefined);
    if (oldest) this.#byName.delete(oldest[0]);
  }
}

/** AWS documents that the caller gets a function error; its wording here is ours. */
const STOPPED: Execution = execution("ExecutionStopped", "The durable execution was stopped");

function execution(errorType: string, errorMessage: string): Execution {
  const error = { errorType, errorMessage };
  return { payload: JSON.stringify(error), error, log: "", logTail: "", durationMs: 0 };
}

function keyOf({ account, region }: DurableStart, name: string): string {
  return `${account} ${region} ${name}`;
}

function unversioned(versionArn: string): string {
  return versionArn.slice(0, versionArn.lastIndexOf(":"));
}
