import { EventQueue, type ReceivedMessage } from "../../../src/hosts/webhook/event-queue";
import type { SqsBatchResponse, SqsEvent } from "../../../src/hosts/webhook/lambda";
import { type EmbeddedAws, startEmbeddedAws } from "../../../src/local/aws/embedded-aws";
import { permit, trust } from "../../local/aws/policies";

type Handlers = typeof import("../../../src/hosts/webhook/lambda");

export interface Answer {
  readonly statusCode: number;
  readonly body: string;
}

/** The receiver in Lambda with its queue, on the embedded AWS. */
export interface LambdaStack {
  readonly aws: EmbeddedAws;
  readonly queue: EventQueue;
  /** Hands an event over as AWS wrote it. */
  handle(event: object): Promise<Answer>;
  /** As a function URL hands a request over. */
  post(path: string, body: unknown, headers?: Readonly<Record<string, string>>): Promise<Answer>;
  /**
   * As an event source mapping does it: receives, hands over, deletes what did not fail.
   *
   * @param times how often SQS says that it has handed the messages over
   */
  poll(times?: number): Promise<{ readonly messages: readonly ReceivedMessage[]; readonly response: SqsBatchResponse }>;
  close(): Promise<void>;
}

const keys = { accessKeyId: "AKIDEXAMPLE", secretAccessKey: "not-a-secret-EXAMPLEKEY" };
const SECRET = "a-secret-of-mine";
const ROLE = "arn:aws:iam::123456789012:role/router-events-invoker";

export async function startLambdaStack(
  receive: (event: unknown) => unknown,
  settings: object = {},
): Promise<LambdaStack> {
  const aws = await startEmbeddedAws();
  const user = aws.addUser({ name: "receiver", ...keys });
  aws.addRole({
    name: "router-events-invoker",
    trustPolicy: trust(user.arn, "my-source-id"),
    permissionPolicies: [
      permit("lambda:InvokeFunction", "arn:aws:lambda:us-east-1:123456789012:function:router-events*"),
    ],
  });
  aws.addFunction({ name: "router-events", handler: receive });
  const deadLetters = aws.addQueue({ name: "events-dead.fifo" });
  const { url } = aws.addQueue({
    name: "events.fifo",
    visibilityTimeout: 720,
    deadLetter: { queue: "events-dead.fifo", maxReceiveCount: 1000 },
  });
  const environment = { ...process.env };
  Object.assign(process.env, {
    AWS_ENDPOINT_URL: aws.url,
    AWS_REGION: aws.region,
    AWS_ACCESS_KEY_ID: keys.accessKeyId,
    AWS_SECRET_ACCESS_KEY: keys.secretAccessKey,
    AMAZON_LAMBDA_QUEUE_URL: url,
    AMAZON_LAMBDA_DEAD_LETTER_QUEUE_URL: deadLetters.url,
    AMAZON_LAMBDA_CONNECTIONS: JSON.stringify({
      connections: {
        "my-source-id": {
          acknowledge: "accepted",
          webhook: [{ type: "bearer", secrets: [SECRET] }],
          settings: {
            lambda: "router-events",
            region: "us-east-1",
            roleAddress: ROLE,
            externalId: "my-source-id",
            ...settings,
          },
        },
      },
    }),
  });
  let handlers: Handlers | undefined;
  jest.isolateModules(() => {
    handlers = require("../../../src/hosts/webhook/lambda") as Handlers;
  });
  const { handler, drain } = handlers as Handlers;
  const queue = new EventQueue(url);
  return {
    aws,
    queue,
    handle: async (event) => (await handler(event, {})) as Answer,
    post: async (path, body, headers = {}) =>
      (await handler(
        {
          version: "2.0",
          routeKey: "$default",
          rawPath: path,
          rawQueryString: "",
          headers: { "content-type": "application/json", authorization: `Bearer ${SECRET}`, ...headers },
          requestContext: {
            http: { method: "POST", path, protocol: "HTTP/1.1", sourceIp: "192.0.2.1" },
            domainName: "localhost",
          },
          body: Buffer.from(JSON.stringify(body)).toString("base64"),
          isBase64Encoded: true,
        },
        {},
      )) as Answer,
    async poll(times) {
      const messages = await queue.receive(720);
      const Records = messages.map(({ id, receipt, body, groupId, receives }) => ({
        messageId: id,
        receiptHandle: receipt,
        body,
        attributes: { ApproximateReceiveCount: String(times ?? receives), MessageGroupId: groupId },
      }));
      const response = await drain({ Records } satisfies SqsEvent);
      const failed = new Set(response.batchItemFailures.map(({ itemIdentifier }) => itemIdentifier));
      await queue.delete(messages.filter(({ id }) => !failed.has(id)));
      return { messages, response };
    },
    async close() {
      await queue.close();
      process.env = environment;
      await aws.close();
    },
  };
}
