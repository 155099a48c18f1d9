/** How an invocation that a gate let through ended, as far as the function's load is concerned. */
export interface Departure {
  /**
   * `answered`: the function ran. `throttled`: AWS had no room for it. `refused`: it may not be invoked or is not there,
   * and the next one will hear the same. `unknown`: says nothing about load (no connection, AWS's own error, no answer in time).
   */
  readonly outcome: "answered" | "throttled" | "refused" | "unknown";
  /** Milliseconds since {@link Gate.enter}. */
  readonly tookMs: number;
}

export type Admission =
  | { readonly admitted: true }
  | {
      readonly admitted: false;
      /** Milliseconds after which it is worth coming back. */
      readonly retryAfterMs: number;
      /**
       * `limit`: as many are in flight as AWS takes. `most`: as many as the caller allows. `throttled`, `refused`: what the last
       * invocations were answered.
       */
      readonly because: "limit" | "most" | "throttled" | "refused";
    };

/** What is left of the limit after a throttle, at most; Netflix's `AIMDLimit` has the same. */
const BACKOFF = 0.9;
/** Milliseconds between two rises of the limit, at least. */
const RISE_AFTER_MS = 500;
/** Milliseconds for which a circuit stays open at first; doubled with each probe that fails. */
const FIRST_REST_MS = 1_000;
/** Milliseconds for which a circuit stays open at most: a mended function is back after them and one invocation. */
const LONGEST_REST_MS = 5_000;
/** How many callers are told to come back for each place that will be free: some come late, some never. */
const CALLERS_PER_PLACE = 2;
/** Milliseconds that a caller is told to wait, at least and at most. */
const SHORTEST_WAIT_MS = 50;
const LONGEST_WAIT_MS = 10_000;
/** Milliseconds that an invocation is thought to take before one has ended. */
const UNKNOWN_DURATION_MS = 1_000;
/** Weight of the latest duration in the mean. */
const LATEST = 0.2;

/**
 * What may be in flight to one function: an adaptive limit, and a circuit for a function that takes nothing at all.
 *
 * The limit is AIMD's (Chiu and Jain, 1989; as in TCP and in Netflix's concurrency-limits), over concurrency. There is none until AWS throttles. A
 * throttle then lowers it to what AWS kept running, and to nine tenths at most once per half second. Each window of `limit` answers raises it
 * by a step that begins at 1 and doubles while all goes well (max probing of BIC-TCP), so that a function with room gets it back in seconds.
 *
 * The circuit (Nygard) opens where the function is denied or gone, or is throttled although one invocation only was in flight.
 * It lets one probe through after 1 s, then 2, 4, 5 s; the first answer closes it.
 *
 * Whoever is not let in is told when a place will be free: each its own turn, as in a queue, so that they do not all come back at once.
 *
 * Times are milliseconds of a monotonic clock.
 */
export class Gate {
  #inFlight = 0;
  #limit = Number.POSITIVE_INFINITY;
  #step = 1;
  #answers = 0;
  #riseNotBefore = 0;
  #meanMs: number | undefined;
  #lastTurn = 0;
  readonly #waiting: { readonly most: number; readonly letIn: () => void }[] = [];
  #circuit: { readonly because: "throttled" | "refused"; restMs: number; until: number; probing: boolean } | undefined;

  get inFlight(): number {
    return this.#inFlight;
  }

  /** In flight at most at present, as far as AWS has told; `Infinity` where it never throttled. */
  get limit(): number {
    return this.#limit;
  }

  /** What the function answers at present, where its circuit is open. */
  get closedBy(): "throttled" | "refused" | undefined {
    return this.#circuit?.because;
  }

  /** Whether there is nothing to remember: a gate like new. */
  get idle(): boolean {
    return (
      this.#inFlight === 0 &&
      this.#waiting.length === 0 &&
      this.#circuit === undefined &&
      this.#limit === Number.POSITIVE_INFINITY
    );
  }

  /**
   * Asks to invoke the function; who is let in has to {@link leave}.
   *
   * @param most in flight, whatever AWS would take
   */
  enter(now: number, most = Number.POSITIVE_INFINITY): Admission {
    const circuit = this.#circuit;
    if (circuit) {
      if (circuit.probing || now < circuit.until) {
        const wait = circuit.probing ? this.#duration : circuit.until - now;
        return { admitted: false, retryAfterMs: between(wait), because: circuit.because };
      }
      circuit.probing = true;
    } else if (!this.#hasRoom(most)) {
      const because = this.#inFlight >= most ? "most" : "limit";
      return { admitted: false, retryAfterMs: this.#turn(now, most), because };
    }
    this.#inFlight++;
    return { admitted: true };
  }

  /**
   * Waits for the next place that becomes free, which nobody who comes later is given.
   *
   * @param letIn is called in its turn, and has to {@link leave}
   * @returns ends the waiting; tells whether it was still going on
   */
  queue(letIn: () => void, most = Number.POSITIVE_INFINITY): () => boolean {
    const waiter = { most, letIn };
    this.#waiting.push(waiter);
    return () => {
      const at = this.#waiting.indexOf(waiter);
      if (at >= 0) this.#waiting.splice(at, 1);
      return at >= 0;
    };
  }

  leave(departure: Departure, now: number): void {
    this.#learn(departure, now);
    for (let next = this.#waiting[0]; next && this.#hasRoom(next.most); next = this.#waiting[0]) {
      this.#waiting.shift();
      this.#inFlight++;
      next.letIn();
    }
  }

  #hasRoom(most: number): boolean {
    return this.#circuit === undefined && this.#inFlight < Math.min(Math.floor(this.#limit), most);
  }

  #learn({ outcome, tookMs }: Departure, now: number): void {
    const wasFull = this.#inFlight >= Math.floor(this.#limit);
    this.#inFlight--;
    if (outcome === "answered") {
      this.#circuit = undefined;
      this.#meanMs = this.#meanMs === undefined ? tookMs : this.#meanMs + (tookMs - this.#meanMs) * LATEST;
      if (wasFull) this.#rise(now);
    } else if (outcome === "throttled") {
      this.#lower(now);
    } else if (outcome === "refused") {
      this.#open("refused", now);
    } else if (this.#circuit?.probing) {
      this.#open(this.#circuit.because, now);
    }
  }

  /** One window of answers without a throttle. */
  #rise(now: number): void {
    this.#answers++;
    if (this.#answers < this.#limit || now < this.#riseNotBefore) return;
    this.#limit += this.#step;
    this.#step *= 2;
    this.#answers = 0;
    this.#riseNotBefore = now + RISE_AFTER_MS;
  }

  #lower(now: number): void {
    const alone = this.#inFlight === 0;
    // Once for all that are throttled together. What is still in flight runs, or will be told so in its turn.
    const backedOff = now < this.#riseNotBefore ? this.#limit : this.#limit * BACKOFF;
    this.#limit = Math.max(1, Math.min(backedOff, this.#inFlight));
    this.#step = 1;
    this.#answers = 0;
    this.#riseNotBefore = now + RISE_AFTER_MS;
    if (alone) this.#open("throttled", now);
  }

  #open(because: "throttled" | "refused", now: number): void {
    const { restMs: before, until } = this.#circuit ?? { restMs: 0, until: 0 };
    // Of many that were in flight when it broke, the first opens the circuit and the others find it open.
    if (now < until) return;
    const restMs = Math.min(before * 2 || FIRST_REST_MS, LONGEST_REST_MS);
    this.#circuit = { because, restMs, until: now + restMs, probing: false };
  }

  get #duration(): number {
    return this.#meanMs ?? UNKNOWN_DURATION_MS;
  }

  /** Milliseconds to the caller's turn: one after the other at the pace at which places become free. */
  #turn(now: number, most: number): number {
    const places = Math.max(1, Math.min(this.#limit, most, this.#inFlight));
    const apart = this.#duration / places / CALLERS_PER_PLACE;
    this.#lastTurn = Math.min(Math.max(this.#lastTurn, now) + apart, now + LONGEST_WAIT_MS);
    return between(this.#lastTurn - now);
  }
}

function between(ms: number): number {
  return Math.ceil(Math.min(Math.max(ms, SHORTEST_WAIT_MS), LONGEST_WAIT_MS));
}
