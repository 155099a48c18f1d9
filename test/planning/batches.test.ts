import fc from "fast-check";
import { batchesByUser, batchesOf } from "../../src/planning/batches";

const of = (bytes: number, name = "f", externalId?: string) => ({
  function: name,
  bytes,
  ...(externalId !== undefined && { externalId }),
});
const sizes = (bytes: readonly number[], limit: { events: number; bytes: number }) =>
  batchesOf(
    bytes.map((each) => of(each)),
    limit,
  ).map((batch) => batch.map((delivery) => delivery.bytes));

test("deliveries of one function share invocations, in order", () => {
  expect(sizes([1, 2, 3, 4, 5], { events: 2, bytes: 1000 })).toEqual([[1, 2], [3, 4], [5]]);
});

test("functions and external IDs never share an invocation", () => {
  const deliveries = [of(1, "f", "a"), of(2, "g", "a"), of(3, "f", "b"), of(4, "f", "a"), of(5, "f")];
  const batches = batchesOf(deliveries, { events: 10, bytes: 1000 });
  expect(batches.map((batch) => batch.map(({ bytes }) => bytes))).toEqual([[1, 4], [2], [3], [5]]);
});

test("who has no user keeps no order with others that have none", () => {
  const deliveries = [of(1, "f"), of(2, "g"), of(3, "f")];
  const batches = batchesOf(deliveries, { events: 10, bytes: 1000 });
  expect(batches.map((batch) => batch.map(({ bytes }) => bytes))).toEqual([[1, 3], [2]]);
});

test("the limit is the bytes of the array, brackets and commas included", () => {
  // [aaa,bbb] is 9 bytes.
  expect(sizes([3, 3], { events: 10, bytes: 9 })).toEqual([[3, 3]]);
  expect(sizes([3, 3], { events: 10, bytes: 8 })).toEqual([[3], [3]]);
});

test("no batch is beyond a limit, none could have taken the next, and nobody is lost or overtaken", () => {
  const limit = { events: 4, bytes: 60 };
  const length = (batch: readonly { readonly bytes: number }[]) =>
    `[${batch.map(({ bytes }) => "x".repeat(bytes)).join(",")}]`.length;
  const delivery = fc.record({ function: fc.constantFrom("f", "g"), bytes: fc.integer({ min: 1, max: 58 }) });
  fc.assert(
    fc.property(fc.array(delivery, { maxLength: 40 }), (deliveries) => {
      const batches = batchesOf(deliveries, limit);
      for (const name of ["f", "g"]) {
        const own = batches.filter(([first]) => first?.function === name);
        expect(own.flat()).toEqual(deliveries.filter((each) => each.function === name));
        for (const [i, batch] of own.entries()) {
          expect(batch.length).toBeLessThanOrEqual(limit.events);
          expect(length(batch)).toBeLessThanOrEqual(limit.bytes);
          const [next] = own[i + 1] ?? [];
          expect(!next || batch.length === limit.events || length([...batch, next]) > limit.bytes).toBe(true);
        }
      }
    }),
  );
});

describe("batches that go side by side", () => {
  const ofUser = (user: string, n: number) => ({ function: "f", bytes: 1, user, n });

  test("hold a user's deliveries together, in order, and split them only where one invocation cannot take them", () => {
    const deliveries = [1, 2, 3, 4].flatMap((n) => ["a", "b", "c"].map((user) => ofUser(user, n)));
    const batches = batchesByUser(deliveries, { events: 6, bytes: 1000 });
    expect(batches.map((batch) => batch.map(({ user, n }) => `${user}${n}`).join(" "))).toEqual([
      "a1 a2 a3 a4",
      "b1 b2 b3 b4",
      "c1 c2 c3 c4",
    ]);
    const narrow = batchesByUser(deliveries, { events: 3, bytes: 1000 });
    expect(narrow.map((batch) => batch.map(({ user, n }) => `${user}${n}`).join(" "))).toEqual([
      "a1 a2 a3",
      "a4 b1 b2",
      "b3 b4 c1",
      "c2 c3 c4",
    ]);
  });

  test("hold a user's deliveries to one function together behind one to another", () => {
    const at = (name: string, user: string) => ({ function: name, bytes: 1, user });
    const deliveries = [at("f", "b"), at("g", "c"), at("f", "a"), at("g", "a"), at("g", "a")];
    const batches = batchesByUser(deliveries, { events: 2, bytes: 1000 });
    expect(batches.map((batch) => batch.map((each) => `${each.function} ${each.user}`))).toEqual([
      ["f b", "f a"],
      ["g c"],
      ["g a", "g a"],
    ]);
  });

  test("keep the order of each user's deliveries, whatever their functions are, and lose none", () => {
    const delivery = fc.record({
      function: fc.constantFrom("f", "g"),
      bytes: fc.integer({ min: 1, max: 30 }),
      user: fc.constantFrom("a", "b", "c", undefined),
    });
    fc.assert(
      fc.property(fc.array(delivery, { maxLength: 40 }), (given) => {
        const deliveries = given.map((each, n) => ({ ...each, n }));
        const batches = batchesByUser(deliveries, { events: 4, bytes: 60 });
        expect(batches.flat()).toHaveLength(deliveries.length);
        for (const user of ["a", "b", "c"]) {
          const own = batches.flat().filter((each) => each.user === user);
          expect(own).toEqual(deliveries.filter((each) => each.user === user));
        }
      }),
    );
  });
});
