// @ts-nocheck
import { sha256 } from "../encoding/sha256";
import { InvalidEvent } from "./invalid-event";
import type { JsonObject } from "./segment-event";

/** What the same event does not keep from one try to the next. */
const PER_TRY: readonly string[] = ["sentAt", "receivedAt", "writeKey", "request_ip", "requestIp"];

/**
 * A message ID for an event that has none, derived from its content: every retry of the event carries the same one,
 * so that a function can tell a repetition.
 *
 * @returns a UUID (version 8, RFC 9562)
 * @throws InvalidEvent where the event cannot be written as JSON
 */
export function messageIdFromContent(event: JsonObject): string {
  const lasting = Object.entries(event).filter(([key]) => !PER_TRY.includes(key));
  const digest = sha256(canonicalJson(Object.fromEntries(lasting))).slice(0, 16);
  digest[6] = ((digest[6] ?? 0) & 0x0f) | 0x80;
  digest[8] = ((digest[8] ?? 0) & 0x3f) | 0x80;
  const hex = Array.from(digest, (byte) => byte.toString(16).padStart(2, "0")).join("");
  return hex.replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, "$1-$2-$3-$4-$5");
}

/** JSON with the keys of every object in order. */
function canonicalJson(value: unknown): string {
  try {
    return JSON.stringify(value, (_key, inner: unknown) =>
      inner !== null && typeof inner === "object" && !Array.isArray(inner)
        ? Object.fromEntries(Object.entries(inner).sort(([a], [b]) => (a < b ? -1 : 1)))
        : inner,
    );
  } catch (error) {
    throw InvalidEvent.notSerialisable(error);
  }
}
