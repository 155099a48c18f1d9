import { createHash } from "node:crypto";
import { denialMessage, denialOf } from "./authorization";
import type { Clock } from "./clock";
import { FifoQueue, type QueueMessage, type QueueOptions } from "./fifo-queue";
import { type Answer, header, type RawRequest } from "./http-message";
import { ServiceError } from "./service-error";
import type { Caller } from "./signature-v4";

type Input = Readonly<Record<string, unknown>>;
type Entry = Input & { readonly Id: string };

const TARGET = /^AmazonSQS\.(\w+)$/;

/** SQS's action, in its JSON protocol; undefined where a request is none to SQS. */
export function sqsAction(request: RawRequest): string | undefined {
  return TARGET.exec(header(request, "x-amz-target") ?? "")?.[1];
}

/** Of a message with its attributes, and of all messages of a batch. */
const MAX_BYTES = 1_048_576;
const MAX_ENTRIES = 10;
const MAX_VISIBILITY_SECONDS = 43_200;

/**
 * As much of SQS as a FIFO queue's senders and receivers need: SendMessage, ReceiveMessage, DeleteMessage and
 * ChangeMessageVisibility, each but the second also as a batch, GetQueueUrl and GetQueueAttributes.
 * @see https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/Welcome.html
 */
export class Sqs {
  readonly #queues = new Map<string, FifoQueue>();

  constructor(
    private readonly account: string,
    private readonly region: string,
    private readonly partition: string,
    private readonly clock: Clock,
  ) {}

  add(options: QueueOptions): { readonly arn: string } {
    if (!options.name.endsWith(".fifo"))
      throw new Error("The embedded AWS has FIFO queues only: their names end in .fifo.");
    const moveTo = (name: string, message: QueueMessage) =>
      this.#queues.get(name)?.add({ ...message, receives: 0, hiddenUntil: 0, receipt: undefined });
    this.#queues.set(options.name, new FifoQueue(options, this.clock, moveTo));
    return { arn: this.#arn(options.name) };
  }

  queue(name: string): FifoQueue | undefined {
    return this.#queues.get(name);
  }

  /** @throws ServiceError */
  async answer({ request, action, requestId, isGone }: SqsCall, caller: Caller): Promise<Answer> {
    const input = inputOf(request);
    const operation = Object.hasOwn(OPERATIONS, action) ? OPERATIONS[action as keyof typeof OPERATIONS] : undefined;
    if (!operation)
      throw new ServiceError("UnknownOperationException", 404, `The embedded AWS has no operation ${action} of SQS.`);
    const name = text(input, "QueueName") ?? (text(input, "QueueUrl") ?? "").split("/").at(-1) ?? "";
    this.#authorize(caller, operation.permission, this.#arn(name));
    const queue = this.#queues.get(name);
    if (!queue) throw new ServiceError("QueueDoesNotExist", 400, "The specified queue does not exist.");
    const output = await operation.perform(queue, input, {
      arn: this.#arn(name),
      url: `http://${header(request, "host")}/${this.account}/${name}`,
      senderId: caller.identity.arn,
      isGone,
    });
    return answered(200, requestId, output);
  }

  #arn(name: string): string {
    return `arn:${this.partition}:sqs:${this.region}:${this.account}:${name}`;
  }

  #authorize({ identity }: Caller, permission: string, resource: string): void {
    const action = `sqs:${permission}`;
    const denial = denialOf({
      identity,
      action,
      resource,
      resourcePolicy: undefined,
      resourceAccount: this.account,
      resourcePolicyRequired: false,
    });
    if (denial)
      throw new ServiceError("AccessDenied", 403, denialMessage(identity, action.toLowerCase(), resource, denial));
  }
}

export function sqsError({ code, status, message, headers }: ServiceError, requestId: string): Answer {
  const answer = answered(status, requestId, { __type: `com.amazonaws.sqs#${code}`, message });
  const fault = status >= 500 ? "Receiver" : "Sender";
  return { ...answer, headers: { ...answer.headers, "x-amzn-query-error": `${code};${fault}`, ...headers } };
}

function answered(status: number, requestId: string, body: object): Answer {
  return {
    status,
    headers: { "content-type": "application/x-amz-json-1.0", "x-amzn-requestid": requestId },
    body: JSON.stringify(body),
  };
}

/** A request on its way. */
interface SqsCall {
  readonly request: RawRequest;
  readonly action: string;
  readonly requestId: string;
  /** Whether the caller has hung up. */
  readonly isGone: () => boolean;
}

interface Place {
  readonly arn: string;
  readonly url: string;
  readonly senderId: string;
  readonly isGone: () => boolean;
}

interface Operation {
  /** The IAM action, without its service. */
  readonly permission: string;
  readonly perform: (queue: FifoQueue, input: Input, place: Place) => object | Promise<object>;
}

const OPERATIONS = {
  SendMessage: { permission: "SendMessage", perform: send },
  SendMessageBatch: { permission: "SendMessage", perform: inBatch(send, checkBatchBytes) },
  ReceiveMessage: { permission: "ReceiveMessage", perform: receive },
  DeleteMessage: { permission: "DeleteMessage", perform: remove },
  DeleteMessageBatch: { permission: "DeleteMessage", perform: inBatch(remove) },
  ChangeMessageVisibility: { permission: "ChangeMessageVisibility", perform: changeVisibility },
  ChangeMessageVisibilityBatch: { permission: "ChangeMessageVisibility", perform: inBatch(changeVisibility) },
  GetQueueUrl: { permission: "GetQueueUrl", perform: (_queue, _input, { url }) => ({ QueueUrl: url }) },
  GetQueueAttributes: { permission: "GetQueueAttributes", perform: attributes },
} as const satisfies Readonly<Record<string, Operation>>;

function send(queue: FifoQueue, input: Input): object {
  const body = text(input, "MessageBody");
  const groupId = text(input, "MessageGroupId");
  if (!body) throw missing("MessageBody");
  if (!groupId) throw missing("MessageGroupId");
  for (const [name, id] of Object.entries({
    MessageGroupId: groupId,
    MessageDeduplicationId: text(input, "MessageDeduplicationId"),
  }))
    if (id !== undefined && !ID.test(id))
      throw new ServiceError("InvalidParameterValue", 400, `Value for parameter ${name} is invalid.`);
  if (Buffer.byteLength(body) > MAX_BYTES) {
    const message = `One or more parameters are invalid. Reason: Message must be shorter than ${MAX_BYTES} bytes.`;
    throw new ServiceError("InvalidParameterValue", 400, message);
  }
  const { id, sequence } = queue.send({
    body,
    groupId,
    deduplicationId: text(input, "MessageDeduplicationId"),
    attributes: input["MessageAttributes"] as Record<string, unknown> | undefined,
  });
  return { MessageId: id, SequenceNumber: sequence, MD5OfMessageBody: md5(body) };
}

/** Of a message group and of a deduplication. */
const ID = /^[\w!"#$%&'()*+,\-./:;<=>?@[\\\]^`{|}~]{1,128}$/;

function checkBatchBytes(entries: readonly Entry[]): void {
  const bytes = entries.reduce((sum, entry) => sum + Buffer.byteLength(text(entry, "MessageBody") ?? ""), 0);
  if (bytes > MAX_BYTES)
    throw new ServiceError(
      "BatchRequestTooLong",
      400,
      `Batch requests cannot be longer than ${MAX_BYTES} bytes. You have sent ${bytes} bytes.`,
    );
}

async function receive(queue: FifoQueue, input: Input, { senderId, isGone }: Place): Promise<object> {
  const seconds = number(input, "VisibilityTimeout", queue.options.visibilityTimeout ?? 30, 0, MAX_VISIBILITY_SECONDS);
  const max = number(input, "MaxNumberOfMessages", 1, 1, MAX_ENTRIES);
  const wait = number(input, "WaitTimeSeconds", 0, 0, 20);
  const messages = await queue.receive(max, seconds * 1000, wait * 1000, isGone);
  return messages.length === 0 ? {} : { Messages: messages.map((message) => received(message, senderId)) };
}

function received(message: QueueMessage, senderId: string): object {
  return {
    MessageId: message.id,
    ReceiptHandle: message.receipt,
    Body: message.body,
    MD5OfBody: md5(message.body),
    Attributes: systemAttributes(message, senderId),
    ...(message.attributes && { MessageAttributes: message.attributes }),
  };
}

/** SQS sends those that were asked for; more than that does no harm. */
export function systemAttributes(message: QueueMessage, senderId: string): Record<string, string> {
  return {
    ApproximateReceiveCount: String(message.receives),
    ApproximateFirstReceiveTimestamp: String(message.firstReceivedAt),
    SentTimestamp: String(message.sentAt),
    SequenceNumber: message.sequence,
    MessageGroupId: message.groupId,
    MessageDeduplicationId: message.deduplicationId ?? "",
    SenderId: senderId,
  };
}

function remove(queue: FifoQueue, input: Input): object {
  queue.delete(receiptOf(input));
  return {};
}

function changeVisibility(queue: FifoQueue, input: Input): object {
  queue.changeVisibility(receiptOf(input), number(input, "VisibilityTimeout", -1, 0, MAX_VISIBILITY_SECONDS) * 1000);
  return {};
}

function attributes(queue: FifoQueue, _input: Input, { arn }: Place): object {
  const { visible, hidden } = queue.counts();
  return {
    Attributes: {
      QueueArn: arn,
      FifoQueue: "true",
      VisibilityTimeout: String(queue.options.visibilityTimeout ?? 30),
      ApproximateNumberOfMessages: String(visible),
      ApproximateNumberOfMessagesNotVisible: String(hidden),
    },
  };
}

/** The same for each entry of a batch: one that fails does not keep the others from succeeding. */
function inBatch(
  perform: (queue: FifoQueue, input: Input) => object,
  check: (entries: readonly Entry[]) => void = () => {},
): Operation["perform"] {
  return (queue, input) => {
    const entries = input["Entries"] as readonly Entry[] | undefined;
    if (!Array.isArray(entries) || entries.length === 0)
      throw new ServiceError("EmptyBatchRequest", 400, "There should be at least one entry in the request.");
    if (entries.length > MAX_ENTRIES)
      throw new ServiceError(
        "TooManyEntriesInBatchRequest",
        400,
        `Maximum number of entries per request are ${MAX_ENTRIES}.`,
      );
    if (new Set(entries.map(({ Id }) => Id)).size < entries.length)
      throw new ServiceError("BatchEntryIdsNotDistinct", 400, "Two or more batch entries have the same Id.");
    check(entries);
    const output = { Successful: [] as object[], Failed: [] as object[] };
    for (const entry of entries) {
      try {
        output.Successful.push({ Id: entry.Id, ...perform(queue, entry) });
      } catch (error) {
        if (!(error instanceof ServiceError)) throw error;
        output.Failed.push({ Id: entry.Id, SenderFault: true, Code: error.code, Message: error.message });
      }
    }
    return output;
  };
}

function inputOf(request: RawRequest): Input {
  try {
    const input = JSON.parse(request.body.toString());
    if (typeof input === "object" && input !== null) return input;
  } catch {}
  throw new ServiceError("SerializationException", 400, "The request is no JSON object.");
}

function text(input: Input, name: string): string | undefined {
  const value = input[name];
  return typeof value === "string" ? value : undefined;
}

function receiptOf(input: Input): string {
  const receipt = text(input, "ReceiptHandle");
  if (!receipt) throw missing("ReceiptHandle");
  return receipt;
}

/** @throws ServiceError where it is out of bounds */
function number(input: Input, name: string, usual: number, least: number, most: number): number {
  const value = input[name] === undefined ? usual : Number(input[name]);
  if (Number.isInteger(value) && value >= least && value <= most) return value;
  const message = `Value ${value} for parameter ${name} is invalid. Reason: Must be between ${least} and ${most}, if provided.`;
  throw new ServiceError("InvalidParameterValue", 400, message);
}

function missing(name: string): ServiceError {
  return new ServiceError("MissingParameter", 400, `The request must contain the parameter ${name}.`);
}

function md5(body: string): string {
  return createHash("md5").update(body).digest("hex");
}
