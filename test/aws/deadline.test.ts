import { getEventListeners } from "node:events";
import { AwsError } from "../../src/aws/aws-error";
import { Deadline, type DeadlineOptions } from "../../src/aws/deadline";
import { incompleteAnswer, noIdentity, transportFailure } from "../../src/aws/failed-call";
import { TransportError } from "../../src/aws/transport";
import { FakeAws, pending, settled } from "./fake-aws";

let aws: FakeAws;

beforeEach(() => {
  aws = new FakeAws();
});

const deadline = (options?: DeadlineOptions) => new Deadline(aws.clock, 1000, options);

describe("what is told of time that is over", () => {
  test.each([
    ["lambda", undefined, "The function did not answer within the 1000 ms of Timeout (ms)."],
    ["sts", undefined, "AWS STS did not answer within the 1000 ms of Timeout (ms)."],
    [
      "sts",
      { called: "of the check", note: "Ask the operator." },
      "AWS STS did not answer within the 1000 ms of the check. Ask the operator.",
    ],
  ] as const)("by %s names who did not answer, and whose time it was: %j", (service, options, message) => {
    expect(deadline(options).error(service)).toMatchObject({
      details: { service, kind: "timeout", code: "Timeout", message },
    });
  });

  test("because the delivery was called off says so, and asks for no longer time", () => {
    const signal = AbortSignal.abort();
    expect(deadline({ signal, note: "Ask the operator." }).error("lambda")).toMatchObject({
      details: {
        kind: "timeout",
        code: "Aborted",
        message: "The function had not answered when the delivery was called off.",
      },
    });
  });
});

test("time is left until it is over, and none once the delivery is called off", () => {
  const calledOff = new AbortController();
  const time = deadline({ signal: calledOff.signal });
  aws.pass(400);
  expect([time.left, time.elapsed]).toEqual([600, 400]);
  calledOff.abort();
  expect([time.left, time.elapsed]).toEqual([0, 400]);
  const other = deadline();
  aws.pass(1500);
  expect([other.left, other.elapsed]).toEqual([0, 1500]);
});

test("waiting ends with the time, with the signal, or with what is waited for; nothing is left behind", async () => {
  const never = new Promise<never>(() => {});
  const over = deadline().within(never, "lambda");
  aws.pass(999);
  await settled();
  expect(aws.timers).toBe(1);
  aws.pass(1);
  await expect(over).rejects.toMatchObject({ details: { code: "Timeout" } });

  const calledOff = new AbortController();
  const off = deadline({ signal: calledOff.signal }).within(never, "lambda");
  calledOff.abort();
  await expect(off).rejects.toMatchObject({ details: { code: "Aborted" } });

  const kept = new AbortController();
  const [answered, broken] = [pending<string>(), pending<string>()];
  const waiting = deadline({ signal: kept.signal }).within(answered.promise, "lambda");
  const failing = deadline({ signal: kept.signal }).within(broken.promise, "lambda");
  answered.resolve("here");
  broken.reject(new Error("broken"));
  expect(await waiting).toBe("here");
  await expect(failing).rejects.toThrow("broken");
  expect(getEventListeners(kept.signal, "abort")).toEqual([]);
  expect(aws.timers).toBe(0);
});

test("a pause is as long as said, is cut off by the end of the time, and leaves no timer", async () => {
  const done: string[] = [];
  void deadline()
    .pause(600)
    .then(() => done.push("pause"));
  void deadline()
    .pause(5000)
    .then(() => done.push("time"));
  aws.pass(599);
  await settled();
  expect(done).toEqual([]);
  aws.pass(1);
  await settled();
  expect(done).toEqual(["pause"]);
  aws.pass(400);
  await settled();
  expect(done).toEqual(["pause", "time"]);
  expect(aws.timers).toBe(0);
});

test("where the surroundings have no timer, nothing is paused for", async () => {
  const { timer: _, ...timeless } = aws.clock;
  const kept = new AbortController();
  await new Deadline(timeless, 1000, { signal: kept.signal }).pause(600);
  expect(getEventListeners(kept.signal, "abort")).toEqual([]);
});

test("the time beside is as long as what is left", () => {
  const time = deadline();
  aws.pass(300);
  expect(time.beside().left).toBe(700);
});

test("patience lasts from the first moment on, and no longer than the time or its signal", () => {
  expect(deadline().patience).toBeUndefined();
  const patient = deadline({ patienceMs: 500 });
  expect(patient.patience?.left).toBe(500);
  aws.pass(300);
  expect(patient.patience?.left).toBe(200);
  aws.pass(200);
  expect(patient.patience).toBeUndefined();

  const short = deadline({ patienceMs: 5000 });
  aws.pass(400);
  expect(short.patience?.left).toBe(600);

  const signal = AbortSignal.abort();
  expect(deadline({ patienceMs: 500, signal }).patience).toBeUndefined();

  const { timer: _, ...timeless } = aws.clock;
  expect(new Deadline(timeless, 1000, { patienceMs: 500 }).patience).toBeUndefined();
});

describe("a call that failed", () => {
  const failure = (kind: "unsent" | "broken" | "timeout", message = "No.") =>
    transportFailure("sts", new TransportError(kind, "CODE", message), deadline());

  test.each([
    ["unsent", true],
    ["broken", false],
  ] as const)("%s is the network's", (kind, unsent) => {
    expect(failure(kind)).toMatchObject({
      details: { service: "sts", kind: "network", code: "CODE", message: "No.", unsent },
    });
  });

  test("for lack of time says what took it, else that it was too little", () => {
    expect(failure("timeout", "No connection was free.")).toMatchObject({
      details: { kind: "timeout", code: "CODE", message: "No connection was free." },
    });
    expect(failure("timeout", "")).toMatchObject({
      details: {
        kind: "timeout",
        code: "Timeout",
        message: "AWS STS did not answer within the 1000 ms of Timeout (ms).",
      },
    });
  });

  test("by a mistake of our own is thrown as it is", () => {
    const mistake = new TypeError("x is not a function");
    expect(transportFailure("lambda", mistake, deadline())).toBe(mistake);
  });

  test("with an answer without a session, or with nobody to sign as, says so", () => {
    for (const error of [incompleteAnswer(), noIdentity("lambda")]) expect(error).toBeInstanceOf(AwsError);
    expect(incompleteAnswer().details).toEqual({
      service: "sts",
      kind: "service",
      code: "IncompleteAnswer",
      message: "STS answered without credentials.",
    });
    expect(noIdentity("lambda").details).toEqual({
      service: "lambda",
      kind: "identity",
      code: "NoIdentity",
      message: "There is no AWS identity to sign with: no keys in the settings, and none that the router itself has.",
    });
  });
});
