import type { Aws } from "../aws/aws";
import type { Sessions } from "../aws/sessions";
import type { Transport } from "../aws/transport";
import type { DeliveryResult } from "../delivery/delivery-result";
import type { Gates } from "../delivery/gates";
import type { Plan, PlannedDelivery, Unplanned } from "../planning/planned-delivery";
import type { EventContext, QueuedDelivery, QueuedRejection } from "../planning/planner";
import type { EventOrigin } from "../settings/external-id";
import type { OperatorPolicy } from "../settings/operator-policy";

export interface DeliverOptions {
  /** Ends the delivery early: what it cuts off is a retry. */
  readonly signal?: AbortSignal;
  /** Milliseconds from the call on, where the host allows less than Timeout (ms). What has not been sent by then is a retry. */
  readonly timeoutMs?: number;
  /** W3C's trace context: handed on in the client context, where an event has its `RequestResponse` invocation to itself. */
  readonly traceparent?: string;
}

export interface BatchOptions extends DeliverOptions {
  /** Hears each result as soon as it is known, with its event's position. What it throws is not caught. */
  readonly onResult?: (result: DeliveryResult, position: number) => void;
  /** Whether the event at that position is to share no invocation: its last result said `alone`. */
  readonly alone?: (position: number) => boolean;
}

/** Delivers events to the functions of one user's settings. */
export interface Destination {
  /** Delivers one event. Never throws for what an event, a user, AWS or a network can do. */
  deliver(event: unknown, context?: EventContext, options?: DeliverOptions): Promise<DeliveryResult>;
  /**
   * Delivers many events, `maxBatchSize` per invocation. Each user's events (user ID, else anonymous ID) are sent in the
   * order given, and those after a retried one still go; different users' side by side. An event at fault is found and
   * told apart from those that shared its invocation. Each invocation has Timeout (ms), all together `timeoutMs`.
   *
   * @param context of all events
   * @returns one result per event, in the same order
   */
  deliverBatch(events: readonly unknown[], context?: EventContext, options?: BatchOptions): Promise<DeliveryResult[]>;
  /** Waits for what is under way. What is delivered after it is a retry, and nothing of it keeps the process alive. */
  close(): Promise<void>;
}

/** What a delivery may be given by this package's own hosts beside. */
export interface HostedOptions extends DeliverOptions {
  /** The way out, for hosts that hand each event its own. */
  readonly via?: Transport;
  /** Milliseconds, of those that the delivery has, for which it may wait for a place where its function has no room. None unless given. */
  readonly patienceMs?: number;
}

/** A destination as this package's own hosts use it, where their queue lies between planning and sending. */
export interface HostedDestination extends Destination {
  deliver(event: unknown, context?: EventContext, options?: HostedOptions): Promise<DeliveryResult>;
  plan(event: unknown, context: EventContext): Plan;
  /** What becomes of an event that is not to be sent; where it is rejected, once that is recorded. */
  settle(plan: Unplanned, options?: HostedOptions): Promise<DeliveryResult>;
  /** Plans what comes out of the host's queue by today's settings. */
  planAnew(queued: QueuedDelivery | QueuedRejection, origin: EventOrigin): Plan;
  /** Plans that may share an invocation, in the order that keeps that of each user. */
  batches<Delivery extends PlannedDelivery>(deliveries: readonly Delivery[]): Delivery[][];
  /** Sends deliveries as `deliverBatch` does, one batch after the other. */
  send(deliveries: readonly PlannedDelivery[]): Promise<DeliveryResult[]>;
}

/** What destinations run on; one for all destinations of a process. */
export interface Surroundings {
  readonly aws: Aws;
  readonly sessions: Sessions;
  readonly gates: Gates;
  /** @throws SettingsError where the operator's own settings are no good */
  readonly operator: () => OperatorPolicy;
  /** What else to say where a delivery took too long. */
  readonly timeoutNote?: string;
}
