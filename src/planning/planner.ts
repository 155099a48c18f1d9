import { utf8Length } from "../encoding/utf8";
import { InvalidEvent } from "../events/invalid-event";
import type { SegmentEvent } from "../events/segment-event";
import { type MappingContext, messageIdOf, toSegmentEvent } from "../events/to-segment-event";
import { type EventOrigin, externalIdFor } from "../settings/external-id";
import type { OperatorPolicy } from "../settings/operator-policy";
import { functionFor } from "../settings/routes";
import type { ParsedSettings } from "../settings/settings";
import { SettingsError } from "../settings/settings-error";
import { BRACKETS } from "./batches";
import type { Plan, PlannedDelivery, PlanningProblem } from "./planned-delivery";

/** What the host knows about an event. */
export type EventContext = MappingContext & EventOrigin;

/** Bytes of a payload that Lambda takes at most, by invocation type. */
export const MAX_PAYLOAD_BYTES = { RequestResponse: 6_291_456, Event: 1_048_576 } as const;

/** What a delivery keeps while it waits in a host's queue: all but what today's settings say anew. */
export type QueuedDelivery = Pick<PlannedDelivery, "callType" | "messageId" | "json" | "externalId" | "user" | "event">;

/** Turns events into deliveries by one user's settings. No AWS is known here, and nothing waits. */
export class Planner {
  readonly #settings: ParsedSettings;
  readonly #operator: OperatorPolicy;
  readonly #maxBytes: number;

  constructor(settings: ParsedSettings, operator: OperatorPolicy) {
    this.#settings = settings;
    this.#operator = operator;
    this.#maxBytes = MAX_PAYLOAD_BYTES[settings.invocationType] - (settings.maxBatchSize > 1 ? BRACKETS : 0);
  }

  /** Maps an event and chooses its function. Never throws. */
  plan(event: unknown, context: EventContext): Plan {
    try {
      const segmentEvent = toSegmentEvent(event, context);
      const { type, messageId, userId, anonymousId } = segmentEvent;
      const json = toJson(segmentEvent);
      return this.#addressed(
        { callType: type, messageId, json, user: userId ?? anonymousId, event: segmentEvent.event },
        context,
      );
    } catch (error) {
      return { messageId: messageIdOrNone(event), problem: problemOf(error) };
    }
  }

  /**
   * Plans a delivery anew that comes out of a host's queue, which is not trusted: its function is what today's settings
   * name for it, and an external ID that the operator pins is derived anew. Never throws.
   *
   * @param origin as the host itself knows it
   */
  planAnew(queued: QueuedDelivery, origin: EventOrigin): Plan {
    const { callType, messageId } = queued;
    try {
      return this.#addressed(queued, origin);
    } catch (error) {
      return { callType, messageId, problem: problemOf(error) };
    }
  }

  /** @throws SettingsError where the role needs an external ID and there is none */
  #addressed(delivery: QueuedDelivery, origin: EventOrigin): Plan {
    const { callType, messageId, json } = delivery;
    const reference = functionFor(this.#settings.routes, callType, delivery.event);
    if (!reference) return { callType, messageId };
    const bytes = utf8Length(json);
    const { configured } = reference;
    if (bytes > this.#maxBytes) {
      const { invocationType } = this.#settings;
      const message = `The event is ${bytes} bytes as JSON; Lambda takes ${MAX_PAYLOAD_BYTES[invocationType]} with Invocation Type ${invocationType}.`;
      return { callType, messageId, function: configured, problem: { code: "PayloadTooLarge", message } };
    }
    try {
      const externalId = this.#externalId(delivery.externalId, origin);
      const { user, event } = delivery;
      return { callType, messageId, function: configured, externalId, json, bytes, user, event };
    } catch (error) {
      return { callType, messageId, function: configured, problem: problemOf(error) };
    }
  }

  /** @param queued where the delivery has one from when it was planned, which stands unless the operator pins it */
  #externalId(queued: string | undefined, origin: EventOrigin): string | undefined {
    const { role, externalId } = this.#settings;
    const { externalIdFrom } = this.#operator;
    if (!role) return undefined;
    if (queued !== undefined && externalIdFrom === "settings") return queued;
    return externalIdFor(externalId, origin, externalIdFrom);
  }
}

/** The plan of any event where the settings are no good. */
export function unplannable(event: unknown, error: SettingsError): Plan {
  return { messageId: messageIdOrNone(event), problem: problemOf(error) };
}

/** @throws InvalidEvent for what JSON cannot hold: circles, BigInt, nesting without end, getters that throw */
function toJson(segmentEvent: SegmentEvent): string {
  try {
    return JSON.stringify(segmentEvent);
  } catch (error) {
    throw InvalidEvent.notSerialisable(error);
  }
}

function problemOf(error: unknown): PlanningProblem {
  if (error instanceof SettingsError) return { code: "InvalidSettings", message: error.message };
  // Anything else than our own two errors comes out of the event itself: a getter or a proxy that throws.
  const { message } = error instanceof InvalidEvent ? error : InvalidEvent.notSerialisable(error);
  return { code: "InvalidEvent", message };
}

function messageIdOrNone(event: unknown): string {
  try {
    return messageIdOf(event);
  } catch {
    return "";
  }
}
