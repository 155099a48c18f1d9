// @ts-nocheck
import { AssumedRoles } from "../src/aws/assumed-role";
import type { InvokeAnswer, InvokeRequest } from "../src/aws/aws";
import type { DeliveryResult } from "../src/delivery/delivery-result";
import { createDestinationIn, type Destination, type PreparedDelivery } from "../src/destination";
import { CALL_TYPES } from "../src/events/segment-event";
import { DEFAULT_OPERATOR_POLICY, type OperatorPolicy } from "../src/settings/operator-policy";
import { SettingsError } from "../src/settings/settings-error";
import { assessedEvent, assessedResult } from "./assess";
import { ANSWER, FakeAws, failure } from "./aws/fake-aws";

const settings = {
  lambda: "arn:aws:lambda:us-east-1:123456789012:function:events",
  roleAddress: "arn:aws:iam::123456789012:role/router",
};
const track = { type: "track", event: "Order Completed", userId: "u-1", messageId: "m-1" };
const source = { sourceId: "source-1", workspaceId: "workspace-1" };

let aws: FakeAws;

beforeEach(() => {
  aws = new FakeAws();
});

function destination(more: object = {}, operator: OperatorPolicy = DEFAULT_OPERATOR_POLICY): Destination {
  const all = { ...settings, ...more };
  return createDestinationIn({ aws, roles: new AssumedRoles(aws), operator: () => operator }, all);
}

/** With the external ID from there. */
function destinationOf(externalIdFrom: OperatorPolicy["externalIdFrom"]): Destination {
  return destination({}, { ...DEFAULT_OPERATOR_POLICY, externalIdFrom });
}

const sent = () => aws.invoked.map(({ request }) => JSON.parse(request.payload));
const names = () => aws.invoked.map(({ request }) => request.function.name);

describe("deliver", () => {
  test("sends the Segment event to the function and tells what came of it", async () => {
    aws.onInvoke = async () => {
      aws.pass(120);
      return { ...ANSWER, executedVersion: "7" };
    };
    const result = assessedResult(await destination().deliver(track, source));
    expect(result).toEqual({
      outcome: "delivered",
      status: 200,
      messageId: "m-1",
      callType: "track",
      function: settings.lambda,
      executedVersion: "7",
      requestId: "r-1",
      durationMs: 120,
      attempts: 1,
    });
    expect(assessedEvent(sent()[0])).toEqual({ ...track, projectId: "source-1", version: 2 });
  });

  test("picks the function: the event's own, the call type's own, the one for all", async () => {
    const picking = destination({ trackLambda: "tracks", eventLambdas: { "Order Completed": "orders" } });
    await picking.deliver(track, source);
    await picking.deliver({ ...track, event: "Order Viewed" }, source);
    await picking.deliver({ type: "page", messageId: "m-2" }, source);
    // Only a track call has an event name.
    await picking.deliver({ type: "screen", messageId: "m-3", event: "Order Completed" }, source);
    expect(names()).toEqual(["orders", "tracks", "events", "events"]);
  });

  test.each(CALL_TYPES)("skips %s where no function is set for it", async (type) => {
    const other = type === "alias" ? "groupLambda" : "aliasLambda";
    const result = await destination({ lambda: "", region: "us-east-1", [other]: "only" }).deliver(
      { type, messageId: "m-1" },
      source,
    );
    expect(assessedResult(result)).toEqual({
      outcome: "skipped",
      status: 298,
      messageId: "m-1",
      callType: type,
      durationMs: 0,
      attempts: 0,
    });
    expect(aws.invoked).toEqual([]);
  });

  test("is a retry with everything that is wrong where settings are no good", async () => {
    const result = assessedResult(await destination({ region: "the moon", timeoutMs: "soon" }).deliver(track, source));
    expect(result).toMatchObject({ outcome: "retry", status: 500, messageId: "m-1", attempts: 0 });
    expect(result.error).toMatchObject({ code: "InvalidSettings", label: "Invalid Settings" });
    expect(result.error?.message).toMatch(/region must be .*timeoutMs must be /);
  });

  test("carries the same made message ID whether settings are good or not", async () => {
    const { messageId: _, ...nameless } = track;
    const [good, bad] = [
      await destination().deliver(nameless, source),
      await destination({ region: "?" }).deliver(nameless),
    ];
    expect(assessedResult(bad)).toMatchObject({ outcome: "retry", messageId: good.messageId });
    for (const none of [null, "text", [track]]) {
      expect(assessedResult(await destination({ region: "?" }).deliver(none)).messageId).toBe("");
    }
  });

  test("is a retry where the operator's own settings are no good", async () => {
    const operator = () => {
      throw new SettingsError([{ setting: "AMAZON_LAMBDA_EXTERNAL_ID", problem: "must be settings" }]);
    };
    const broken = createDestinationIn({ aws, roles: new AssumedRoles(aws), operator }, settings);
    const result = assessedResult(await broken.deliver(track, source));
    expect(result.error?.message).toContain("AMAZON_LAMBDA_EXTERNAL_ID");
  });

  test("is a retry where the event comes without an external ID for the role", async () => {
    const result = assessedResult(await destination().deliver(track));
    expect(result).toMatchObject({ outcome: "retry", messageId: "m-1", error: { code: "InvalidSettings" } });
    expect(result.error?.message).toContain("externalId is needed");
  });

  test.each<[OperatorPolicy["externalIdFrom"], string]>([
    ["settings", "typed-by-the-user"],
    ["source", "source-1"],
    ["workspace", "workspace-1"],
  ])("with the external ID from the %s assumes the role as %s", async (externalIdFrom, expected) => {
    const pinned = destination({ externalId: "typed-by-the-user" }, { ...DEFAULT_OPERATOR_POLICY, externalIdFrom });
    await pinned.deliver(track, source);
    expect(aws.assumed.map(({ request }) => request.externalId)).toEqual([expected]);
  });

  test("needs no external ID where there is no role", async () => {
    const withKeys = { roleAddress: "", accessKeyId: "AKIDEXAMPLE00000000", secretAccessKey: "not/a/real+secret" };
    expect(assessedResult(await destination(withKeys).deliver(track))).toMatchObject({ outcome: "delivered" });
  });

  test("carries a made message ID in the result too", async () => {
    const { messageId: _, ...nameless } = track;
    const result = assessedResult(await destination().deliver(nameless, source));
    expect(result.messageId).toBe(sent()[0].messageId);
    expect(result.messageId).toMatch(/^[\da-f-]{36}$/);
  });

  test("survives a clock that is set back", async () => {
    aws.onInvoke = async () => {
      aws.time -= 1000;
      return ANSWER;
    };
    expect(assessedResult(await destination().deliver(track, source)).durationMs).toBe(0);
  });
});

describe("Lambda's payload limit", () => {
  /** An event whose JSON is that many bytes. */
  function eventOf(bytes: number, filling = "x") {
    const event = { ...track, properties: { filling: "" }, projectId: "source-1" };
    const { type, event: name, userId, messageId, properties } = event;
    const empty = JSON.stringify({
      type,
      event: name,
      userId,
      properties,
      messageId,
      projectId: "source-1",
      version: 2,
    });
    const room = bytes - Buffer.byteLength(empty);
    const count = Math.floor(room / Buffer.byteLength(filling));
    const rest = "x".repeat(room - count * Buffer.byteLength(filling));
    return { ...track, properties: { filling: filling.repeat(count) + rest } };
  }

  describe.each([
    ["RequestResponse", 6_291_456],
    ["Event", 1_048_576],
  ])("of %s is %i bytes", (invocationType, limit) => {
    test.each(["x", "ü", "🚆"])("an event of that many bytes, made of %s, is sent", async (filling) => {
      const result = await destination({ invocationType }).deliver(eventOf(limit, filling), source);
      expect(assessedResult(result).outcome).toBe("delivered");
      expect(Buffer.byteLength(aws.invoked[0]?.request.payload ?? "")).toBe(limit);
    });

    test.each(["x", "ü", "🚆"])("an event of one byte more, made of %s, is not", async (filling) => {
      const result = await destination({ invocationType }).deliver(eventOf(limit + 1, filling), source);
      expect(assessedResult(result)).toMatchObject({
        outcome: "rejected",
        status: 413,
        messageId: "m-1",
        callType: "track",
        function: settings.lambda,
        attempts: 0,
        error: { code: "PayloadTooLarge", message: expect.stringContaining(`${limit + 1} bytes`) },
      });
      expect(aws.invoked).toEqual([]);
    });

    test("a batch's brackets count as well", async () => {
      const batching = destination({ invocationType, maxBatchSize: 10 });
      const [fits, tooLarge] = await batching.deliverBatch([eventOf(limit - 2), eventOf(limit - 1)], source);
      expect([fits?.outcome, tooLarge?.outcome]).toEqual(["delivered", "rejected"]);
      expect(Buffer.byteLength(aws.invoked[0]?.request.payload ?? "")).toBe(limit);
    });

    test("a batch that would be larger becomes two", async () => {
      const half = eventOf(limit / 2);
      await destination({ invocationType, maxBatchSize: 10 }).deliverBatch([half, half], source);
      expect(sent().map((batch) => batch.length)).toEqual([1, 1]);
      const less = eventOf(limit / 2 - 2);
      await destination({ invocationType, maxBatchSize: 10 }).deliverBatch([less, less], source);
      expect(sent().map((batch) => batch.length)).toEqual([1, 1, 2]);
    });
  });

  test("one that is too large among others harms none of them", async () => {
    const events = [track, eventOf(7_000_000), { ...track, messageId: "m-2" }];
    const results = await destination({ maxBatchSize: 10 }).deliverBatch(events, source);
    expect(results.map((result) => assessedResult(result).outcome)).toEqual(["delivered", "rejected", "delivered"]);
    expect(sent().map((batch) => batch.length)).toEqual([2]);
  });
});

describe("deliverBatch", () => {
  const events = Array.from({ length: 5 }, (_, i) => ({ ...track, messageId: `m-${i}` }));
  const ids = () => sent().map((batch: { messageId: string }[]) => batch.map(({ messageId }) => messageId));

  test("sends events one by one where there are no batches, in order", async () => {
    const results = await destination().deliverBatch(events, source);
    expect(results.map((result) => assessedResult(result).messageId)).toEqual(events.map(({ messageId }) => messageId));
    expect(sent().map(({ messageId }) => messageId)).toEqual(events.map(({ messageId }) => messageId));
  });

  test("sends arrays of at most so many Segment events", async () => {
    const results = await destination({ maxBatchSize: 2 }).deliverBatch(events, source);
    expect(ids()).toEqual([["m-0", "m-1"], ["m-2", "m-3"], ["m-4"]]);
    for (const event of sent().flat()) assessedEvent(event);
    expect(results.map((result) => [assessedResult(result).messageId, result.outcome])).toEqual(
      events.map(({ messageId }) => [messageId, "delivered"]),
    );
  });

  test("answers in order whatever becomes of each", async () => {
    const mixed = [track, null, { type: "page", messageId: "m-2" }, { type: "video", messageId: "m-3" }, track];
    const results = await destination({
      lambda: "",
      region: "us-east-1",
      trackLambda: "tracks",
      maxBatchSize: 10,
    }).deliverBatch(mixed, source);
    expect(results.map((result) => [assessedResult(result).outcome, result.messageId])).toEqual([
      ["delivered", "m-1"],
      ["rejected", ""],
      ["skipped", "m-2"],
      ["rejected", "m-3"],
      ["delivered", "m-1"],
    ]);
  });

  test("of nothing is nothing", async () => {
    expect(await destination({ maxBatchSize: 10 }).deliverBatch([], source)).toEqual([]);
    expect(aws.invoked).toEqual([]);
  });

  test("with settings that are no good is a retry for each", async () => {
    const results = await destination({ region: "the moon" }).deliverBatch(events, source);
    expect(results.map((result) => [assessedResult(result).outcome, result.messageId])).toEqual(
      events.map(({ messageId }) => ["retry", messageId]),
    );
  });

  test("serves functions side by side, and one function's batches one after the other", async () => {
    let running = 0;
    const atOnce: Record<string, number> = {};
    const most = { all: 0 };
    aws.onInvoke = async ({ function: { name } }: InvokeRequest) => {
      atOnce[name] = (atOnce[name] ?? 0) + 1;
      expect(atOnce[name]).toBe(1);
      running++;
      most.all = Math.max(most.all, running);
      await new Promise((resolve) => setImmediate(resolve));
      running--;
      atOnce[name]--;
      return ANSWER;
    };
    const pages = events.map((event) => ({ ...event, type: "page" }));
    await destination({ pageLambda: "pages" }).deliverBatch([...events, ...pages], source);
    expect(most.all).toBe(2);
  });

  test("retries what a function reports as failed, and nothing else", async () => {
    aws.onInvoke = async () => ({ ...ANSWER, payload: '{"batchItemFailures":[{"itemIdentifier":"m-1"}]}' });
    const results = await destination({ maxBatchSize: 10 }).deliverBatch(events, source);
    expect(results.map((result) => assessedResult(result).outcome)).toEqual([
      "delivered",
      "retry",
      "delivered",
      "delivered",
      "delivered",
    ]);
    expect(results[1]?.error).toMatchObject({ code: "ExecutionError", label: "Execution Error" });
  });

  test("retries each event with a message ID that was reported", async () => {
    aws.onInvoke = async () => ({ ...ANSWER, payload: '{"batchItemFailures":[{"itemIdentifier":"m-0"}]}' });
    const twins = [{ ...track, messageId: "m-0" }, { ...track, messageId: "m-0", event: "Other" }, events[1]];
    const results = await destination({ maxBatchSize: 10 }).deliverBatch(twins, source);
    expect(results.map(({ outcome }) => outcome)).toEqual(["retry", "retry", "delivered"]);
  });

  test("makes a failed invocation the failure of each of its events", async () => {
    aws.onInvoke = async () =>
      Promise.reject(failure({ service: "lambda", code: "AccessDeniedException", status: 403 }));
    const results = await destination({ maxBatchSize: 3 }).deliverBatch(events, source);
    expect(results.map((result) => assessedResult(result).error?.code)).toEqual(events.map(() => "AccessDenied"));
    expect(aws.invoked).toHaveLength(2);
  });

  test("splits a batch that AWS finds too large, until it fits", async () => {
    const tooLarge = failure({ service: "lambda", code: "RequestTooLargeException", status: 413 });
    aws.onInvoke = async ({ payload }) => {
      aws.pass(10);
      const batch = JSON.parse(payload) as { messageId: string }[];
      if (batch.length > 1 || batch[0]?.messageId === "m-3") throw tooLarge;
      return ANSWER;
    };
    const results = await destination({ maxBatchSize: 10 }).deliverBatch(events, source);
    expect(results.map((result) => [assessedResult(result).messageId, result.outcome])).toEqual([
      ["m-0", "delivered"],
      ["m-1", "delivered"],
      ["m-2", "delivered"],
      ["m-3", "rejected"],
      ["m-4", "delivered"],
    ]);
    expect(results.map(({ attempts }) => attempts)).toEqual([4, 4, 3, 3, 3]);
    expect(results.map(({ durationMs }) => durationMs)).toEqual([40, 40, 30, 30, 30]);
  });

  test("splits it within one deadline: what is left when that has passed is a retry, and is not sent", async () => {
    aws.onInvoke = async ({ payload }) => {
      aws.pass(400);
      if (JSON.parse(payload).length > 2) throw failure({ service: "lambda", code: "RequestTooLarge", status: 413 });
      return ANSWER;
    };
    const results = await destination({ maxBatchSize: 10, timeoutMs: 1000 }).deliverBatch(events, source);
    expect(results.map((result) => assessedResult(result).error?.code)).toEqual([
      undefined,
      undefined,
      "OperationTimedOut",
      "OperationTimedOut",
      "OperationTimedOut",
    ]);
    expect(results.map(({ outcome }) => outcome)).toEqual(["delivered", "delivered", "retry", "retry", "retry"]);
    expect(aws.invoked.map(({ timeoutMs }) => timeoutMs)).toEqual([1000, 600, 200]);
  });
});

describe("the two halves of a delivery", () => {
  test("need nothing but plain data between them", async () => {
    const halves = destination({ maxBatchSize: 10 });
    const prepared = [track, { ...track, messageId: "m-2" }].map((event) => halves.prepare(event, source));
    const queued = JSON.parse(JSON.stringify(prepared));
    const [batch = [], ...others] = halves.batches(queued as never[]);
    expect(others).toEqual([]);
    const results = await halves.send(batch);
    expect(results.map((result) => assessedResult(result).messageId)).toEqual(["m-1", "m-2"]);
  });

  test("lose nothing where the settings have no batches any more", async () => {
    const batching = destination({ maxBatchSize: 10 });
    const prepared = [track, { ...track, messageId: "m-2" }].map((event) => batching.prepare(event, source));
    const results = await destination().send(prepared as never[]);
    expect(results.map((result) => [assessedResult(result).messageId, result.outcome])).toEqual([
      ["m-1", "delivered"],
      ["m-2", "delivered"],
    ]);
    expect(sent().map(({ messageId }) => messageId)).toEqual(["m-1", "m-2"]);
  });

  test("fit a function that is not in the settings any more", async () => {
    const prepared = destination({ lambda: "former", region: "us-east-1" }).prepare(track, source);
    await destination().send([prepared] as never[]);
    expect(names()).toEqual(["former"]);
  });

  test("with settings that are no good in between are a retry", async () => {
    const prepared = destination().prepare(track, source);
    const broken = destination({ region: "the moon" });
    expect(broken.batches([prepared] as never[])).toHaveLength(1);
    const [result] = await broken.send([prepared] as never[]);
    expect(assessedResult(result as never)).toMatchObject({ outcome: "retry", messageId: "m-1", callType: "track" });
  });

  describe("for an origin that the host vouches for", () => {
    let forged: PreparedDelivery;

    beforeEach(() => {
      forged = { ...(destination().prepare(track, source) as PreparedDelivery), externalId: "another's" };
    });

    test.each([
      ["source", "source-1"],
      ["workspace", "workspace-1"],
      ["settings", "another's"],
    ] as const)("have the external ID that the operator leaves to the %s", (externalIdFrom, externalId) => {
      expect(destinationOf(externalIdFrom).readdress(forged, source)).toEqual({ ...forged, externalId });
    });

    test.each(["source", "workspace"] as const)("without the %s's ID are a retry", (externalIdFrom) => {
      const result = destinationOf(externalIdFrom).readdress(forged, {}) as DeliveryResult;
      expect(assessedResult(result)).toMatchObject({
        outcome: "retry",
        messageId: "m-1",
        callType: "track",
        function: settings.lambda,
        error: { code: "InvalidSettings", message: expect.stringContaining(`pinned to the ${externalIdFrom}'s ID`) },
      });
    });

    test("get the external ID that they lack, for a role that came into the settings later", () => {
      const { externalId: _, ...without } = forged;

      expect(destinationOf("settings").readdress(without, { sourceId: "s-1" })).toMatchObject({
        externalId: expect.stringMatching(/./),
      });
    });

    test("are a retry with settings that are no good", () => {
      const result = destination({ region: "the moon" }).readdress(forged, source) as DeliveryResult;
      expect(assessedResult(result)).toMatchObject({ outcome: "retry", error: { code: "InvalidSettings" } });
    });
  });

  test("send nothing for nothing", async () => {
    expect(await destination().send([])).toEqual([]);
  });
});

test("a mistake in the code is a retry: a host would lose the event for an exception", async () => {
  aws.onInvoke = async () => Promise.reject(new TypeError("a bug"));
  expect(assessedResult(await destination().deliver(track, source))).toMatchObject({
    outcome: "retry",
    status: 500,
    attempts: 1,
    error: { code: "Unknown", awsError: "TypeError", message: "AWS Lambda: a bug" },
  });
});

test("what a function says of itself is in the result", async () => {
  const answer: InvokeAnswer = {
    status: 200,
    functionError: "Unhandled",
    logResult: Buffer.from("REPORT RequestId: r-1").toString("base64"),
    payload: '{"errorType":"TypeError","errorMessage":"x is not a function","trace":["TypeError: x"]}',
    requestId: "r-1",
  };
  aws.onInvoke = async () => answer;
  expect(assessedResult(await destination().deliver(track, source))).toMatchObject({
    outcome: "retry",
    requestId: "r-1",
    logTail: "REPORT RequestId: r-1",
    error: {
      code: "ExecutionError",
      message: "The function failed with TypeError: x is not a function",
      functionError: { kind: "Unhandled", errorType: "TypeError", trace: ["TypeError: x"] },
    },
  });
});
