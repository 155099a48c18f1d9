import { getEventListeners } from "node:events";
import fc from "fast-check";
import type { InvokeAnswer } from "../../src/aws/aws";
import type { DeliveryResult } from "../../src/delivery/delivery-result";
import { unsent } from "../../src/delivery/result";
import type { HostedDestination } from "../../src/destination/contract";
import { createDestinationIn } from "../../src/destination/create-destination";
import { CALL_TYPES } from "../../src/events/segment-event";
import type { Plan, PlannedDelivery, Unplanned } from "../../src/planning/planned-delivery";
import type { QueuedDelivery } from "../../src/planning/planner";
import { DEFAULT_OPERATOR_POLICY, type OperatorPolicy } from "../../src/settings/operator-policy";
import { SettingsError } from "../../src/settings/settings-error";
import { assessedEvent, assessedResult } from "../assess";
import { ANSWER, FakeAws, failure, settled } from "../aws/fake-aws";
import { routerOn } from "../router";

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

function destination(more: object = {}, operator: OperatorPolicy = DEFAULT_OPERATOR_POLICY): HostedDestination {
  const all = { ...settings, ...more };
  return createDestinationIn(
    routerOn(aws, () => operator),
    all,
  );
}

/** With the external ID from there. */
function destinationOf(externalIdFrom: OperatorPolicy["externalIdFrom"]): HostedDestination {
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
    const broken = createDestinationIn(routerOn(aws, operator), settings);
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

  test("is none of a tenant's business whom STS denies the role that another tenant has with another external ID", async () => {
    const shared = routerOn(aws);
    const of = (externalId: string) => createDestinationIn(shared, { ...settings, externalId });
    aws.onAssumeRole = async ({ externalId }) => {
      if (externalId !== "mine") throw failure({});
      return aws.session();
    };
    const denied = await of("guessed").deliver(track, source);
    expect(denied).toMatchObject({ outcome: "retry", error: { code: "AccessDenied" } });
    expect(await of("mine").deliver(track, source)).toMatchObject({ outcome: "delivered" });
    expect(await of("guessed").deliver(track, source)).toMatchObject({ outcome: "retry" });
    expect(await of("mine").deliver(track, source)).toMatchObject({ outcome: "delivered" });
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

  test.each([-3_600_000, 3_600_000])("does not mind a wall clock that is set by %s ms meanwhile", async (ms) => {
    aws.onInvoke = async () => {
      aws.pass(120);
      aws.wallOffMs += ms;
      return ANSWER;
    };
    expect(assessedResult(await destination().deliver(track, source)).durationMs).toBe(120);
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
  const ids = () =>
    sent().map((batch: { messageId: string }[]) => batch.map(({ messageId }: { messageId: string }) => messageId));

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

  test("serves functions side by side, and a user's events one after the other", async () => {
    const running: string[] = [];
    let most = 0;
    aws.onInvoke = async ({ payload }) => {
      const { userId } = JSON.parse(payload);
      expect(running).not.toContain(userId);
      running.push(userId);
      most = Math.max(most, running.length);
      await new Promise((resolve) => setImmediate(resolve));
      running.splice(running.indexOf(userId), 1);
      return ANSWER;
    };
    const others = events.map((event) => ({ ...event, type: "page", userId: "u-2" }));
    await destination({ pageLambda: "pages" }).deliverBatch([...events, ...others], source);
    expect(most).toBe(2);
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

  test("says of such an event that its function reported it, not that it threw", async () => {
    aws.onInvoke = async () => ({ ...ANSWER, payload: '{"batchItemFailures":[{"itemIdentifier":"m-1"}]}' });
    const [, reported] = await destination({ maxBatchSize: 10 }).deliverBatch(events, source);
    expect(reported?.error).toMatchObject({
      message: expect.stringContaining("reported this event as failed (batchItemFailures)"),
      hint: expect.stringContaining("which events to retry"),
    });
    expect(JSON.stringify(reported?.error)).not.toMatch(/threw/);
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
    // The second batch is not sent to a function that has just been refused.
    expect(aws.invoked).toHaveLength(1);
    expect(results.map(({ attempts }) => attempts)).toEqual([1, 1, 1, 0, 0]);
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
    expect(results.map(({ durationMs }) => durationMs)).toEqual([40, 50, 60, 80, 90]);
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
  const events = [track, { ...track, messageId: "m-2" }];
  const planned = (more: object = {}) =>
    events.map((event) => destination(more).plan(event, source) as PlannedDelivery);
  /** Through a host's queue. */
  const anew = (halves: HostedDestination, plans: readonly Plan[], origin: object = source) =>
    (JSON.parse(JSON.stringify(plans)) as QueuedDelivery[]).map((queued) => halves.planAnew(queued, origin));

  test("need nothing but plain data between them", async () => {
    const halves = destination({ maxBatchSize: 10 });
    const results = await halves.send(anew(halves, planned()) as PlannedDelivery[]);
    expect(results.map((result) => assessedResult(result).messageId)).toEqual(["m-1", "m-2"]);
    expect(aws.invoked).toHaveLength(1);
  });

  test("lose nothing where the settings have no batches any more", async () => {
    const halves = destination();
    const results = await halves.send(anew(halves, planned({ maxBatchSize: 10 })) as PlannedDelivery[]);
    expect(results.map((result) => [assessedResult(result).messageId, result.outcome])).toEqual([
      ["m-1", "delivered"],
      ["m-2", "delivered"],
    ]);
    expect(sent().map(({ messageId }) => messageId)).toEqual(["m-1", "m-2"]);
  });

  test("invoke what the settings name now, and never a function that they do not name", async () => {
    const halves = destination({ trackLambda: "tracks", eventLambdas: { "Order Completed": "orders" } });
    const [plan] = anew(halves, [{ ...planned()[0], function: "another-tenants" } as PlannedDelivery]);
    await halves.send([plan as PlannedDelivery]);
    expect(names()).toEqual(["orders"]);
  });

  test("skip what the settings have no function for any more", () => {
    const [plan] = anew(destination({ lambda: "", region: "us-east-1", pageLambda: "pages" }), planned());
    expect(assessedResult(unsent(plan as Unplanned))).toMatchObject({ outcome: "skipped", messageId: "m-1" });
  });

  test("with settings that are no good in between are a retry", async () => {
    const broken = destination({ region: "the moon" });
    const [plan] = anew(broken, planned());
    expect(assessedResult(unsent(plan as Unplanned))).toMatchObject({
      outcome: "retry",
      messageId: "m-1",
      callType: "track",
    });
    const [result] = await broken.send(planned());
    expect(assessedResult(result as never)).toMatchObject({ outcome: "retry", messageId: "m-1", callType: "track" });
  });

  describe("for an origin that the host vouches for", () => {
    const forged = () => [{ ...(planned()[0] as PlannedDelivery), externalId: "another's" }];

    test.each([
      ["source", "source-1"],
      ["workspace", "workspace-1"],
      ["settings", "another's"],
    ] as const)("have the external ID that the operator leaves to the %s", (externalIdFrom, externalId) => {
      expect(anew(destinationOf(externalIdFrom), forged())).toEqual([{ ...forged()[0], externalId }]);
    });

    test.each(["source", "workspace"] as const)("without the %s's ID are a retry", (externalIdFrom) => {
      const [plan] = anew(destinationOf(externalIdFrom), forged(), {});
      expect(assessedResult(unsent(plan as Unplanned))).toMatchObject({
        outcome: "retry",
        messageId: "m-1",
        callType: "track",
        function: settings.lambda,
        error: { code: "InvalidSettings", message: expect.stringContaining(`pinned to the ${externalIdFrom}'s ID`) },
      });
    });

    test("get the external ID that they lack, for a role that came into the settings later", () => {
      const [{ externalId: _, ...without }] = forged() as [PlannedDelivery];
      expect(anew(destinationOf("settings"), [without], { sourceId: "s-1" })).toEqual([
        { ...without, externalId: "s-1" },
      ]);
    });
  });

  test("send nothing for nothing", async () => {
    expect(await destination().send([])).toEqual([]);
  });
});

describe("an event at fault in a batch", () => {
  const at = (...poison: number[]) => {
    aws.onInvoke = async ({ payload }) => {
      const batch = JSON.parse(payload) as { properties: { n: number } }[];
      aws.pass(10 * batch.length);
      const bad = batch.find(({ properties: { n } }) => poison.includes(n));
      if (!bad) return ANSWER;
      return {
        ...ANSWER,
        functionError: "Unhandled",
        payload: `{"errorType":"DropEvent","errorMessage":"no ${bad.properties.n}"}`,
      };
    };
  };
  const eventsOf = (count: number, users: number) =>
    Array.from({ length: count }, (_, n) => ({
      ...track,
      messageId: `m-${n}`,
      userId: `u-${n % users}`,
      properties: { n },
    }));
  const outcomesOf = (results: readonly DeliveryResult[]) => {
    const count = (outcome: string) => results.filter((result) => assessedResult(result).outcome === outcome).length;
    return { delivered: count("delivered"), rejected: count("rejected"), retry: count("retry") };
  };

  test.each([
    [1, 1],
    [1, 10],
    [1, 100],
  ])(
    "%s in a hundred of %s users ends with the function's own error, and its neighbours are delivered, in one call",
    async (_one, users) => {
      at(20);
      const batching = destination({ maxBatchSize: 100 });
      const results = await batching.deliverBatch(eventsOf(100, users), source);
      expect(outcomesOf(results)).toEqual({ delivered: 99, rejected: 1, retry: 0 });
      expect(results[20]).toMatchObject({ outcome: "rejected", error: { code: "RejectedByFunction" } });
      expect(aws.invoked.length - 1).toBeLessThanOrEqual(2 * Math.ceil(Math.log2(100)));
    },
  );

  test("takes no more than 2⌈log₂ n⌉ invocations more, wherever it stands and however many there are", async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.integer({ min: 2, max: 60 }),
        fc.integer({ min: 1, max: 60 }),
        fc.uniqueArray(fc.nat(59), { minLength: 1, maxLength: 4 }),
        async (count, users, poison) => {
          aws = new FakeAws();
          at(...poison);
          const results = await destination({ maxBatchSize: 100, timeoutMs: 60_000 }).deliverBatch(
            eventsOf(count, users),
            source,
          );
          const bad = poison.filter((n) => n < count);
          expect(aws.invoked.length - 1).toBeLessThanOrEqual(2 * Math.ceil(Math.log2(count)));
          for (const [n, { outcome, alone }] of results.entries()) {
            // Never for a neighbour's fault, and whoever waits for it is sent alone the next time.
            expect(outcome === "rejected" ? bad : results.map((_, i) => i)).toContain(n);
            if (outcome === "retry") expect(alone).toBe(true);
            if (bad.includes(n)) expect(outcome).not.toBe("delivered");
          }
          if (bad.length === 1) expect(outcomesOf(results)).toEqual({ delivered: count - 1, rejected: 1, retry: 0 });
        },
      ),
      { numRuns: 100 },
    );
  });

  test("is told apart from another of the same message ID: each has its own result", async () => {
    at(1);
    const twins = eventsOf(2, 2).map((event) => ({ ...event, messageId: "m-twice" }));
    const results = await destination({ maxBatchSize: 10 }).deliverBatch(twins, source);
    expect(results.map(({ messageId, outcome }) => [messageId, outcome])).toEqual([
      ["m-twice", "delivered"],
      ["m-twice", "rejected"],
    ]);
  });

  test("keeps the order of each user's events among those that are delivered", async () => {
    at(7);
    const taken: number[] = [];
    const answer = aws.onInvoke;
    aws.onInvoke = async (request) => {
      const said = await answer(request);
      if (!said.functionError) for (const { properties } of JSON.parse(request.payload)) taken.push(properties.n);
      return said;
    };
    await destination({ maxBatchSize: 20 }).deliverBatch(eventsOf(20, 3), source);
    for (const user of [0, 1, 2]) {
      const own = taken.filter((n) => n % 3 === user);
      expect(own).toEqual([...own].sort((a, b) => a - b));
    }
    expect(taken).toHaveLength(19);
  });

  test("that is not found in time leaves retries, each to be sent alone, which then are", async () => {
    at(20);
    const slow = destination({ maxBatchSize: 100, timeoutMs: 2000 });
    const results = await slow.deliverBatch(eventsOf(100, 100), source);
    expect(outcomesOf(results).rejected).toBe(0);
    const waiting = results.flatMap((result, i) => (result.outcome === "retry" ? [i] : []));
    expect(waiting).toContain(20);
    expect(results.filter((_, i) => waiting.includes(i)).every(({ alone }) => alone)).toBe(true);

    aws.invoked.splice(0);
    const again = await slow.deliverBatch(
      waiting.map((n) => eventsOf(100, 100)[n]),
      source,
      { alone: () => true },
    );
    expect(aws.invoked).toHaveLength(waiting.length);
    expect(outcomesOf(again)).toEqual({ delivered: waiting.length - 1, rejected: 1, retry: 0 });
  });

  test("is not looked for where the function is broken: both halves fail alike", async () => {
    aws.onInvoke = async () => ({
      ...ANSWER,
      functionError: "Unhandled",
      payload: '{"errorType":"TypeError","errorMessage":"x"}',
    });
    const results = await destination({ maxBatchSize: 100 }).deliverBatch(eventsOf(100, 100), source);
    expect(aws.invoked).toHaveLength(3);
    expect(outcomesOf(results)).toEqual({ delivered: 0, rejected: 0, retry: 100 });
  });

  test.each([
    ["asks for a retry", { functionError: "Unhandled", payload: '{"errorType":"RetryError","errorMessage":"later"}' }],
    ["answers what is no JSON", { payload: "<html>" }],
    ["answers a cut answer", { payload: '{"batchItemFailures":[' }],
  ])("is not looked for where the function %s", async (_what, answer) => {
    aws.onInvoke = async () => ({ ...ANSWER, ...answer });
    const results = await destination({ maxBatchSize: 100 }).deliverBatch(eventsOf(100, 100), source);
    expect(aws.invoked).toHaveLength(1);
    expect(outcomesOf(results)).toEqual({ delivered: 0, rejected: 0, retry: 100 });
    expect(results.some(({ alone }) => alone)).toBe(false);
  });

  test("is not looked for after a timeout, but each event is to be sent alone", async () => {
    aws.onInvoke = async () => Promise.reject(failure({ service: "lambda", kind: "timeout", code: "Timeout" }));
    const results = await destination({ maxBatchSize: 100 }).deliverBatch(eventsOf(10, 10), source);
    expect(aws.invoked).toHaveLength(1);
    expect(results.every(({ outcome, alone }) => outcome === "retry" && alone)).toBe(true);
  });
});

describe("who calls deliverBatch", () => {
  const events = Array.from({ length: 4 }, (_, i) => ({ ...track, messageId: `m-${i}`, userId: `u-${i}` }));

  test("hears each result as soon as it is known, once", async () => {
    const heard: [number, string][] = [];
    const onResult = ({ outcome }: DeliveryResult, position: number) => heard.push([position, outcome]);
    await destination().deliverBatch([...events, null], source, { onResult });
    expect(heard.sort()).toEqual([
      [0, "delivered"],
      [1, "delivered"],
      [2, "delivered"],
      [3, "delivered"],
      [4, "rejected"],
    ]);
  });

  test("can end it early: what is cut off is a retry, and nothing more is sent", async () => {
    const stopping = new AbortController();
    aws.onInvoke = async () => {
      stopping.abort();
      return ANSWER;
    };
    const sameUser = events.map((event) => ({ ...event, userId: "u-0" }));
    const results = await destination().deliverBatch(sameUser, source, { signal: stopping.signal });
    expect(results.map((result) => assessedResult(result).outcome)).toEqual(["delivered", "retry", "retry", "retry"]);
    expect(results[1]?.error?.message).toContain("called off");
    expect(aws.invoked).toHaveLength(1);
  });

  test("can end everything by one signal: no delivery leaves anything behind on it", async () => {
    const { signal } = new AbortController();
    await destination().deliver(track, source, { signal });
    await destination({ maxBatchSize: 3, batchWindowMs: 1 }).deliver(track, source, { signal });
    await destination().deliverBatch(events, source, { signal });
    expect(aws.invoked.length).toBeGreaterThan(2);
    expect(getEventListeners(signal, "abort")).toEqual([]);
  });

  test("can give less time than the settings, and not more", async () => {
    await destination().deliver(track, source, { timeoutMs: 1800 });
    await destination().deliver(track, source, { timeoutMs: 60_000 });
    expect(aws.invoked.map(({ timeoutMs }) => timeoutMs)).toEqual([1800, 5000]);
  });

  test("gives it to all events of a batch together: what has not been sent when it is over is a retry, and is not sent", async () => {
    aws.onInvoke = async () => {
      aws.pass(700);
      return ANSWER;
    };
    const ofOneUser = [0, 1, 2, 3].map((n) => ({ ...track, messageId: `m-${n}`, userId: "u-1" }));
    const results = await destination().deliverBatch(ofOneUser, source, { timeoutMs: 1800 });
    expect(results.map(({ outcome }) => outcome)).toEqual(["delivered", "delivered", "delivered", "retry"]);
    expect(results[3]?.error?.message).toBe(
      "AWS Lambda: The function did not answer within the 0 ms that are left of the router's.",
    );
    expect(aws.invoked.map(({ timeoutMs }) => timeoutMs)).toEqual([1800, 1100, 400]);
  });
});

describe("events that come one at a time, with a Batch Window", () => {
  const windowed = () => destination({ maxBatchSize: 3, batchWindowMs: 200 });
  const event = (n: number) => ({ ...track, messageId: `m-${n}` });

  test("share an invocation where they come at the same time; each has its own result", async () => {
    aws.onInvoke = async () => ({ ...ANSWER, payload: '{"batchItemFailures":[{"itemIdentifier":"m-1"}]}' });
    const delivering = windowed();
    const all = [0, 1, 2].map((n) => delivering.deliver(event(n), source));
    const results = await Promise.all(all);
    expect(sent().map((batch) => batch.length)).toEqual([3]);
    expect(results.map((result) => assessedResult(result).outcome)).toEqual(["delivered", "retry", "delivered"]);
  });

  test("wait for others as long as the window is open", async () => {
    const delivering = windowed();
    const first = delivering.deliver(event(0), source);
    aws.pass(150);
    const second = delivering.deliver(event(1), source);
    await settled();
    expect(aws.invoked).toEqual([]);
    aws.pass(50);
    expect((await first).durationMs).toBe(200);
    expect((await second).durationMs).toBe(50);
    expect(sent().map((batch) => batch.length)).toEqual([2]);
  });

  test("share none the next time where it could not be told whose fault it was: two that fail alike hold up nobody", async () => {
    aws.onInvoke = async ({ payload }) =>
      /"m-[02]"/.test(String(payload))
        ? { ...ANSWER, functionError: "Unhandled", payload: '{"errorType":"TypeError","errorMessage":"x"}' }
        : ANSWER;
    const delivering = destination({ maxBatchSize: 4, batchWindowMs: 200 });
    const deliver = async (...numbers: number[]) => {
      aws.invoked.splice(0);
      const results = await Promise.all(
        numbers.map((n) => delivering.deliver({ ...event(n), userId: `u-${n}` }, source)),
      );
      return results.map(({ outcome }) => outcome);
    };
    expect(await deliver(0, 1, 2, 3)).toEqual(["retry", "retry", "retry", "retry"]);
    expect(await deliver(0, 1, 2, 3)).toEqual(["retry", "delivered", "retry", "delivered"]);
    expect(sent().map((batch) => batch.length)).toEqual([1, 1, 1, 1]);
    aws.onInvoke = async () => ANSWER;
    expect(await deliver(0, 2)).toEqual(["delivered", "delivered"]);
    expect(await deliver(0, 2, 4, 5)).toEqual(["delivered", "delivered", "delivered", "delivered"]);
    expect(sent().map((batch) => batch.length)).toEqual([4]);
  });

  test("are not made to wait any more after ten that came alone", async () => {
    const delivering = windowed();
    for (let n = 0; n < 10; n++) {
      const delivery = delivering.deliver(event(n), source);
      await settled();
      aws.pass(200);
      await delivery;
    }
    expect((await delivering.deliver(event(10), source)).durationMs).toBe(0);
  });

  test("are each called off alone, and not sent where they were still waiting", async () => {
    const delivering = windowed();
    const stopping = new AbortController();
    const stopped = delivering.deliver(event(0), source, { signal: stopping.signal });
    const other = delivering.deliver(event(1), source);
    stopping.abort();
    expect(assessedResult(await stopped)).toMatchObject({ outcome: "retry", attempts: 0 });
    aws.pass(200);
    expect(assessedResult(await other)).toMatchObject({ outcome: "delivered" });
    expect(sent().map((batch) => batch.map(({ messageId }: { messageId: string }) => messageId))).toEqual([["m-1"]]);
  });

  test("leave no window open where the only one in it is called off", async () => {
    const delivering = windowed();
    const stopping = new AbortController();
    const stopped = delivering.deliver(event(0), source, { signal: stopping.signal });
    stopping.abort();
    expect(assessedResult(await stopped)).toMatchObject({ outcome: "retry", attempts: 0 });
    expect(aws.timers).toBe(0);
    expect(aws.invoked).toEqual([]);
  });

  test("that are called off once they were sent may have run, and hold up none of the others", async () => {
    const answers: ((answer: InvokeAnswer) => void)[] = [];
    aws.onInvoke = () => new Promise((resolve) => answers.push(resolve));
    const delivering = windowed();
    const stopping = new AbortController();
    const stopped = delivering.deliver(event(0), source, { signal: stopping.signal });
    const other = delivering.deliver(event(1), source);
    aws.pass(200);
    await settled();
    stopping.abort();
    expect(assessedResult(await stopped)).toMatchObject({ outcome: "retry", attempts: 1 });
    for (const answer of answers) answer(ANSWER);
    expect(assessedResult(await other)).toMatchObject({ outcome: "delivered" });
  });

  test("are sent when the destination is closed, and nothing is sent after it", async () => {
    const delivering = windowed();
    const delivery = delivering.deliver(event(0), source);
    await delivering.close();
    expect((await delivery).outcome).toBe("delivered");
    expect(assessedResult(await delivering.deliver(event(1), source))).toMatchObject({ outcome: "retry" });
    expect(aws.invoked).toHaveLength(1);
    expect(aws.timers).toBe(0);
  });
});

test("a function's error that is nested without end is a retry like any other", async () => {
  const trace = `${"[".repeat(4122)}${"]".repeat(4122)}`;
  aws.onInvoke = async () => ({
    ...ANSWER,
    functionError: "Unhandled",
    payload: `{"errorType":"Error","trace":[${trace}, 1, "at x"]}`,
  });
  const { outcome, error } = assessedResult(await destination().deliver(track, source));
  expect(outcome).toBe("retry");
  expect(error?.functionError?.trace).toEqual(["…", "1", "at x"]);
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
