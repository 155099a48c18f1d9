import type { DeliveryResult } from "../delivery/delivery-result";
import { unsent } from "../delivery/result";
import type { Plan, PlannedDelivery, Unplanned } from "../planning/planned-delivery";
import { type EventContext, type QueuedDelivery, type QueuedRejection, unplannable } from "../planning/planner";
import type { SettingsError } from "../settings/settings-error";
import type { BatchOptions, HostedDestination } from "./contract";

/** Stands in where the settings are no good: nothing is sent, nothing is lost. */
export class UnusableDestination implements HostedDestination {
  readonly #error: SettingsError;

  constructor(error: SettingsError) {
    this.#error = error;
  }

  async deliver(event: unknown): Promise<DeliveryResult> {
    return unsent(this.plan(event));
  }

  async deliverBatch(events: readonly unknown[], _context?: EventContext, { onResult }: BatchOptions = {}) {
    return events.map((event, position) => {
      const result = unsent(this.plan(event));
      onResult?.(result, position);
      return result;
    });
  }

  async close(): Promise<void> {}

  plan(event: unknown): Plan {
    return unplannable(event, this.#error);
  }

  async settle(plan: Unplanned): Promise<DeliveryResult> {
    return unsent(plan);
  }

  planAnew({ messageId, callType }: QueuedDelivery | QueuedRejection): Plan {
    return {
      messageId,
      ...(callType && { callType }),
      problem: { code: "InvalidSettings", message: this.#error.message },
    };
  }

  batches<Delivery extends PlannedDelivery>(deliveries: readonly Delivery[]): Delivery[][] {
    return deliveries.map((delivery) => [delivery]);
  }

  async send(deliveries: readonly PlannedDelivery[]): Promise<DeliveryResult[]> {
    return deliveries.map((delivery) => unsent(this.planAnew(delivery)));
  }
}
