import type { AwsErrorDetails } from "./aws-error";
import { AwsError } from "./aws-error";
import type { Clock } from "./clock";
import type { TimeLimit, Transport } from "./transport";

type Service = AwsErrorDetails["service"];

export interface DeadlineOptions {
  /** How the time is called in an error; by default the setting's name. */
  readonly called?: string;
  /** What else to say in an error. */
  readonly note?: string | undefined;
  /** Ends the time early. */
  readonly signal?: AbortSignal | undefined;
  /** The way out for this delivery's requests, where each delivery has its own. */
  readonly via?: Transport | undefined;
  /** Milliseconds, from the first moment on, in which it may wait for a place where the function has no room. */
  readonly patienceMs?: number | undefined;
}

const WHO: Readonly<Record<Service, string>> = { lambda: "The function", sts: "AWS STS" };

/**
 * The time that one delivery has, from its first moment to its result: made once, and handed to everything that takes
 * time. It runs on the monotonic clock.
 */
export class Deadline implements TimeLimit {
  readonly #clock: Clock;
  readonly #timeoutMs: number;
  readonly #options: DeadlineOptions;
  readonly #endsAt: number;
  #onOver: (() => void) | undefined;
  readonly #over = () => this.#isOver();
  #timer: unknown;

  /** @param timeoutMs from now on */
  constructor(clock: Clock, timeoutMs: number, options: DeadlineOptions = {}) {
    this.#clock = clock;
    this.#timeoutMs = timeoutMs;
    this.#options = options;
    this.#endsAt = clock.monotonic() + timeoutMs;
  }

  /** Milliseconds that are left; none once the signal was given. */
  get left(): number {
    return this.#options.signal?.aborted ? 0 : Math.max(this.#endsAt - this.#clock.monotonic(), 0);
  }

  /** Whole milliseconds since the beginning. */
  get elapsed(): number {
    return Math.round(this.#clock.monotonic() - this.#endsAt + this.#timeoutMs);
  }

  get via(): Transport | undefined {
    return this.#options.via;
  }

  /** The part of the time in which it may wait for a place; nothing where that is over, or where there are no timers to end it. */
  get patience(): Deadline | undefined {
    const { signal, patienceMs = 0 } = this.#options;
    const ms = Math.min(patienceMs - this.elapsed, this.left);
    return ms > 0 && this.#clock.timer ? new Deadline(this.#clock, ms, { signal }) : undefined;
  }

  /** The same time once more, for something that goes on beside: one waits for one thing. */
  beside(): Deadline {
    return new Deadline(this.#clock, this.left, this.#options);
  }

  watch(onOver: () => void): void {
    this.#onOver = onOver;
    this.#timer = this.#clock.timer?.start(this.#over, this.left);
    this.#options.signal?.addEventListener("abort", this.#over);
  }

  unwatch(): void {
    this.#onOver = undefined;
    if (this.#timer !== undefined) this.#clock.timer?.stop(this.#timer);
    this.#timer = undefined;
    // The signal may outlive many deliveries.
    this.#options.signal?.removeEventListener("abort", this.#over);
  }

  /**
   * Settles as the promise does, while there is time.
   *
   * @param service who is waited for
   * @throws AwsError of kind `timeout`
   */
  within<T>(promise: Promise<T>, service: Service): Promise<T> {
    return new Promise((resolve, reject) => {
      this.watch(() => reject(this.error(service)));
      const settle =
        <V>(how: (value: V) => void) =>
        (value: V) => {
          this.unwatch();
          how(value);
        };
      promise.then(settle(resolve), settle(reject));
    });
  }

  /** Resolves after so many milliseconds, or when the time is over. */
  pause(ms: number): Promise<void> {
    return new Promise((resolve) => {
      const timer = this.#clock.timer?.start(() => {
        this.unwatch();
        resolve();
      }, ms);
      this.watch(() => {
        if (timer !== undefined) this.#clock.timer?.stop(timer);
        resolve();
      });
      if (timer === undefined) {
        this.unwatch();
        resolve();
      }
    });
  }

  /** What to tell whoever waited for the service until the time was over. */
  error(service: Service): AwsError {
    const { called = "of Timeout (ms)", note, signal } = this.#options;
    const message = signal?.aborted
      ? `${WHO[service]} had not answered when the delivery was called off.`
      : `${WHO[service]} did not answer within the ${this.#timeoutMs} ms ${called}.${note ? ` ${note}` : ""}`;
    return new AwsError({ service, kind: "timeout", code: signal?.aborted ? "Aborted" : "Timeout", message });
  }

  #isOver(): void {
    const call = this.#onOver;
    this.unwatch();
    call?.();
  }
}
