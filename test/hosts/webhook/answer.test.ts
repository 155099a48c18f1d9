import { delivered, failed } from "../../../src/delivery/result";
import { answerFor, type EventOutcome } from "../../../src/hosts/webhook/answer";
import { ROUTERS, type RouterName } from "../../../src/hosts/webhook/routers";

const facts = (messageId: string, more: object = {}) => ({ messageId, durationMs: 3, attempts: 1, ...more });
const good = delivered(200, facts("m-1"));
const retried = (retryAfterMs?: number) =>
  failed("Throttled", "Rate exceeded.", facts("m-2", { ...(retryAfterMs !== undefined && { retryAfterMs }) }));
const rejected = failed("RejectedByFunction", "Not wanted.", facts("m-3"));
const oversized = failed("PayloadTooLarge", "7000000 bytes.", facts("m-4"));

const answer = (outcomes: readonly EventOutcome[], router: RouterName, kept = false, detailed = true) =>
  answerFor(outcomes, ROUTERS[router], { kept, detailed });

test("what is delivered is answered with counts, and an entry per event only to who reads them", () => {
  const outcomes: EventOutcome[] = [good, good, { outcome: "repeated", messageId: "m-0" }];
  const counts = { success: true, delivered: 2, repeated: 1 };
  expect(answer(outcomes, "generic")).toEqual({ status: 200, body: counts });
  expect(answer(outcomes, "per-event")).toEqual({
    status: 200,
    body: {
      ...counts,
      results: [
        { messageId: "m-1", outcome: "delivered" },
        { messageId: "m-1", outcome: "delivered" },
        { messageId: "m-0", outcome: "repeated" },
      ],
    },
  });
});

test("an entry says what the function returned and which execution it was, where there is that", () => {
  const told = {
    executionArn: "arn:aws:lambda:us-east-1:123456789012:function:f:1/durable-execution/e/i",
    returnValue: "7",
  };
  const { body } = answer([delivered(200, facts("m-1", told)), good], "per-event");
  expect(body).toMatchObject({
    results: [
      { messageId: "m-1", outcome: "delivered", ...told },
      { messageId: "m-1", outcome: "delivered" },
    ],
  });
  expect(Object.keys((body as { results: object[] }).results[1] ?? {})).toEqual(["messageId", "outcome"]);
});

test("one event to send again decides the status, and says why before a rejected one does", () => {
  const { status, body, retryAfterSeconds } = answer([good, rejected, retried(7000)], "generic", true);
  expect([status, retryAfterSeconds]).toEqual([503, 7]);
  expect(body).toEqual({
    success: false,
    code: "Throttled",
    message: "1 of 3 must be sent again, 1 of 3 cannot be delivered: Throttled. Rate exceeded.",
    delivered: 1,
    rejected: 1,
    retry: 1,
    results: [
      { messageId: "m-1", outcome: "delivered" },
      {
        messageId: "m-3",
        outcome: "rejected",
        status: 400,
        code: "RejectedByFunction",
        label: rejected.error?.label,
        message: "Not wanted.",
        hint: rejected.error?.hint,
      },
      {
        messageId: "m-2",
        outcome: "retry",
        status: 429,
        code: "Throttled",
        label: "Throttled",
        message: "Rate exceeded.",
        hint: retried().error?.hint,
        retryAfterMs: 7000,
      },
    ],
  });
  expect(answer([retried()], "generic").body).toMatchObject({
    message: "1 of 1 must be sent again: Throttled. Rate exceeded.",
  });
  const onlyRejected = answer([rejected], "generic");
  expect(onlyRejected.body).toMatchObject({ message: expect.stringMatching(/^1 of 1 cannot be delivered: /) });
  expect(onlyRejected).not.toHaveProperty("retryAfterSeconds");
  expect(JSON.stringify(onlyRejected.body)).not.toContain("retryAfterMs");
});

test.each([
  ["the longest of all", [2000, 9000, 4000], 9],
  ["5 seconds where AWS says nothing", [undefined], 5],
  ["that, beside a shorter one", [2000, undefined], 5],
  ["a full second at least", [0], 1],
  ["rounded up", [1001], 2],
  ["5 minutes at most", [900_000], 300],
])("how long to wait is %s", (_what, waits, seconds) => {
  expect(answer(waits.map(retried), "generic").retryAfterSeconds).toBe(seconds);
});

test.each<[string, EventOutcome[], RouterName, boolean, number]>([
  ["is given up by who gives up a 4xx", [rejected], "generic", true, 400],
  ["is 200 to who would repeat it, once it is kept", [rejected], "jitsu", true, 200],
  ["is not 200 where nobody has kept it", [rejected], "jitsu", false, 400],
  ["is 200 to who reads each event's result", [rejected], "per-event", false, 200],
  ["that is too large says so", [oversized, oversized], "generic", true, 413],
  ["that is too large says so where nobody has kept it", [oversized], "jitsu", false, 413],
  ["that is too large is 200 all the same once it is kept", [oversized], "jitsu", true, 200],
  ["among others that are not too large is 400", [oversized, rejected], "generic", true, 400],
])("a rejected event %s", (_what, outcomes, router, kept, status) => {
  expect(answer(outcomes, router, kept).status).toBe(status);
});

test("who may not read why gets outcomes and no reason", () => {
  const { body } = answer([good, retried(7000)], "generic", false, false);
  expect(body).toMatchObject({
    message: "1 of 2 must be sent again",
    results: [
      { messageId: "m-1", outcome: "delivered" },
      { messageId: "m-2", outcome: "retry" },
    ],
  });
  expect(JSON.stringify(body)).not.toMatch(/Rate exceeded|hint|retryAfterMs/);
});
