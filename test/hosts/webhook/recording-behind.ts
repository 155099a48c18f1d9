import type { DeliveryErrorCode } from "../../../src/delivery/delivery-result";
import { failed } from "../../../src/delivery/result";
import type { JsonObject } from "../../../src/events/segment-event";
import type { Behind, Outcome, TakeOptions } from "../../../src/hosts/webhook/behind";
import type { EventContext } from "../../../src/planning/planner";

/** Takes events and answers what the test wants. */
export class RecordingBehind implements Behind {
  readonly taken: JsonObject[] = [];
  readonly contexts: EventContext[] = [];
  readonly options: (TakeOptions | undefined)[] = [];
  /** By message ID. */
  readonly failures = new Map<string, { code: DeliveryErrorCode; retryAfterMs?: number; alone?: true }>();

  async deliver(event: unknown, context: EventContext, options?: TakeOptions): Promise<Outcome> {
    this.taken.push(event as JsonObject);
    this.contexts.push(context);
    this.options.push(options);
    const { messageId } = Object(event) as { messageId?: unknown };
    const facts = { messageId: String(messageId ?? ""), durationMs: 1, attempts: 1 };
    const { code, ...more } = this.failures.get(facts.messageId) ?? {};
    return code ? failed(code, "It failed.", { ...facts, ...more }) : { outcome: "delivered", status: 200, ...facts };
  }

  deliverBatch(events: readonly unknown[], context: EventContext, options?: TakeOptions): Promise<Outcome[]> {
    return Promise.all(events.map((event) => this.deliver(event, context, options)));
  }
}
