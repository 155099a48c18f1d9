// @ts-nocheck
import type { Service } from "./service-error";

/** A wish for trouble. Only requests that are authentic get into it. */
export interface Misbehaviour {
  readonly service: Service;
  /** Only for this action: `AssumeRole`, `GetCallerIdentity`, `Invoke`. */
  readonly action?: string;
  /** Only for this function's name. */
  readonly function?: string;
  /** How many requests it hits; 1 by default, may be `Infinity`. */
  readonly times?: number;
  /** Answered in place of doing anything, in the service's own form. */
  readonly error?: {
    readonly code: string;
    readonly status: number;
    readonly message?: string;
    readonly headers?: Readonly<Record<string, string>>;
    /** Lambda's `Reason` of a `TooManyRequestsException`. */
    readonly reason?: string;
  };
  /** Waited for, by the clock, before anything else. */
  readonly latencyMs?: number;
  /**
   * `drop`: the connection is cut before anything is done. `drop-after-run`: after it was done, instead of the answer.
   * `half`: in the middle of the answer. `garbage`: the answer's body is neither JSON nor XML.
   */
  readonly fault?: "drop" | "drop-after-run" | "half" | "garbage";
}

/** The trouble that is still to come. */
export class Faults {
  #queue: { readonly wish: Misbehaviour; left: number }[] = [];

  add(wish: Misbehaviour): void {
    this.#queue.push({ wish, left: wish.times ?? 1 });
  }

  clear(): void {
    this.#queue = [];
  }

  /** The first that fits, used up by one. */
  take(service: Service, action: string, functionName: string | undefined): Misbehaviour | undefined {
    const next = this.#queue.find(
      ({ wish }) =>
        wish.service === service &&
        (wish.action === undefined || wish.action === action) &&
        (wish.function === undefined || wish.function === functionName),
    );
    if (!next) return undefined;
    next.left--;
    if (next.left <= 0) this.#queue = this.#queue.filter((other) => other !== next);
    return next.wish;
  }
}
