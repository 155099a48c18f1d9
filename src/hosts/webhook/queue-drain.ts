import { setTimeout as sleep } from "node:timers/promises";
import type { Rejection } from "./connection";
import { type DrainOptions, drain } from "./draining";
import { type EventQueue, type ReceivedMessage, ROOM_FOR_REASON } from "./event-queue";

/** How long nobody else gets what was received: longer than ten deliveries one after the other take. */
const HIDDEN_SECONDS = 300;
/** Of ten messages at most, under way at once; as many as the template has of draining functions. */
const BATCHES = 10;
const LONGEST_PAUSE_MS = 30_000;

/** Takes what is given up into a dead-letter queue, a FIFO queue as well. */
export function givingUpInto(deadLetters: EventQueue): NonNullable<DrainOptions["giveUp"]> {
  return async ({ body, groupId, id }: ReceivedMessage, why: Rejection) => {
    const rejected = { ...why, message: why.message.slice(0, ROOM_FOR_REASON / 8) };
    const given = JSON.stringify({ ...JSON.parse(body), rejected });
    const [failure] = await deadLetters.send([{ body: given, groupId, deduplicationId: id }]);
    if (failure) throw new Error(`The dead-letter queue did not take an event (${failure.code}): ${failure.message}`);
  };
}

/** Delivers what is in the queue until it is called off; what is under way then is finished, the waiting for messages too. */
export async function drainQueue(queue: EventQueue, options: DrainOptions, signal: AbortSignal): Promise<void> {
  const underWay = new Set<Promise<void>>();
  let failures = 0;
  while (!signal.aborted) {
    try {
      const messages = await queue.receive(HIDDEN_SECONDS);
      const batch = settle(messages, queue, options).finally(() => underWay.delete(batch));
      underWay.add(batch);
      failures = 0;
    } catch (error) {
      options.failed?.(error);
      await sleep(Math.min(LONGEST_PAUSE_MS, 500 * 2 ** failures++), undefined, { signal }).catch(() => {});
    }
    if (underWay.size === BATCHES) await Promise.race(underWay);
  }
  await Promise.all(underWay);
}

async function settle(messages: readonly ReceivedMessage[], queue: EventQueue, options: DrainOptions): Promise<void> {
  try {
    const { done, again } = await drain(messages, options);
    await Promise.all([queue.delete(done), queue.showAgain(again)]);
  } catch (error) {
    options.failed?.(error);
  }
}
