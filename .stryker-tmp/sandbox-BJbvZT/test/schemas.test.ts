// @ts-nocheck
import resultSchema from "../schemas/delivery-result.schema.json";
import eventSchema from "../schemas/segment-event.schema.json";
import settingsSchema from "../schemas/settings.schema.json";
import { FAILURES } from "../src/delivery/failures";
import { failed } from "../src/delivery/result";
import { CALL_TYPES } from "../src/events/segment-event";
import { assessedEvent, assessedResult } from "./assess";

const facts = { messageId: "m-1", durationMs: 0, attempts: 1 };

test("every error code of the source is one of the schema, and the other way round", () => {
  expect(resultSchema.definitions.error.properties.code.enum).toEqual(Object.keys(FAILURES));
});

test("every label of the source is one of the schema, and the other way round", () => {
  const labels = new Set(Object.values(FAILURES).map(({ label }) => label));
  expect(resultSchema.definitions.error.properties.label.enum).toEqual([...labels]);
});

test.each(Object.entries(FAILURES))("a result with the code %s is valid as it comes", (code) => {
  assessedResult(failed(code as keyof typeof FAILURES, "Something happened.", facts));
});

test("the call types are the same everywhere", () => {
  expect(eventSchema.properties.type.enum).toEqual(CALL_TYPES);
  expect(resultSchema.properties.callType.enum).toEqual(CALL_TYPES);
  expect(Object.keys(settingsSchema.properties)).toEqual(
    expect.arrayContaining(CALL_TYPES.map((callType) => `${callType}Lambda`)),
  );
});

test.each<[what: string, result: object]>([
  ["an unknown key", { ...facts, outcome: "skipped", status: 298, attempts: 0, callType: "page", note: "x" }],
  [
    "an outcome that contradicts its status",
    { ...facts, outcome: "skipped", status: 500, attempts: 0, callType: "page" },
  ],
  ["a failure without an error", { ...facts, outcome: "retry", status: 500 }],
  ["an error in a delivery", { ...failed("Unknown", "x", facts), outcome: "delivered", status: 200 }],
  [
    "an unknown code",
    { ...facts, outcome: "retry", status: 500, error: { code: "X", label: "x", message: "x", hint: "x" } },
  ],
  ["negative time", { ...facts, outcome: "skipped", status: 298, attempts: 0, callType: "page", durationMs: -1 }],
])("the result schema refuses %s", (_what, result) => {
  expect(() => assessedResult(result as never)).toThrow("problems");
});

const event = { type: "track", messageId: "m-1", version: 2 };

test.each<[what: string, event: object]>([
  ["an unknown key", { ...event, writeKey: "x" }],
  ["an unknown type", { ...event, type: "video" }],
  ["no messageId", { type: "track", version: 2 }],
  ["another version", { ...event, version: 1 }],
  ["a date that is none", { ...event, sentAt: "yesterday" }],
  ["a track event's traits", { ...event, traits: {} }],
  ["a track event's page name", { ...event, name: "Home" }],
  ["a page with the name of a track event", { ...event, type: "page", event: "Viewed" }],
  ["an identify call with properties", { ...event, type: "identify", properties: {} }],
  ["a screen with a group", { ...event, type: "screen", groupId: "g" }],
  ["a group with a previous ID", { ...event, type: "group", previousId: "p" }],
])("the event schema refuses %s", (_what, wrong) => {
  expect(() => assessedEvent(wrong)).toThrow("problems");
});
