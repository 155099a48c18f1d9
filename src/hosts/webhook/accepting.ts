import { createHash } from "node:crypto";
import { classifyAwsFailure } from "../../delivery/classify";
import { failed } from "../../delivery/result";
import { InvalidEvent } from "../../events/invalid-event";
import { toSegmentEvent } from "../../events/to-segment-event";
import type { EventContext } from "../../planning/planner";
import type { Behind, Outcome, TakeOptions } from "./behind";
import {
  type EventQueue,
  MAX_QUEUED_AT_ONCE,
  MAX_QUEUED_BYTES,
  type QueuedMessage,
  type QueueFailure,
  ROOM_FOR_REASON,
} from "./event-queue";

/** What stands in the queue for an event. */
export interface QueuedEvent {
  readonly connection: string;
  readonly event: unknown;
}

interface Addressed extends QueuedMessage {
  readonly position: number;
  readonly messageId: string;
  readonly bytes: number;
}

/**
 * Takes events into a queue: one is accepted when it stands in there, and by nothing less. In the queue each user's events keep their order, and an
 * event that is sent twice within five minutes is one.
 *
 * @param connection whose events they are
 */
export function acceptingInto(queue: EventQueue, connection: string): Behind {
  async function deliverBatch(
    events: readonly unknown[],
    context: EventContext,
    { timeoutMs }: TakeOptions = {},
  ): Promise<Outcome[]> {
    const signal = timeoutMs === undefined ? undefined : AbortSignal.timeout(timeoutMs);
    const outcomes: Outcome[] = [];
    const messages: Addressed[] = [];
    for (const [position, event] of events.entries()) {
      const message = addressed(connection, event, context, position);
      if ("outcome" in message) outcomes[position] = message;
      else messages.push(message);
    }
    const held = new Set<string>();
    for (const request of inRequests(messages)) {
      // What follows a message that was not taken must not overtake it.
      const due = request.filter(({ groupId }) => !held.has(groupId));
      const failures = due.length > 0 ? await queue.send(due, signal) : [];
      for (const message of request) {
        const failure = held.has(message.groupId) ? BEHIND_ANOTHER : failures[due.indexOf(message)];
        if (failure) held.add(message.groupId);
        outcomes[message.position] = failure
          ? notTaken(message, failure)
          : { outcome: "accepted", messageId: message.messageId };
      }
    }
    return outcomes;
  }

  return {
    deliverBatch,
    async deliver(event, context, options) {
      const [outcome] = await deliverBatch([event], context, options);
      return outcome as Outcome;
    },
  };
}

const BEHIND_ANOTHER: QueueFailure = {
  kind: "service",
  code: "ServiceUnavailable",
  status: 503,
  message: "An earlier event of the same user was not taken.",
};

function addressed(connection: string, event: unknown, context: EventContext, position: number): Addressed | Outcome {
  try {
    const { messageId, userId, anonymousId } = toSegmentEvent(event, context);
    const receivedAt = context.receivedAt === undefined ? undefined : new Date(context.receivedAt).toISOString();
    // The ID and the time of now, whenever it is delivered.
    const queued: QueuedEvent = { connection, event: { receivedAt, ...(event as object), messageId } };
    const body = JSON.stringify(queued);
    const bytes = Buffer.byteLength(body);
    if (bytes > MAX_QUEUED_BYTES - ROOM_FOR_REASON) return tooLarge(messageId, bytes);
    const user = userId ?? anonymousId;
    return {
      position,
      messageId,
      body,
      bytes,
      groupId: digest(connection, user === undefined ? ["event", messageId] : ["user", user]),
      deduplicationId: digest(connection, ["event", messageId]),
    };
  } catch (error) {
    if (!(error instanceof InvalidEvent)) throw error;
    return failed("InvalidEvent", error.message, { messageId: "", durationMs: 0, attempts: 0 });
  }
}

function tooLarge(messageId: string, bytes: number): Outcome {
  return failed(
    "PayloadTooLarge",
    `The event takes ${bytes} bytes in the queue, which takes ${MAX_QUEUED_BYTES - ROOM_FOR_REASON}.`,
    { messageId, durationMs: 0, attempts: 0 },
    { hint: "Send less in one event, or let the connection acknowledge what is delivered (acknowledge: delivered)." },
  );
}

/** Of 128 characters at most, and with none that SQS does not take. */
function digest(connection: string, parts: readonly string[]): string {
  return createHash("sha256")
    .update(JSON.stringify([connection, ...parts]))
    .digest("hex");
}

function inRequests(messages: readonly Addressed[]): Addressed[][] {
  const requests: Addressed[][] = [];
  let bytes = 0;
  for (const message of messages) {
    const current = requests.at(-1);
    bytes += message.bytes;
    if (current && current.length < MAX_QUEUED_AT_ONCE && bytes <= MAX_QUEUED_BYTES) current.push(message);
    else {
      requests.push([message]);
      bytes = message.bytes;
    }
  }
  return requests;
}

function notTaken({ messageId }: Addressed, { kind, code, status, message }: QueueFailure): Outcome {
  const known = classifyAwsFailure({ kind, code, status });
  // Whatever the queue has against an event, the event itself is not at fault.
  const ours =
    known === "InvalidEvent" || known === "PayloadTooLarge" || known === "RecursiveInvocation" ? "Unknown" : known;
  return failed(
    ours,
    `The queue did not take the event (${code}): ${message}`,
    { messageId, durationMs: 0, attempts: 1 },
    {
      awsError: code,
      hint: "Check the queue's address, and that the receiver's own AWS identity may sqs:SendMessage to it. The sender sends the event again.",
    },
  );
}
