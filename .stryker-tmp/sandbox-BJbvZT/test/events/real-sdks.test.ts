// @ts-nocheck
import type { CallType, JsonObject, SegmentEvent } from "../../src/events/segment-event";
import { toSegmentEvent } from "../../src/events/to-segment-event";
import { assessedEvent } from "../assess";
import { type Captured, GIVEN, jitsuEvents, rudderStackEvents, segmentEvents } from "./captured-events";
import { deepFrozen } from "./deep-frozen";

const ORDER = [
  "type",
  "event",
  "name",
  "category",
  "userId",
  "anonymousId",
  "groupId",
  "previousId",
  "properties",
  "traits",
  "context",
  "integrations",
  "messageId",
  "originalTimestamp",
  "timestamp",
  "sentAt",
  "receivedAt",
  "channel",
  "projectId",
  "version",
];

/** What each host knows and Segment does not send. */
const INTERNAL = [
  "writeKey",
  "rudderId",
  "request_ip",
  "requestIp",
  "JITSU_TABLE_NAME",
  "$table",
  "$cost",
  "_metadata",
];

const page = { name: GIVEN.name, category: GIVEN.category };
const CONTENT: Readonly<Record<CallType, Partial<SegmentEvent>>> = {
  track: { event: GIVEN.event, properties: { ...GIVEN.properties } },
  identify: { userId: GIVEN.userId, traits: { ...GIVEN.traits } },
  page: { ...page, properties: expect.objectContaining(GIVEN.properties) },
  screen: { ...page, properties: expect.objectContaining(GIVEN.properties) },
  group: { groupId: GIVEN.groupId, traits: { ...GIVEN.groupTraits } },
  alias: { userId: GIVEN.userId, previousId: GIVEN.previousId },
};

const SIX: readonly CallType[] = ["track", "identify", "page", "screen", "group", "alias"];

describe.each<[sdk: string, run: () => Promise<Captured>, callTypes: readonly CallType[]]>([
  ["@segment/analytics-node", segmentEvents, SIX],
  ["@rudderstack/rudder-sdk-node", rudderStackEvents, SIX],
  ["@jitsu/js", jitsuEvents, ["track", "identify", "page", "group"]],
])("events of %s", (_sdk, run, callTypes) => {
  let events: Captured;

  beforeAll(async () => {
    events = await run();
  });

  test.each(callTypes)("%s", (callType) => {
    const event = deepFrozen(events[callType] as JsonObject);

    const mapped = assessedEvent(toSegmentEvent(event, { sourceId: "source-1" }));

    expect(mapped).toMatchObject({ type: callType, ...CONTENT[callType], projectId: "source-1", version: 2 });
    expect(mapped.messageId).toBe(event["messageId"]);
    expect(Object.keys(mapped)).toEqual(ORDER.filter((key) => key in mapped));
    expect(Object.keys(mapped).filter((key) => INTERNAL.includes(key) || key.startsWith("$"))).toEqual([]);
    expect(JSON.stringify(mapped)).not.toContain("not-a-real");
    expect(toSegmentEvent(event, { sourceId: "source-1" })).toEqual(mapped);
  });

  test.each(callTypes)("%s keeps everything in its context", (callType) => {
    const event = events[callType] as JsonObject;
    const { geo: _geo, ...own } = event["context"] as JsonObject;
    expect(toSegmentEvent(event).context).toMatchObject(own);
  });
});

test("RudderStack's own fields become Segment's", async () => {
  const { track } = await rudderStackEvents();
  expect(toSegmentEvent(track)).toMatchObject({
    channel: "server",
    originalTimestamp: expect.stringMatching(/Z$/),
    timestamp: "2026-01-02T03:04:05.123+05:30",
    receivedAt: "2026-01-02T03:04:05.678+05:30",
    context: {
      ip: "203.0.113.7",
      geo: { ip: "203.0.113.7" },
      location: {
        city: "Gurugram",
        country: "IN",
        region: "Haryana",
        postalCode: "122001",
        latitude: 28.4597,
        longitude: 77.0282,
        timezone: "Asia/Kolkata",
      },
    },
  });
});

test("Jitsu's own fields become Segment's", async () => {
  const { track } = await jitsuEvents();
  const { context, timestamp } = toSegmentEvent(track);
  expect(timestamp).toBe("2026-01-02T03:04:05.123Z");
  expect(context).toMatchObject({ ip: "203.0.113.7", library: { name: "@jitsu/js" } });
  expect(context?.["geo"]).toEqual({
    continent: { code: "EU", name: "Europe" },
    country: { code: "CH", isEU: false },
    region: { code: "ZH", confidence: 80 },
    city: { confidence: 60 },
    location: { accuracyRadius: 10 },
    provider: { isp: "Example" },
  });
  expect(context?.["location"]).toEqual({
    city: "Zürich",
    country: "Switzerland",
    region: "Zurich",
    postalCode: "8001",
    latitude: 47.3769,
    longitude: 8.5417,
    timezone: "Europe/Zurich",
  });
});
