// @ts-nocheck
import type { LambdaFunction } from "./functions";
import { ServiceError } from "./service-error";

/** Counts the runs under way against the account's and the functions' limits. */
export class Concurrency {
  #running = 0;
  #waiting: { readonly function: LambdaFunction; readonly go: () => void }[] = [];

  /** @param limit of the whole account */
  constructor(private readonly limit: number) {}

  /** Runs under way. */
  get running(): number {
    return this.#running;
  }

  /** @throws ServiceError `TooManyRequestsException` */
  enter(fn: LambdaFunction): void {
    if (fn.concurrency !== undefined && fn.running >= fn.concurrency) {
      throw throttled("ReservedFunctionConcurrentInvocationLimitExceeded");
    }
    if (this.#running >= this.limit) throw throttled("ConcurrentInvocationLimitExceeded");
    fn.running++;
    this.#running++;
  }

  /** Waits instead of being throttled. */
  async enterWhenFree(fn: LambdaFunction): Promise<void> {
    if (this.#isFree(fn)) return this.enter(fn);
    await new Promise<void>((go) => this.#waiting.push({ function: fn, go }));
  }

  leave(fn: LambdaFunction): void {
    fn.running--;
    this.#running--;
    const next = this.#waiting.find((waiting) => this.#isFree(waiting.function));
    if (!next) return;
    this.#waiting = this.#waiting.filter((waiting) => waiting !== next);
    this.enter(next.function);
    next.go();
  }

  #isFree(fn: LambdaFunction): boolean {
    return this.#running < this.limit && (fn.concurrency === undefined || fn.running < fn.concurrency);
  }
}

function throttled(reason: string): ServiceError {
  return new ServiceError("TooManyRequestsException", 429, "Rate Exceeded.", {
    reason,
    headers: { "retry-after": "1" },
  });
}
