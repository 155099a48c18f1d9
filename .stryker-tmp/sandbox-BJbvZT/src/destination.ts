// @ts-nocheck
import type { AssumedRoles } from "./aws/assumed-role";
import type { Aws } from "./aws/aws";
import { Invoker } from "./aws/invoker";
import { BRACKETS, batchesOf } from "./delivery/batches";
import type { DeliveryErrorCode, DeliveryResult } from "./delivery/delivery-result";
import { resultsOfInvocation } from "./delivery/outcome";
import { failed, skipped } from "./delivery/result";
import { utf8Length } from "./encoding/utf8";
import { InvalidEvent } from "./events/invalid-event";
import type { CallType, SegmentEvent } from "./events/segment-event";
import { type MappingContext, messageIdOf, toSegmentEvent } from "./events/to-segment-event";
import { type FunctionReference, parseFunctionReference } from "./names/function-reference";
import { configuredFunctions } from "./settings/configured-functions";
import { type EventOrigin, externalIdFor } from "./settings/external-id";
import type { OperatorPolicy } from "./settings/operator-policy";
import { type ParsedSettings, parseSettings } from "./settings/settings";
import { SettingsError } from "./settings/settings-error";

/** What the host knows about an event. */
export type EventContext = MappingContext & EventOrigin;

/** An event that is mapped and has its function: all that is left is to send it. Plain data, fit for a queue. */
export interface PreparedDelivery {
  readonly callType: CallType;
  readonly messageId: string;
  /** As it stands in the settings. */
  readonly function: string;
  /** Absent where no role is assumed. */
  readonly externalId?: string;
  /** The Segment event as JSON. */
  readonly json: string;
  /** Bytes of `json` in UTF-8. */
  readonly bytes: number;
}

/** Delivers events to the functions of one user's settings. */
export interface Destination {
  /** Delivers one event. Never throws for what an event, a user, AWS or a network can do. */
  deliver(event: unknown, context?: EventContext): Promise<DeliveryResult>;
  /**
   * Delivers many events, `maxBatchSize` per invocation, and those of one function in the order given.
   *
   * @param context of all events
   * @returns one result per event, in the same order
   */
  deliverBatch(events: readonly unknown[], context?: EventContext): Promise<DeliveryResult[]>;
  /** The first half of a delivery, for hosts that queue between the halves: what to send where, or the result where that is settled already. */
  prepare(event: unknown, context?: EventContext): PreparedDelivery | DeliveryResult;
  /**
   * Between the halves, before `batches`, where a queue is not to be trusted with external IDs or the operator may have
   * pinned them since: a pinned one is derived anew, whatever the delivery carries; one that users choose stays.
   *
   * @param origin as the host itself knows it
   * @returns the delivery to send, or its result where the origin lacks the ID that is pinned
   */
  readdress<Delivery extends PreparedDelivery>(delivery: Delivery, origin: EventOrigin): Delivery | DeliveryResult;
  /** Deliveries that may share an invocation, by function and external ID, within `maxBatchSize` and Lambda's payload limit. */
  batches<Delivery extends PreparedDelivery>(deliveries: readonly Delivery[]): Delivery[][];
  /** The second half: one invocation for deliveries that share function and external ID, and what became of each of them. */
  send(deliveries: readonly PreparedDelivery[]): Promise<DeliveryResult[]>;
}

/** What destinations run on; one for all destinations of a process. */
export interface Surroundings {
  readonly aws: Aws;
  readonly roles: AssumedRoles;
  /** @throws SettingsError where the operator's own settings are no good */
  readonly operator: () => OperatorPolicy;
}

/** Bytes of a payload that Lambda takes at most, by invocation type. */
const MAX_PAYLOAD_BYTES = { RequestResponse: 6_291_456, Event: 1_048_576 } as const;

/**
 * A destination for one user's settings. Never throws: settings that are no good make every delivery a retry that says
 * what is wrong with them.
 */
export function createDestinationIn(surroundings: Surroundings, settings: unknown): Destination {
  try {
    const operator = surroundings.operator();
    return new LambdaDestination(surroundings, parseSettings(settings, operator), operator);
  } catch (error) {
    if (error instanceof SettingsError) return new UnusableDestination(error);
    throw error;
  }
}

class LambdaDestination implements Destination {
  readonly #now: () => number;
  readonly #settings: ParsedSettings;
  readonly #operator: OperatorPolicy;
  readonly #invoker: Invoker;
  readonly #maxBytes: number;
  readonly #sendsArrays: boolean;
  readonly #references: ReadonlyMap<string, FunctionReference>;

  constructor({ aws, roles }: Surroundings, settings: ParsedSettings, operator: OperatorPolicy) {
    this.#now = () => aws.now();
    this.#settings = settings;
    this.#operator = operator;
    this.#invoker = new Invoker(aws, roles, settings);
    this.#maxBytes = MAX_PAYLOAD_BYTES[settings.invocationType];
    this.#sendsArrays = settings.maxBatchSize > 1;
    this.#references = new Map(configuredFunctions(settings).map((reference) => [reference.configured, reference]));
  }

  async deliver(event: unknown, context?: EventContext): Promise<DeliveryResult> {
    const prepared = this.prepare(event, context);
    if ("outcome" in prepared) return prepared;
    const [result] = await this.send([prepared]);
    return result as DeliveryResult;
  }

  async deliverBatch(events: readonly unknown[], context?: EventContext): Promise<DeliveryResult[]> {
    const prepared = events.map((event) => this.prepare(event, context));
    const results: (DeliveryResult | undefined)[] = prepared.map((each) => ("outcome" in each ? each : undefined));
    const waiting = prepared.flatMap((each, position) => ("outcome" in each ? [] : [{ ...each, position }]));

    // Functions side by side, the batches of one function one after the other.
    const lanes = new Map<string, (typeof waiting)[]>();
    for (const batch of this.batches(waiting)) {
      const name = batch[0]?.function ?? "";
      const lane = lanes.get(name);
      if (lane) lane.push(batch);
      else lanes.set(name, [batch]);
    }
    const deliverLane = async (batches: (typeof waiting)[]) => {
      for (const batch of batches) {
        const sent = await this.send(batch);
        for (const [i, { position }] of batch.entries()) results[position] = sent[i];
      }
    };
    await Promise.all([...lanes.values()].map(deliverLane));
    return results as DeliveryResult[];
  }

  prepare(event: unknown, context: EventContext = {}): PreparedDelivery | DeliveryResult {
    try {
      const segmentEvent = toSegmentEvent(event, context);
      const reference = this.#functionFor(segmentEvent);
      const { type: callType, messageId } = segmentEvent;
      if (!reference) return skipped({ messageId, callType, durationMs: 0, attempts: 0 });
      const json = toJson(segmentEvent);
      const bytes = utf8Length(json);
      if (bytes + (this.#sendsArrays ? BRACKETS : 0) > this.#maxBytes) {
        const message = `The event is ${bytes} bytes as JSON; Lambda takes ${this.#maxBytes} with Invocation Type ${this.#settings.invocationType}.`;
        return failed("PayloadTooLarge", message, {
          messageId,
          callType,
          function: reference.configured,
          durationMs: 0,
          attempts: 0,
        });
      }
      return { callType, messageId, function: reference.configured, json, bytes, ...this.#externalIdFor(context) };
    } catch (error) {
      return unprepared(event, error);
    }
  }

  readdress<Delivery extends PreparedDelivery>(delivery: Delivery, origin: EventOrigin): Delivery | DeliveryResult {
    // Without one, the settings had no role yet when the delivery was prepared.
    if (this.#operator.externalIdFrom === "settings" && delivery.externalId !== undefined) return delivery;
    try {
      return { ...delivery, ...this.#externalIdFor(origin) };
    } catch (error) {
      if (error instanceof SettingsError) return unusable(delivery, error);
      throw error;
    }
  }

  batches<Delivery extends PreparedDelivery>(deliveries: readonly Delivery[]): Delivery[][] {
    return batchesOf(deliveries, { events: this.#settings.maxBatchSize, bytes: this.#maxBytes });
  }

  async send(deliveries: readonly PreparedDelivery[]): Promise<DeliveryResult[]> {
    if (deliveries.length > 1 && !this.#sendsArrays) return this.#sendOneByOne(deliveries);
    return this.#sendUntil(this.#now() + this.#settings.timeoutMs, deliveries);
  }

  /** @param deadline in milliseconds since 1970, one however often the batch has to be split */
  async #sendUntil(deadline: number, deliveries: readonly PreparedDelivery[]): Promise<DeliveryResult[]> {
    const [first] = deliveries;
    if (!first) return [];
    const startedAt = this.#now();
    const reference = this.#references.get(first.function) ?? parseFunctionReference(first.function);
    const payload = this.#sendsArrays ? `[${deliveries.map(({ json }) => json).join(",")}]` : first.json;
    const invocation = await this.#invoker.invoke(reference, first.externalId, payload, deadline);
    // A clock may be set back.
    const durationMs = Math.max(this.#now() - startedAt, 0);
    const results = resultsOfInvocation(deliveries, invocation, durationMs);
    const tooLarge = deliveries.length > 1 && results[0]?.error?.code === "PayloadTooLarge";
    return tooLarge ? this.#sendInHalves(deadline, deliveries, { attempts: invocation.attempts, durationMs }) : results;
  }

  async #sendInHalves(
    deadline: number,
    deliveries: readonly PreparedDelivery[],
    before: Pick<DeliveryResult, "attempts" | "durationMs">,
  ): Promise<DeliveryResult[]> {
    const middle = Math.ceil(deliveries.length / 2);
    const firstHalf = await this.#sendUntil(deadline, deliveries.slice(0, middle));
    const results = [...firstHalf, ...(await this.#sendUntil(deadline, deliveries.slice(middle)))];
    return results.map((result) => ({
      ...result,
      attempts: before.attempts + result.attempts,
      durationMs: before.durationMs + result.durationMs,
    }));
  }

  /** For deliveries that were queued together while the settings still had batches. */
  async #sendOneByOne(deliveries: readonly PreparedDelivery[]): Promise<DeliveryResult[]> {
    const results: DeliveryResult[] = [];
    for (const delivery of deliveries) results.push(...(await this.send([delivery])));
    return results;
  }

  /** @throws SettingsError where the role needs one and there is none */
  #externalIdFor(origin: EventOrigin): Pick<PreparedDelivery, "externalId"> {
    const { role, externalId } = this.#settings;
    return role ? { externalId: externalIdFor(externalId, origin, this.#operator.externalIdFrom) } : {};
  }

  #functionFor({ type, event }: SegmentEvent): FunctionReference | undefined {
    const forEvent = event !== undefined ? this.#settings.eventFunctions.get(event) : undefined;
    return forEvent ?? this.#settings.functions[type];
  }
}

/** Stands in where the settings are no good: nothing is sent, nothing is lost. */
class UnusableDestination implements Destination {
  readonly #error: SettingsError;

  constructor(error: SettingsError) {
    this.#error = error;
  }

  async deliver(event: unknown): Promise<DeliveryResult> {
    return this.prepare(event);
  }

  async deliverBatch(events: readonly unknown[]): Promise<DeliveryResult[]> {
    return events.map((event) => this.prepare(event));
  }

  prepare(event: unknown): DeliveryResult {
    return unprepared(event, this.#error);
  }

  readdress(delivery: PreparedDelivery): DeliveryResult {
    return unusable(delivery, this.#error);
  }

  batches<Delivery extends PreparedDelivery>(deliveries: readonly Delivery[]): Delivery[][] {
    return deliveries.map((delivery) => [delivery]);
  }

  async send(deliveries: readonly PreparedDelivery[]): Promise<DeliveryResult[]> {
    return deliveries.map((delivery) => unusable(delivery, this.#error));
  }
}

/** @throws InvalidEvent for what JSON cannot hold: circles, BigInt, nesting without end, getters that throw */
function toJson(segmentEvent: SegmentEvent): string {
  try {
    return JSON.stringify(segmentEvent);
  } catch (error) {
    throw InvalidEvent.notSerialisable(error);
  }
}

function unprepared(event: unknown, error: unknown): DeliveryResult {
  // Anything else than our own two errors comes out of the event itself: a getter or a proxy that throws.
  const code: DeliveryErrorCode = error instanceof SettingsError ? "InvalidSettings" : "InvalidEvent";
  const { message } =
    error instanceof SettingsError || error instanceof InvalidEvent ? error : InvalidEvent.notSerialisable(error);
  return failed(code, message, { messageId: messageIdOrNone(event), durationMs: 0, attempts: 0 });
}

/** What becomes of a delivery that was prepared, and that the settings or the operator do not let out now. */
function unusable(
  { messageId, callType, function: name }: PreparedDelivery,
  { message }: SettingsError,
): DeliveryResult {
  return failed("InvalidSettings", message, { messageId, callType, function: name, durationMs: 0, attempts: 0 });
}

function messageIdOrNone(event: unknown): string {
  try {
    return messageIdOf(event);
  } catch {
    return "";
  }
}
