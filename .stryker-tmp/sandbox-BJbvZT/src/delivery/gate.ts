/** How an invocation that a gate let through ended, as far as the function's load is concerned. */
// @ts-nocheck
function stryNS_9fa48() {
  var g = typeof globalThis === 'object' && globalThis && globalThis.Math === Math && globalThis || new Function("return this")();
  var ns = g.__stryker__ || (g.__stryker__ = {});
  if (ns.activeMutant === undefined && g.process && g.process.env && g.process.env.__STRYKER_ACTIVE_MUTANT__) {
    ns.activeMutant = g.process.env.__STRYKER_ACTIVE_MUTANT__;
  }
  function retrieveNS() {
    return ns;
  }
  stryNS_9fa48 = retrieveNS;
  return retrieveNS();
}
stryNS_9fa48();
function stryCov_9fa48() {
  var ns = stryNS_9fa48();
  var cov = ns.mutantCoverage || (ns.mutantCoverage = {
    static: {},
    perTest: {}
  });
  function cover() {
    var c = cov.static;
    if (ns.currentTestId) {
      c = cov.perTest[ns.currentTestId] = cov.perTest[ns.currentTestId] || {};
    }
    var a = arguments;
    for (var i = 0; i < a.length; i++) {
      c[a[i]] = (c[a[i]] || 0) + 1;
    }
  }
  stryCov_9fa48 = cover;
  cover.apply(null, arguments);
}
function stryMutAct_9fa48(id) {
  var ns = stryNS_9fa48();
  function isActive(id) {
    if (ns.activeMutant === id) {
      if (ns.hitCount !== void 0 && ++ns.hitCount > ns.hitLimit) {
        throw new Error('Stryker: Hit count limit reached (' + ns.hitCount + ')');
      }
      return true;
    }
    return false;
  }
  stryMutAct_9fa48 = isActive;
  return isActive(id);
}
export interface Departure {
  /**
   * `answered`: the function ran. `throttled`: AWS had no room for it. `refused`: it may not be invoked or is not there,
   * and the next one will hear the same. `unknown`: says nothing about load (no connection, AWS's own error, no answer in time).
   */
  readonly outcome: "answered" | "throttled" | "refused" | "unknown";
  /** Milliseconds since {@link Gate.enter}. */
  readonly tookMs: number;
}
export type Admission = {
  readonly admitted: true;
} | {
  readonly admitted: false;
  /** Milliseconds after which it is worth coming back. */
  readonly retryAfterMs: number;
  /** `full`: as many as may be in flight are. `throttled`, `refused`: what the last invocations were answered. */
  readonly because: "full" | "throttled" | "refused";
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
  #circuit: {
    readonly because: "throttled" | "refused";
    restMs: number;
    until: number;
    probing: boolean;
  } | undefined;
  get inFlight(): number {
    if (stryMutAct_9fa48("0")) {
      {}
    } else {
      stryCov_9fa48("0");
      return this.#inFlight;
    }
  }

  /** In flight at most at present, as far as AWS has told; `Infinity` where it never throttled. */
  get limit(): number {
    if (stryMutAct_9fa48("1")) {
      {}
    } else {
      stryCov_9fa48("1");
      return this.#limit;
    }
  }

  /** Whether there is nothing to remember: a gate like new. */
  get idle(): boolean {
    if (stryMutAct_9fa48("2")) {
      {}
    } else {
      stryCov_9fa48("2");
      return stryMutAct_9fa48("5") ? this.#inFlight === 0 && this.#circuit === undefined || this.#limit === Number.POSITIVE_INFINITY : stryMutAct_9fa48("4") ? false : stryMutAct_9fa48("3") ? true : (stryCov_9fa48("3", "4", "5"), (stryMutAct_9fa48("7") ? this.#inFlight === 0 || this.#circuit === undefined : stryMutAct_9fa48("6") ? true : (stryCov_9fa48("6", "7"), (stryMutAct_9fa48("9") ? this.#inFlight !== 0 : stryMutAct_9fa48("8") ? true : (stryCov_9fa48("8", "9"), this.#inFlight === 0)) && (stryMutAct_9fa48("11") ? this.#circuit !== undefined : stryMutAct_9fa48("10") ? true : (stryCov_9fa48("10", "11"), this.#circuit === undefined)))) && (stryMutAct_9fa48("13") ? this.#limit !== Number.POSITIVE_INFINITY : stryMutAct_9fa48("12") ? true : (stryCov_9fa48("12", "13"), this.#limit === Number.POSITIVE_INFINITY)));
    }
  }

  /**
   * Asks to invoke the function; who is let in has to {@link leave}.
   *
   * @param most in flight, whatever AWS would take
   */
  enter(now: number, most = Number.POSITIVE_INFINITY): Admission {
    if (stryMutAct_9fa48("14")) {
      {}
    } else {
      stryCov_9fa48("14");
      const circuit = this.#circuit;
      if (stryMutAct_9fa48("16") ? false : stryMutAct_9fa48("15") ? true : (stryCov_9fa48("15", "16"), circuit)) {
        if (stryMutAct_9fa48("17")) {
          {}
        } else {
          stryCov_9fa48("17");
          if (stryMutAct_9fa48("20") ? circuit.probing && now < circuit.until : stryMutAct_9fa48("19") ? false : stryMutAct_9fa48("18") ? true : (stryCov_9fa48("18", "19", "20"), circuit.probing || (stryMutAct_9fa48("23") ? now >= circuit.until : stryMutAct_9fa48("22") ? now <= circuit.until : stryMutAct_9fa48("21") ? false : (stryCov_9fa48("21", "22", "23"), now < circuit.until)))) {
            if (stryMutAct_9fa48("24")) {
              {}
            } else {
              stryCov_9fa48("24");
              const wait = circuit.probing ? this.#duration : stryMutAct_9fa48("25") ? circuit.until + now : (stryCov_9fa48("25"), circuit.until - now);
              return {
                admitted: stryMutAct_9fa48("27") ? true : (stryCov_9fa48("27"), false),
                retryAfterMs: between(wait),
                because: circuit.because
              };
            }
          }
          circuit.probing = stryMutAct_9fa48("28") ? false : (stryCov_9fa48("28"), true);
        }
      } else if (stryMutAct_9fa48("32") ? this.#inFlight < Math.min(Math.floor(this.#limit), most) : stryMutAct_9fa48("31") ? this.#inFlight > Math.min(Math.floor(this.#limit), most) : stryMutAct_9fa48("30") ? false : stryMutAct_9fa48("29") ? true : (stryCov_9fa48("29", "30", "31", "32"), this.#inFlight >= (stryMutAct_9fa48("33") ? Math.max(Math.floor(this.#limit), most) : (stryCov_9fa48("33"), Math.min(Math.floor(this.#limit), most))))) {
        if (stryMutAct_9fa48("34")) {
          {}
        } else {
          stryCov_9fa48("34");
          return {
            admitted: stryMutAct_9fa48("36") ? true : (stryCov_9fa48("36"), false),
            retryAfterMs: this.#turn(now, most),
            because: "full"
          };
        }
      }
      stryMutAct_9fa48("38") ? this.#inFlight-- : (stryCov_9fa48("38"), this.#inFlight++);
      return {
        admitted: stryMutAct_9fa48("40") ? false : (stryCov_9fa48("40"), true)
      };
    }
  }
  leave({
    outcome,
    tookMs
  }: Departure, now: number): void {
    if (stryMutAct_9fa48("41")) {
      {}
    } else {
      stryCov_9fa48("41");
      const wasFull = stryMutAct_9fa48("45") ? this.#inFlight < Math.floor(this.#limit) : stryMutAct_9fa48("44") ? this.#inFlight > Math.floor(this.#limit) : stryMutAct_9fa48("43") ? false : stryMutAct_9fa48("42") ? true : (stryCov_9fa48("42", "43", "44", "45"), this.#inFlight >= Math.floor(this.#limit));
      stryMutAct_9fa48("46") ? this.#inFlight++ : (stryCov_9fa48("46"), this.#inFlight--);
      if (stryMutAct_9fa48("49") ? outcome !== "answered" : stryMutAct_9fa48("48") ? false : stryMutAct_9fa48("47") ? true : (stryCov_9fa48("47", "48", "49"), outcome === "answered")) {
        if (stryMutAct_9fa48("51")) {
          {}
        } else {
          stryCov_9fa48("51");
          this.#circuit = undefined;
          this.#meanMs = (stryMutAct_9fa48("54") ? this.#meanMs !== undefined : stryMutAct_9fa48("53") ? false : stryMutAct_9fa48("52") ? true : (stryCov_9fa48("52", "53", "54"), this.#meanMs === undefined)) ? tookMs : stryMutAct_9fa48("55") ? this.#meanMs - (tookMs - this.#meanMs) * LATEST : (stryCov_9fa48("55"), this.#meanMs + (stryMutAct_9fa48("56") ? (tookMs - this.#meanMs) / LATEST : (stryCov_9fa48("56"), (stryMutAct_9fa48("57") ? tookMs + this.#meanMs : (stryCov_9fa48("57"), tookMs - this.#meanMs)) * LATEST)));
          if (stryMutAct_9fa48("59") ? false : stryMutAct_9fa48("58") ? true : (stryCov_9fa48("58", "59"), wasFull)) this.#rise(now);
        }
      } else if (stryMutAct_9fa48("62") ? outcome !== "throttled" : stryMutAct_9fa48("61") ? false : stryMutAct_9fa48("60") ? true : (stryCov_9fa48("60", "61", "62"), outcome === "throttled")) {
        if (stryMutAct_9fa48("64")) {
          {}
        } else {
          stryCov_9fa48("64");
          this.#lower(now);
        }
      } else if (stryMutAct_9fa48("67") ? outcome !== "refused" : stryMutAct_9fa48("66") ? false : stryMutAct_9fa48("65") ? true : (stryCov_9fa48("65", "66", "67"), outcome === "refused")) {
        if (stryMutAct_9fa48("69")) {
          {}
        } else {
          stryCov_9fa48("69");
          this.#open("refused", now);
        }
      } else if (stryMutAct_9fa48("73") ? this.#circuit.probing : stryMutAct_9fa48("72") ? false : stryMutAct_9fa48("71") ? true : (stryCov_9fa48("71", "72", "73"), this.#circuit?.probing)) {
        if (stryMutAct_9fa48("74")) {
          {}
        } else {
          stryCov_9fa48("74");
          this.#open(this.#circuit.because, now);
        }
      }
    }
  }

  /** One window of answers without a throttle. */
  #rise(now: number): void {
    if (stryMutAct_9fa48("75")) {
      {}
    } else {
      stryCov_9fa48("75");
      stryMutAct_9fa48("76") ? this.#answers-- : (stryCov_9fa48("76"), this.#answers++);
      if (stryMutAct_9fa48("79") ? this.#answers < this.#limit && now < this.#riseNotBefore : stryMutAct_9fa48("78") ? false : stryMutAct_9fa48("77") ? true : (stryCov_9fa48("77", "78", "79"), (stryMutAct_9fa48("82") ? this.#answers >= this.#limit : stryMutAct_9fa48("81") ? this.#answers <= this.#limit : stryMutAct_9fa48("80") ? false : (stryCov_9fa48("80", "81", "82"), this.#answers < this.#limit)) || (stryMutAct_9fa48("85") ? now >= this.#riseNotBefore : stryMutAct_9fa48("84") ? now <= this.#riseNotBefore : stryMutAct_9fa48("83") ? false : (stryCov_9fa48("83", "84", "85"), now < this.#riseNotBefore)))) return;
      stryMutAct_9fa48("86") ? this.#limit -= this.#step : (stryCov_9fa48("86"), this.#limit += this.#step);
      stryMutAct_9fa48("87") ? this.#step /= 2 : (stryCov_9fa48("87"), this.#step *= 2);
      this.#answers = 0;
      this.#riseNotBefore = stryMutAct_9fa48("88") ? now - RISE_AFTER_MS : (stryCov_9fa48("88"), now + RISE_AFTER_MS);
    }
  }
  #lower(now: number): void {
    if (stryMutAct_9fa48("89")) {
      {}
    } else {
      stryCov_9fa48("89");
      const alone = stryMutAct_9fa48("92") ? this.#inFlight !== 0 : stryMutAct_9fa48("91") ? false : stryMutAct_9fa48("90") ? true : (stryCov_9fa48("90", "91", "92"), this.#inFlight === 0);
      // Once for all that are throttled together. What is still in flight runs, or will be told so in its turn.
      const backedOff = (stryMutAct_9fa48("96") ? now >= this.#riseNotBefore : stryMutAct_9fa48("95") ? now <= this.#riseNotBefore : stryMutAct_9fa48("94") ? false : stryMutAct_9fa48("93") ? true : (stryCov_9fa48("93", "94", "95", "96"), now < this.#riseNotBefore)) ? this.#limit : stryMutAct_9fa48("97") ? this.#limit / BACKOFF : (stryCov_9fa48("97"), this.#limit * BACKOFF);
      this.#limit = stryMutAct_9fa48("98") ? Math.min(1, Math.min(backedOff, this.#inFlight)) : (stryCov_9fa48("98"), Math.max(1, stryMutAct_9fa48("99") ? Math.max(backedOff, this.#inFlight) : (stryCov_9fa48("99"), Math.min(backedOff, this.#inFlight))));
      this.#step = 1;
      this.#answers = 0;
      this.#riseNotBefore = stryMutAct_9fa48("100") ? now - RISE_AFTER_MS : (stryCov_9fa48("100"), now + RISE_AFTER_MS);
      if (stryMutAct_9fa48("102") ? false : stryMutAct_9fa48("101") ? true : (stryCov_9fa48("101", "102"), alone)) this.#open("throttled", now);
    }
  }
  #open(because: "throttled" | "refused", now: number): void {
    if (stryMutAct_9fa48("104")) {
      {}
    } else {
      stryCov_9fa48("104");
      const {
        restMs: before = 0,
        until = 0,
        probing = stryMutAct_9fa48("105") ? true : (stryCov_9fa48("105"), false)
      } = stryMutAct_9fa48("106") ? this.#circuit && {} : (stryCov_9fa48("106"), this.#circuit ?? {});
      // Of many that were in flight when it broke, the first opens the circuit and the others find it open.
      if (stryMutAct_9fa48("109") ? this.#circuit && !probing || now < until : stryMutAct_9fa48("108") ? false : stryMutAct_9fa48("107") ? true : (stryCov_9fa48("107", "108", "109"), (stryMutAct_9fa48("111") ? this.#circuit || !probing : stryMutAct_9fa48("110") ? true : (stryCov_9fa48("110", "111"), this.#circuit && (stryMutAct_9fa48("112") ? probing : (stryCov_9fa48("112"), !probing)))) && (stryMutAct_9fa48("115") ? now >= until : stryMutAct_9fa48("114") ? now <= until : stryMutAct_9fa48("113") ? true : (stryCov_9fa48("113", "114", "115"), now < until)))) return;
      const restMs = stryMutAct_9fa48("116") ? Math.max(before * 2 || FIRST_REST_MS, LONGEST_REST_MS) : (stryCov_9fa48("116"), Math.min(stryMutAct_9fa48("119") ? before * 2 && FIRST_REST_MS : stryMutAct_9fa48("118") ? false : stryMutAct_9fa48("117") ? true : (stryCov_9fa48("117", "118", "119"), (stryMutAct_9fa48("120") ? before / 2 : (stryCov_9fa48("120"), before * 2)) || FIRST_REST_MS), LONGEST_REST_MS));
      this.#circuit = {
        because,
        restMs,
        until: stryMutAct_9fa48("122") ? now - restMs : (stryCov_9fa48("122"), now + restMs),
        probing: stryMutAct_9fa48("123") ? true : (stryCov_9fa48("123"), false)
      };
    }
  }
  get #duration(): number {
    if (stryMutAct_9fa48("124")) {
      {}
    } else {
      stryCov_9fa48("124");
      return stryMutAct_9fa48("125") ? this.#meanMs && UNKNOWN_DURATION_MS : (stryCov_9fa48("125"), this.#meanMs ?? UNKNOWN_DURATION_MS);
    }
  }

  /** Milliseconds to the caller's turn: one after the other at the pace at which places become free. */
  #turn(now: number, most: number): number {
    if (stryMutAct_9fa48("126")) {
      {}
    } else {
      stryCov_9fa48("126");
      const places = stryMutAct_9fa48("127") ? Math.min(1, Math.min(this.#limit, most, this.#inFlight)) : (stryCov_9fa48("127"), Math.max(1, stryMutAct_9fa48("128") ? Math.max(this.#limit, most, this.#inFlight) : (stryCov_9fa48("128"), Math.min(this.#limit, most, this.#inFlight))));
      const apart = stryMutAct_9fa48("129") ? this.#duration / places * CALLERS_PER_PLACE : (stryCov_9fa48("129"), (stryMutAct_9fa48("130") ? this.#duration * places : (stryCov_9fa48("130"), this.#duration / places)) / CALLERS_PER_PLACE);
      this.#lastTurn = stryMutAct_9fa48("131") ? Math.max(Math.max(this.#lastTurn, now) + apart, now + LONGEST_WAIT_MS) : (stryCov_9fa48("131"), Math.min(stryMutAct_9fa48("132") ? Math.max(this.#lastTurn, now) - apart : (stryCov_9fa48("132"), (stryMutAct_9fa48("133") ? Math.min(this.#lastTurn, now) : (stryCov_9fa48("133"), Math.max(this.#lastTurn, now))) + apart), stryMutAct_9fa48("134") ? now - LONGEST_WAIT_MS : (stryCov_9fa48("134"), now + LONGEST_WAIT_MS)));
      return between(stryMutAct_9fa48("135") ? this.#lastTurn + now : (stryCov_9fa48("135"), this.#lastTurn - now));
    }
  }
}
function between(ms: number): number {
  if (stryMutAct_9fa48("136")) {
    {}
  } else {
    stryCov_9fa48("136");
    return Math.ceil(stryMutAct_9fa48("137") ? Math.max(Math.max(ms, SHORTEST_WAIT_MS), LONGEST_WAIT_MS) : (stryCov_9fa48("137"), Math.min(stryMutAct_9fa48("138") ? Math.min(ms, SHORTEST_WAIT_MS) : (stryCov_9fa48("138"), Math.max(ms, SHORTEST_WAIT_MS)), LONGEST_WAIT_MS)));
  }
}