import {
  ChangeMessageVisibilityCommand,
  DeleteMessageCommand,
  GetQueueAttributesCommand,
  ReceiveMessageCommand,
  SendMessageBatchCommand,
  SendMessageCommand,
  SQSClient,
} from "@aws-sdk/client-sqs";
import { type EmbeddedAws, startEmbeddedAws } from "../../../src/local/aws/embedded-aws";
import { permit } from "./policies";

const keys = { accessKeyId: "AKIDEXAMPLE", secretAccessKey: "not-a-secret-EXAMPLEKEY" };
let aws: EmbeddedAws;
let sqs: SQSClient;
let QueueUrl: string;

beforeEach(async () => {
  aws = await startEmbeddedAws();
  aws.addUser({ name: "receiver", ...keys });
  aws.addQueue({ name: "dead.fifo" });
  QueueUrl = aws.addQueue({
    name: "events.fifo",
    visibilityTimeout: 30,
    deadLetter: { queue: "dead.fifo", maxReceiveCount: 3 },
  }).url;
  sqs = new SQSClient({ endpoint: aws.url, region: aws.region, credentials: keys, maxAttempts: 1 });
});

afterEach(async () => {
  sqs.destroy();
  await aws.close();
});

const send = (body: string, group: string, deduplicationId = body) =>
  sqs.send(
    new SendMessageCommand({
      QueueUrl,
      MessageBody: body,
      MessageGroupId: group,
      MessageDeduplicationId: deduplicationId,
    }),
  );
const receive = async (max = 10, more: object = {}) => {
  const { Messages = [] } = await sqs.send(new ReceiveMessageCommand({ QueueUrl, MaxNumberOfMessages: max, ...more }));
  return Messages;
};
const remove = (ReceiptHandle?: string) => sqs.send(new DeleteMessageCommand({ QueueUrl, ReceiptHandle }));
const bodies = (messages: readonly { Body?: string | undefined }[]) => messages.map(({ Body }) => Body);

test("a group's messages come in order, and none while an earlier one is under way", async () => {
  for (const body of ["a1", "a2", "b1", "a3"]) await send(body, body[0] ?? "");

  const first = await receive(1);
  expect(bodies(first)).toEqual(["a1"]);
  expect(bodies(await receive())).toEqual(["b1"]);
  expect(bodies(await receive())).toEqual([]);
  await remove(first[0]?.ReceiptHandle);
  expect(bodies(await receive())).toEqual(["a2", "a3"]);
});

test("what is not deleted comes again after the visibility timeout, and after three times goes to the dead-letter queue", async () => {
  await send("poison", "a");
  for (const times of ["1", "2", "3"]) {
    const [message] = await receive(1, { MessageSystemAttributeNames: ["All"] });
    expect(message?.Attributes?.["ApproximateReceiveCount"]).toBe(times);
    expect(await receive()).toEqual([]);
    aws.clock.advance(30_000);
  }

  expect(await receive()).toEqual([]);
  expect(aws.queueCounts("events.fifo")).toEqual({ visible: 0, hidden: 0 });
  expect(aws.queueCounts("dead.fifo")).toEqual({ visible: 1, hidden: 0 });
});

test("a receiver may make a message visible sooner or later", async () => {
  await send("later", "a");
  const [message] = await receive();
  const change = (VisibilityTimeout: number) =>
    sqs.send(
      new ChangeMessageVisibilityCommand({ QueueUrl, ReceiptHandle: message?.ReceiptHandle, VisibilityTimeout }),
    );

  await change(0);
  expect(bodies(await receive())).toEqual(["later"]);
  await expect(change(43_201)).rejects.toMatchObject({ name: "InvalidParameterValue" });
});

test("the same message within five minutes is taken once", async () => {
  const once = await send("a", "a", "id-1");
  expect((await send("a", "a", "id-1")).MessageId).toBe(once.MessageId);
  aws.clock.advance(5 * 60_000);
  await send("a", "a", "id-1");

  expect(bodies(await receive())).toEqual(["a", "a"]);
});

test("who waits for a message gets it when it comes", async () => {
  const waiting = receive(10, { WaitTimeSeconds: 20 });
  await send("here", "a");

  expect(bodies(await waiting)).toEqual(["here"]);
});

test("a batch tells of each message, and is 1 MiB at most", async () => {
  const entry = (Id: string, MessageBody: string) => ({
    Id,
    MessageBody,
    MessageGroupId: "a",
    MessageDeduplicationId: Id,
  });
  const { Successful, Failed } = await sqs.send(
    new SendMessageBatchCommand({
      QueueUrl,
      Entries: [entry("0", "good"), { ...entry("1", "bad"), MessageGroupId: "a b" }],
    }),
  );
  expect(Successful?.map(({ Id }) => Id)).toEqual(["0"]);
  expect(Failed).toEqual([expect.objectContaining({ Id: "1", SenderFault: true, Code: "InvalidParameterValue" })]);

  const half = "x".repeat(600_000);
  await expect(
    sqs.send(new SendMessageBatchCommand({ QueueUrl, Entries: [entry("2", half), entry("3", half)] })),
  ).rejects.toMatchObject({ name: "BatchRequestTooLong" });
});

test("who may not send, does not; a queue that is not there is named as such", async () => {
  aws.addUser({
    name: "receiver",
    ...keys,
    policy: permit("sqs:ReceiveMessage", "arn:aws:sqs:us-east-1:123456789012:*"),
  });

  await expect(send("a", "a")).rejects.toMatchObject({ name: "AccessDenied", $metadata: { httpStatusCode: 403 } });
  QueueUrl = QueueUrl.replace("events", "other");
  await expect(receive()).rejects.toMatchObject({ name: "QueueDoesNotExist" });
});

test("a queue tells how many messages it has", async () => {
  await send("a", "a");
  await send("b", "b");
  await receive(1);

  const { Attributes } = await sqs.send(new GetQueueAttributesCommand({ QueueUrl, AttributeNames: ["All"] }));
  expect(Attributes).toMatchObject({ ApproximateNumberOfMessages: "1", ApproximateNumberOfMessagesNotVisible: "1" });
});
