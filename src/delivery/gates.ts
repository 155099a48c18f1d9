import type { AwsErrorDetails } from "../aws/aws-error";
import type { Clock } from "../aws/clock";
import type { Deadline } from "../aws/deadline";
import type { Gatekeeper, Passage } from "../aws/passage";
import { classifyAwsFailure } from "./classify";
import type { DeliveryErrorCode } from "./delivery-result";
import { type Admission, type Departure, Gate } from "./gate";
import { Shares } from "./shares";

/** Under way in a process at most: of one tenant half of it, as long as no other wants that. */
const ALL = { invocations: 10_000, bytes: 512 * 1024 * 1024 };
/**
 * Milliseconds that deliveries may wait for places in all: so many at once, for a burst that a host hands over for the last time, and in the long
 * run as many as pass times two. Who waits holds one of the host's own places, of which a Jitsu rotor has ten for all of its users.
 */
const WAITING = { atOnceMs: 60_000, atATime: 2 };
/** Functions of which something is remembered at most. */
const MAX_GATES = 10_000;
/** Milliseconds after which it is worth coming back where a tenant has its whole share under way. */
const SHARE_WAIT_MS = 1_000;

/** What is invoked as whom, and for whom. */
export interface Entrance {
  /** The function, and everything that decides whether AWS lets us invoke it. Never shown. */
  readonly key: string;
  /** Whose share of the process it takes. Never shown. */
  readonly tenant: string;
  /** In flight at most, as user and operator say. */
  readonly most?: number | undefined;
}

interface Known {
  readonly gate: Gate;
  /** What closed the circuit. */
  cause?: AwsErrorDetails;
}

/** Failures that the next invocation of the function would meet with as well. */
const REFUSALS: readonly DeliveryErrorCode[] = ["AccessDenied", "InvalidCredentials", "FunctionNotFound"];

/** Failures by which Lambda says that it would have taken another invocation. */
const ONE_INVOCATIONS: readonly DeliveryErrorCode[] = ["PayloadTooLarge", "InvalidEvent", "RecursiveInvocation"];

/** What an operator may want to know of all gates together. */
export interface GatesState {
  /** Invocations under way. */
  readonly inFlight: number;
  /** Functions that are given fewer invocations at once, because AWS throttled them. */
  readonly limited: number;
  /** Functions that are left alone but for one try now and then: all of their invocations are throttled, or refused. */
  readonly throttled: number;
  readonly refused: number;
}

/** The gates of all functions that a process invokes, and the shares of its tenants. */
export class Gates {
  readonly #clock: Pick<Clock, "monotonic">;
  readonly #shares: Shares;
  readonly #known = new Map<string, Known>();
  #waited = { ms: 0, since: 0 };

  constructor(clock: Pick<Clock, "monotonic">, all = ALL) {
    this.#clock = clock;
    this.#shares = new Shares(all);
  }

  /** Gates that there is something to remember of. */
  get size(): number {
    return this.#known.size;
  }

  get state(): GatesState {
    const state = { inFlight: 0, limited: 0, throttled: 0, refused: 0 };
    for (const { gate } of this.#known.values()) {
      state.inFlight += gate.inFlight;
      if (gate.closedBy) state[gate.closedBy]++;
      else if (gate.limit < Number.POSITIVE_INFINITY) state.limited++;
    }
    return state;
  }

  keeperOf(entrance: Entrance): Gatekeeper {
    return {
      admit: (bytes) => this.#admit(entrance, bytes),
      inTurn: (bytes, patience) => this.#inTurn(entrance, bytes, patience),
    };
  }

  #admit(entrance: Entrance, bytes: number): Passage | AwsErrorDetails {
    const { key, tenant, most } = entrance;
    if (!this.#shares.take(tenant, bytes)) return withheld(OVER_SHARE, SHARE_WAIT_MS);
    const known = this.#at(key);
    const admission = known.gate.enter(this.#clock.monotonic(), most);
    if (admission.admitted) return this.#passage(entrance, bytes, known);
    this.#shares.give(tenant, bytes);
    return turnedAway(admission, known);
  }

  async #inTurn(entrance: Entrance, bytes: number, patience: Deadline): Promise<Passage | AwsErrorDetails> {
    const { key, tenant, most } = entrance;
    const known = this.#known.get(key);
    // A function that takes nothing at present is not waited for.
    if (!known || known.gate.closedBy || this.#waitedMs() >= WAITING.atOnceMs || !this.#shares.take(tenant, bytes)) {
      return this.#admit(entrance, bytes);
    }
    const since = this.#clock.monotonic();
    let giveUp = () => false;
    const place = new Promise<void>((resolve) => {
      giveUp = known.gate.queue(resolve, most);
    });
    await patience.within(place, "lambda").catch(() => {});
    this.#waited.ms += this.#clock.monotonic() - since;
    if (!giveUp()) return this.#passage(entrance, bytes, known);
    this.#shares.give(tenant, bytes);
    return this.#admit(entrance, bytes);
  }

  /** Milliseconds that deliveries have waited, less what may be waited meanwhile. */
  #waitedMs(): number {
    const since = this.#clock.monotonic();
    this.#waited = { ms: Math.max(this.#waited.ms - (since - this.#waited.since) * WAITING.atATime, 0), since };
    return this.#waited.ms;
  }

  #passage(entrance: Entrance, bytes: number, known: Known): Passage {
    const enteredAt = this.#clock.monotonic();
    return { leave: (error) => this.#leave(entrance, bytes, known, enteredAt, error) };
  }

  #leave({ key, tenant }: Entrance, bytes: number, known: Known, enteredAt: number, error?: AwsErrorDetails): void {
    this.#shares.give(tenant, bytes);
    const now = this.#clock.monotonic();
    const outcome = error === undefined ? "answered" : outcomeOf(error);
    if (error && (outcome === "refused" || outcome === "throttled")) known.cause = error;
    known.gate.leave({ outcome, tookMs: now - enteredAt }, now);
    if (known.gate.idle && this.#known.get(key) === known) this.#known.delete(key);
  }

  #at(key: string): Known {
    let known = this.#known.get(key);
    if (!known) {
      known = { gate: new Gate() };
      this.#known.set(key, known);
      const [oldest] = this.#known.keys();
      if (this.#known.size > MAX_GATES) this.#known.delete(oldest as string);
    }
    return known;
  }
}

function outcomeOf(error: AwsErrorDetails): Departure["outcome"] {
  if (error.kind !== "service" || error.service !== "lambda") return "unknown";
  const code = classifyAwsFailure(error);
  if (code === "Throttled") return "throttled";
  if (REFUSALS.includes(code)) return "refused";
  return ONE_INVOCATIONS.includes(code) ? "answered" : "unknown";
}

const OVER_SHARE = "this process has as many invocations, or bytes, under way for this AWS account as its share allows";

const REASONS: Readonly<Record<Extract<Admission, { admitted: false }>["because"], string>> = {
  limit: "as many invocations of the function are in flight as AWS takes at present",
  most: "as many invocations of the function are in flight as Max Concurrency or the router's operator allows",
  throttled:
    "AWS throttles the function although none of its invocations is in flight here; one is tried every few seconds",
  refused: "AWS refused the function a moment ago; one invocation is tried every few seconds",
};

function turnedAway(
  { because, retryAfterMs }: Extract<Admission, { admitted: false }>,
  { cause }: Known,
): AwsErrorDetails {
  return withheld(REASONS[because], retryAfterMs, because === "most" ? undefined : cause);
}

/** In the words of the answer that closed the gate, where one did: what to do is the same. */
function withheld(why: string, retryAfterMs: number, cause?: AwsErrorDetails): AwsErrorDetails {
  const said = cause ? ` AWS said: ${cause.message}` : "";
  return {
    service: "lambda",
    kind: "withheld",
    code: cause?.code ?? "TooManyInFlight",
    message: `Not sent: ${why}.${said}`,
    retryAfterMs,
    ...(cause?.status !== undefined && { status: cause.status }),
    ...(cause?.reason !== undefined && { reason: cause.reason }),
  };
}
