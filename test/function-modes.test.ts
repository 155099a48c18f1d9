import type { Aws } from "../src/aws/aws";
import { AwsTime } from "../src/aws/clock";
import { lambdaInvoke } from "../src/aws/lambda";
import { createNodeAws } from "../src/aws/node";
import { nodeClock } from "../src/aws/node-clock";
import { stsAssumeRole } from "../src/aws/sts";
import { endpointAt } from "../src/aws/transport";
import { undiciTransport } from "../src/aws/undici";
import type { HostedDestination } from "../src/destination/contract";
import { createDestinationIn } from "../src/destination/create-destination";
import { sha256Crypto } from "../src/encoding/sha256";
import { type EmbeddedAws, startEmbeddedAws } from "../src/local/aws/embedded-aws";
import { assessedResult } from "./assess";
import { pointEnvironmentAt } from "./iam/scene";
import { permit, trust } from "./local/aws/policies";
import { addRouter } from "./local/aws/router-account";
import { routerOn } from "./router";

const environment = { ...process.env };
const CONTEXT = { sourceId: "my-source-id", workspaceId: "my-workspace" };
const ORDER = { type: "track", event: "Order Completed", userId: "u-1", messageId: "m-1" };
const ARN = "arn:aws:lambda:us-east-1:123456789012:function:router-events";

let aws: EmbeddedAws;
let settings: Readonly<Record<string, unknown>>;

beforeEach(async () => {
  aws = await startEmbeddedAws();
  pointEnvironmentAt(aws.url);
  const { roleAddress, accessKeyId, secretAccessKey } = addRouter(aws);
  settings = { lambda: ARN, roleAddress, accessKeyId, secretAccessKey };
});

afterEach(async () => {
  await aws.close();
  process.env = { ...environment };
});

/** As in a sandbox, which has nothing but a way to send requests; pointed at the embedded AWS. */
function sandboxAws(): Aws {
  const time = new AwsTime(nodeClock);
  const endpoint = () => endpointAt(aws.url, false);
  const ports = { time, crypto: sha256Crypto, transport: undiciTransport(), endpoint };
  return { clock: nodeClock, time, invoke: lambdaInvoke(ports), assumeRole: stsAssumeRole(ports) };
}

describe.each<[where: string, make: () => Aws]>([
  ["Node.js", () => createNodeAws()],
  ["a sandbox", sandboxAws],
])("in %s", (_where, make) => {
  function destination(more: object = {}): HostedDestination {
    const own = make();
    const surroundings = routerOn(own);
    return createDestinationIn(surroundings, { ...settings, ...more });
  }

  async function deliver(more: object, event: unknown = ORDER, context: object = CONTEXT) {
    return assessedResult(await destination(more).deliver(event, context));
  }

  describe("a durable function with Execution Name MessageId", () => {
    const DURABLE = { lambda: `${ARN}:live`, executionName: "MessageId" };
    let seen: unknown[];

    function addDurable(handler: (event: unknown) => unknown = () => null): void {
      seen = [];
      aws.addFunction({
        name: "router-events",
        durable: true,
        handler: (event) => {
          seen.push(event);
          return handler(event);
        },
        aliases: { live: "$LATEST" },
      });
    }

    test("has one execution per event, however often it is delivered, and its result tells which", async () => {
      addDurable(() => "done");

      const first = await deliver(DURABLE);
      const again = await deliver(DURABLE);
      const other = await deliver(DURABLE, { ...ORDER, messageId: "m-2" });

      expect(first).toMatchObject({
        outcome: "delivered",
        executionArn: expect.stringMatching(/\/durable-execution\/[0-9a-f]{64}\//),
      });
      expect(again).toMatchObject({ outcome: "delivered", executionArn: first.executionArn });
      expect(other.executionArn).not.toBe(first.executionArn);
      expect(seen).toHaveLength(2);
    });

    test("finds the execution again although the host sent the event at another time and from another address", async () => {
      addDurable();
      const at = (time: string, ip: string) => ({
        ...ORDER,
        sentAt: time,
        receivedAt: time,
        requestIp: ip,
        context: { ip, locale: "de" },
      });

      await deliver(DURABLE, at("2026-11-25T00:00:00.000Z", "192.0.2.1"));
      await deliver(DURABLE, at("2026-11-25T01:00:00.000Z", "192.0.2.2"));

      expect(seen).toEqual([expect.objectContaining({ messageId: "m-1", context: { locale: "de" } })]);
      expect(seen[0]).not.toHaveProperty("sentAt");
      expect(seen[0]).not.toHaveProperty("receivedAt");
    });

    test("finds the execution again of an event that says nothing of when it happened, or is corrected in that", async () => {
      addDurable();
      const times = ["2026-11-25T00:00:00.000Z", "2026-11-25T01:00:00.000Z"];
      const arns = [];
      for (const time of times) {
        const context = { ...CONTEXT, receivedAt: time };
        const event = { ...ORDER, originalTimestamp: "2026-11-24T00:00:00.000Z", timestamp: time };
        arns.push((await deliver(DURABLE, { ...ORDER, messageId: "m-3", sentAt: time }, context)).executionArn);
        arns.push((await deliver(DURABLE, event, context)).executionArn);
      }

      expect(arns).toEqual([arns[0], arns[1], arns[0], arns[1]]);
      expect(arns[0]).toEqual(expect.any(String));
      expect(seen).toEqual([
        expect.not.objectContaining({ timestamp: expect.anything() }),
        expect.objectContaining({ timestamp: "2026-11-24T00:00:00.000Z" }),
      ]);
    });

    test("counts an event whose execution began with another payload as delivered", async () => {
      addDurable();
      await deliver(DURABLE);
      const changed = await deliver(DURABLE, { ...ORDER, properties: { changed: true } });

      expect(changed).toMatchObject({ outcome: "delivered", status: 200, requestId: expect.any(String) });
      expect(seen).toHaveLength(1);
    });

    test("re-attaches after a timeout of ours", async () => {
      let finish = (_result: unknown): void => {};
      const calledOff = new AbortController();
      addDurable(() => {
        calledOff.abort();
        return new Promise((resolve) => (finish = resolve));
      });
      const late = await destination(DURABLE).deliver(ORDER, CONTEXT, { signal: calledOff.signal });
      const waiting = deliver(DURABLE);
      finish("at last");

      expect(late).toMatchObject({ outcome: "retry", error: { code: "OperationTimedOut" } });
      expect(await waiting).toMatchObject({ outcome: "delivered" });
      expect(seen).toHaveLength(1);
    });

    test.each(["RetryError", "Error", "TypeError"])(
      "gives up an event whose execution failed, be it with %s",
      async (name) => {
        addDurable(() => {
          throw Object.assign(new Error("no stock"), { name });
        });
        const result = await deliver(DURABLE);

        expect(result).toMatchObject({
          outcome: "rejected",
          status: 400,
          executionArn: expect.any(String),
          error: {
            code: "RejectedByFunction",
            message: expect.stringContaining("no stock"),
            hint: expect.stringContaining("is final"),
          },
        });
        expect(await deliver(DURABLE)).toMatchObject({ outcome: "rejected" });
        expect(seen).toHaveLength(1);
      },
    );

    test("gives up one that was stopped", async () => {
      addDurable(() => new Promise(() => {}));
      const queued = await deliver({ ...DURABLE, invocationType: "Event" });
      const waiting = deliver(DURABLE);
      aws.stopExecution(queued.executionArn ?? "");

      expect(queued).toMatchObject({ outcome: "delivered", status: 202 });
      expect(await waiting).toMatchObject({ outcome: "rejected" });
    });

    test("gives up one that timed out, whatever its error is called", async () => {
      aws.addFunction({ name: "slow", durable: true, timeoutMs: 50, handler: () => new Promise(() => {}) });
      const result = await deliver({ ...DURABLE, lambda: "slow:$LATEST", region: "us-east-1" });

      expect(result).toMatchObject({
        outcome: "rejected",
        error: { functionError: { errorType: "Sandbox.Timedout" }, hint: expect.stringContaining("is final") },
      });
    });

    test("tells events of two sources, two call types and two functions apart", async () => {
      addDurable();
      aws.addFunction({ name: "other", durable: true, handler: () => null });
      aws.addRole({
        name: "router-events-invoker",
        trustPolicy: trust("arn:aws:iam::123456789012:user/router", ["my-source-id", "other-source"]),
        permissionPolicies: [permit("lambda:InvokeFunction", "*")],
      });
      const results = [
        await deliver(DURABLE),
        await deliver(DURABLE, ORDER, { ...CONTEXT, sourceId: "other-source" }),
        await deliver(DURABLE, { ...ORDER, type: "page" }),
        await deliver({ ...DURABLE, lambda: "other:$LATEST", region: "us-east-1" }),
      ];

      expect(results.map(({ outcome }) => outcome)).toEqual(Array(4).fill("delivered"));
      expect(new Set(aws.invocations.map(({ executionName }) => executionName)).size).toBe(4);
    });
  });

  describe("a function in tenant isolation mode", () => {
    beforeEach(() => {
      aws.addFunction({ name: "router-events", tenantIsolation: true, handler: (_event, { tenantId }) => tenantId });
    });

    test.each([
      ["acme corp", "acme corp"],
      ["{source}", "my-source-id"],
      ["{workspace}", "my-workspace"],
      ["{user}", "u-1"],
      ["{group}", "g-1"],
    ])("runs for tenant %s", async (tenantId, tenant) => {
      const event = { ...ORDER, context: { groupId: "g-1" } };
      expect(await deliver({ tenantId, returnValue: "Include" }, event)).toMatchObject({
        outcome: "delivered",
        returnValue: JSON.stringify(tenant),
      });
      expect(aws.invocations.map((each) => each.tenantId)).toEqual([tenant]);
    });

    test("runs for the anonymous user where there is no other", async () => {
      await deliver({ tenantId: "{user}" }, { ...ORDER, userId: undefined, anonymousId: "a-1" });
      expect(aws.invocations[0]?.tenantId).toBe("a-1");
    });

    test("hashes what AWS does not take, and lets no ID pass for another's hash", async () => {
      await deliver({ tenantId: "{user}" }, { ...ORDER, userId: "zoë@example.com" });
      const hashed = aws.invocations[0]?.tenantId ?? "";
      await deliver({ tenantId: "{user}" }, { ...ORDER, userId: hashed });
      await deliver({ tenantId: "{user}" }, { ...ORDER, userId: "x".repeat(257) });

      expect(hashed).toMatch(/^sha256:[0-9a-f]{64}$/);
      const tenants = aws.invocations.map(({ tenantId }) => tenantId);
      expect(tenants).toEqual(Array(3).fill(expect.stringMatching(/^sha256:[0-9a-f]{64}$/)));
      expect(new Set(tenants).size).toBe(3);
    });

    test.each([
      ["{user}", { ...ORDER, userId: undefined }, CONTEXT, /neither userId nor anonymousId/],
      ["{group}", ORDER, CONTEXT, /no groupId/],
      ["{workspace}", ORDER, { sourceId: "my-source-id" }, /no workspace ID/],
    ])("rejects an event without the value of %s, and says which", async (tenantId, event, context, message) => {
      expect(await deliver({ tenantId }, event, context)).toMatchObject({
        outcome: "rejected",
        error: { code: "InvalidEvent", message: expect.stringMatching(message) },
      });
    });

    test("is invoked with the events of one tenant at a time", async () => {
      const events = Array.from({ length: 9 }, (_, i) => ({ ...ORDER, messageId: `m-${i}`, userId: `u-${i % 3}` }));
      const results = await destination({ tenantId: "{user}", maxBatchSize: 10 }).deliverBatch(events, CONTEXT);

      expect(results.map(({ outcome }) => outcome)).toEqual(Array(9).fill("delivered"));
      const users = aws.invocations.map(({ payload, tenantId }) => [
        tenantId,
        (payload as { userId: string }[]).map(({ userId }) => userId),
      ]);
      expect(users.sort()).toEqual(["u-0", "u-1", "u-2"].map((user) => [user, [user, user, user]]));
    });

    test("without Tenant ID is a question of settings", async () => {
      expect(await deliver({})).toMatchObject({
        outcome: "retry",
        error: { code: "InvalidSettings", message: expect.stringContaining("tenant") },
      });
    });
  });

  describe("Return Value", () => {
    test.each([
      ["None", "x", undefined],
      ["Include", { stored: "ü" }, '{"stored":"ü"}'],
      ["Include", undefined, "null"],
    ])("%s with %j", async (returnValue, returned, told) => {
      aws.addFunction({ name: "router-events", handler: () => returned });
      expect((await deliver({ returnValue })).returnValue).toBe(told);
    });

    test("is cut at 4 KB, between two letters, and says so", async () => {
      aws.addFunction({ name: "router-events", handler: () => "ü€🚆".repeat(1000) });
      const { returnValue = "" } = await deliver({ returnValue: "Include" });

      expect(Buffer.byteLength(returnValue)).toBeLessThanOrEqual(4096);
      expect(Buffer.byteLength(returnValue)).toBeGreaterThan(4080);
      expect(returnValue).toMatch(/^"(ü€🚆)+(ü|ü€)?… \(cut, 9002 bytes in all\)$/u);
    });

    test("of a batch is in each of its results", async () => {
      aws.addFunction({ name: "router-events", handler: () => ({ batchItemFailures: [] }) });
      const events = [ORDER, { ...ORDER, messageId: "m-2" }];
      const results = await destination({ returnValue: "Include", maxBatchSize: 10 }).deliverBatch(events, CONTEXT);
      expect(results.map(({ returnValue }) => returnValue)).toEqual(Array(2).fill('{"batchItemFailures":[]}'));
    });

    test("is nothing where the function threw or was only queued", async () => {
      aws.addFunction({
        name: "router-events",
        handler: () => {
          throw new Error("no");
        },
      });
      expect(await deliver({ returnValue: "Include" })).not.toHaveProperty("returnValue");
      expect(await deliver({ returnValue: "Include", invocationType: "Event" })).not.toHaveProperty("returnValue");
    });
  });

  describe("a session whose tags leave little room", () => {
    test("is scoped down to account and region where the functions do not fit", async () => {
      const names = Array.from({ length: 12 }, (_, i) => `router-events-${i}-${"x".repeat(40)}`);
      for (const name of names) aws.addFunction({ name, handler: () => null });
      const eventLambdas = Object.fromEntries(names.map((name) => [`Event ${name}`, name]));
      aws.misbehave({
        service: "sts",
        action: "AssumeRole",
        error: {
          code: "PackedPolicyTooLarge",
          status: 400,
          message: "Packed policy consumes 130% of allotted space, please use smaller policy.",
        },
      });

      const result = await deliver(
        { eventLambdas, lambda: "", region: "us-east-1" },
        { ...ORDER, event: `Event ${names[3]}` },
      );

      expect(result).toMatchObject({ outcome: "delivered" });
      const policies = aws.calls.filter(({ action }) => action === "AssumeRole").map(({ policy }) => policy ?? "");
      expect(policies).toHaveLength(2);
      expect(policies[0]).toContain(names[3]);
      expect(policies[1]).toContain("arn:aws:lambda:us-east-1:123456789012:function:*");
    });

    test("is a question of settings where no policy is short enough", async () => {
      aws.misbehave({
        service: "sts",
        action: "AssumeRole",
        times: 5,
        error: { code: "PackedPolicyTooLarge", status: 400, message: "Packed policy consumes 230% of allotted space." },
      });
      expect(await deliver({})).toMatchObject({
        outcome: "retry",
        error: { code: "InvalidSettings", awsError: "PackedPolicyTooLargeException" },
      });
    });
  });
});
