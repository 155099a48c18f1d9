import { createDestinationIn } from "../../src/destination/create-destination";
import { DEFAULT_OPERATOR_POLICY } from "../../src/settings/operator-policy";
import { assessedResult } from "../assess";
import { ANSWER, FakeAws, failure, pending, settled } from "../aws/fake-aws";
import { routerOn } from "../router";

const ARN = "arn:aws:lambda:us-east-1:123456789012:function:router-events";
const ROLE = "arn:aws:iam::123456789012:role/router-events-invoker";
const KEYS = { accessKeyId: "AKIDEXAMPLE00000000", secretAccessKey: "not/a/real+secret/only+for+this+test00000" };
const SETTINGS = { lambda: ARN, roleAddress: ROLE };
const ORDER = { type: "track", event: "Order Completed", userId: "u-1", messageId: "m-1" };
const ORIGIN = { sourceId: "my-source-id", workspaceId: "workspace-1" };
const TRACE = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";

let aws: FakeAws;
let router: ReturnType<typeof routerOn>;

beforeEach(() => {
  aws = new FakeAws();
  router = routerOn(aws);
});

const destination = (more: object = {}) => createDestinationIn(router, { ...SETTINGS, ...more });
const denied = async () =>
  Promise.reject(failure({ service: "lambda", code: "AccessDeniedException", status: 403, message: "not authorized" }));

describe("a function that AWS refused", () => {
  const refusedOnce = async (more: object = {}) => {
    aws.onInvoke = denied;
    await destination(more).deliver(ORDER, ORIGIN);
    aws.onInvoke = async () => ANSWER;
  };
  const outcomeOf = async (more: object) => assessedResult(await destination(more).deliver(ORDER, ORIGIN)).outcome;

  test("is left alone by whoever would be refused as well", async () => {
    await refusedOnce();
    expect(await outcomeOf({})).toBe("retry");
  });

  test.each<[string, object]>([
    ["another function", { lambda: `${ARN}-2` }],
    ["its alias", { lambda: `${ARN}:live` }],
    ["another role", { roleAddress: `${ROLE}-2` }],
    ["other keys", KEYS],
  ])("is no hindrance to %s", async (_what, more) => {
    await refusedOnce();
    expect(await outcomeOf(more)).toBe("delivered");
  });

  test.each<[string, object]>([
    ["in another region", { region: "eu-west-1" }],
    ["with another secret", { secretAccessKey: "another/not/real+secret/for+this+test0000" }],
  ])("is no hindrance to one of the same name %s", async (_what, more) => {
    const named = { lambda: "router-events", region: "us-east-1", ...KEYS };
    await refusedOnce(named);
    expect(await outcomeOf(named)).toBe("retry");
    expect(await outcomeOf({ ...named, ...more })).toBe("delivered");
  });
});

describe("what is under way for one AWS account", () => {
  test.each<[string, object, object]>([
    [
      "of a role",
      {},
      { roleAddress: ROLE.replace("123456789012", "210987654321"), lambda: "router-events", region: "us-east-1" },
    ],
    ["of keys", { roleAddress: "", ...KEYS }, { roleAddress: "", ...KEYS, accessKeyId: "AKIDEXAMPLE00000001" }],
  ])("%s leaves the rest to others", async (_what, one, other) => {
    const hanging = pending<typeof ANSWER>();
    aws.onInvoke = () => hanging.promise;
    const first = destination(one);
    const results = Array.from({ length: 5_000 }, () => first.deliver(ORDER, ORIGIN));
    for (let i = 0; i < 20; i++) await settled();
    expect(aws.invoked).toHaveLength(5_000);
    expect(assessedResult(await first.deliver(ORDER, ORIGIN))).toMatchObject({ outcome: "retry", attempts: 0 });
    results.push(destination(other).deliver(ORDER, ORIGIN));
    for (let i = 0; i < 20; i++) await settled();
    expect(aws.invoked).toHaveLength(5_001);
    hanging.resolve(ANSWER);
    await Promise.all(results);
  });
});

describe("a destination that is closed", () => {
  test("waits for what is under way, all of it", async () => {
    const answers = [pending<typeof ANSWER>(), pending<typeof ANSWER>()];
    let next = 0;
    aws.onInvoke = () => (answers[next++] as (typeof answers)[number]).promise;
    const closing = destination();
    const results = [closing.deliver(ORDER, ORIGIN), closing.deliver({ ...ORDER, userId: "u-2" }, ORIGIN)];
    await settled();
    let closed = false;
    const close = closing.close().then(() => {
      closed = true;
    });
    await settled();
    answers[0]?.resolve(ANSWER);
    await results[0];
    await settled();
    expect(closed).toBe(false);
    answers[1]?.resolve(ANSWER);
    await Promise.all([close, ...results]);
  });

  test("is closed at once where nothing is", async () => {
    const closing = destination();
    await closing.deliver(ORDER, ORIGIN);
    await closing.close();
    await closing.close();
  });

  test("waits for the record of a rejected event, too", async () => {
    const recorded = pending<typeof ANSWER>();
    aws.onInvoke = () => recorded.promise;
    const closing = destination({ failureLambda: "failures" });
    const result = closing.deliver({ ...ORDER, type: "purchase" }, ORIGIN);
    await settled();
    let closed = false;
    const close = closing.close().then(() => {
      closed = true;
    });
    await settled();
    expect(closed).toBe(false);
    recorded.resolve({ ...ANSWER, status: 202 });
    await close;
    expect(assessedResult(await result).outcome).toBe("rejected");
  });
});

describe("a trace that an event comes with", () => {
  const traceOf = async (more: object = {}) => {
    await destination(more).deliver(ORDER, ORIGIN, { traceparent: TRACE });
    const context = aws.invoked.at(-1)?.request.clientContext;
    return context && Buffer.from(context, "base64").toString().includes(TRACE);
  };

  test("is handed on where the event has its invocation to itself", async () => {
    expect(await traceOf()).toBe(true);
    expect(await traceOf({ clientContext: { team: "growth" } })).toBe(true);
    expect(await traceOf({ executionName: "MessageId", lambda: `${ARN}:1` })).toBe(true);
  });

  test("is not where it may share it, or where Lambda takes none", async () => {
    expect(await traceOf({ maxBatchSize: 2 })).toBeUndefined();
    expect(await traceOf({ invocationType: "Event" })).toBeUndefined();
    await destination().deliver(ORDER, ORIGIN);
    expect(aws.invoked.at(-1)?.request.clientContext).toBeUndefined();
  });
});

test("a durable function in tenant isolation mode gets both names; one that is not durable gets its tenant's", async () => {
  const durable = { executionName: "MessageId", lambda: `${ARN}:1` };
  const askedWith = async (more: object) => {
    await destination(more).deliver(ORDER, ORIGIN);
    const { tenantId, executionName } = aws.invoked.at(-1)?.request ?? {};
    return [tenantId, executionName];
  };
  expect(await askedWith({ ...durable, tenantId: "{user}" })).toEqual(["u-1", expect.any(String)]);
  expect(await askedWith(durable)).toEqual([undefined, expect.any(String)]);
  expect(await askedWith({ tenantId: "{user}" })).toEqual(["u-1", undefined]);
});

test("a mistake of our own in making a destination is thrown, and not taken for bad settings", () => {
  const broken = routerOn(aws, () => {
    throw new TypeError("x is not a function");
  });
  expect(() => createDestinationIn(broken, SETTINGS)).toThrow(TypeError);
});

describe("with a Batch Window", () => {
  const windowed = (more: object = {}) => destination({ maxBatchSize: 100, batchWindowMs: 200, ...more });
  const bulky = (userId: string, bytes: number) => ({ ...ORDER, userId, properties: { text: "x".repeat(bytes) } });

  test("what fills half of a payload is not waited with", async () => {
    const collecting = windowed();
    const results = [collecting.deliver(bulky("u-1", 2_000_000), ORIGIN)];
    await settled();
    expect(aws.invoked).toHaveLength(0);
    results.push(collecting.deliver(bulky("u-2", 1_200_000), ORIGIN));
    await Promise.all(results);
    expect(aws.invoked).toHaveLength(1);
    expect(aws.timers).toBe(0);
  });

  test("and batches of one there is nothing to wait for", async () => {
    const result = windowed({ maxBatchSize: 1 }).deliver(ORDER, ORIGIN);
    await settled();
    expect(aws.invoked).toHaveLength(1);
    await result;
  });
});

test("settings that are no good keep what their router hands to either half", async () => {
  const bad = createDestinationIn(
    routerOn(aws, () => DEFAULT_OPERATOR_POLICY),
    { ...SETTINGS, region: "the moon" },
  );
  const good = destination().plan(ORDER, ORIGIN);
  const [deliveries] = ["json" in good ? [good, { ...good, messageId: "m-2" }] : []];
  expect(bad.batches(deliveries ?? []).map((batch) => batch.map(({ messageId }) => messageId))).toEqual([
    ["m-1"],
    ["m-2"],
  ]);
  const plan = bad.plan(ORDER, ORIGIN);
  if ("json" in plan) throw new Error("Nothing can be planned by these settings.");
  expect(assessedResult(await bad.settle(plan))).toMatchObject({
    outcome: "retry",
    error: { code: "InvalidSettings" },
  });
});
