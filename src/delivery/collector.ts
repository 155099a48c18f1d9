import type { Clock } from "../aws/clock";

/** Something that waits to be sent with others. */
interface Waiting<Delivery, Result> {
  readonly delivery: Delivery;
  readonly resolve: (result: Result) => void;
}

/** Batches in a row with one delivery only, after which nobody is made to wait any more: deliveries come one by one. */
const LONELY = 10;

/**
 * Collects deliveries that come singly, for a moment, so that they can share an invocation.
 *
 * Whoever delivers one event after the other is made to wait ten times only: after that a delivery is collected with
 * those of the same moment, until there are several under way again.
 */
export class Collector<Delivery, Result> {
  readonly #clock: Clock;
  readonly #windowMs: number;
  readonly #full: (deliveries: readonly Delivery[]) => boolean;
  readonly #send: (deliveries: readonly Delivery[]) => Promise<readonly Result[]>;
  #waiting: Waiting<Delivery, Result>[] = [];
  /** Stops the timer of what waits, where it has one. */
  #stopTimer: (() => void) | undefined;
  #inFlight = 0;
  #lonely = 0;

  /**
   * @param options.windowMs milliseconds for which a delivery waits for others
   * @param options.full whether one more may not fit
   * @param options.send one result per delivery, in the same order; never throws
   */
  constructor(
    clock: Clock,
    options: {
      readonly windowMs: number;
      readonly full: (deliveries: readonly Delivery[]) => boolean;
      readonly send: (deliveries: readonly Delivery[]) => Promise<readonly Result[]>;
    },
  ) {
    this.#clock = clock;
    this.#windowMs = options.windowMs;
    this.#full = options.full;
    this.#send = options.send;
  }

  /** Nothing waits and nothing is under way. */
  get idle(): boolean {
    return this.#waiting.length === 0 && this.#inFlight === 0;
  }

  deliver(delivery: Delivery): Promise<Result> {
    if (this.#inFlight > 0) this.#lonely = 0;
    return new Promise((resolve) => {
      this.#waiting.push({ delivery, resolve });
      if (this.#full(this.#waiting.map((each) => each.delivery))) this.flush();
      else if (this.#waiting.length === 1) this.#waitForOthers();
    });
  }

  /** @returns whether it was still waiting, and is not sent any more */
  withdraw(delivery: Delivery): boolean {
    const at = this.#waiting.findIndex((each) => each.delivery === delivery);
    if (at < 0) return false;
    this.#waiting.splice(at, 1);
    if (this.#waiting.length === 0) this.flush();
    return true;
  }

  /** Sends what waits. */
  flush(): void {
    this.#stopTimer?.();
    this.#stopTimer = undefined;
    const batch = this.#waiting;
    if (batch.length === 0) return;
    this.#waiting = [];
    this.#lonely = batch.length > 1 ? 0 : this.#lonely + 1;
    this.#inFlight++;
    void this.#send(batch.map(({ delivery }) => delivery)).then((results) => {
      this.#inFlight--;
      for (const [i, { resolve }] of batch.entries()) resolve(results[i] as Result);
    });
  }

  #waitForOthers(): void {
    const { timer } = this.#clock;
    if (timer && this.#lonely < LONELY) {
      const started = timer.start(() => this.flush(), this.#windowMs);
      this.#stopTimer = () => timer.stop(started);
    } else void Promise.resolve().then(() => this.flush());
  }
}
