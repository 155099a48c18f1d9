import { createHash, randomUUID } from "node:crypto";
import type { Clock } from "./clock";
import { ServiceError } from "./service-error";

export interface QueueOptions {
  /** Ends in `.fifo`. */
  readonly name: string;
  /** Seconds that a message which was received is kept from others; 30 by default, as at AWS. */
  readonly visibilityTimeout?: number;
  /** Where a message goes that was received so often in vain. */
  readonly deadLetter?: { readonly queue: string; readonly maxReceiveCount: number };
}

export interface SentMessage {
  readonly body: string;
  readonly groupId: string;
  /** By default the SHA-256 of the body, as with content-based deduplication. */
  readonly deduplicationId?: string | undefined;
  /** As they came: type and value. */
  readonly attributes?: Readonly<Record<string, unknown>> | undefined;
}

export interface QueueMessage extends SentMessage {
  readonly id: string;
  readonly sequence: string;
  /** Milliseconds since 1970, by the clock. */
  readonly sentAt: number;
  receives: number;
  firstReceivedAt: number | undefined;
  /** Until then nobody else receives it, nor any other of its group. */
  hiddenUntil: number;
  receipt: string | undefined;
}

/** How long SQS remembers a deduplication ID. */
const DEDUPLICATION_MS = 5 * 60_000;

/**
 * A FIFO queue as SQS keeps it: the messages of a group in order, none while an earlier one of its group is under way.
 * @see https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/FIFO-queues-understanding-logic.html
 */
export class FifoQueue {
  readonly #groups = new Map<string, QueueMessage[]>();
  readonly #byReceipt = new Map<string, QueueMessage>();
  readonly #remembered = new Map<string, { readonly at: number; readonly id: string; readonly sequence: string }>();
  readonly #waiting = new Set<() => void>();
  #sequence = 0;

  constructor(
    readonly options: QueueOptions,
    private readonly clock: Clock,
    private readonly moveTo: (queue: string, message: QueueMessage) => void,
  ) {}

  send(message: SentMessage): { readonly id: string; readonly sequence: string } {
    const now = this.clock.now();
    for (const [id, { at }] of this.#remembered) {
      if (now - at < DEDUPLICATION_MS) break;
      this.#remembered.delete(id);
    }
    const deduplicationId = message.deduplicationId ?? createHash("sha256").update(message.body).digest("hex");
    const before = this.#remembered.get(deduplicationId);
    if (before) return before;
    const sent: QueueMessage = {
      ...message,
      id: randomUUID(),
      sequence: String(++this.#sequence).padStart(20, "0"),
      sentAt: now,
      receives: 0,
      firstReceivedAt: undefined,
      hiddenUntil: 0,
      receipt: undefined,
    };
    this.#remembered.set(deduplicationId, { at: now, id: sent.id, sequence: sent.sequence });
    this.add(sent);
    return sent;
  }

  /** Takes a message of another queue over. */
  add(message: QueueMessage): void {
    const group = this.#groups.get(message.groupId);
    if (group) group.push(message);
    else this.#groups.set(message.groupId, [message]);
    this.#wake();
  }

  /**
   * @param waitMs how long to wait for a message where there is none
   * @param isGone whether nobody waits any more
   */
  async receive(max: number, visibilityMs: number, waitMs: number, isGone = () => false): Promise<QueueMessage[]> {
    const until = this.clock.now() + waitMs;
    while (!isGone()) {
      const messages = this.#take(max, visibilityMs);
      const left = until - this.clock.now();
      if (messages.length > 0 || left <= 0) return messages;
      await this.#change(Math.min(left, 100));
    }
    return [];
  }

  /** A receipt that is not valid any more deletes nothing, and is no error. */
  delete(receipt: string): void {
    const message = this.#byReceipt.get(receipt);
    if (!message || message.receipt !== receipt) return;
    this.#remove(message);
    this.#wake();
  }

  /** @throws ServiceError */
  changeVisibility(receipt: string, timeoutMs: number): void {
    const message = this.#byReceipt.get(receipt);
    if (message?.receipt !== receipt || message.hiddenUntil <= this.clock.now())
      throw new ServiceError("MessageNotInflight", 400, "The message referred to is not in flight.");
    message.hiddenUntil = this.clock.now() + timeoutMs;
    this.#wake();
  }

  counts(): { readonly visible: number; readonly hidden: number } {
    const now = this.clock.now();
    const all = [...this.#groups.values()].flat();
    const hidden = all.filter(({ hiddenUntil }) => hiddenUntil > now).length;
    return { visible: all.length - hidden, hidden };
  }

  #take(max: number, visibilityMs: number): QueueMessage[] {
    const now = this.clock.now();
    const taken: QueueMessage[] = [];
    for (const [groupId, group] of [...this.#groups]) {
      if (group.some(({ hiddenUntil }) => hiddenUntil > now)) continue;
      for (const message of [...group]) {
        if (taken.length === max) return taken;
        if (this.#isSpent(message)) {
          this.#remove(message);
          this.moveTo(this.options.deadLetter?.queue ?? "", message);
          continue;
        }
        message.receives++;
        message.firstReceivedAt ??= now;
        message.hiddenUntil = now + visibilityMs;
        if (message.receipt) this.#byReceipt.delete(message.receipt);
        message.receipt = randomUUID();
        this.#byReceipt.set(message.receipt, message);
        taken.push(message);
      }
      // Others have their turn first the next time.
      if (this.#groups.delete(groupId) && group.length > 0) this.#groups.set(groupId, group);
    }
    return taken;
  }

  #isSpent({ receives }: QueueMessage): boolean {
    const { deadLetter } = this.options;
    return deadLetter !== undefined && receives >= deadLetter.maxReceiveCount;
  }

  #remove(message: QueueMessage): void {
    const group = this.#groups.get(message.groupId);
    group?.splice(group.indexOf(message), 1);
    if (group?.length === 0) this.#groups.delete(message.groupId);
    if (message.receipt) this.#byReceipt.delete(message.receipt);
  }

  #wake(): void {
    for (const wake of [...this.#waiting]) wake();
  }

  /** Something came, was deleted or may have become visible again. */
  #change(atMostMs: number): Promise<void> {
    return new Promise((resolve) => {
      const wake = () => {
        this.#waiting.delete(wake);
        cancel();
        resolve();
      };
      const cancel = this.clock.schedule(atMostMs, wake);
      this.#waiting.add(wake);
    });
  }
}
