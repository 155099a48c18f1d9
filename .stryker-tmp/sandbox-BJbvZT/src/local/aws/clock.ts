// @ts-nocheck
interface Alarm {
  readonly at: number;
  readonly ring: () => void;
}

/**
 * The time that the embedded AWS lives by: signatures, sessions, latency and the retries of asynchronous invocations.
 * It runs with the source clock and can be moved by hand. What has become due by a move happens at once.
 */
export class Clock {
  #offset = 0;
  #alarms: Alarm[] = [];
  #timer: NodeJS.Timeout | undefined;
  readonly #source: () => number;

  /** @param source milliseconds since 1970 */
  constructor(source: () => number = Date.now) {
    this.#source = source;
  }

  /** Milliseconds since 1970. */
  now(): number {
    return this.#source() + this.#offset;
  }

  advance(ms: number): void {
    this.#offset += ms;
    this.#ringDue();
  }

  /** @param now milliseconds since 1970 */
  set(now: number): void {
    this.#offset = now - this.#source();
    this.#ringDue();
  }

  /** Calls `ring` once `ms` have passed; returns a function that calls it off. Never keeps the process alive. */
  schedule(ms: number, ring: () => void): () => void {
    const alarm = { at: this.now() + ms, ring };
    this.#alarms.push(alarm);
    this.#wind();
    return () => {
      this.#alarms = this.#alarms.filter((other) => other !== alarm);
      this.#wind();
    };
  }

  /** Forgets everything scheduled. */
  stop(): void {
    this.#alarms = [];
    this.#wind();
  }

  #ringDue(): void {
    const now = this.now();
    const due = this.#alarms.filter((alarm) => alarm.at <= now).sort((a, b) => a.at - b.at);
    this.#alarms = this.#alarms.filter((alarm) => alarm.at > now);
    this.#wind();
    for (const alarm of due) alarm.ring();
  }

  #wind(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    if (this.#alarms.length === 0) return;
    const next = Math.min(...this.#alarms.map((alarm) => alarm.at));
    // A longer delay than setTimeout can hold only wakes us early.
    const delay = Math.min(Math.max(next - this.now(), 0), 0x7fffffff);
    this.#timer = setTimeout(() => this.#ringDue(), delay);
    this.#timer.unref();
  }
}
