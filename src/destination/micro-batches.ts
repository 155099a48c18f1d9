import type { Clock } from "../aws/clock";
import type { Deadline } from "../aws/deadline";
import { Collector } from "../delivery/collector";
import type { DeliveryResult } from "../delivery/delivery-result";
import { BoundedMap } from "../encoding/bounded-map";
import { type BatchLimit, BRACKETS, batchesOf, sharingKey } from "../planning/batches";
import type { PlannedDelivery } from "../planning/planned-delivery";

/** Ways of sharing that are remembered while nothing is collected for them: functions times external IDs times tenants. */
const MAX_IDLE = 1000;
/** Events that are remembered because they have to be sent alone, and characters of their message IDs: who sends them chooses those. */
const MAX_ALONE = 500;
const MAX_ALONE_LENGTH = 128;

/** A delivery that is collected, with the time that it has. */
export interface Collected {
  readonly delivery: PlannedDelivery;
  readonly deadline: Deadline;
}

/** Sends deliveries in one invocation. Never throws. */
type SendTogether = (deliveries: readonly PlannedDelivery[], deadline: Deadline) => Promise<readonly DeliveryResult[]>;

/** Deliveries that come one at a time, collected for a moment (Batch Window) so that they share invocations. */
export class MicroBatches {
  readonly #clock: Clock;
  readonly #windowMs: number;
  readonly #limit: BatchLimit;
  readonly #sendTogether: SendTogether;
  readonly #collectors = new Map<string, Collector<Collected, DeliveryResult>>();
  /** By message ID: those whose last result said `alone`. Their router hands them in one at a time again, and cannot say so. */
  readonly #alone = new BoundedMap<string, true>({ entries: MAX_ALONE });

  constructor(clock: Clock, windowMs: number, limit: BatchLimit, sendTogether: SendTogether) {
    this.#clock = clock;
    this.#windowMs = windowMs;
    this.#limit = limit;
    this.#sendTogether = sendTogether;
  }

  deliver(collected: Collected): Promise<DeliveryResult> {
    const { delivery } = collected;
    return this.#alone.get(delivery.messageId)
      ? this.#sendAlone(collected)
      : this.#collectorFor(delivery).deliver(collected);
  }

  /** @returns whether it was still waiting for others, and is not sent any more */
  withdraw(collected: Collected): boolean {
    return this.#collectors.get(sharingKey(collected.delivery))?.withdraw(collected) ?? false;
  }

  /** Sends what waits for others. */
  flush(): void {
    for (const collector of this.#collectors.values()) collector.flush();
  }

  async #sendAlone({ delivery, deadline }: Collected): Promise<DeliveryResult> {
    const [result] = await this.#sendTogether([delivery], deadline);
    if (result?.outcome !== "retry") this.#alone.delete(delivery.messageId);
    return result as DeliveryResult;
  }

  #collectorFor(delivery: PlannedDelivery): Collector<Collected, DeliveryResult> {
    const key = sharingKey(delivery);
    let collector = this.#collectors.get(key);
    if (!collector) {
      if (this.#collectors.size >= MAX_IDLE) this.#forgetIdle();
      collector = new Collector<Collected, DeliveryResult>(this.#clock, {
        windowMs: this.#windowMs,
        full: (waiting) =>
          waiting.length >= this.#limit.events ||
          waiting.reduce((bytes, each) => bytes + each.delivery.bytes + 1, BRACKETS) > this.#limit.bytes / 2,
        send: (waiting) => this.#send(waiting),
      });
      this.#collectors.set(key, collector);
    }
    return collector;
  }

  async #send(waiting: readonly Collected[]): Promise<readonly DeliveryResult[]> {
    const sent = new Map<PlannedDelivery, DeliveryResult>();
    const deliveries = waiting.map((each) => each.delivery);
    for (const batch of batchesOf(deliveries, this.#limit)) {
      // Whoever came first has the least time.
      const earliest = waiting.find((each) => each.delivery === batch[0])?.deadline as Deadline;
      const results = await this.#sendTogether(batch, earliest);
      for (const [i, each] of batch.entries()) {
        const result = results[i] as DeliveryResult;
        if (result.alone && each.messageId.length <= MAX_ALONE_LENGTH) this.#alone.set(each.messageId, true);
        sent.set(each, result);
      }
    }
    return deliveries.map((each) => sent.get(each) as DeliveryResult);
  }

  #forgetIdle(): void {
    for (const [key, collector] of this.#collectors) if (collector.idle) this.#collectors.delete(key);
  }
}
