// @ts-nocheck
import { splitGeo } from "./geo";
import { InvalidEvent } from "./invalid-event";
import { isDate, isoDate } from "./iso-date";
import { messageIdFromContent } from "./message-id";
import { CALL_TYPES, type CallType, type JsonObject, type SegmentEvent } from "./segment-event";

/** What the host knows about an event and the event itself may not say. */
export interface MappingContext {
  /** Becomes `projectId`. */
  readonly sourceId?: string | undefined;
  /** When the host took the event in; counts where the event has no `receivedAt` of its own. */
  readonly receivedAt?: Date | string | undefined;
}

type Field = Exclude<keyof SegmentEvent, "type" | "messageId" | "version">;
type Read = (event: JsonObject, context: MappingContext) => unknown;

/** Every field of a Segment event but the three that always stand, in their order: which call types have it, and where it comes from. */
const FIELDS: readonly (readonly [Field | "messageId", readonly CallType[], Read])[] = [
  ["event", ["track"], text("event")],
  ["name", ["page", "screen"], ownOrProperty("name")],
  ["category", ["page", "screen"], ownOrProperty("category")],
  ["userId", CALL_TYPES, text("userId")],
  ["anonymousId", CALL_TYPES, text("anonymousId")],
  ["groupId", ["group"], text("groupId")],
  ["previousId", ["alias"], text("previousId")],
  ["properties", ["track", "page", "screen"], object("properties")],
  ["traits", ["identify"], identifyTraits],
  ["traits", ["group"], object("traits")],
  ["context", CALL_TYPES, segmentContext],
  ["integrations", CALL_TYPES, object("integrations")],
  ["messageId", CALL_TYPES, messageIdOf],
  ["originalTimestamp", CALL_TYPES, date("originalTimestamp")],
  ["timestamp", CALL_TYPES, timestamp],
  ["sentAt", CALL_TYPES, date("sentAt")],
  ["receivedAt", CALL_TYPES, receivedAt],
  ["channel", CALL_TYPES, text("channel")],
  ["projectId", CALL_TYPES, (_event, { sourceId }) => sourceId],
];

const FIELDS_BY_TYPE = Object.fromEntries(
  CALL_TYPES.map((type) => [
    type,
    FIELDS.filter(([, types]) => types.includes(type)).map(([field, , read]) => [field, read] as const),
  ]),
) as Record<CallType, (readonly [string, Read])[]>;

/**
 * The event as Segment would have sent it to a Lambda function.
 *
 * Takes events as Jitsu and as RudderStack hand them over, and Segment's own. The event is not changed; what the user
 * put into it is shared with the result, not copied.
 *
 * @throws InvalidEvent for anything that is no event
 */
export function toSegmentEvent(event: unknown, context: MappingContext = {}): SegmentEvent {
  if (!isObject(event)) throw new InvalidEvent(`An event must be a JSON object, not ${describeType(event)}.`);
  const type = callTypeOf(event);
  const segmentEvent: JsonObject = { type };
  for (const [field, read] of FIELDS_BY_TYPE[type]) {
    const value = read(event, context);
    if (value !== undefined) segmentEvent[field] = value;
  }
  segmentEvent["version"] = 2;
  return segmentEvent as unknown as SegmentEvent;
}

/**
 * The event's own ID, or one derived from its content; empty for what is no object.
 *
 * @throws InvalidEvent where neither can be had
 */
export function messageIdOf(event: unknown): string {
  return isObject(event) ? ownMessageId(event) || messageIdFromContent(event) : "";
}

/** @throws InvalidEvent where the event's `type` is none of the six */
function callTypeOf({ type }: JsonObject): CallType {
  const known = CALL_TYPES.find((callType) => callType === type);
  if (known) return known;
  const found = typeof type === "string" ? JSON.stringify(type.slice(0, 50)) : describeType(type);
  throw new InvalidEvent(`The event's type must be one of ${CALL_TYPES.join(", ")}, not ${found}.`);
}

/** A text, or what reads as one: routers let numbers pass as IDs. */
function text(field: string): (event: JsonObject) => string | undefined {
  return (event) => {
    const value = event[field];
    if (value === undefined || value === null) return undefined;
    if (typeof value === "object" || typeof value === "function" || typeof value === "symbol") {
      throw new InvalidEvent(`The event's ${field} must be a string, not ${describeType(value)}.`);
    }
    return String(value);
  };
}

function object(field: string): (event: JsonObject) => JsonObject | undefined {
  return (event) => {
    const value = event[field];
    if (value === undefined || value === null || isEmptyArray(value)) return undefined;
    if (!isObject(value)) throw new InvalidEvent(`The event's ${field} must be an object, not ${describeType(value)}.`);
    return value;
  };
}

/** Jitsu's SDK writes the name of a page into its properties only; Segment has it in both places. */
function ownOrProperty(field: "name" | "category"): (event: JsonObject) => string | undefined {
  const own = text(field);
  return (event) => {
    const property = ownProperties(event)?.[field];
    return own(event) ?? (typeof property === "string" ? property : undefined);
  };
}

const ownMessageId = text("messageId");
const ownProperties = object("properties");
const ownTraits = object("traits");
const ownContext = object("context");

/** Hosts keep the traits of an identify call in `traits`, in `context.traits` or in both. */
function identifyTraits(event: JsonObject): JsonObject | undefined {
  const inContext = ownContext(event)?.["traits"];
  const traits = ownTraits(event);
  return isObject(inContext) ? { ...inContext, ...traits } : traits;
}

/** The event's context, with the IP address and the location where Segment puts them. */
function segmentContext(event: JsonObject): JsonObject | undefined {
  const context = ownContext(event);
  const requestIp = event["requestIp"] ?? event["request_ip"];
  const addsIp = typeof requestIp === "string" && requestIp !== "" && !context?.["ip"];
  const block = context?.["geo"];
  const geo = isObject(block) ? splitGeo(block) : undefined;
  if (!addsIp && !geo) return context;
  const segment = { ...context, ...(addsIp && { ip: requestIp }) };
  if (!geo) return segment;
  const { geo: _block, location: own, ...others } = segment as JsonObject;
  return {
    ...others,
    ...(geo.rest && { geo: geo.rest }),
    location: isObject(own) ? { ...geo.location, ...own } : (own ?? geo.location),
  };
}

function date(field: string): (event: JsonObject) => string | undefined {
  return (event) => isoDate(event[field]);
}

/** When it happened; where the event does not say, the nearest that is known. */
function timestamp(event: JsonObject, context: MappingContext): string | undefined {
  return (
    isoDate(event["timestamp"]) ??
    isoDate(event["originalTimestamp"]) ??
    isoDate(event["sentAt"]) ??
    receivedAt(event, context)
  );
}

function receivedAt(event: JsonObject, context: MappingContext): string | undefined {
  return isoDate(event["receivedAt"]) ?? isoDate(context.receivedAt);
}

function isObject(value: unknown): value is JsonObject {
  return value !== null && typeof value === "object" && !Array.isArray(value) && !isDate(value);
}

/** What PHP makes of an empty map in JSON. */
function isEmptyArray(value: unknown): boolean {
  return Array.isArray(value) && value.length === 0;
}

function describeType(value: unknown): string {
  if (value === undefined) return "nothing";
  if (value === null) return "null";
  if (Array.isArray(value)) return "an array";
  return isDate(value) ? "a date" : `a value of type ${typeof value}`;
}
