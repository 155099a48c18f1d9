// @ts-nocheck
import type { WriteKey } from "./connection";
import { Refusal } from "./refusal";

/** Seconds of a key's rate that may come at once. */
const BURST_SECONDS = 5;

/** Events per second by write key: a bucket each, which a batch may overdraw, so that a large one passes sometime. */
export class EventRate {
  readonly #buckets = new WeakMap<WriteKey, { left: number; at: number }>();

  constructor(private readonly now: () => number) {}

  /** @throws Refusal (429) where the key has sent too many */
  take(key: WriteKey, events: number): void {
    const { eventsPerSecond } = key;
    if (eventsPerSecond === undefined) return;
    const now = this.now();
    const full = eventsPerSecond * BURST_SECONDS;
    const { left, at } = this.#buckets.get(key) ?? { left: full, at: now };
    const refilled = Math.min(full, left + (Math.max(0, now - at) / 1000) * eventsPerSecond);
    if (refilled <= 0) {
      this.#buckets.set(key, { left: refilled, at: now });
      const seconds = Math.ceil((1 - refilled) / eventsPerSecond);
      throw new Refusal(429, "TooManyEvents", `This write key may send ${eventsPerSecond} events a second.`, seconds);
    }
    this.#buckets.set(key, { left: refilled - events, at: now });
  }
}
