import { type Episode, type EpisodeName, episodes } from "./episodes";
import { ENDS, eventOf, kindOf } from "./events";
import type { Face, FaceOptions, Job, Verdict } from "./faces";
import { setDnsFailing } from "./failing-dns";
import { heapUsed } from "./heap-used";
import type { Lag } from "./lag";
import { LATE_MS } from "./request-limits";
import type { Order } from "./server";
import { TIMEOUT_MS } from "./settings";
import { setWallClock } from "./wall-clock";

const ENDED = { delivered: 1, skipped: 2, rejected: 3 } as const;

/** What the host knows in the end. */
export interface Outcomes {
  /** By event: 0 where it never ended, else as in `ENDED`. */
  readonly ended: Uint8Array;
  /** By event: how often the host crashed while it was under way. */
  readonly crashes: Uint8Array;
  /** By event: how often the host was told that the function may have run, but nobody answered in time. */
  readonly timeouts: Uint8Array;
  readonly retries: number;
  readonly retriesByCode: Readonly<Record<string, number>>;
  readonly deadLettered: number;
  /** By event that was not delivered at once: what the host was told. */
  readonly history: ReadonlyMap<number, readonly string[]>;
  /** By event that has not ended: what the host was told last. */
  readonly lastSaid: ReadonlyMap<number, string>;
  /** What must never happen, in words. */
  readonly broken: readonly string[];
  /** Calls that took longer than Timeout (ms), by more than 50 ms and what this process was held up by others. */
  readonly late: number;
  /** By event: how often it was kept as rejected, where the destination does that. */
  readonly keptLines: ReadonlyMap<number, number>;
  /** Bytes of heap after a third of the events, and in the end. */
  readonly heap: readonly [number, number];
}

export interface ModelHostOptions {
  readonly seed: number;
  readonly events: number;
  readonly newFace: (options: FaceOptions) => Face;
  readonly order: (order: Order) => void;
  readonly lag: Lag;
  readonly onProgress: (ended: number) => void;
}

/** Milliseconds without an end of any event after which something is stuck. */
const STALLED_MS = 45_000;
/** Retries after which Jitsu's rotor gives an event to the dead-letter topic, from where the operator of this model sends it again. */
const RETRIES = 3;
const LONGEST_WAIT_MS = 1000;
/** Events that wait for another try at most, before nothing new is taken from the queue. */
const MOST_WAITING = 1000;
const KEPT_CODES = 20;
const WARP_MS = 2 * 3_600_000;
const TEN_MINUTES_MS = 600_000;

/** A queue, so many deliveries at once, retries, crashes and restarts: what every router has. */
export class ModelHost {
  readonly #options: ModelHostOptions;
  readonly #ended: Uint8Array;
  readonly #crashes: Uint8Array;
  readonly #timeouts: Uint8Array;
  readonly #attempts: Uint8Array;
  readonly #alone = new Set<number>();
  /** Requests, or events one by one. */
  readonly #ready: (readonly number[])[] = [];
  readonly #underWay = new Set<number>();
  readonly #faces: Face[] = [];
  readonly #retriesByCode: Record<string, number> = {};
  readonly #history = new Map<number, string[]>();
  readonly #lastSaid = new Map<number, string>();
  readonly #broken: string[] = [];
  #episodes: Episode[] = [];
  readonly #kept: number;
  #next = 0;
  #waiting = 0;
  #pumping = false;
  #count = 0;
  #epoch = 0;
  #calls = 0;
  #retries = 0;
  #deadLettered = 0;
  #late = 0;
  #heapThen: Promise<number> = Promise.resolve(0);
  #restarted: Promise<void> = Promise.resolve();
  #endedAt = performance.now();
  #done: () => void = () => {};
  /** How far the time of everybody has gone on by itself. */
  #warped = 0;
  #clockOff = 0;

  constructor(options: ModelHostOptions) {
    this.#options = options;
    this.#ended = new Uint8Array(options.events);
    this.#crashes = new Uint8Array(options.events);
    this.#timeouts = new Uint8Array(options.events);
    this.#attempts = new Uint8Array(options.events);
    this.#kept = Math.floor(options.events / 3);
  }

  async run(): Promise<Outcomes> {
    const face = this.#start();
    this.#episodes = episodes(this.#options.seed, face.endings ?? ["crash"]);
    await face.process?.start();
    await new Promise<void>((resolve) => {
      this.#done = resolve;
      const watch = setInterval(() => {
        if (this.#count < this.#options.events && performance.now() - this.#endedAt < STALLED_MS) return;
        clearInterval(watch);
        resolve();
      }, 200);
      this.#pump();
    });
    setWallClock(0);
    await this.#restarted;
    const heap: [number, number] = [await this.#heapThen, await this.#heapUsed()];
    for (const each of this.#faces) await each.close();
    const { late = 0, problems = [] } = face.process ?? {};
    return {
      ended: this.#ended,
      crashes: this.#crashes,
      timeouts: this.#timeouts,
      retries: this.#retries,
      retriesByCode: this.#retriesByCode,
      deadLettered: this.#deadLettered,
      history: this.#history,
      lastSaid: this.#lastSaid,
      keptLines: face.keptLines ?? new Map(),
      broken: [...this.#broken, ...problems],
      late: this.#late + late,
      heap,
    };
  }

  #start(): Face {
    const { newFace, seed, events } = this.#options;
    const face = newFace({ seed, events, broken: (what) => void this.#broken.push(what) });
    this.#faces.push(face);
    return face;
  }

  get #face(): Face {
    return this.#faces.at(-1) as Face;
  }

  /** By way of the event loop: a host whose deliveries all fail at once still reads what AWS answers. */
  #pump(): void {
    if (this.#pumping) return;
    this.#pumping = true;
    setImmediate(() => {
      this.#pumping = false;
      while (this.#calls < this.#face.concurrency) {
        const numbers = this.#take();
        if (numbers.length === 0) return;
        void this.#call(numbers);
      }
    });
  }

  #take(): readonly number[] {
    const face = this.#face;
    const again = face.requestFrom && this.#ready.shift();
    if (again) return again;
    const most = face.requestFrom?.(this.#next) ?? face.batch;
    const numbers: number[] = [];
    while (numbers.length < most) {
      const [ready] = this.#ready.shift() ?? [];
      if (ready !== undefined) numbers.push(ready);
      else if (this.#next < this.#options.events && this.#waiting < MOST_WAITING) numbers.push(this.#next++);
      else break;
    }
    return numbers;
  }

  async #call(numbers: readonly number[]): Promise<void> {
    const face = this.#face;
    const epoch = this.#epoch;
    const { seed, lag } = this.#options;
    const jobs = numbers.map(
      (n): Job => ({ n, event: eventOf(seed, n), attempt: this.#attempts[n] ?? 0, alone: this.#alone.has(n) }),
    );
    for (const n of numbers) this.#underWay.add(n);
    this.#calls++;
    const startedAt = performance.now();
    const verdicts = await face.deliver(jobs).catch((error: unknown): Verdict[] => {
      this.#broken.push(`a delivery threw ${error instanceof Error ? error.stack : String(error)}`);
      return numbers.map(() => ({ retryAfterMs: undefined, alone: false, code: "thrown", said: "" }));
    });
    // The process that made this call is no more.
    if (epoch !== this.#epoch) return;
    const now = performance.now();
    if (face.timed && now - startedAt - lag.between(startedAt, now) > TIMEOUT_MS + LATE_MS) this.#late++;
    if (verdicts.length !== jobs.length) this.#broken.push(`${verdicts.length} results for ${jobs.length} events`);
    this.#calls--;
    const again: { readonly n: number; readonly waitMs: number }[] = [];
    for (const [i, n] of numbers.entries()) {
      this.#underWay.delete(n);
      const verdict = verdicts[i];
      if (!verdict) continue;
      if ("end" in verdict) this.#end(n, verdict);
      else {
        // With less time gone nothing has timed out, whatever is told. Events that share an invocation have the time of the first:
        // that may be older by as long as this process was held up.
        const early = now - startedAt + lag.between(startedAt, now) < TIMEOUT_MS - LATE_MS;
        if (verdict.code === "OperationTimedOut" && face.timed && early) {
          this.#broken.push(`event ${n} was given up after ${Math.round(now - startedAt)} ms`);
        }
        again.push({ n, waitMs: this.#retry(n, verdict) });
      }
    }
    if (face.requestFrom && again.length > 0) {
      const request = again.map(({ n }) => n);
      this.#later(request, Math.max(...again.map(({ waitMs }) => waitMs)));
    } else for (const { n, waitMs } of again) this.#later([n], waitMs);
    this.#pump();
  }

  #end(n: number, { end, why = "" }: Extract<Verdict, { end: unknown }>): void {
    const kind = kindOf(this.#options.seed, n);
    if (end !== ENDS[kind]) this.#broken.push(`event ${n} (${kind}) ended as ${end}, not ${ENDS[kind]} ${why}`);
    if (this.#ended[n]) this.#broken.push(`event ${n} ended twice`);
    this.#ended[n] = ENDED[end];
    this.#lastSaid.delete(n);
    this.#count++;
    this.#endedAt = performance.now();
    if (this.#count === this.#kept) this.#heapThen = this.#heapUsed();
    this.#options.onProgress(this.#count);
    if (this.#count === this.#options.events) this.#done();
    while (this.#episodes[0] && this.#count >= this.#episodes[0].at * this.#options.events) {
      this.#begin(this.#episodes.shift() as Episode);
    }
  }

  /** @returns after how many milliseconds it is tried again */
  #retry(n: number, { retryAfterMs, alone, code, said }: Extract<Verdict, { retryAfterMs: unknown }>): number {
    const attempt = (this.#attempts[n] ?? 0) + 1;
    this.#attempts[n] = attempt > RETRIES ? 0 : attempt;
    if (attempt > RETRIES) this.#deadLettered++;
    if (alone) this.#alone.add(n);
    this.#retries++;
    if (code === "OperationTimedOut") this.#timeouts[n] = (this.#timeouts[n] ?? 0) + 1;
    this.#retriesByCode[code] = (this.#retriesByCode[code] ?? 0) + 1;
    this.#lastSaid.set(n, said);
    const told = this.#history.get(n) ?? [];
    if (told.length < KEPT_CODES) this.#history.set(n, [...told, code]);
    return Math.min(retryAfterMs ?? 50 * 2 ** attempt, LONGEST_WAIT_MS);
  }

  /** The queue outlives a crash. */
  #later(numbers: readonly number[], ms: number): void {
    this.#waiting += numbers.length;
    setTimeout(() => {
      this.#waiting -= numbers.length;
      this.#ready.push(numbers);
      this.#pump();
    }, ms);
  }

  #begin({ name, lastsMs }: Episode): void {
    const { order } = this.#options;
    const during = (state: Extract<Order, { do: "state" }>["state"]) => {
      order({ do: "state", state, on: true });
      setTimeout(() => order({ do: "state", state, on: false }), lastsMs);
    };
    const clockOff = (ms: number) => {
      this.#setClock(ms);
      setTimeout(() => this.#setClock(0), lastsMs);
    };
    const begin: { readonly [Name in EpisodeName]: () => void } = {
      "sessions expire": () => order({ do: "expire" }),
      "sessions are revoked": () => during("revoked"),
      "STS is down for longer than a session lives": () => {
        during("sts-down");
        order({ do: "warp", ms: WARP_MS });
        this.#warped += WARP_MS;
        this.#setClock(this.#clockOff);
      },
      // Not in the middle of a call's results.
      crash: () => void setImmediate(() => (this.#face.process ? this.#restart("SIGKILL") : this.#crash())),
      "told to end": () => void setImmediate(() => this.#restart("SIGTERM")),
      "clock 10 minutes fast": () => clockOff(TEN_MINUTES_MS),
      "clock 10 minutes slow": () => clockOff(-TEN_MINUTES_MS),
      "DNS fails": () => {
        this.#setDnsFailing(true);
        order({ do: "cut" });
        setTimeout(() => this.#setDnsFailing(false), lastsMs);
      },
      "function throttled": () => during("throttled"),
      "role denied": () => during("denied"),
      "function gone": () => during("gone"),
    };
    begin[name]();
  }

  #setClock(offMs: number): void {
    this.#clockOff = offMs;
    const ms = this.#warped + offMs;
    if (this.#face.process) this.#face.process.setClock(ms);
    else setWallClock(ms);
  }

  #setDnsFailing(failing: boolean): void {
    if (this.#face.process) this.#face.process.setDnsFailing(failing);
    else setDnsFailing(failing);
  }

  async #heapUsed(): Promise<number> {
    const { process } = this.#face;
    if (!process) return heapUsed();
    const used = await process.heapUsed();
    if (used !== undefined) return used;
    // It was killed meanwhile.
    await this.#restarted;
    return (await process.heapUsed()) ?? Number.NaN;
  }

  /** The process is gone, with everything that was under way; the queue gives those events out again. */
  #crash(): void {
    this.#epoch++;
    this.#calls = 0;
    for (const n of this.#underWay) {
      this.#crashes[n] = (this.#crashes[n] ?? 0) + 1;
      this.#ready.push([n]);
    }
    this.#underWay.clear();
    this.#start();
    this.#pump();
  }

  /** The destination's process ends, with what it knew of events that are not at their end, and is started again; the host goes on. */
  #restart(signal: "SIGKILL" | "SIGTERM"): void {
    const { process } = this.#face;
    this.#restarted = this.#restarted.then(async () => {
      await process?.end(signal);
      for (let n = 0; n < this.#next; n++) {
        if (!this.#ended[n]) this.#crashes[n] = (this.#crashes[n] ?? 0) + 1;
      }
      await process?.start();
    });
  }
}
