import { CALL_TYPES, type CallType, type JsonObject } from "../../events/segment-event";
import { messageIdOf } from "../../events/to-segment-event";
import { Refusal } from "./refusal";

/** What an address of the tracking API takes: one call of that type, a batch, or one call that says its type itself. */
export type Endpoint = CallType | "batch" | "event";

/** By the last part of the address, as Segment's, RudderStack's and Jitsu's libraries write it. */
const ENDPOINTS: Readonly<Record<string, Endpoint>> = {
  ...Object.fromEntries(CALL_TYPES.map((type) => [type, type] as const)),
  batch: "batch",
  import: "batch",
  b: "batch",
  t: "track",
  i: "identify",
  p: "page",
  s: "screen",
  g: "group",
  a: "alias",
  event: "event",
};

/** @param path the address after the API's own part; Jitsu's servers write `s2s/` before the name */
export function endpointNamed(path: string): Endpoint | undefined {
  const name = path.replace(/^s2s\//, "");
  return Object.hasOwn(ENDPOINTS, name) ? ENDPOINTS[name] : undefined;
}

/** A call of the tracking API, taken apart. */
export interface Tracked {
  readonly events: unknown[];
  /** As the body says it; Jitsu's libraries mask a part of it. */
  readonly writeKey?: string;
}

/** @throws Refusal (400) where the body is not what the endpoint takes */
export function trackedEvents(endpoint: Endpoint, body: unknown): Tracked {
  if (!isObject(body)) throw new Refusal(400, "InvalidBody", "The body must be a JSON object.");
  const { writeKey } = body;
  const key = typeof writeKey === "string" ? { writeKey } : {};
  if (endpoint !== "batch") {
    if (endpoint !== "event") body["type"] = endpoint;
    return { events: [body], ...key };
  }
  const { batch, context, integrations, sentAt } = body;
  if (!Array.isArray(batch)) throw new Refusal(400, "InvalidBody", "A batch must have an array of events in `batch`.");
  for (const event of batch as unknown[]) {
    if (!isObject(event)) continue;
    if (isObject(context))
      event["context"] = isObject(event["context"]) ? { ...context, ...event["context"] } : context;
    if (integrations !== undefined) event["integrations"] ??= integrations;
    if (sentAt !== undefined) event["sentAt"] ??= sentAt;
  }
  return { events: batch as unknown[], ...key };
}

/**
 * Adds to an event what a router knows: the sender's address, when it came, and the time at which it happened by this clock and not by the
 * sender's. An event without a message ID gets the one that its content has, before the content changes with each try.
 *
 * @param receivedAt milliseconds since 1970
 * @param iso the same as a text
 */
export function stamp(event: unknown, requestIp: string | undefined, receivedAt: number, iso: string): void {
  if (!isObject(event)) return;
  event["messageId"] ||= messageIdOrNone(event) || undefined;
  if (requestIp !== undefined) event["requestIp"] = requestIp;
  event["receivedAt"] = iso;
  const happened = event["originalTimestamp"] ?? event["timestamp"];
  const [at, sent] = [moment(happened), moment(event["sentAt"])];
  if (at === undefined || sent === undefined) return;
  event["originalTimestamp"] = happened;
  // Jitsu's libraries write both in the same moment.
  if (sent === at) event["timestamp"] = iso;
  else {
    const corrected = new Date(receivedAt - (sent - at));
    if (!Number.isNaN(corrected.getTime())) event["timestamp"] = corrected.toISOString();
  }
}

/** The event's message ID; empty where it is no event, or its ID cannot be read. */
export function messageIdOrNone(event: unknown): string {
  try {
    return messageIdOf(event);
  } catch {
    return "";
  }
}

/** Segment's forms of a date only: what else `Date` reads, it guesses. */
function moment(value: unknown): number | undefined {
  if (typeof value !== "string" || !/^\d{4}-\d\d-\d\dT/.test(value)) return undefined;
  const ms = Date.parse(value);
  return Number.isNaN(ms) ? undefined : ms;
}

const NAMES = ["Amazon Lambda", "AWS Lambda"];

/** Whether the caller kept the event from this destination: `integrations: {All: false}`, or `{"Amazon Lambda": false}`. */
export function isKeptAway(event: unknown): boolean {
  const integrations = isObject(event) ? event["integrations"] : undefined;
  if (!isObject(integrations)) return false;
  const own = NAMES.map((name) => integrations[name]).find((value) => value !== undefined);
  return own === undefined ? integrations["All"] === false || integrations["all"] === false : own === false;
}

function isObject(value: unknown): value is JsonObject {
  return value !== null && typeof value === "object" && !Array.isArray(value);
}
