// @ts-nocheck
import fc from "fast-check";
import { InvalidEvent } from "../../src/events/invalid-event";
import { CALL_TYPES, type JsonObject, type SegmentEvent } from "../../src/events/segment-event";
import { toSegmentEvent } from "../../src/events/to-segment-event";
import { assessedEvent } from "../assess";
import { deepFrozen } from "./deep-frozen";

const track = { type: "track", event: "Order Completed", messageId: "m-1" };
const mapped = (event: JsonObject, ...context: [Parameters<typeof toSegmentEvent>[1]?]): SegmentEvent =>
  assessedEvent(toSegmentEvent(deepFrozen(event), ...context));

/** Everything that any host has on any call type. */
const full = {
  event: "e",
  name: "n",
  category: "c",
  userId: "u",
  anonymousId: "a",
  groupId: "g",
  previousId: "p",
  properties: { p: 1 },
  traits: { t: 1 },
  context: { c: 1 },
  integrations: { All: true },
  messageId: "m",
  originalTimestamp: "2026-01-01T00:00:00.000Z",
  timestamp: "2026-01-02T00:00:00.000Z",
  sentAt: "2026-01-03T00:00:00.000Z",
  receivedAt: "2026-01-04T00:00:00.000Z",
  channel: "server",
  projectId: "not the source's",
  version: 1,
  writeKey: "not-a-real-write-key",
  somethingElse: true,
};

const ALWAYS = "context integrations messageId originalTimestamp timestamp sentAt receivedAt channel projectId version";

test.each([
  ["track", "type event userId anonymousId properties"],
  ["identify", "type userId anonymousId traits"],
  ["page", "type name category userId anonymousId properties"],
  ["screen", "type name category userId anonymousId properties"],
  ["group", "type userId anonymousId groupId traits"],
  ["alias", "type userId anonymousId previousId"],
])("%s has its own fields and no others, in Segment's order", (type, own) => {
  const event = mapped({ ...full, type }, { sourceId: "source-1" });
  expect(Object.keys(event)).toEqual(`${own} ${ALWAYS}`.split(" "));
  const { projectId, version, ...rest } = event;
  expect({ projectId, version }).toEqual({ projectId: "source-1", version: 2 });
  expect({ ...full, type }).toMatchObject(rest);
});

test.each(CALL_TYPES)("a bare %s leaves out what is absent", (type) => {
  expect(mapped({ type, messageId: "m" })).toEqual({ type, messageId: "m", version: 2 });
});

test("null is absent at the top, and a value where the user wrote it", () => {
  const event = { ...track, userId: null, context: null, integrations: null, properties: { coupon: null } };
  expect(mapped(event)).toEqual({ ...track, properties: { coupon: null }, version: 2 });
});

test("IDs that came as numbers are texts", () => {
  expect(mapped({ ...track, userId: 42, anonymousId: 0, messageId: 7 })).toMatchObject({
    userId: "42",
    anonymousId: "0",
    messageId: "7",
  });
});

describe("identify traits", () => {
  const identify = { type: "identify", messageId: "m-1", userId: "u-1" };

  test("come from the context where a host keeps them there", () => {
    const event = mapped({ ...identify, context: { traits: { email: "jane@example.com" }, locale: "de" } });
    expect(event.traits).toEqual({ email: "jane@example.com" });
    expect(event.context).toEqual({ traits: { email: "jane@example.com" }, locale: "de" });
  });

  test("come from both places; the event's own win", () => {
    const event = mapped({ ...identify, traits: { plan: "pro" }, context: { traits: { plan: "free", age: 30 } } });
    expect(event.traits).toEqual({ plan: "pro", age: 30 });
  });

  test("of another call type stay where they are", () => {
    const event = mapped({ ...track, context: { traits: { plan: "free" } } });
    expect(event).not.toHaveProperty("traits");
    expect(event.context).toEqual({ traits: { plan: "free" } });
    expect(mapped({ type: "group", messageId: "m", context: { traits: { plan: "free" } } })).not.toHaveProperty(
      "traits",
    );
  });

  test("in a context that are no map are left there", () => {
    expect(mapped({ ...identify, context: { traits: ["x"] } })).toEqual({
      ...identify,
      context: { traits: ["x"] },
      version: 2,
    });
  });

  test("named like parts of a prototype are only data", () => {
    const event = JSON.parse(
      '{"type":"identify","messageId":"m","context":{"traits":{"__proto__":{"polluted":true}}}}',
    );
    const { traits } = mapped(event);
    expect(JSON.stringify(traits)).toBe('{"__proto__":{"polluted":true}}');
    expect({}).not.toHaveProperty("polluted");
  });
});

describe("Personas and Engage", () => {
  const personas = {
    computation_class: "audience",
    computation_id: "aud_1",
    computation_key: "first_time_buyers",
    namespace: "spa_1",
    space_id: "spa_1",
  };

  test("an audience's track event keeps everything", () => {
    const event = {
      type: "track",
      event: "Audience Entered",
      userId: "u-1",
      properties: { audience_key: "first_time_buyers", first_time_buyers: true },
      context: { personas, externalIds: [{ id: "u-1", type: "user_id", collection: "users", encoding: "none" }] },
      integrations: { All: false, Warehouses: { all: false } },
      messageId: "personas_1",
      timestamp: "2026-01-02T00:00:00.000Z",
    };
    expect(mapped(event)).toEqual({ ...event, version: 2 });
  });

  test("a computed trait's identify call keeps everything", () => {
    const event = {
      type: "identify",
      userId: "u-1",
      traits: { total_revenue_180_days: 450, first_time_buyers: true },
      context: { personas: { ...personas, computation_class: "computed_trait" } },
      messageId: "personas_2",
      timestamp: "2026-01-02T00:00:00.000Z",
    };
    expect(mapped(event)).toEqual({ ...event, version: 2 });
  });
});

describe("name and category of pages and screens", () => {
  test.each(["page", "screen"])("of a %s come from its properties where they are nowhere else", (type) => {
    const properties = { name: "Pricing", category: "Docs", path: "/pricing" };
    expect(mapped({ type, messageId: "m", properties })).toMatchObject({
      name: "Pricing",
      category: "Docs",
      properties,
    });
  });

  test("are the event's own where it has them", () => {
    const event = mapped({ type: "page", messageId: "m", name: "Own", properties: { name: "Pricing", category: 7 } });
    expect(event.name).toBe("Own");
    expect(event).not.toHaveProperty("category");
  });

  test("mean nothing in a track event", () => {
    expect(mapped({ ...track, properties: { name: "Pricing" } })).not.toHaveProperty("name");
  });
});

describe("the IP address", () => {
  test.each(["requestIp", "request_ip"])("comes from the host's %s", (field) => {
    expect(mapped({ ...track, [field]: "203.0.113.7" }).context).toEqual({ ip: "203.0.113.7" });
  });

  test("that the event itself gives wins", () => {
    const event = { ...track, requestIp: "203.0.113.7", context: { ip: "198.51.100.1" } };
    expect(mapped(event).context).toEqual({ ip: "198.51.100.1" });
  });

  test.each(["", null, 7, ["203.0.113.7"]])("is not taken from %j", (requestIp) => {
    expect(mapped({ ...track, requestIp })).not.toHaveProperty("context");
  });
});

describe("the location", () => {
  test("that the event itself gives wins, field by field", () => {
    const context = { geo: { city: { name: "Zürich" }, country: { code: "CH" } }, location: { city: "Bern" } };
    expect(mapped({ ...track, context }).context).toEqual({ location: { city: "Bern", country: "CH" } });
  });

  test("that the event itself gives as a text stays as it is", () => {
    const context = { geo: { city: { name: "Zürich" } }, location: "at home" };
    expect(mapped({ ...track, context }).context).toEqual({ location: "at home" });
  });

  test("has a code where there is no name", () => {
    const context = { geo: { region: { code: "ZH", name: null } } };
    expect(mapped({ ...track, context }).context).toEqual({ location: { region: "ZH" } });
  });

  test("leaves in the geo block what has no place in it", () => {
    const geo = {
      ip: "203.0.113.7",
      city: { name: "Zürich", confidence: 60 },
      country: { code: "CH", name: "Switzerland" },
      location: { latitude: 47.3769, longitude: 8.5417, accuracyRadius: 10 },
      postal: "8001",
      provider: { isp: "Example" },
    };
    expect(mapped({ ...track, context: { geo } }).context).toEqual({
      geo: {
        ip: "203.0.113.7",
        city: { confidence: 60 },
        country: { code: "CH" },
        location: { accuracyRadius: 10 },
        provider: { isp: "Example" },
      },
      location: { city: "Zürich", country: "Switzerland", latitude: 47.3769, longitude: 8.5417, postalCode: "8001" },
    });
  });

  test.each([[{}], [null], ["CH"], [["CH"]], [{ mine: { deep: true } }], [{ city: null, location: { toString: 1 } }]])(
    "is not made of a geo block that says nothing of it: %j stays what the user wrote",
    (geo) => {
      const context = { before: 1, geo, after: 2 };
      expect(mapped({ ...track, context }).context).toEqual(context);
      expect(mapped({ ...track, context, requestIp: "203.0.113.7" }).context).toEqual({
        ...context,
        ip: "203.0.113.7",
      });
    },
  );
});

describe("dates", () => {
  test.each([
    ["2026-01-02T03:04:05Z", "2026-01-02T03:04:05Z"],
    ["2026-01-02T03:04:05.123456Z", "2026-01-02T03:04:05.123456Z"],
    ["2026-01-02T03:04:05.123+05:30", "2026-01-02T03:04:05.123+05:30"],
    ["2026-01-02T03:04:05+0530", "2026-01-01T21:34:05.000Z"],
    ["2026-01-02T03:04Z", "2026-01-02T03:04:00.000Z"],
    ["2026-01-02T03:04:05.123+05", "2026-01-01T22:04:05.123Z"],
    ["2026-01-02", "2026-01-02T00:00:00.000Z"],
    ["2026-01-02T03:04:05", "2026-01-02T03:04:05.000Z"],
    ["2026-01-02T03:04:05.123", "2026-01-02T03:04:05.123Z"],
    // RFC 3339 allows these, too.
    ["2026-01-02 03:04:05Z", "2026-01-02T03:04:05.000Z"],
    ["2026-01-02t03:04:05z", "2026-01-02T03:04:05.000Z"],
    ["2026-01-02T03:04:05-00:00", "2026-01-02T03:04:05-00:00"],
    ["2016-12-31T23:59:60Z", "2016-12-31T23:59:59.000Z"],
    ["2024-02-29T23:59:59Z", "2024-02-29T23:59:59Z"],
    [1767323045123, "2026-01-02T03:04:05.123Z"],
    [new Date("2026-01-02T03:04:05.123Z"), "2026-01-02T03:04:05.123Z"],
  ])("%p arrives as %s", (sentAt, expected) => {
    expect(mapped({ ...track, sentAt }).sentAt).toBe(expected);
  });

  test.each([
    ["yesterday"],
    ["order 12"],
    ["Batch 7"],
    ["1"],
    ["2026"],
    ["12/01/2026"],
    ["Fri, 02 Jan 2026 03:04:05 GMT"],
    ["2026-02-30T00:00:00Z"],
    ["2026-02-30"],
    ["2026-00-01"],
    ["2026-01-02T03:04:05Z and so on"],
    ["2026-01-02T03:04:05+99:00"],
    [""],
    ["2026-13-01T00:00:00Z"],
    ["2026-01-02T25:00:00Z"],
    [new Date(Number.NaN)],
    [1e15],
    [8.65e15],
    [Number.NaN],
    [true],
    [{}],
    [[]],
  ])("%p is no date, and left out", (sentAt) => {
    expect(mapped({ ...track, sentAt })).not.toHaveProperty("sentAt");
  });

  test("the timestamp is the nearest that is known", () => {
    const [originalTimestamp, sentAt, receivedAt] = [1, 2, 3].map((day) => `2026-01-0${day}T00:00:00.000Z`);
    expect(mapped({ ...track, originalTimestamp, sentAt, receivedAt }).timestamp).toBe(originalTimestamp);
    expect(mapped({ ...track, sentAt, receivedAt }).timestamp).toBe(sentAt);
    expect(mapped({ ...track, receivedAt }).timestamp).toBe(receivedAt);
    expect(mapped({ ...track, timestamp: "never", sentAt }).timestamp).toBe(sentAt);
    expect(mapped(track)).not.toHaveProperty("timestamp");
  });

  test("receivedAt is the host's where the event has none", () => {
    const receivedAt = new Date("2026-01-04T00:00:00.000Z");
    expect(mapped(track, { receivedAt })).toMatchObject({ receivedAt: "2026-01-04T00:00:00.000Z" });
    const own = "2026-01-05T00:00:00.000Z";
    expect(mapped({ ...track, receivedAt: own }, { receivedAt })).toMatchObject({ receivedAt: own });
  });
});

describe("a missing messageId", () => {
  const content = { type: "track", event: "Order Completed", properties: { a: 1, b: [{ c: 2 }] } };
  const idOf = (event: JsonObject) => mapped(event).messageId;

  test("is a UUID made of the content, the same for every try", () => {
    expect(idOf(content)).toMatch(/^[\da-f]{8}-[\da-f]{4}-8[\da-f]{3}-[89ab][\da-f]{3}-[\da-f]{12}$/);
    const again = { properties: { b: [{ c: 2 }], a: 1 }, event: "Order Completed", type: "track" };
    expect(idOf(again)).toBe(idOf(content));
  });

  test.each(["sentAt", "receivedAt", "requestIp", "request_ip", "writeKey"])("does not depend on %s", (field) => {
    expect(idOf({ ...content, [field]: "2026-01-02T00:00:00.000Z" })).toBe(idOf(content));
  });

  test("is the same whether a date is a Date or its text", () => {
    const timestamp = "2026-01-02T00:00:00.000Z";
    expect(idOf({ ...content, timestamp: new Date(timestamp) })).toBe(idOf({ ...content, timestamp }));
  });

  test.each([
    ["another property", { ...content, properties: { a: 2, b: [{ c: 2 }] } }],
    ["another order of a list", { ...content, properties: { a: 1, b: [{ c: 2 }].concat({ c: 3 }).reverse() } }],
    ["another time", { ...content, timestamp: "2026-01-02T00:00:00.000Z" }],
    ["another user", { ...content, userId: "u-2" }],
  ])("differs for %s", (_what, event) => {
    expect(idOf(event)).not.toBe(idOf(content));
  });

  test.each([null, "", undefined])("is what %p means", (messageId) => {
    expect(idOf({ ...content, messageId })).toMatch(/^[\da-f-]{36}$/);
  });
});

describe("what is no event", () => {
  test.each<[unknown, string]>([
    [null, "must be a JSON object, not null"],
    [undefined, "must be a JSON object, not nothing"],
    ["track", "must be a JSON object, not a value of type string"],
    [[track], "must be a JSON object, not an array"],
    [new Date(), "must be a JSON object, not a date"],
    [7n, "must be a JSON object, not a value of type bigint"],
    [{}, "type must be one of track, identify, page, screen, group, alias, not nothing"],
    [{ type: "Track" }, 'not "Track"'],
    [{ type: "x".repeat(10_000) }, `not "${"x".repeat(50)}"`],
    [{ type: ["track"] }, "not an array"],
    [{ type: "__proto__" }, 'not "__proto__"'],
    [{ ...track, event: {} }, "event must be a string, not a value of type object"],
    [{ ...track, userId: ["u"] }, "userId must be a string, not an array"],
    [{ ...track, properties: "p" }, "properties must be an object, not a value of type string"],
    [{ ...track, context: [1] }, "context must be an object, not an array"],
    [{ ...track, integrations: 1 }, "integrations must be an object, not a value of type number"],
  ])("%p is refused and told why", (input, why) => {
    const map = () => toSegmentEvent(input);
    expect(map).toThrow(InvalidEvent);
    expect(map).toThrow(why);
  });

  test("a field of another call type does no harm", () => {
    expect(mapped({ type: "alias", messageId: "m", properties: "p", traits: 7, event: {} })).toEqual({
      type: "alias",
      messageId: "m",
      version: 2,
    });
  });
});

const json = fc.jsonValue({ maxDepth: 4 });
const eventLike = fc
  .tuple(
    fc.constantFrom(...CALL_TYPES),
    fc.dictionary(fc.oneof(fc.constantFrom(...Object.keys(full), "requestIp", "request_ip", "geo"), fc.string()), json),
    fc.record(
      {
        context: fc.record(
          {
            traits: json,
            ip: json,
            location: json,
            geo: fc.oneof(
              json,
              fc.dictionary(fc.constantFrom("city", "country", "region", "postal", "location"), json),
            ),
          },
          { requiredKeys: [] },
        ),
        timestamp: fc.oneof(
          fc.date().map((date) => date.toJSON()),
          fc.double(),
          fc.string(),
        ),
        userId: fc.string(),
      },
      { requiredKeys: [] },
    ),
  )
  .map(([type, any, known]) => ({ ...any, ...known, type }));

test.each([
  ["any JSON value", json],
  ["anything with a call type", eventLike],
])("%s becomes a valid Segment event or is an InvalidEvent, and is never changed", (_what, arbitrary) => {
  fc.assert(
    fc.property(arbitrary as fc.Arbitrary<unknown>, (input) => {
      const outcome = () => {
        try {
          return toSegmentEvent(deepFrozen(input), { sourceId: "source-1" });
        } catch (error) {
          expect(error).toBeInstanceOf(InvalidEvent);
          return undefined;
        }
      };
      const event = outcome();
      expect(outcome()).toEqual(event);
      if (event) assessedEvent(JSON.parse(JSON.stringify(event)));
    }),
    { numRuns: 500 },
  );
});

test.each(["properties", "context", "integrations"])(
  "an empty array for %s, which PHP writes for an empty map, is no %s",
  (field) => {
    const mapped = assessedEvent(toSegmentEvent({ type: "track", event: "Signed Up", messageId: "m-1", [field]: [] }));

    expect(mapped).not.toHaveProperty(field);
  },
);
