import fc from "fast-check";
import { CALL_TYPES, type CallType } from "../../src/events/segment-event";
import { functionFor } from "../../src/settings/routes";
import { parseSettings } from "../../src/settings/settings";

const common = { region: "us-east-1", roleAddress: "arn:aws:iam::123456789012:role/router-events-invoker" };

/** The name of the function that gets an event by these settings. */
function routed(settings: Readonly<Record<string, unknown>>, event?: string, callType: CallType = "track") {
  return functionFor(parseSettings({ ...common, ...settings }).routes, callType, event)?.name;
}

test("a star stands for anything, nothing included", () => {
  const settings = { eventLambdas: { "Order *": "orders", "*Viewed": "views", "a*b*c": "abc" }, trackLambda: "rest" };

  expect(routed(settings, "Order Completed")).toBe("orders");
  expect(routed(settings, "Order ")).toBe("orders");
  expect(routed(settings, "Order")).toBe("rest");
  expect(routed(settings, "order completed")).toBe("rest");
  expect(routed(settings, "Product Viewed")).toBe("views");
  expect(routed(settings, "Viewed")).toBe("views");
  expect(routed(settings, "abc")).toBe("abc");
  expect(routed(settings, "a1b2b3c")).toBe("abc");
  expect(routed(settings, "ac")).toBe("rest");
  expect(routed(settings, "a-c-b")).toBe("rest");
});

test("a part of a pattern is not found twice in the same letters", () => {
  expect(routed({ eventLambdas: { "aba*ba": "f" } }, "aba")).toBeUndefined();
  expect(routed({ eventLambdas: { "aba*ba": "f" } }, "ababa")).toBe("f");
});

test("the most specific route wins, in whatever order they stand", () => {
  const routes = [
    ["Order *", "orders"],
    ["Order Completed", "completed"],
    ["Order Com*", "com"],
    ["*", "everything"],
    ["*Completed", "longer"],
  ] as const;
  for (const order of [routes, routes.toReversed()]) {
    const settings = { eventLambdas: Object.fromEntries(order) };
    expect(routed(settings, "Order Completed")).toBe("completed");
    expect(routed(settings, "Order Commented")).toBe("com");
    expect(routed(settings, "Task Completed")).toBe("longer");
    // Nine letters beat six.
    expect(routed(settings, "Order Not Completed")).toBe("longer");
    expect(routed(settings, "Signed Up")).toBe("everything");
  }
});

test("equally long patterns: fewer stars first, then by alphabet", () => {
  expect(routed({ eventLambdas: { "*a*b*": "three", "a*b": "one" } }, "ab")).toBe("one");
  expect(routed({ eventLambdas: { "b*": "begins", "*b": "ends" } }, "b")).toBe("ends");
});

test("(skip) leaves events out, for an event, a pattern, a call type, or all but some", () => {
  const settings = {
    lambda: "(skip)",
    trackLambda: "tracks",
    pageLambda: "(skip)",
    screenLambda: "screens",
    eventLambdas: { "Order *": "orders", "Order Viewed": "(skip)", "Debug *": "(skip)", "Debug Kept": "kept" },
  };

  expect(routed(settings, "Order Completed")).toBe("orders");
  expect(routed(settings, "Order Viewed")).toBeUndefined();
  expect(routed(settings, "Debug Loop")).toBeUndefined();
  expect(routed(settings, "Debug Kept")).toBe("kept");
  expect(routed(settings, "Signed Up")).toBe("tracks");
  expect(routed(settings, undefined, "page")).toBeUndefined();
  expect(routed(settings, undefined, "screen")).toBe("screens");
  expect(routed(settings, undefined, "identify")).toBeUndefined();
});

test.each(CALL_TYPES)("(skip) for %s leaves that call type out, and no other", (callType) => {
  const settings = { lambda: "all", [`${callType}Lambda`]: "(skip)" };
  const others = CALL_TYPES.filter((other) => other !== callType);

  expect(routed(settings, undefined, callType)).toBeUndefined();
  expect(others.map((other) => routed(settings, undefined, other))).toEqual(others.map(() => "all"));
});

test.each(["", null])("a route to %p skips nothing: it is told", (empty) => {
  expect(() => routed({ lambda: "all", eventLambdas: { "Order *": empty } }, "Order Completed")).toThrow(
    /eventLambdas\.Order \* must be .*\(skip\) for none/,
  );
});

test("skip without brackets is a function", () => {
  expect(routed({ lambda: "skip" }, "Signed Up")).toBe("skip");
});

test("routes by name are for track events only", () => {
  expect(routed({ eventLambdas: { "*": "tracks" }, pageLambda: "pages" }, "Home", "page")).toBe("pages");
});

test("a pattern fits what a regular expression of the same meaning fits", () => {
  const text = fc.string({ unit: fc.constantFrom("a", "b", "*"), maxLength: 8 });
  fc.assert(
    fc.property(text, fc.string({ unit: fc.constantFrom("a", "b"), maxLength: 12 }), (pattern, event) => {
      const wanted = new RegExp(`^${pattern.replaceAll("*", ".*")}$`).test(event);
      expect(routed({ eventLambdas: { [pattern]: "f" } }, event)).toBe(wanted ? "f" : undefined);
    }),
    { numRuns: 2000 },
  );
});

test("what is to be skipped has no function at all, whether by its name, a pattern or its call type", () => {
  const settings = { eventLambdas: { Viewed: "(skip)", "Order *": "(skip)" }, pageLambda: "(skip)", lambda: "rest" };
  const { routes } = parseSettings({ ...common, ...settings });
  expect(functionFor(routes, "track", "Viewed")).toBeUndefined();
  expect(functionFor(routes, "track", "Order Completed")).toBeUndefined();
  expect(functionFor(routes, "page", undefined)).toBeUndefined();
  expect(functionFor(routes, "screen", undefined)?.name).toBe("rest");
});

test("of two patterns that are equally specific the first by alphabet counts, however they are listed", () => {
  expect(routed({ eventLambdas: { "ab*": "one", "*yz": "other" } }, "abyz")).toBe("other");
  expect(routed({ eventLambdas: { "*yz": "other", "ab*": "one" } }, "abyz")).toBe("other");
});
