import { Gate } from "../../src/delivery/gate";
import { Simulation } from "./simulation";

/** A function at AWS with reserved concurrency, as its callers see it. */
class ReservedFunction {
  running = 0;
  ran = 0;
  asked = 0;
  broken: "throttled" | "refused" | undefined;

  constructor(
    private readonly simulation: Simulation,
    readonly reserved: number,
    readonly runsMs: number,
  ) {}

  /** @param answered with how it ended, `latencyMs` after that */
  invoke(answered: (outcome: "answered" | "throttled" | "refused") => void, latencyMs = 2): void {
    this.asked++;
    if (this.broken || this.running >= this.reserved) {
      this.simulation.in(latencyMs, () => answered(this.broken ?? "throttled"));
      return;
    }
    this.running++;
    this.simulation.in(this.runsMs, () => {
      this.running--;
      this.ran++;
      this.simulation.in(latencyMs, () => answered("answered"));
    });
  }
}

interface Caller {
  readonly gate: Gate;
  readonly fn: ReservedFunction;
  readonly most?: number;
  /** Milliseconds between two events of a caller whose event was delivered. */
  readonly pauseMs?: number;
}

/** Delivers one event after the other and honours what the gate says. */
function call(simulation: Simulation, caller: Caller): void {
  const { gate, fn, most, pauseMs = 0 } = caller;
  const again = (ms: number) => simulation.in(ms, () => call(simulation, caller));
  const entered = simulation.now;
  const admission = gate.enter(entered, most);
  if (!admission.admitted) {
    again(admission.retryAfterMs);
    return;
  }
  fn.invoke((outcome) => {
    gate.leave({ outcome, tookMs: simulation.now - entered }, simulation.now);
    again(outcome === "answered" ? pauseMs : 1000);
  });
}

function callers(count: number, reserved: number, runsMs: number) {
  const simulation = new Simulation();
  const fn = new ReservedFunction(simulation, reserved, runsMs);
  const gate = new Gate();
  for (let i = 0; i < count; i++) call(simulation, { gate, fn });
  return { simulation, fn, gate };
}

describe("a function with reserved concurrency 5 that takes 100 ms, under 200 callers", () => {
  test("is kept busy, and hardly asked in vain", () => {
    const { simulation, fn } = callers(200, 5, 100);

    simulation.run(60_000);

    const capacity = (60_000 / 100) * 5;
    expect(fn.ran / capacity).toBeGreaterThan(0.9);
    expect(fn.asked / fn.ran).toBeLessThan(1.5);
  });

  test.each([1, 2, 20, 100])("and so is one with reserved concurrency %i", (reserved) => {
    const { simulation, fn } = callers(200, reserved, 100);

    simulation.run(60_000);

    expect(fn.ran / (600 * reserved)).toBeGreaterThan(0.85);
    // But for the first moment, when nobody knew.
    expect((fn.asked - 200) / fn.ran).toBeLessThan(1.5);
  });

  test("and two processes share it", () => {
    const simulation = new Simulation();
    const fn = new ReservedFunction(simulation, 10, 100);
    const gates = [new Gate(), new Gate()];
    for (const gate of gates) for (let i = 0; i < 100; i++) call(simulation, { gate, fn });

    simulation.run(60_000);

    expect(fn.ran / 6000).toBeGreaterThan(0.85);
    expect(fn.asked / fn.ran).toBeLessThan(1.5);
  });
});

test("a function that AWS never throttled has no limit", () => {
  const gate = new Gate();

  for (let i = 0; i < 2000; i++) expect(gate.enter(0)).toEqual({ admitted: true });

  for (let i = 0; i < 2000; i++) gate.leave({ outcome: "answered", tookMs: 10_000 }, 10_000);
  expect(gate.idle).toBe(true);
});

test("a throttle lowers the limit to what AWS kept running", () => {
  const gate = new Gate();
  for (let i = 0; i < 10; i++) gate.enter(0);

  for (let i = 0; i < 4; i++) gate.leave({ outcome: "throttled", tookMs: 1 }, 1);

  expect(gate.limit).toBe(6);
  expect(gate.inFlight).toBe(6);
  expect(gate.enter(2)).toMatchObject({ admitted: false, because: "limit" });
});

test("the limit comes back in seconds where there is room again", () => {
  const { simulation, fn, gate } = callers(400, 5, 100);
  simulation.run(10_000);
  Object.assign(fn, { reserved: 1000 });

  simulation.run(10_000);

  expect(gate.limit).toBeGreaterThan(300);
});

describe("a function that is gone", () => {
  function broken(because: "throttled" | "refused") {
    const simulation = new Simulation();
    const fn = new ReservedFunction(simulation, 50, 100);
    const gate = new Gate();
    fn.broken = because;
    for (let i = 0; i < 20; i++) call(simulation, { gate, fn, pauseMs: 100 });
    return { simulation, fn };
  }

  test.each(["throttled", "refused"] as const)("%s: is asked rarely", (because) => {
    const { simulation, fn } = broken(because);

    simulation.run(60_000);

    // The first twenty were all in flight before anybody knew.
    expect(fn.asked - 20).toBeLessThan(20);
    expect(fn.asked - 20).toBeGreaterThanOrEqual(60 / 6 - 1);
  });

  test.each(["throttled", "refused"] as const)("%s: is used within 10 s of its mend", (because) => {
    const { simulation, fn } = broken(because);
    simulation.run(120_000);
    fn.broken = undefined;

    simulation.run(10_000);

    expect(fn.ran).toBeGreaterThan(20);
  });

  test("says so, and when to come back", () => {
    const gate = new Gate();
    gate.enter(0);

    gate.leave({ outcome: "refused", tookMs: 5 }, 5);

    expect(gate.enter(6)).toEqual({ admitted: false, because: "refused", retryAfterMs: 999 });
    expect(gate.enter(1005)).toEqual({ admitted: true });
    expect(gate.enter(1006)).toMatchObject({ admitted: false, because: "refused" });
  });

  test("and a probe of which nobody heard again does not close the gate for good", () => {
    const gate = new Gate();
    gate.enter(0);
    gate.leave({ outcome: "refused", tookMs: 5 }, 5);
    gate.enter(1005);

    gate.leave({ outcome: "unknown", tookMs: 500 }, 1505);

    expect(gate.enter(1506)).toMatchObject({ admitted: false });
    expect(gate.enter(3506)).toEqual({ admitted: true });
  });
});

describe("the limit, step by step", () => {
  const answered = { outcome: "answered", tookMs: 100 } as const;
  const throttle = { outcome: "throttled", tookMs: 1 } as const;

  /** Eleven go in, and AWS has room for ten of them. */
  function limitedToTen(): Gate {
    const gate = new Gate();
    for (let i = 0; i < 11; i++) gate.enter(0);
    gate.leave(throttle, 1);
    return gate;
  }

  /** A whole window of answers while the gate is full. */
  function window(gate: Gate, now: number, answers: number): void {
    while (gate.enter(now).admitted);
    for (let i = 0; i < answers; i++) {
      gate.leave(answered, now);
      gate.enter(now);
    }
  }

  test("rises by 1, 2, 4 with each window of answers, and by one step in half a second", () => {
    const gate = limitedToTen();

    window(gate, 500, 10);
    expect(gate.limit).toBe(10);
    window(gate, 501, 1);
    expect(gate.limit).toBe(11);
    window(gate, 1000, 11);
    expect(gate.limit).toBe(11);
    window(gate, 1001, 1);
    expect(gate.limit).toBe(13);
    window(gate, 2000, 13);
    expect(gate.limit).toBe(17);
  });

  test("does not rise while there is room below it", () => {
    const gate = limitedToTen();
    for (let i = 0; i < 10; i++) gate.leave(answered, 600);

    for (let i = 0; i < 100; i++) {
      gate.enter(2000 + i * 100);
      gate.leave(answered, 2000 + i * 100);
    }

    expect(gate.limit).toBeLessThanOrEqual(11);
  });

  test("falls to nine tenths, once for all throttles of half a second", () => {
    const gate = new Gate();
    for (let i = 0; i < 101; i++) gate.enter(0);
    gate.leave(throttle, 1);
    expect(gate.limit).toBe(100);

    gate.leave(throttle, 501);
    expect(gate.limit).toBe(90);
    gate.leave(throttle, 502);
    gate.leave(throttle, 1000);
    expect(gate.limit).toBe(90);
    gate.leave(throttle, 1500);
    expect(gate.limit).toBe(81);
  });

  test("begins to rise with 1 again after a throttle", () => {
    const gate = limitedToTen();
    window(gate, 501, 10);
    window(gate, 1001, 11);
    expect(gate.limit).toBe(13);

    gate.leave(throttle, 1100);
    const lowered = gate.limit;
    window(gate, 1600, 10);

    expect(lowered).toBe(10);
    expect(gate.limit).toBe(11);
  });

  test("is not touched by what says nothing about load", () => {
    const gate = limitedToTen();

    gate.leave({ outcome: "unknown", tookMs: 5000 }, 5000);

    expect(gate.limit).toBe(10);
    expect(gate.enter(5001)).toEqual({ admitted: true });
    expect(gate.enter(5001)).toMatchObject({ admitted: false });
  });
});

describe("a probe that fails", () => {
  const refuse = { outcome: "refused", tookMs: 5 } as const;

  /** When the gate lets somebody in, tried every millisecond. */
  function nextProbe(gate: Gate, after: number): number {
    for (let now = after; ; now++) if (gate.enter(now).admitted) return now;
  }

  test("doubles the rest, up to 5 s", () => {
    const gate = new Gate();
    gate.enter(0);
    const rests: number[] = [];

    for (let now = 0, i = 0; i < 5; i++) {
      gate.leave(refuse, now);
      const probe = nextProbe(gate, now);
      rests.push(probe - now);
      now = probe;
    }

    expect(rests).toEqual([1000, 2000, 4000, 5000, 5000]);
  });

  test("and all that were in flight when it broke count as one", () => {
    const gate = new Gate();
    for (let i = 0; i < 20; i++) gate.enter(0);

    for (let i = 0; i < 20; i++) gate.leave(refuse, i);

    expect(nextProbe(gate, 20)).toBe(1000);
  });

  test("and one that succeeds lets everybody in, and forgets", () => {
    const gate = new Gate();
    gate.enter(0);
    gate.leave(refuse, 0);
    const probe = nextProbe(gate, 0);

    gate.leave({ outcome: "answered", tookMs: 10 }, probe + 10);

    expect(gate.idle).toBe(true);
    gate.enter(5000);
    gate.leave(refuse, 5000);
    expect(nextProbe(gate, 5000)).toBe(6000);
  });

  test("an answer to what was in flight before closes the circuit: the function is there", () => {
    const gate = new Gate();
    gate.enter(0);
    gate.enter(0);

    gate.leave(refuse, 10);
    gate.leave({ outcome: "answered", tookMs: 20 }, 20);

    expect(gate.enter(21)).toEqual({ admitted: true });
  });
});

test("the wait follows how long the function takes, the latest most", () => {
  const gate = new Gate();
  const turn = (now: number) => {
    const admission = gate.enter(now, 1);
    return admission.admitted ? undefined : admission.retryAfterMs;
  };
  gate.enter(0);
  gate.leave({ outcome: "answered", tookMs: 400 }, 400);
  gate.enter(400);
  expect(turn(400)).toBe(200);

  gate.leave({ outcome: "answered", tookMs: 900 }, 1300);
  gate.enter(1300);

  expect(turn(1300)).toBe(250);
  // Long after the last turn, the queue begins anew.
  expect(turn(60_000)).toBe(250);
});

test("before anything ended, it is thought to take a second", () => {
  const gate = new Gate();
  gate.enter(0, 1);

  expect(gate.enter(0, 1)).toEqual({ admitted: false, because: "most", retryAfterMs: 500 });
});

test("a function that hangs holds no more than the operator allows", () => {
  const gate = new Gate();

  const admissions = Array.from({ length: 5000 }, () => gate.enter(0, 1000));

  expect(admissions.filter(({ admitted }) => admitted)).toHaveLength(1000);
  expect(gate.inFlight).toBe(1000);
});

test("those turned away get turns of their own, none further than 10 s", () => {
  const gate = new Gate();
  gate.enter(0, 1);
  gate.leave({ outcome: "answered", tookMs: 100 }, 100);
  gate.enter(100, 1);

  const waits = Array.from({ length: 1000 }, () => gate.enter(100, 1)).map((admission) =>
    admission.admitted ? 0 : admission.retryAfterMs,
  );

  expect(waits.slice(0, 4)).toEqual([50, 100, 150, 200]);
  expect(Math.max(...waits)).toBe(10_000);
});

test("a limit rises with a whole window of answers, not with the first", () => {
  const gate = new Gate();
  for (let i = 0; i < 4; i++) gate.enter(0);
  gate.leave({ outcome: "throttled", tookMs: 1 }, 0);
  expect(gate.limit).toBe(3);
  const limits = [1, 2, 3].map(() => {
    gate.leave({ outcome: "answered", tookMs: 1 }, 1000);
    gate.enter(1000);
    return gate.limit;
  });
  expect(limits).toEqual([3, 3, 4]);
});

test.each([1000, 1500])(
  "an old invocation that is refused when the circuit's time is over opens it for longer: %i",
  (at) => {
    const gate = new Gate();
    gate.enter(0);
    gate.enter(0);
    gate.leave({ outcome: "refused", tookMs: 1 }, 0);
    gate.leave({ outcome: "refused", tookMs: 1 }, at);
    expect(gate.enter(at + 1999)).toMatchObject({ admitted: false });
    expect(gate.enter(at + 2000)).toEqual({ admitted: true });
  },
);
