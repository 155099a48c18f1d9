import type { SQSClient } from "@aws-sdk/client-sqs";

/** An event on its way into the queue. */
export interface QueuedMessage {
  readonly body: string;
  /** Whose order it keeps. */
  readonly groupId: string;
  /** The same for the same event: within five minutes the queue takes it once. */
  readonly deduplicationId: string;
}

/** An event that came out of the queue, until it is deleted or shown again. */
export interface ReceivedMessage extends Pick<QueuedMessage, "body" | "groupId"> {
  readonly id: string;
  /** What it is deleted with. */
  readonly receipt: string;
  /** How often it was received, this time included. */
  readonly receives: number;
}

/** Why the queue did not take a message, or all of them. */
export interface QueueFailure {
  readonly kind: "service" | "network" | "timeout" | "installation";
  readonly code: string;
  readonly status: number;
  readonly message: string;
}

/** Bytes of a message, and of all messages of one request. */
export const MAX_QUEUED_BYTES = 1_048_576;
/** Bytes of a message that its event leaves free: it may be given up, with a reason. */
export const ROOM_FOR_REASON = 16_384;
/** Messages of one request. */
export const MAX_QUEUED_AT_ONCE = 10;
/** Seconds that a message can be kept from view at most. */
export const MAX_HIDDEN_SECONDS = 43_200;

/** So long a drain that is told to end may still wait. */
const WAIT_SECONDS = 5;

/** A FIFO queue of SQS, under the operator's own identity. The AWS SDK for it is loaded with the first call. */
export class EventQueue {
  #client: Promise<SQSClient> | undefined;

  constructor(readonly url: string) {}

  /**
   * @param messages at most {@link MAX_QUEUED_AT_ONCE}, of {@link MAX_QUEUED_BYTES} together
   * @returns for each message, why it was not taken
   */
  async send(messages: readonly QueuedMessage[], signal?: AbortSignal): Promise<(QueueFailure | undefined)[]> {
    try {
      const { SendMessageBatchCommand } = await sqsSdk();
      const client = await this.#connected();
      const entries = messages.map(({ body, groupId, deduplicationId }, i) => ({
        Id: String(i),
        MessageBody: body,
        MessageGroupId: groupId,
        MessageDeduplicationId: deduplicationId,
      }));
      const command = new SendMessageBatchCommand({ QueueUrl: this.url, Entries: entries });
      const { Successful = [], Failed = [] } = await client.send(command, signal && { abortSignal: signal });
      const taken = new Set(Successful.map(({ Id }) => Id));
      const failed = new Map(Failed.map((failure) => [failure.Id, failure]));
      return messages.map((_message, i) => {
        if (taken.has(String(i))) return undefined;
        const { Code = "Unknown", Message = "The queue said nothing of this message." } = failed.get(String(i)) ?? {};
        return { kind: "service", code: Code, status: 400, message: Message };
      });
    } catch (error) {
      return messages.map(() => queueFailure(error));
    }
  }

  /**
   * Waits for messages, {@link WAIT_SECONDS} at most. It cannot be called off: SQS would hand messages over to nobody, and hide them.
   *
   * @param hiddenSeconds how long nobody else gets them
   * @throws Error as the AWS SDK has it
   */
  async receive(hiddenSeconds: number): Promise<ReceivedMessage[]> {
    const { ReceiveMessageCommand } = await sqsSdk();
    const client = await this.#connected();
    const command = new ReceiveMessageCommand({
      QueueUrl: this.url,
      MaxNumberOfMessages: MAX_QUEUED_AT_ONCE,
      WaitTimeSeconds: WAIT_SECONDS,
      VisibilityTimeout: hiddenSeconds,
      MessageSystemAttributeNames: ["ApproximateReceiveCount", "MessageGroupId"],
    });
    const { Messages = [] } = await client.send(command);
    return Messages.map(({ MessageId = "", ReceiptHandle = "", Body = "", Attributes = {} }) => ({
      id: MessageId,
      receipt: ReceiptHandle,
      body: Body,
      groupId: Attributes.MessageGroupId ?? MessageId,
      receives: Number(Attributes.ApproximateReceiveCount ?? 1),
    }));
  }

  /** @throws Error as the AWS SDK has it */
  async delete(messages: readonly ReceivedMessage[]): Promise<void> {
    if (messages.length === 0) return;
    const { DeleteMessageBatchCommand } = await sqsSdk();
    const client = await this.#connected();
    const Entries = messages.map(({ receipt }, i) => ({ Id: String(i), ReceiptHandle: receipt }));
    await client.send(new DeleteMessageBatchCommand({ QueueUrl: this.url, Entries }));
  }

  /** Shows each message again after its seconds. Where that fails, it is shown after the queue's own visibility timeout. */
  async showAgain(messages: readonly (readonly [ReceivedMessage, seconds: number])[]): Promise<void> {
    if (messages.length === 0) return;
    const { ChangeMessageVisibilityBatchCommand } = await sqsSdk();
    const client = await this.#connected();
    const Entries = messages.map(([{ receipt }, seconds], i) => ({
      Id: String(i),
      ReceiptHandle: receipt,
      VisibilityTimeout: Math.min(Math.max(0, Math.ceil(seconds)), MAX_HIDDEN_SECONDS),
    }));
    await client.send(new ChangeMessageVisibilityBatchCommand({ QueueUrl: this.url, Entries })).catch(() => {});
  }

  async close(): Promise<void> {
    (await this.#client)?.destroy();
  }

  #connected(): Promise<SQSClient> {
    this.#client ??= sqsSdk().then(({ SQSClient }) => {
      const region = process.env["AWS_REGION"] ?? regionOf(this.url);
      return new SQSClient({ customUserAgent: "amazon-lambda-destination", ...(region !== undefined && { region }) });
    });
    return this.#client;
  }
}

function regionOf(url: string): string | undefined {
  return /^https:\/\/sqs\.([a-z0-9-]+)\./.exec(url)?.[1];
}

class SqsSdkMissing extends Error {
  override readonly name = "SqsSdkMissing";
}

async function sqsSdk(): Promise<typeof import("@aws-sdk/client-sqs")> {
  try {
    return await import("@aws-sdk/client-sqs");
  } catch {
    throw new SqsSdkMissing("@aws-sdk/client-sqs is not installed: npm install it beside this package.");
  }
}

function queueFailure(error: unknown): QueueFailure {
  const { name = "Unknown", message = "", code, $metadata } = Object(error);
  const status = $metadata?.httpStatusCode ?? 0;
  if (error instanceof SqsSdkMissing) return { kind: "installation", code: name, status, message };
  if (name === "AbortError" || name === "TimeoutError")
    return { kind: "timeout", code: name, status, message: "It took too long." };
  return {
    kind: status === 0 ? "network" : "service",
    code: status === 0 ? String(code ?? name) : name,
    status,
    message,
  };
}
