import { type LambdaStack, startLambdaStack } from "./lambda-stack";

let stack: LambdaStack;
let received: { userId: string; messageId: string }[];
let refuse: (event: { userId: string }) => void;

beforeEach(async () => {
  jest.spyOn(console, "log").mockImplementation();
  received = [];
  refuse = () => {};
  stack = await startLambdaStack((event) => {
    refuse(event as never);
    received.push(event as never);
  });
});

afterEach(async () => {
  jest.restoreAllMocks();
  await stack.close();
});

const event = (userId: string, n: number, more: object = {}) => ({
  type: "track",
  event: "Order Completed",
  userId,
  messageId: `${userId}-${n}`,
  properties: { n },
  ...more,
});
const ids = () => received.map(({ messageId }) => messageId);
const counts = (name = "events.fifo") => stack.aws.queueCounts(name);
const error = (userId: string, name: string) => (of: { userId: string }) => {
  if (of.userId === userId) throw Object.assign(new Error("No."), { name });
};

test("an event is answered 2xx when it stands in the queue, and delivered from there, each user's in order", async () => {
  const answer = await stack.post("/webhook/my-source-id", [event("a", 1), event("b", 1), event("a", 2)]);

  expect(answer.statusCode).toBe(200);
  expect(JSON.parse(answer.body)).toMatchObject({ success: true, accepted: 3 });
  expect([ids(), counts()]).toEqual([[], { visible: 3, hidden: 0 }]);
  expect((await stack.poll()).response).toEqual({ batchItemFailures: [] });
  expect(ids().filter((id) => id.startsWith("a"))).toEqual(["a-1", "a-2"]);
  expect(received).toHaveLength(3);
  expect(received[0]).toMatchObject({ projectId: "my-source-id", receivedAt: expect.any(String), version: 2 });
  expect(counts()).toEqual({ visible: 0, hidden: 0 });
});

const headers = { "content-type": "application/json", authorization: "Bearer a-secret-of-mine" };
const asked = { httpMethod: "POST", path: "/webhook/my-source-id", headers, queryStringParameters: null };
test.each([
  [
    "API Gateway's REST API",
    { ...asked, resource: "/{proxy+}", requestContext: { identity: { sourceIp: "192.0.2.1" } } },
  ],
  [
    "an Application Load Balancer",
    { ...asked, requestContext: { elb: { targetGroupArn: "arn:aws:elasticloadbalancing" } } },
  ],
])("answers behind %s, whose events have another form", async (_what, request) => {
  const body = JSON.stringify(event("a", 1));
  const answer = await stack.handle({ ...request, body, isBase64Encoded: false });
  const refused = await stack.handle({ ...request, headers: {}, body, isBase64Encoded: false });

  expect([answer.statusCode, refused.statusCode]).toEqual([200, 401]);
  expect(counts()).toEqual({ visible: 1, hidden: 0 });
});

test("an event that is sent again within five minutes is delivered once", async () => {
  for (let i = 0; i < 2; i++) await stack.post("/webhook/my-source-id", event("a", 1));
  await stack.poll();

  expect(ids()).toEqual(["a-1"]);
});

test("a queue that takes nothing is no queue: the sender keeps the event", async () => {
  stack.aws.misbehave({
    service: "sqs",
    action: "SendMessageBatch",
    times: Number.POSITIVE_INFINITY,
    error: { code: "AccessDenied", status: 403, message: "no identity-based policy allows the sqs:sendmessage action" },
  });
  const answer = await stack.post("/webhook/my-source-id", event("a", 1));

  expect(answer.statusCode).toBe(503);
  expect(JSON.parse(answer.body)).toMatchObject({ success: false, code: "AccessDenied" });
  expect(answer.body).toContain("sqs:SendMessage");
});

test("what is over the queue's limit is answered 413, what is no event 400, and neither is queued", async () => {
  const large = await stack.post("/webhook/my-source-id", event("a", 1, { context: { page: "x".repeat(1_048_576) } }));
  const none = await stack.post("/webhook/my-source-id", { type: "nonsense" });

  expect(JSON.parse(large.body)).toMatchObject({ code: "PayloadTooLarge" });
  expect([large.statusCode, none.statusCode]).toEqual([413, 400]);
  expect(counts()).toEqual({ visible: 0, hidden: 0 });
});

test("what fails is tried again later with all that follows it; other users' events are done with", async () => {
  refuse = error("a", "Error");
  await stack.post("/webhook/my-source-id", [event("a", 1), event("b", 1), event("a", 2)]);
  const { messages, response } = await stack.poll();

  const failed = response.batchItemFailures.map(({ itemIdentifier }) => itemIdentifier);
  expect(messages.filter(({ id }) => failed.includes(id)).map(({ body }) => JSON.parse(body).event.messageId)).toEqual([
    "a-1",
    "a-2",
  ]);
  expect([ids(), counts()]).toEqual([["b-1"], { visible: 0, hidden: 2 }]);
  refuse = () => {};
  stack.aws.clock.advance(5_000);
  await stack.poll();
  expect(ids()).toEqual(["b-1", "a-1", "a-2"]);
});

test("a throttled function is asked again when AWS says so", async () => {
  stack.aws.misbehave({
    service: "lambda",
    error: { code: "TooManyRequestsException", status: 429, headers: { "retry-after": "60" } },
  });
  await stack.post("/webhook/my-source-id", event("a", 1));
  await stack.poll();

  stack.aws.clock.advance(59_000);
  expect(counts()).toEqual({ visible: 0, hidden: 1 });
  stack.aws.clock.advance(1_000);
  expect(counts()).toEqual({ visible: 1, hidden: 0 });
});

test("what waits for others is asked for less often with each time, so that SQS does not count to 1000 within the hour", async () => {
  const error = { code: "TooManyRequestsException", status: 429, headers: { "retry-after": "1" } };
  stack.aws.misbehave({ service: "lambda", times: Number.POSITIVE_INFINITY, error });
  await stack.post("/webhook/my-source-id", event("a", 1));
  await stack.poll(101);

  stack.aws.clock.advance(199_000);
  expect(counts()).toEqual({ visible: 0, hidden: 1 });
  stack.aws.clock.advance(1_000);
  expect(counts()).toEqual({ visible: 1, hidden: 0 });
});

test("an event as large as the queue takes can be given up, with its reason", async () => {
  refuse = () => {
    throw Object.assign(new Error("\u0001".repeat(10_000)), { name: "DropEvent" });
  };
  const page = "x".repeat(1_048_576 - 16_384 - 500);
  expect((await stack.post("/webhook/my-source-id", event("a", 1, { context: { page } }))).statusCode).toBe(200);
  await stack.poll();

  expect([counts(), counts("events-dead.fifo").visible]).toEqual([{ visible: 0, hidden: 0 }, 1]);
});

test("what a function gives up goes to the dead-letter queue with the reason, and holds up nobody", async () => {
  refuse = error("a", "DropEvent");
  await stack.post("/webhook/my-source-id", [event("a", 1), event("b", 1)]);
  expect((await stack.poll()).response).toEqual({ batchItemFailures: [] });

  expect([ids(), counts(), counts("events-dead.fifo")]).toEqual([
    ["b-1"],
    { visible: 0, hidden: 0 },
    { visible: 1, hidden: 0 },
  ]);
});

test("an event that fails by itself again and again is given up; one that waits for others is not", async () => {
  refuse = error("a", "Error");
  await stack.post("/webhook/my-source-id", event("a", 1));
  expect((await stack.poll(20)).response).toEqual({ batchItemFailures: [] });
  expect([counts(), counts("events-dead.fifo").visible]).toEqual([{ visible: 0, hidden: 0 }, 1]);

  const denied = { code: "AccessDeniedException", status: 403 };
  stack.aws.misbehave({ service: "lambda", times: Number.POSITIVE_INFINITY, error: denied });
  await stack.post("/webhook/my-source-id", event("b", 1));
  expect((await stack.poll(20)).response.batchItemFailures).toHaveLength(1);
  expect([counts().hidden, counts("events-dead.fifo").visible]).toEqual([1, 1]);
});

test("health is answered, and who has no secret gets nowhere", async () => {
  const answer = await stack.post("/webhook/my-source-id", event("a", 1), { authorization: "Bearer another-secret" });

  expect(answer.statusCode).toBe(401);
  expect(counts()).toEqual({ visible: 0, hidden: 0 });
});
