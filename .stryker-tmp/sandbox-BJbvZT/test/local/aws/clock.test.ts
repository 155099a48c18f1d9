// @ts-nocheck
import { Clock } from "../../../src/local/aws/clock";

function stopped(): { clock: Clock; rung: string[] } {
  return { clock: new Clock(() => 1_000_000), rung: [] };
}

test("runs with its source, from where it was moved to", () => {
  let source = 5000;
  const clock = new Clock(() => source);
  clock.advance(100);
  source += 10;
  expect(clock.now()).toBe(5110);
  clock.set(7);
  source += 1;
  expect(clock.now()).toBe(8);
});

test("rings what becomes due by a move, in order", () => {
  const { clock, rung } = stopped();
  clock.schedule(300, () => rung.push("third"));
  clock.schedule(200, () => rung.push("second"));
  clock.schedule(100, () => rung.push("first"));
  clock.advance(200);
  expect(rung).toEqual(["first", "second"]);
  clock.set(2_000_000);
  clock.advance(1000);
  expect(rung).toEqual(["first", "second", "third"]);
});

test("rings by itself when real time passes", async () => {
  const clock = new Clock();
  await expect(new Promise<string>((resolve) => clock.schedule(1, () => resolve("rung")))).resolves.toBe("rung");
});

test("does not ring what was called off, or anything once stopped", () => {
  const { clock, rung } = stopped();
  const callOff = clock.schedule(100, () => rung.push("called off"));
  clock.schedule(100, () => rung.push("kept"));
  callOff();
  clock.advance(100);
  clock.schedule(100, () => rung.push("stopped"));
  clock.stop();
  clock.advance(100);
  expect(rung).toEqual(["kept"]);
});
