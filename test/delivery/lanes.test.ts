import { inLanes } from "../../src/delivery/lanes";
import { pending, settled } from "../aws/fake-aws";

interface Delivery {
  readonly function: string;
  readonly user?: string;
  readonly n: number;
}

/** Runs batches of one delivery each; each ends when a test says so. */
function lanes(deliveries: readonly Delivery[]) {
  const running = new Map<number, () => void>();
  const begun: number[] = [];
  const all = inLanes(
    deliveries.map((delivery) => [delivery]),
    async (batch) => {
      const { n } = batch[0] as Delivery;
      begun.push(n);
      const { promise, resolve } = pending<void>();
      running.set(n, () => resolve());
      await promise;
      running.delete(n);
    },
  );
  const end = async (n: number) => {
    running.get(n)?.();
    await settled();
  };
  return { all, running, begun, end };
}

test("a user's come one after the other, whatever their functions are; who has no user waits for nobody", async () => {
  const { all, begun, end } = lanes([
    { function: "f", user: "a", n: 1 },
    { function: "g", user: "a", n: 2 },
    { function: "f", user: "b", n: 3 },
    { function: "f", n: 4 },
    { function: "f", n: 5 },
  ]);
  await settled();
  expect(begun).toEqual([1, 3, 4, 5]);
  await end(1);
  expect(begun).toEqual([1, 3, 4, 5, 2]);
  for (const n of [2, 3, 4, 5]) await end(n);
  await all;
});

test("fifty of a function are under way at most, and those of another do not wait for them", async () => {
  const of = (name: string, from: number, count: number) =>
    Array.from({ length: count }, (_, i) => ({ function: name, n: from + i }));
  const { all, running, end } = lanes([...of("f", 0, 120), ...of("g", 200, 3)]);
  await settled();
  const [f, g] = [() => [...running.keys()].filter((n) => n < 200), () => [...running.keys()].filter((n) => n >= 200)];
  expect([f().length, g().length]).toEqual([50, 3]);
  for (let n = 0; n < 120; n++) {
    await end(n);
    expect(f()).toHaveLength(Math.min(50, 119 - n));
  }
  for (const n of g()) await end(n);
  await all;
});
