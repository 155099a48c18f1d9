import { isPlanned, type Plan } from "../../src/planning/planned-delivery";
import { type EventContext, Planner } from "../../src/planning/planner";
import { DEFAULT_OPERATOR_POLICY } from "../../src/settings/operator-policy";
import { parseSettings } from "../../src/settings/settings";

const CONTEXT = { sourceId: "my-source-id", workspaceId: "workspace-1" };
const ORDER = { type: "track", event: "Order Completed", userId: "u-1", messageId: "m-1" };
const SETTINGS = {
  lambda: "arn:aws:lambda:us-east-1:123456789012:function:router-events",
  roleAddress: "arn:aws:iam::123456789012:role/router-events-invoker",
};

function plan(more: object, event: object = ORDER, context: EventContext = CONTEXT): Plan {
  const settings = parseSettings({ ...SETTINGS, ...more }, DEFAULT_OPERATOR_POLICY);
  return new Planner(settings, DEFAULT_OPERATOR_POLICY).plan(event, context);
}

const groupIn = (made: Plan) => isPlanned(made) && made.group;

test("a plan has the event's group where its tenant is that, and else not: what waits in a host's queue has no more than it needs", () => {
  const event = { ...ORDER, context: { groupId: "g-1" } };
  expect(groupIn(plan({ tenantId: "{group}" }, event))).toBe("g-1");
  expect(groupIn(plan({ tenantId: "{user}" }, event))).toBeUndefined();
  expect(groupIn(plan({ tenantId: "acme" }, event))).toBeUndefined();
  expect(groupIn(plan({ executionName: "MessageId", lambda: `${SETTINGS.lambda}:1` }, event))).toBeUndefined();
});

test.each<[string, object, object, EventContext]>([
  ["a group ID that is a number", { tenantId: "{group}" }, { ...ORDER, context: { groupId: 5 } }, CONTEXT],
  ["an empty source ID", { tenantId: "{source}", externalId: "mine" }, ORDER, { ...CONTEXT, sourceId: "" }],
])("%s is nobody's tenant", (_what, more, event, context) => {
  expect(plan(more, event, context)).toMatchObject({
    problem: { code: "InvalidEvent", message: expect.stringContaining("The event has no tenant") },
  });
});

test("an event at fault whose record would lack an external ID is no event at fault yet: settings are mended first", () => {
  const broken = { ...ORDER, type: "purchase" };
  const failureLambda = "arn:aws:lambda:us-east-1:123456789012:function:failures";
  expect(plan({ failureLambda }, broken)).toMatchObject({
    problem: { code: "InvalidEvent" },
    record: { json: JSON.stringify(broken), externalId: "my-source-id" },
  });
  const unknown = plan({ failureLambda }, broken, {});
  expect(unknown).toMatchObject({
    messageId: "m-1",
    problem: { code: "InvalidSettings", message: expect.stringContaining("externalId") },
  });
  expect(unknown).not.toHaveProperty("record");
});
