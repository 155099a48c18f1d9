import { sha256Crypto } from "../encoding/sha256";
import { isoDate } from "../events/iso-date";
import type { SegmentEvent } from "../events/segment-event";
import type { FunctionReference } from "../names/function-reference";

/** What makes an event one, however often it is delivered. */
interface EventIdentity {
  readonly sourceId: string | undefined;
  readonly callType: string;
  readonly messageId: string;
}

/**
 * The name of an event's one execution. AWS tells names apart within account and region only, so the function is part of
 * it; its version is not, because a delivery that is repeated after a deployment is still the same.
 *
 * @returns 64 hexadecimal digits
 */
export function executionName(
  { sourceId = "", callType, messageId }: EventIdentity,
  { name, account = "" }: FunctionReference,
): string {
  return sha256Crypto.sha256(JSON.stringify([sourceId, callType, messageId, account, name]));
}

/**
 * The event without what changes between two tries to deliver it, so that AWS finds the same payload under its name. It
 * happened when its sender says: hosts correct that by the time at which they had it, which is another in each try.
 *
 * @param given what it was mapped from
 */
export function withoutTransit(event: SegmentEvent, given: unknown): object {
  const { originalTimestamp, context } = event;
  const { timestamp } = Object(given) as { readonly timestamp?: unknown };
  return {
    ...event,
    timestamp: originalTimestamp ?? isoDate(timestamp),
    sentAt: undefined,
    receivedAt: undefined,
    ...(context && { context: { ...context, ip: undefined } }),
  };
}
