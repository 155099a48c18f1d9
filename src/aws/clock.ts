/** The time, as the surroundings have it. */
export interface Clock {
  /** Milliseconds that only ever grow, at the pace of real time: for durations, deadlines and back-off. */
  monotonic(): number;
  /** Milliseconds since 1970 as the machine believes: for signatures and expiry only, and corrected by {@link AwsTime}. */
  wall(): number;
  /** Absent where the surroundings have none: then nothing is waited for, and nothing is given up. */
  readonly timer?: {
    start(callback: () => void, ms: number): unknown;
    stop(timer: unknown): void;
  };
}

/** Milliseconds from which a difference between our clock and AWS's is corrected: Lambda accepts 5 minutes, STS 15. */
const CORRECTED_FROM_MS = 4 * 60_000;

/** AWS's own time: the machine's, corrected by what the `Date` of AWS's answers says where the machine is far off. */
export class AwsTime {
  readonly #clock: Clock;
  #offsetMs = 0;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** Milliseconds since 1970. */
  now(): number {
    return this.#clock.wall() + this.#offsetMs;
  }

  /** Milliseconds by which the machine's clock is behind AWS's (negative: ahead); 0 where that is near enough. */
  get offsetMs(): number {
    return this.#offsetMs;
  }

  /**
   * @param date the `Date` header of an answer
   * @returns whether the time is another now, so that a signature that was refused may be accepted
   */
  learn(date: string | undefined): boolean {
    const theirs = date === undefined ? Number.NaN : Date.parse(date);
    if (Number.isNaN(theirs) || Math.abs(theirs - this.now()) < CORRECTED_FROM_MS) return false;
    const offset = theirs - this.#clock.wall();
    this.#offsetMs = Math.abs(offset) < CORRECTED_FROM_MS ? 0 : offset;
    return true;
  }
}
