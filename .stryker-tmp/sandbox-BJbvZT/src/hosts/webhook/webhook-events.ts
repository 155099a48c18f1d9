// @ts-nocheck
import { CALL_TYPES, type JsonObject } from "../../events/segment-event";
import { parseJson } from "./json-body";
import { Refusal } from "./refusal";

const EMPTY = 'The body is empty: send an event, an array of events, NDJSON, or {"batch": [...]}.';

/** What is in a webhook's body: JSON, or NDJSON, of which each line is an item. */
export function parseItems(bytes: Buffer, contentType: string | undefined): unknown {
  if (bytes.length === 0) throw new Refusal(400, "InvalidBody", EMPTY);
  if (/ndjson|jsonl|json-seq/i.test(contentType ?? "")) return lines(bytes);
  try {
    return parseJson(bytes);
  } catch (error) {
    // NDJSON under another name; what is neither is told as what it was meant to be.
    const end = bytes.indexOf(0x0a);
    if (end < 1 || !isJson(bytes.subarray(0, end))) throw error;
    return lines(bytes);
  }
}

function lines(bytes: Buffer): unknown[] {
  const found: unknown[] = [];
  for (let start = 0; start < bytes.length; ) {
    const next = bytes.indexOf(0x0a, start);
    const end = next < 0 ? bytes.length : next;
    const line = bytes.subarray(start, end);
    if (line.toString("latin1").trim() !== "") found.push(parseJson(line));
    start = end + 1;
  }
  return found;
}

function isJson(line: Buffer): boolean {
  try {
    parseJson(line);
    return true;
  } catch {
    return false;
  }
}

type Shape = readonly [is: (body: JsonObject) => boolean, events: (body: JsonObject) => unknown[]];

/** Objects that hold events, by what tells them from an event itself; the first row that fits counts. */
const SHAPES: readonly Shape[] = [
  // Segment's own batch, Jitsu's templates.
  [
    ({ type, batch }) => type === undefined && Array.isArray(batch),
    ({ batch }) => (batch as unknown[]).flatMap(eventsIn),
  ],
  // Segment's Extensible Webhook.
  [({ type, json }) => type === undefined && isObject(json), ({ json }) => [json]],
  // Jitsu's reverse ETL.
  [
    ({ type, records }) => type === undefined && Array.isArray(records),
    ({ records, syncId }) => (records as unknown[]).map((record) => fromRecord(record, syncId)),
  ],
  // PostHog.
  [
    ({ type, event }) => type === undefined && isObject(event),
    ({ event, person }) => [fromPostHog(event as JsonObject, person)],
  ],
];

/** The events of a parsed body, as the core takes them; what is no event is left for the core to tell. */
export function eventsIn(body: unknown): unknown[] {
  if (Array.isArray(body)) return (body as unknown[]).flatMap(eventsIn);
  if (!isObject(body)) return [body];
  const shape = SHAPES.find(([is]) => is(body));
  return shape ? shape[1](body) : [body];
}

/** PostHog's own events, and the call that each of them is. */
const POSTHOG_TYPES: Readonly<Record<string, string>> = {
  $pageview: "page",
  $screen: "screen",
  $identify: "identify",
  $set: "identify",
  $groupidentify: "group",
  $create_alias: "alias",
};

function fromPostHog(event: JsonObject, person: unknown): JsonObject {
  const properties = isObject(event["properties"]) ? event["properties"] : {};
  const name = String(event["event"]);
  const type = (Object.hasOwn(POSTHOG_TYPES, name) ? POSTHOG_TYPES[name] : undefined) ?? "track";
  const traits = isObject(person) && isObject(person["properties"]) ? person["properties"] : undefined;
  const anonymousId = properties["$anon_distinct_id"] ?? properties["$device_id"];
  return {
    type,
    ...(type === "track" && { event: name }),
    ...(type === "page" && { name: properties["title"] }),
    ...(type === "screen" && { name: properties["$screen_name"] }),
    ...(type === "group" && { groupId: properties["$group_key"], traits: properties["$group_set"] }),
    ...(type === "alias" && { previousId: properties["alias"] }),
    ...(type === "identify" && {
      traits: isObject(properties["$set"]) ? { ...traits, ...properties["$set"] } : traits,
    }),
    ...(["track", "page", "screen"].includes(type) && { properties }),
    userId: event["distinct_id"],
    ...(typeof anonymousId === "string" && { anonymousId }),
    ...(traits && { context: { traits } }),
    messageId: event["uuid"],
    timestamp: event["timestamp"],
  };
}

/** A row of a reverse ETL sync: the event that it holds, or a track call that tells of the row. */
function fromRecord(record: unknown, syncId: unknown): unknown {
  if (!isObject(record)) return record;
  const { operation, key, idempotencyKey, data } = record;
  const row = isObject(data) ? data : {};
  if (CALL_TYPES.some((type) => type === row["type"])) {
    return { ...row, ...(row["messageId"] === undefined && { messageId: idempotencyKey }) };
  }
  return {
    type: "track",
    event: `Record ${typeof operation === "string" ? operation : "upsert"}`,
    userId: typeof key === "object" ? JSON.stringify(key) : key,
    properties: row,
    messageId: idempotencyKey,
    context: { reverseEtl: { operation, key, syncId } },
  };
}

function isObject(value: unknown): value is JsonObject {
  return value !== null && typeof value === "object" && !Array.isArray(value);
}
