// @ts-nocheck
import { execFileSync, spawnSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import type { SegmentEvent as Sent } from "../../src/events/segment-event";
import { DropEvent, eachEvent, RetryError, type SegmentEvent, type TrackEvent } from "../../src/function";

const ROOT = join(__dirname, "..", "..");

/** What each event asks the handler to do, and what must come of it; `left` are milliseconds before each event. */
interface Case {
  readonly name: string;
  readonly input: SegmentEvent | readonly SegmentEvent[];
  readonly left?: number;
  readonly returned?: unknown;
  readonly thrown?: string;
  readonly handled: readonly string[];
}

const event = (name: string): TrackEvent => ({ type: "track", event: name, messageId: name, version: 2 });
const failures = (...ids: string[]) => ({ batchItemFailures: ids.map((itemIdentifier) => ({ itemIdentifier })) });

const CASES: readonly Case[] = [
  { name: "returns what a single event's handler returns", input: event("a"), returned: "a", handled: ["a"] },
  { name: "lets a single event's error through", input: event("drop"), thrown: "DropEvent", handled: ["drop"] },
  {
    name: "reports no failure of a batch that went well",
    input: [event("a"), event("b")],
    returned: failures(),
    handled: ["a", "b"],
  },
  {
    name: "reports what failed in a batch, goes on behind it, and has done with what is dropped",
    input: [event("retry"), event("drop"), event("fail"), event("a")],
    returned: failures("retry", "fail"),
    handled: ["retry", "drop", "fail", "a"],
  },
  {
    name: "brings back the events for which no time is left, but never the first",
    input: [event("a"), event("b"), event("c")],
    left: 499,
    returned: failures("b", "c"),
    handled: ["a"],
  },
  { name: "answers an empty batch", input: [], returned: failures(), handled: [] },
];

async function inJavaScript({ input, left = 3000 }: Case) {
  const handled: string[] = [];
  const handler = eachEvent(async ({ messageId }) => {
    handled.push(messageId);
    if (messageId === "drop") throw new DropEvent("no use");
    if (messageId === "retry") throw new RetryError("later");
    if (messageId === "fail") throw new TypeError("broken");
    return messageId;
  });
  const context = { awsRequestId: "r", getRemainingTimeInMillis: () => left };
  try {
    return { returned: await handler(input, context), handled };
  } catch (error) {
    return { thrown: (error as Error).name, handled };
  }
}

const SCRIPT = `
import json, sys
from segment_events import DropEvent, RetryError, each_event
case = json.load(sys.stdin)
handled = []
@each_event
def handler(event, context):
    name = event["messageId"]
    handled.append(name)
    if name == "drop": raise DropEvent("no use")
    if name == "retry": raise RetryError("later")
    if name == "fail": raise TypeError("broken")
    return name
class Context:
    def get_remaining_time_in_millis(self): return case.get("left", 3000)
try: outcome = {"returned": handler(case["input"], Context())}
except Exception as error: outcome = {"thrown": type(error).__name__}
print(json.dumps({**outcome, "handled": handled}))
`;

async function inPython(each: Case) {
  const out = execFileSync("python3", ["-B", "-c", SCRIPT], {
    cwd: join(ROOT, "examples", "python"),
    input: JSON.stringify(each),
    encoding: "utf8",
  });
  return JSON.parse(out.trim().split("\n").at(-1) ?? "") as unknown;
}

const hasPython = spawnSync("python3", ["-c", "import sys; sys.exit(sys.version_info < (3, 9))"]).status === 0;

describe.each([
  ["eachEvent", inJavaScript, true],
  [`each_event in Python${hasPython ? "" : " (skipped: no Python 3.9 or newer)"}`, inPython, hasPython],
] as const)("%s", (_name, run, runs) => {
  beforeEach(() => {
    jest.spyOn(console, "warn").mockReturnValue();
    jest.spyOn(console, "error").mockReturnValue();
  });

  (runs ? test : test.skip).each(CASES)("$name", async (each) => {
    const { returned, thrown, handled } = each;
    expect(await run(each)).toEqual({ handled, ...(thrown ? { thrown } : { returned }) });
  });
});

test("the log says of each event that was not handled why", async () => {
  const warn = jest.spyOn(console, "warn").mockReturnValue();
  const error = jest.spyOn(console, "error").mockReturnValue();

  await inJavaScript(CASES[3] as Case);

  expect(warn).toHaveBeenCalledWith("drop is dropped: no use");
  expect(error).toHaveBeenCalledWith("fail comes back:", expect.any(TypeError));
});

test("the types are told apart by call type, and are those of what is sent", () => {
  const sent = (one: SegmentEvent): Sent => one;
  const what = (one: SegmentEvent): unknown => {
    if (one.type === "identify") return one.traits;
    if (one.type === "alias") return one.previousId;
    // : a group call has no properties
    if (one.type === "group") return one.properties;
    return one.properties;
  };
  expect(what(sent(event("a")) as SegmentEvent)).toBeUndefined();
});

test("what a function has to carry of it is less than 5 KB and imports nothing", () => {
  for (const file of ["function.js", "function.cjs"]) {
    const text = readFileSync(join(ROOT, "dist", file), "utf8");
    expect(text.length).toBeLessThan(5 * 1024);
    expect(text).not.toMatch(/\brequire\(|^import /m);
  }
});
