import { setTimeout as sleep } from "node:timers/promises";
import type { Rejection } from "./connection";
import { type DrainOptions, drain } from "./draining";
import type { EventQueue, ReceivedMessage } from "./event-queue";

/** How long nobody else gets what was received: longer than ten deliveries one after the other take. */
const HIDDEN_SECONDS = 300;
const LONGEST_PAUSE_MS = 30_000;

/** Takes what is given up into a dead-letter queue, a FIFO queue as well. */
export function givingUpInto(deadLetters: EventQueue): NonNullable<DrainOptions["giveUp"]> {
  return async ({ body, groupId, id }: ReceivedMessage, why: Rejection) => {
    const given = JSON.stringify({ ...JSON.parse(body), rejected: why });
    const [failure] = await deadLetters.send([{ body: given, groupId, deduplicationId: id }]);
    if (failure) throw new Error(`The dead-letter queue did not take an event (${failure.code}): ${failure.message}`);
  };
}

/** Delivers what is in the queue until it is called off; what is under way then is finished. */
export async function drainQueue(queue: EventQueue, options: DrainOptions, signal: AbortSignal): Promise<void> {
  let failures = 0;
  while (!signal.aborted) {
    try {
      const messages = await queue.receive(HIDDEN_SECONDS, signal);
      const { done, again } = await drain(messages, options);
      await queue.delete(done);
      await queue.showAgain(again);
      failures = 0;
    } catch (error) {
      if (signal.aborted) return;
      options.failed?.(error);
      await sleep(Math.min(LONGEST_PAUSE_MS, 500 * 2 ** failures++), undefined, { signal }).catch(() => {});
    }
  }
}
