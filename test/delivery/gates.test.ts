import type { AwsErrorDetails } from "../../src/aws/aws-error";
import { Deadline } from "../../src/aws/deadline";
import type { Passage } from "../../src/aws/passage";
import { type Entrance, Gates } from "../../src/delivery/gates";
import { FakeAws, settled } from "../aws/fake-aws";

const MB = 1024 * 1024;
const denied: AwsErrorDetails = {
  service: "lambda",
  kind: "service",
  code: "AccessDeniedException",
  message: "not authorized",
  status: 403,
};
const throttled: AwsErrorDetails = {
  service: "lambda",
  kind: "service",
  code: "TooManyRequestsException",
  message: "Rate Exceeded.",
  status: 429,
  reason: "ReservedFunctionConcurrentInvocationLimitExceeded",
};

let now = 0;
let gates: Gates;

beforeEach(() => {
  now = 0;
  gates = new Gates({ monotonic: () => now });
});

const keeper = (more: Partial<Entrance> = {}) => gates.keeperOf({ key: "f", tenant: "a", ...more });

function admitted(decision: Passage | AwsErrorDetails): Passage {
  if (!("leave" in decision)) throw new Error(decision.message);
  return decision;
}

test("a function that was refused is left alone, in the words of AWS's refusal", () => {
  admitted(keeper().admit(1)).leave(denied);

  expect(keeper().admit(1)).toEqual({
    service: "lambda",
    kind: "withheld",
    code: "AccessDeniedException",
    status: 403,
    message: expect.stringMatching(/^Not sent: .*AWS said: not authorized$/),
    retryAfterMs: 1000,
  });
});

test("another function, or another who invokes it, is not", () => {
  admitted(keeper().admit(1)).leave(denied);

  expect(keeper({ key: "g" }).admit(1)).toHaveProperty("leave");
});

test("a throttled one says why AWS throttles", () => {
  admitted(keeper().admit(1)).leave(throttled);

  expect(keeper().admit(1)).toMatchObject({ code: "TooManyRequestsException", reason: throttled.reason });
});

test.each<[string, Partial<AwsErrorDetails>]>([
  ["a role that cannot be assumed", { service: "sts", code: "AccessDenied" }],
  ["a network that fails", { kind: "network", code: "ECONNRESET" }],
  ["a function that takes too long", { kind: "timeout", code: "Timeout" }],
  ["AWS's own failure", { code: "ServiceException", status: 500 }],
  ["nobody to sign as", { kind: "identity", code: "NoIdentity" }],
  ["a payload that is too large", { code: "RequestTooLargeException", status: 413 }],
])("%s closes no gate, and is forgotten", (_, error) => {
  admitted(keeper().admit(1)).leave({ ...denied, ...error });

  expect(keeper().admit(1)).toHaveProperty("leave");
});

test("nothing is kept of functions that do well", () => {
  for (let i = 0; i < 100; i++) admitted(keeper({ key: `f-${i}` }).admit(1)).leave();

  expect(gates.size).toBe(0);
});

test("Max Concurrency holds whatever AWS would take, for all who share the function", () => {
  const first = admitted(keeper({ most: 2 }).admit(1));
  admitted(keeper({ most: 2 }).admit(1));

  expect(keeper({ most: 2 }).admit(1)).toMatchObject({ kind: "withheld", code: "TooManyInFlight" });
  expect(keeper({ most: 3 }).admit(1)).toHaveProperty("leave");
  first.leave();
});

describe("a tenant whose functions hang", () => {
  function underWay(tenant: string, bytes = 1): number {
    for (let count = 0; ; count++)
      if (!("leave" in keeper({ key: `${tenant}-${count}`, tenant }).admit(bytes))) return count;
  }

  test("gets half of the process, and the next one half of the rest: there is always room", () => {
    expect(underWay("a")).toBe(5000);
    expect(underWay("b")).toBe(2500);
    expect(underWay("c")).toBe(1250);
    expect(keeper({ tenant: "d", key: "d" }).admit(1)).toHaveProperty("leave");
  });

  test("and of the bytes", () => {
    expect(underWay("a", 6 * MB)).toBe(43);
    expect(underWay("b", 6 * MB)).toBe(21);
  });

  test("is told so, and gets its share back", () => {
    const passages = Array.from({ length: 5000 }, () => admitted(keeper().admit(1)));
    expect(keeper().admit(1)).toMatchObject({ code: "TooManyInFlight", retryAfterMs: 1000 });

    for (const passage of passages) passage.leave();

    expect(underWay("a")).toBe(5000);
  });

  test("one that is turned away at a function's gate takes no share", () => {
    for (let i = 0; i < 20_000; i++) keeper({ most: 1 }).admit(1);

    expect(keeper({ key: "g" }).admit(1)).toHaveProperty("leave");
  });
});

describe("one that waits for its turn", () => {
  const aws = new FakeAws();
  const patience = () => new Deadline(aws.clock, 2000);
  const ofOne = { most: 1 };

  test("gets the next place, before all who come later", async () => {
    const inside = admitted(keeper(ofOne).admit(1));
    const [first, second] = [1, 2].map(() => keeper(ofOne).inTurn(1, patience()));

    inside.leave();
    expect(keeper(ofOne).admit(1)).toMatchObject({ kind: "withheld" });
    admitted((await first) as Passage).leave();

    expect(keeper(ofOne).admit(1)).toMatchObject({ kind: "withheld" });
    admitted((await second) as Passage).leave();
    expect(gates.size).toBe(0);
    expect(aws.timers).toBe(0);
  });

  test("hears why there is none when its patience is over, and leaves nothing behind", async () => {
    const inside = admitted(keeper(ofOne).admit(1));
    const waiting = keeper(ofOne).inTurn(1, patience());
    aws.pass(2000);

    expect(await waiting).toMatchObject({ kind: "withheld", code: "TooManyInFlight" });
    inside.leave();
    admitted(keeper(ofOne).admit(1)).leave();
    expect(gates.size).toBe(0);
  });

  test("waits for nothing where the function takes nothing", async () => {
    admitted(keeper().admit(1)).leave(denied);

    expect(await keeper().inTurn(1, patience())).toMatchObject({ code: "AccessDeniedException" });
    expect(aws.timers).toBe(0);
  });

  test("does not where others have waited for a minute in all beyond what two may at a time", async () => {
    now = aws.ms;
    const inside = admitted(keeper(ofOne).admit(1));
    const waiting = Array.from({ length: 32 }, () => keeper(ofOne).inTurn(1, patience()));
    aws.pass(2000);
    now = aws.ms;
    await Promise.all(waiting);
    await keeper(ofOne).inTurn(1, patience());
    expect(aws.timers).toBe(0);

    now += 1;
    const again = keeper(ofOne).inTurn(1, patience());
    expect(aws.timers).toBe(1);
    inside.leave();
    admitted(await again).leave();
  });

  test("is not let in while its own limit is reached, whatever others may", async () => {
    const inside = [1, 2].map(() => admitted(keeper({ most: 2 }).admit(1)));
    const waiting = keeper(ofOne).inTurn(1, patience());
    let letIn = false;
    void waiting.then(() => {
      letIn = true;
    });

    inside[0]?.leave();
    await settled();
    expect(letIn).toBe(false);
    inside[1]?.leave();
    admitted(await waiting).leave();
  });
});

test("an operator is told how many are in flight, and how many functions AWS limits, throttles or refuses", () => {
  expect(gates.state).toEqual({ inFlight: 0, limited: 0, throttled: 0, refused: 0 });
  const [first, second] = [admitted(keeper().admit(1)), admitted(keeper().admit(1))];
  expect(gates.state).toEqual({ inFlight: 2, limited: 0, throttled: 0, refused: 0 });
  first.leave(throttled);
  expect(gates.state).toEqual({ inFlight: 1, limited: 1, throttled: 0, refused: 0 });
  second.leave(throttled);
  expect(gates.state).toEqual({ inFlight: 0, limited: 0, throttled: 1, refused: 0 });
  admitted(keeper({ key: "g" }).admit(1)).leave(denied);
  expect(gates.state).toEqual({ inFlight: 0, limited: 0, throttled: 1, refused: 1 });
});

test("what AWS said when it throttled is told until it says something else of the function", () => {
  const [first, second, third] = [1, 2, 3].map(() => admitted(keeper().admit(1)));
  first?.leave(throttled);
  expect(keeper().admit(1)).toMatchObject({ code: "TooManyRequestsException" });
  second?.leave({ ...denied, kind: "network", code: "ECONNRESET" });
  const fourth = admitted(keeper().admit(1));
  expect(keeper().admit(1)).toMatchObject({ code: "TooManyRequestsException" });
  third?.leave();
  admitted(keeper().admit(1));
  expect(keeper().admit(1)).toMatchObject({ code: "TooManyRequestsException" });
  fourth.leave();
});

test("what is not let in for Max Concurrency is not AWS's to answer for", () => {
  const [first] = [1, 2].map(() => admitted(keeper().admit(1)));
  first?.leave(throttled);
  const turnedAway = keeper({ most: 1 }).admit(1);
  expect(turnedAway).toMatchObject({ code: "TooManyInFlight" });
  expect(turnedAway).not.toHaveProperty("status");
});

test("how long an invocation takes is counted from when it was let in", () => {
  now = 10_000;
  const first = admitted(keeper({ most: 1 }).admit(1));
  now = 10_400;
  first.leave();
  admitted(keeper({ most: 1 }).admit(1)).leave({ ...throttled });
  now = 20_000;
  gates = new Gates({ monotonic: () => now });
  const [passage] = [admitted(keeper({ most: 2 }).admit(1)), admitted(keeper({ most: 2 }).admit(1))];
  now = 20_400;
  passage?.leave();
  admitted(keeper({ most: 2 }).admit(1));
  // A place is free every 200 ms, and two are told to come back for it.
  expect(keeper({ most: 2 }).admit(1)).toMatchObject({ retryAfterMs: 100 });
});

test("ten thousand functions are remembered, and then the oldest no more", () => {
  const at = (n: number) => keeper({ key: `f-${n}` });
  for (let n = 0; n < 10_000; n++) admitted(at(n).admit(1)).leave(denied);
  expect(gates.size).toBe(10_000);
  expect(at(0).admit(1)).toHaveProperty("kind", "withheld");
  admitted(at(10_000).admit(1)).leave(denied);
  expect(gates.size).toBe(10_000);
  expect(at(1).admit(1)).toHaveProperty("kind", "withheld");
  admitted(at(0).admit(1));
});
