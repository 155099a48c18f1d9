import type { DeliveryErrorCode, DeliveryResult, FunctionError } from "../../src/delivery/delivery-result";
import { isolated } from "../../src/delivery/isolation";
import { delivered, failed } from "../../src/delivery/result";

interface Event {
  readonly id: string;
  readonly user?: string;
}

/** What the function does with a batch: an error for all of it, or none. */
type Behaviour = (ids: readonly string[]) => Fault | undefined;
interface Fault extends Partial<FunctionError> {
  readonly code?: DeliveryErrorCode;
  readonly awsError?: string;
}

const facts = (messageId: string) => ({ messageId, durationMs: 1, attempts: 1 });

function resultOf({ id }: Event, fault: Fault | undefined): DeliveryResult {
  if (!fault) return delivered(200, facts(id));
  const { code = "ExecutionError", awsError, kind = "Unhandled", ...said } = fault;
  const functionError = said.errorType === undefined ? undefined : { kind, ...said };
  return failed(code, `It failed: ${said.errorMessage ?? code}`, facts(id), {
    ...(functionError && { functionError }),
    ...(awsError !== undefined && { awsError }),
  });
}

const events = (count: number, user?: string): Event[] =>
  Array.from({ length: count }, (_, i) => ({ id: `m-${i}`, ...(user !== undefined && { user }) }));

/** @param sendings until the time is over */
async function isolate(batch: readonly Event[], behaviour: Behaviour, sendings = Number.POSITIVE_INFINITY) {
  const sent: string[] = [];
  const run = (part: readonly Event[]) => {
    const fault = behaviour(part.map(({ id }) => id));
    return part.map((event) => resultOf(event, fault));
  };
  const before = run(batch);
  const results = await isolated(batch, before, async (part) => {
    if (sent.length >= sendings) return undefined;
    sent.push(part.map(({ id }) => id.slice(2)).join(" "));
    return run(part);
  });
  expect(results.map(({ messageId }) => messageId)).toEqual(batch.map(({ id }) => id));
  return { before, results, sent };
}

const poisonedBy =
  (...bad: readonly string[]): Behaviour =>
  (ids) => {
    const found = bad.find((id) => ids.includes(id));
    return found === undefined ? undefined : { errorType: "TypeError", errorMessage: `${found} is bad` };
  };

test.each([0, 1, 2, 3, 4, 5, 6, 7])(
  "the one event at fault is found, and its neighbours are delivered: %i",
  async (n) => {
    const { results, sent } = await isolate(events(8), poisonedBy(`m-${n}`));
    expect(results.map(({ outcome }) => outcome)).toEqual(results.map((_, i) => (i === n ? "retry" : "delivered")));
    expect(results[n]).not.toHaveProperty("alone");
    expect(results[n]?.error?.functionError?.errorMessage).toBe(`m-${n} is bad`);
    expect(sent.length).toBeLessThanOrEqual(6);
    for (const [i, { attempts }] of results.entries()) {
      expect(attempts).toBe(1 + sent.filter((part) => part.split(" ").includes(String(i))).length);
    }
  },
);

test("of two, nothing is sent that has no event", async () => {
  expect((await isolate(events(2), poisonedBy("m-1"))).sent).toEqual(["0", "1"]);
  expect((await isolate(events(3), poisonedBy("m-2"))).sent).toEqual(["0 1", "2"]);
});

test("of two at fault in their own ways one is found at once, and who may be the other goes alone the next time", async () => {
  const { results } = await isolate(events(4), poisonedBy("m-0", "m-3"));
  expect(results.map(({ outcome, alone }) => [outcome, alone])).toEqual([
    ["retry", undefined],
    ["delivered", undefined],
    ["retry", true],
    ["retry", true],
  ]);
});

const ALIKE: Fault = { errorType: "TypeError", errorMessage: "no database" };

test("a function that fails alike for both halves is what is at fault: it is asked no more, and each event goes alone", async () => {
  const { results, sent } = await isolate(events(8), () => ALIKE);
  expect(sent).toEqual(["0 1 2 3", "4 5 6 7"]);
  expect(results.map(({ outcome, alone, attempts }) => [outcome, alone, attempts])).toEqual(
    Array(8).fill(["retry", true, 2]),
  );
});

test.each<[string, Fault]>([
  ["another message", { ...ALIKE, errorMessage: "another" }],
  ["another type", { ...ALIKE, errorType: "RangeError" }],
  ["another meaning", { ...ALIKE, code: "RejectedByFunction" }],
])("halves that fail with %s do not fail alike", async (_what, other) => {
  const { sent } = await isolate(events(4), (ids) =>
    ids.includes("m-0") ? ALIKE : ids.includes("m-2") ? other : undefined,
  );
  expect(sent).toEqual(["0 1", "2 3", "0", "1"].concat(sent.slice(4)));
  expect(sent.length).toBeGreaterThan(2);
});

test("a user's events keep their order: the first half is done with before the second", async () => {
  const { sent, results } = await isolate(events(4, "u-1"), poisonedBy("m-1"));
  expect(sent).toEqual(["0 1", "0", "1", "2 3"]);
  expect(results.map(({ outcome }) => outcome)).toEqual(["delivered", "retry", "delivered", "delivered"]);
});

test("a user's events are held up no longer by a function that fails alike", async () => {
  const { sent, results } = await isolate(events(4, "u-1"), () => ALIKE);
  expect(sent).toEqual(["0 1", "0", "1"]);
  expect(results.map(({ alone }) => alone)).toEqual([undefined, undefined, true, true]);
});

test("once the time is over nothing more is sent, and what shared a failed invocation goes alone", async () => {
  for (const count of [2, 8]) {
    const none = await isolate(events(count), () => ALIKE, 0);
    expect(none.sent).toEqual([]);
    expect(none.results.map(({ alone, attempts }) => [alone, attempts])).toEqual(Array(count).fill([true, 1]));
  }
  const { sent, results } = await isolate(events(4), poisonedBy("m-3"), 1);
  expect(sent).toEqual(["0 1"]);
  expect(results.map(({ outcome, alone }) => [outcome, alone])).toEqual([
    ["delivered", undefined],
    ["delivered", undefined],
    ["retry", true],
    ["retry", true],
  ]);
});

test.each<[string, Fault]>([
  ["a function that asks for a retry", { errorType: "RetryError", errorMessage: "later" }],
  ["one in Java that does", { errorType: "com.example.Handler$RetryError" }],
  ["one in Ruby that does", { errorType: "Function<Handlers::RetryError>" }],
  ["an answer that nobody can read", {}],
  ["AWS's own failure", { code: "ServiceError" }],
])("%s is asked once", async (_what, fault) => {
  const { before, results, sent } = await isolate(events(4), () => fault);
  expect(sent).toEqual([]);
  expect(results).toEqual(before);
});

test.each<[string, Fault]>([
  ["whose error's name only ends like RetryError", { errorType: "NoRetryError" }],
  ["whose error's name only begins like RetryError", { errorType: "RetryErrorOfMine" }],
  ["whose error has no name that says so", { errorType: "" }],
])("a function %s is asked again", async (_what, fault) => {
  expect((await isolate(events(2), (ids) => (ids.includes("m-0") ? fault : undefined))).sent).toEqual(["0", "1"]);
});

test("an event that Lambda itself finds invalid is found like one that the function does", async () => {
  const invalid: Fault = { code: "InvalidEvent", awsError: "InvalidRequestContentException" };
  const { results, sent } = await isolate(events(2), (ids) => (ids.includes("m-0") ? invalid : undefined));
  expect(sent).toEqual(["0", "1"]);
  expect(results.map(({ outcome }) => outcome)).toEqual(["rejected", "delivered"]);
});

test("a function that ran out of time is not asked again: each goes alone the next time", async () => {
  const { results, sent } = await isolate(events(4), () => ({ code: "OperationTimedOut" }));
  expect(sent).toEqual([]);
  expect(results.map(({ outcome, alone }) => [outcome, alone])).toEqual(Array(4).fill(["retry", true]));
});

test.each<[string, Fault, object]>([
  [
    "the function",
    { code: "RejectedByFunction", errorType: "DropEvent" },
    { functionError: { kind: "Unhandled", errorType: "DropEvent" } },
  ],
  [
    "Lambda",
    { code: "InvalidEvent", awsError: "InvalidRequestContentException" },
    { awsError: "InvalidRequestContentException" },
  ],
])("nobody is rejected for what %s said of all of them: it is a retry that says so", async (_what, fault, told) => {
  const { results } = await isolate(events(2), () => fault, 0);
  for (const { outcome, alone, error } of results) {
    expect([outcome, alone]).toEqual(["retry", true]);
    expect(error).toStrictEqual({
      code: "ExecutionError",
      label: "Execution Error",
      message: expect.stringMatching(/^It failed: .* It shared the invocation with other events/),
      hint: expect.any(String),
      ...told,
    });
  }
});

test("an event that was alone, and a batch of which the function told the failures apart, are left as they are", async () => {
  const alone = await isolate(events(1), () => ALIKE);
  expect([alone.sent, alone.results]).toEqual([[], alone.before]);
  const batch = events(2);
  for (const bad of [0, 1]) {
    const results = batch.map((event, i) => resultOf(event, i === bad ? ALIKE : undefined));
    const send = async () => Promise.reject(new Error("Nothing is sent again."));
    expect(await isolated(batch, results, send)).toBe(results);
  }
});
