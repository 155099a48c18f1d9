import type { AwsObserver, RunOutput } from "./aws/observer";
import type { InvocationRecord } from "./aws/records";
import type { Try } from "./local-host";

/** A run of a function that no delivery tells of. */
export interface UntoldRun {
  readonly record: InvocationRecord;
  readonly log: string;
  /** Why no delivery does. */
  readonly why: "asynchronous" | "router gave up waiting" | "another client";
}

/** Milliseconds in which a run's delivery is told of, if it has one. */
const GRACE_MS = 1000;
/** Runs that are remembered. */
const LIMIT = 1000;

/**
 * Brings deliveries and runs of functions together: a delivery knows the end of the log only, and some runs belong to no
 * delivery, or to one that was over before them.
 */
export class RunWatch implements AwsObserver {
  readonly #onUntold: (run: UntoldRun) => void;
  readonly #waiting = new Map<string, { readonly run: UntoldRun; readonly timer: NodeJS.Timeout }>();
  readonly #told = new Set<string>();
  /** IDs of the events whose delivery was over before the function was. */
  readonly #timedOut = new Set<string>();

  constructor(onUntold: (run: UntoldRun) => void) {
    this.#onUntold = onUntold;
  }

  ran(record: InvocationRecord, { log }: RunOutput): void {
    if (record.invocationType === "Event") {
      this.#onUntold({ record, log, why: "asynchronous" });
      return;
    }
    const gaveUp = messageIds(record.payload).some((id) => this.#timedOut.has(id));
    const run: UntoldRun = { record, log, why: gaveUp ? "router gave up waiting" : "another client" };
    const timer = setTimeout(() => this.#tell(record.requestId), GRACE_MS);
    timer.unref();
    this.#waiting.set(record.requestId, { run, timer });
  }

  /**
   * The whole log of the run that a try led to, once; nothing for what is told already, undefined where the run is not known.
   */
  logOf({ result: { requestId = "", messageId, error } }: Try): string | undefined {
    if (error?.code === "OperationTimedOut" && requestId === "") remember(this.#timedOut, messageId);
    const waiting = this.#waiting.get(requestId);
    if (!waiting) return this.#told.has(requestId) ? "" : undefined;
    this.#forget(requestId);
    return waiting.run.log;
  }

  /** Tells at once what is not told yet. */
  flush(): void {
    for (const requestId of [...this.#waiting.keys()]) this.#tell(requestId);
  }

  #tell(requestId: string): void {
    const waiting = this.#waiting.get(requestId);
    this.#forget(requestId);
    if (waiting) this.#onUntold(waiting.run);
  }

  #forget(requestId: string): void {
    clearTimeout(this.#waiting.get(requestId)?.timer);
    this.#waiting.delete(requestId);
    remember(this.#told, requestId);
  }
}

function remember(set: Set<string>, text: string): void {
  set.add(text);
  if (set.size > LIMIT) for (const oldest of set) return void set.delete(oldest);
}

function messageIds(payload: unknown): string[] {
  const events: readonly unknown[] = Array.isArray(payload) ? payload : [payload];
  return events.flatMap((event) => {
    const id = (event as { messageId?: unknown } | null)?.messageId;
    return typeof id === "string" ? [id] : [];
  });
}
