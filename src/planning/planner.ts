import { utf8Length } from "../encoding/utf8";
import { InvalidEvent } from "../events/invalid-event";
import type { SegmentEvent } from "../events/segment-event";
import { type MappingContext, messageIdOf, toSegmentEvent } from "../events/to-segment-event";
import { type EventOrigin, externalIdFor } from "../settings/external-id";
import type { OperatorPolicy } from "../settings/operator-policy";
import { functionFor } from "../settings/routes";
import type { ParsedSettings } from "../settings/settings";
import { SettingsError } from "../settings/settings-error";
import { type BatchLimit, BRACKETS } from "./batches";
import { executionName, withoutTransit } from "./durable";
import type { Plan, PlannedDelivery, PlanningProblem, Unplanned } from "./planned-delivery";
import { tenantIdFor } from "./tenant";

/** What the host knows about an event. */
export type EventContext = MappingContext & EventOrigin;

/** Bytes of a payload that Lambda takes at most, by invocation type. */
const MAX_PAYLOAD_BYTES = { RequestResponse: 6_291_456, Event: 1_048_576 } as const;

/** What a delivery keeps while it waits in a host's queue: all but what today's settings say anew. */
export type QueuedDelivery = Pick<
  PlannedDelivery,
  "callType" | "messageId" | "json" | "externalId" | "user" | "event" | "group"
>;

/** An event that was rejected before it was queued, which waits for that to be recorded. */
export interface QueuedRejection extends Pick<Unplanned, "messageId" | "callType" | "function"> {
  readonly rejected: PlanningProblem;
  readonly json?: string;
}

/** Turns events into deliveries by one user's settings. No AWS is known here, and nothing waits. */
export class Planner {
  /** Of what shares an invocation. */
  readonly limit: BatchLimit;
  readonly #settings: ParsedSettings;
  readonly #operator: OperatorPolicy;
  readonly #maxBytes: number;

  constructor(settings: ParsedSettings, operator: OperatorPolicy) {
    this.#settings = settings;
    this.#operator = operator;
    this.limit = { events: settings.maxBatchSize, bytes: MAX_PAYLOAD_BYTES[settings.invocationType] };
    this.#maxBytes = this.limit.bytes - (settings.maxBatchSize > 1 ? BRACKETS : 0);
  }

  /** Maps an event and chooses its function. Never throws. */
  plan(event: unknown, context: EventContext): Plan {
    try {
      const segmentEvent = toSegmentEvent(event, context);
      const { type, messageId, userId, anonymousId } = segmentEvent;
      const { executionName: naming } = this.#settings;
      const json = toJson(naming === "MessageId" ? withoutTransit(segmentEvent, event) : segmentEvent);
      return this.#addressed(
        {
          callType: type,
          messageId,
          json,
          user: userId ?? anonymousId,
          event: segmentEvent.event,
          group: this.#groupOf(segmentEvent),
        },
        context,
      );
    } catch (error) {
      const unplanned = { messageId: messageIdOrNone(event), problem: problemOf(error) };
      return this.#recordable(unplanned, () => ownFields(event), context);
    }
  }

  /**
   * Plans a delivery anew that comes out of a host's queue, which is not trusted: its function is what today's settings
   * name for it, and an external ID that the operator pins is derived anew. Never throws.
   *
   * @param origin as the host itself knows it
   */
  planAnew(queued: QueuedDelivery | QueuedRejection, origin: EventOrigin): Plan {
    if ("rejected" in queued) {
      const { rejected: problem, json, ...unplanned } = queued;
      return this.#recordable({ ...unplanned, problem }, () => json, origin);
    }
    return this.#addressed(queued, origin);
  }

  #addressed(delivery: QueuedDelivery, origin: EventOrigin): Plan {
    const { callType, messageId, json } = delivery;
    const reference = functionFor(this.#settings.routes, callType, delivery.event);
    if (!reference) return { callType, messageId };
    const bytes = utf8Length(json);
    const { configured } = reference;
    if (bytes > this.#maxBytes) {
      const message = `The event is ${bytes} bytes as JSON; Lambda takes ${this.limit.bytes} with Invocation Type ${this.#settings.invocationType}.`;
      const problem = { code: "PayloadTooLarge", message } as const;
      return this.#recordable({ callType, messageId, function: configured, problem }, () => json, origin);
    }
    try {
      const externalId = this.#externalId(delivery.externalId, origin);
      const { user, event, group } = delivery;
      const planned = { callType, messageId, function: configured, externalId, json, bytes, user, event };
      const { tenant, executionName: naming } = this.#settings;
      if (!tenant && naming === "None") return planned;
      return {
        ...planned,
        group,
        ...(tenant && {
          tenantId: tenantIdFor(tenant, { source: origin.sourceId, workspace: origin.workspaceId, user, group }),
        }),
        ...(naming === "MessageId" && {
          executionName: executionName({ sourceId: origin.sourceId, callType, messageId }, reference),
        }),
      };
    } catch (error) {
      const unplanned = { callType, messageId, function: configured, problem: problemOf(error) };
      return this.#recordable(unplanned, () => json, origin);
    }
  }

  /** With what a record of its being rejected needs, where there will be one. */
  #recordable(unplanned: Unplanned, event: () => string | undefined, origin: EventOrigin): Unplanned {
    if (!this.#settings.failureFunction) return unplanned;
    try {
      return { ...unplanned, record: { json: event(), externalId: this.#externalId(undefined, origin) } };
    } catch (error) {
      return { ...unplanned, problem: problemOf(error) };
    }
  }

  #groupOf({ groupId, context }: SegmentEvent): string | undefined {
    const { tenant } = this.#settings;
    if (!tenant || !("from" in tenant) || tenant.from !== "group") return undefined;
    const ofContext = context?.["groupId"];
    return groupId ?? (typeof ofContext === "string" ? ofContext : undefined);
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
function toJson(segmentEvent: object): string {
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

/** As JSON what of an input that is no event would have become one: nothing of the host's own, such as its write key. */
function ownFields(event: unknown): string | undefined {
  try {
    if (Object(event) !== event) return JSON.stringify(event);
    return JSON.stringify(
      Object.fromEntries(Object.entries(event as object).filter(([key]) => OWN_FIELDS.includes(key))),
    );
  } catch {
    return undefined;
  }
}

const OWN_FIELDS: readonly string[] = [
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
];

function messageIdOrNone(event: unknown): string {
  try {
    return messageIdOf(event);
  } catch {
    return "";
  }
}
