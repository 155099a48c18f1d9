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
  expect(gate.enter(2)).toMatchObject({ admitted: false, because: "full" });
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
