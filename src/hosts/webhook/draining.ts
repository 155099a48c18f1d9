import { scopeOf } from "../../delivery/failures";
import type { QueuedEvent } from "./accepting";
import type { Behind, Outcome } from "./behind";
import type { Connection, Rejection } from "./connection";
import type { ReceivedMessage } from "./event-queue";

/** What delivers a connection's events. */
export interface Drained {
  readonly connection: Connection;
  readonly destination: Behind;
}

export interface DrainOptions {
  readonly drained: (connection: string) => Drained | undefined;
  /** Keeps for good what is given up, in a dead-letter queue say. */
  readonly giveUp?: (message: ReceivedMessage, why: Rejection) => Promise<void>;
  readonly ended?: (connection: Connection, outcome: Outcome) => void;
  readonly failed?: (error: unknown) => void;
}

/** What becomes of messages: done with, or to be received again after some seconds. */
export interface Fates {
  readonly done: readonly ReceivedMessage[];
  readonly again: readonly (readonly [ReceivedMessage, seconds: number])[];
}

/** How often an event is received that fails by itself, before it is given up: some three hours. */
export const TRIES = 20;
const LONGEST_WAIT_SECONDS = 900;

/** Delivers what came out of the queue: each group in its order, and behind a message that is to be tried again nothing of its group. */
export async function drain(messages: readonly ReceivedMessage[], options: DrainOptions): Promise<Fates> {
  const done: ReceivedMessage[] = [];
  const again: (readonly [ReceivedMessage, number])[] = [];
  const groups = new Map<string, ReceivedMessage[]>();
  for (const message of messages) groups.set(message.groupId, [...(groups.get(message.groupId) ?? []), message]);
  while (groups.size > 0) {
    const wave = [...groups.values()].map(([first]) => first as ReceivedMessage);
    const waits = await deliverWave(wave, options);
    for (const [i, message] of wave.entries()) {
      const group = groups.get(message.groupId) ?? [];
      const seconds = waits[i];
      if (seconds === undefined) {
        done.push(message);
        group.shift();
      } else {
        again.push(...group.splice(0).map((each) => [each, seconds] as const));
      }
      if (group.length === 0) groups.delete(message.groupId);
    }
  }
  return { done, again };
}

/** @returns for each message, after how many seconds it is to be tried again; undefined where it is done with */
async function deliverWave(
  wave: readonly ReceivedMessage[],
  options: DrainOptions,
): Promise<readonly (number | undefined)[]> {
  const waits: (number | undefined)[] = [];
  const byConnection = new Map<string, number[]>();
  for (const [i, { body }] of wave.entries()) {
    const { connection = "" } = parsed(body);
    byConnection.set(connection, [...(byConnection.get(connection) ?? []), i]);
  }
  await Promise.all(
    [...byConnection].map(async ([name, positions]) => {
      const drained = options.drained(name);
      const theirs = positions.map((i) => wave[i] as ReceivedMessage);
      const outcomes = drained ? await deliverTo(drained, theirs) : [];
      for (const [j, message] of theirs.entries())
        waits[positions[j] as number] = await settle(message, outcomes[j], drained?.connection, options);
    }),
  );
  return waits;
}

async function deliverTo(
  { connection, destination }: Drained,
  messages: readonly ReceivedMessage[],
): Promise<readonly Outcome[]> {
  const { sourceId, workspaceId } = connection;
  const context = { sourceId, workspaceId };
  const events = messages.map(({ body }) => parsed(body).event);
  // One that failed before shares no invocation any more.
  const firstTime = messages.flatMap(({ receives }, i) => (receives === 1 ? [i] : []));
  const outcomes: Outcome[] = [];
  const together = destination
    .deliverBatch(
      firstTime.map((i) => events[i]),
      context,
    )
    .then((sent) => {
      for (const [j, i] of firstTime.entries()) outcomes[i] = sent[j] as Outcome;
    });
  const alone = messages.map(async ({ receives }, i) => {
    if (receives > 1) outcomes[i] = await destination.deliver(events[i], context);
  });
  await Promise.all([together, ...alone]);
  return outcomes;
}

/** @returns seconds after which the message is to be tried again, if it is */
async function settle(
  message: ReceivedMessage,
  outcome: Outcome | undefined,
  connection: Connection | undefined,
  options: DrainOptions,
): Promise<number | undefined> {
  // Whose connection is not there: it may have been renamed, and comes back, or ends in the dead-letter queue.
  if (!outcome || !connection) return waitOf(message);
  options.ended?.(connection, outcome);
  if (outcome.outcome !== "retry" && outcome.outcome !== "rejected") return undefined;
  const { error, messageId } = outcome;
  const isOwnFault = error !== undefined && scopeOf(error.code) === "event";
  const givenUp = outcome.outcome === "rejected" || (isOwnFault && message.receives >= TRIES);
  if (!givenUp) return waitOf(message, outcome.retryAfterMs);
  const why = { messageId, code: error?.code ?? "Unknown", message: error?.message ?? "" };
  try {
    if (options.giveUp) await options.giveUp(message, why);
    else if (connection.keep) await connection.keep(parsed(message.body).event, why);
    else return waitOf(message);
    return undefined;
  } catch (failure) {
    options.failed?.(failure);
    return waitOf(message);
  }
}

/** The more often, the longer: SQS counts, and moves what was received 1000 times away, whoever's fault it was. That takes ten days like this. */
function waitOf({ receives }: ReceivedMessage, retryAfterMs?: number): number {
  return retryAfterMs !== undefined
    ? Math.max(Math.ceil(retryAfterMs / 1000), 2 * (receives - 1))
    : Math.min(LONGEST_WAIT_SECONDS, 5 * 2 ** (receives - 1));
}

function parsed(body: string): Partial<QueuedEvent> {
  try {
    return Object(JSON.parse(body));
  } catch {
    return {};
  }
}
