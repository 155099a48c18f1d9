import { Shares } from "../../src/delivery/shares";

const ALL = { invocations: 4, bytes: 100 };

test("alone, a tenant gets half of the invocations, and gets them back", () => {
  const shares = new Shares(ALL);
  const taken = () => [1, 2, 3].map(() => shares.take("a", 0));
  expect(taken()).toEqual([true, true, false]);
  shares.give("a", 0);
  shares.give("a", 0);
  expect(taken()).toEqual([true, true, false]);
});

test("alone, a tenant gets half of the bytes, to the last one, and gets them back", () => {
  const shares = new Shares({ ...ALL, invocations: 100 });
  expect(shares.take("a", 101)).toBe(false);
  expect(shares.take("a", 100)).toBe(true);
  shares.give("a", 100);
  expect([shares.take("a", 40), shares.take("a", 21), shares.take("a", 20)]).toEqual([true, false, true]);
  shares.give("a", 40);
  // 20 are under way, 80 are free.
  expect([shares.take("a", 61), shares.take("a", 60)]).toEqual([false, true]);
});

test("what one has under way is free to others no more, and what was given back is", () => {
  const shares = new Shares({ ...ALL, invocations: 100 });
  shares.take("a", 60);
  expect([shares.take("b", 41), shares.take("b", 40)]).toEqual([false, true]);
  shares.give("b", 40);
  shares.give("a", 60);
  expect(shares.take("b", 100)).toBe(true);
});
