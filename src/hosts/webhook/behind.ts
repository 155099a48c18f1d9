/**
 * What stands behind the receiver. A {@link Destination} is one as it is; a queue or a local router is another.
 *
 * @example
 * // Takes events into a queue: answered 2xx once they are in it.
 * const behind: Behind = {
 *   deliver: async (event, context) => ({ outcome: "accepted", messageId: await queue.put(event, context) }),
 *   deliverBatch: (events, context) => Promise.all(events.map((event) => behind.deliver(event, context))),
 * };
 */
import type { DeliveryResult } from "../../delivery/delivery-result";
import type { EventContext } from "../../planning/planner";

/** That somebody else has the event for good and sees to the rest. */
export interface Accepted {
  readonly outcome: "accepted";
  readonly messageId: string;
}

/** What became of an event. */
export type Outcome = DeliveryResult | Accepted;

export interface TakeOptions {
  /** Milliseconds that are left of the time that the sender waits, for all events together; caps the settings' own timeout. */
  readonly timeoutMs?: number;
  /** Of the trace that the request belongs to, where it has one event. */
  readonly traceparent?: string;
  /** Whether the event at that position is to share no invocation: its last result said so. */
  readonly alone?: (position: number) => boolean;
}

/** Never throws for what events, users, AWS or a network can do: each event gets its outcome. */
export interface Behind {
  deliver(event: unknown, context: EventContext, options?: TakeOptions): Promise<Outcome>;
  /** @returns one outcome per event, in the same order */
  deliverBatch(events: readonly unknown[], context: EventContext, options?: TakeOptions): Promise<readonly Outcome[]>;
}
