// @ts-nocheck
import fc from "fast-check";

/** Keys that have done harm somewhere: prototypes, other people's property names, separators of paths and headers. */
export const KEYS = [
  "__proto__",
  "constructor",
  "prototype",
  "toString",
  "toJSON",
  "then",
  "hasOwnProperty",
  "valueOf",
  "polluted",
  "length",
  "",
  " ",
  "\u0000",
  "\ud800",
  "a.b",
  "a/b",
  "../../etc/passwd",
  "x\r\nx-injected: 1",
  "$where",
  "%s%n",
  "{{7*7}}",
];

/** Values that have. */
export const VALUES: readonly unknown[] = [
  null,
  true,
  0,
  -0,
  Number.MAX_SAFE_INTEGER + 2,
  1e308,
  "",
  "\u0000",
  "\ud800",
  "\udfff\ud800",
  "\u2028\u2029",
  "\u001b]0;title\u0007\u001b[2J",
  "x\r\nx-injected: 1",
  "http://169.254.169.254/latest/meta-data/",
  "file:///etc/passwd",
  "a".repeat(70_000),
  "💥".repeat(5_000),
  [],
  {},
  [[[[[]]]]],
  JSON.parse('{"__proto__":{"polluted":true}}'),
  JSON.parse('{"constructor":{"prototype":{"polluted":true}}}'),
  JSON.parse('{"toJSON":1,"then":2,"length":-1}'),
];

const key = fc.oneof(
  { weight: 1, arbitrary: fc.constantFrom(...KEYS) },
  { weight: 1, arbitrary: fc.string({ maxLength: 20 }) },
);

/** Anything that JSON can hold, the corpus' words among it. */
export const json: fc.Arbitrary<unknown> = fc.letrec((tie) => ({
  any: fc.oneof(
    { depthSize: "small", withCrossShrink: true },
    fc.constantFrom(...VALUES),
    fc.jsonValue(),
    fc.array(tie("any"), { maxLength: 5 }),
    tie("object"),
  ),
  object: fc
    .array(fc.tuple(key, tie("any")), { maxLength: 6 })
    .map((entries) =>
      JSON.parse(`{${entries.map(([k, v]) => `${JSON.stringify(k)}:${JSON.stringify(v)}`).join(",")}}`),
    ),
})).any;

/** An object with some known keys, each with anything in it. */
export function objectWith(known: readonly string[]): fc.Arbitrary<Record<string, unknown>> {
  return fc
    .array(fc.tuple(fc.oneof(fc.constantFrom(...known), key), json), { maxLength: 12 })
    .map(
      (entries) =>
        JSON.parse(
          `{${entries.map(([k, v]) => `${JSON.stringify(k)}:${JSON.stringify(v) ?? "null"}`).join(",")}}`,
        ) as Record<string, unknown>,
    );
}

/** What only code can hand over: getters that throw, circles, functions, symbols, proxies. */
export const unserialisable: fc.Arbitrary<unknown> = fc
  .constantFrom<() => unknown>(
    () => undefined,
    () => Symbol("x"),
    () => 10n,
    () => () => "x",
    () => Number.NaN,
    () => new Date(Number.NaN),
    () => new Map([["type", "track"]]),
    () => Object.create(null),
    () => Object.assign(Object.create({ type: "track" }), {}),
    () => {
      const circle: Record<string, unknown> = { type: "track" };
      circle["properties"] = circle;
      return circle;
    },
    () => ({
      type: "track",
      get properties(): never {
        throw new Error("a getter");
      },
    }),
    () => ({
      type: "track",
      properties: {
        toJSON() {
          throw null;
        },
      },
    }),
    () =>
      new Proxy(
        {},
        {
          get() {
            throw new Error("a proxy");
          },
          ownKeys() {
            throw new Error("a proxy");
          },
        },
      ),
    () => Promise.resolve({ type: "track" }),
    () => {
      let deep: unknown = {};
      for (let i = 0; i < 20_000; i++) deep = [deep];
      return { type: "track", properties: { deep } };
    },
  )
  .map((make) => make());

/** Seeded, so that a run can be repeated; the environment can ask for another, and for more. */
export const parameters: fc.Parameters<unknown> = {
  seed: Number(process.env["HOSTILE_SEED"] ?? 1),
  numRuns: Number(process.env["HOSTILE_RUNS"] ?? 150),
};
