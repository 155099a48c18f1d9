// @ts-nocheck
import { Agent, get } from "node:http";
import {
  GetFunctionCommand,
  InvokeAsyncCommand,
  InvokeCommand,
  type InvokeCommandInput,
  InvokeWithResponseStreamCommand,
  LambdaClient,
  ListTagsCommand,
} from "@aws-sdk/client-lambda";
import { AssumeRoleCommand, GetCallerIdentityCommand, STSClient } from "@aws-sdk/client-sts";
import { type EmbeddedAws, startEmbeddedAws } from "../../../src/local/aws/embedded-aws";
import { permit, trust } from "./policies";

const keys = { accessKeyId: "AKIDEXAMPLE", secretAccessKey: "not-a-secret-EXAMPLEKEY" };
const environment = { ...process.env };
let aws: EmbeddedAws;
let clients: { destroy(): void }[];

beforeEach(async () => {
  aws = await startEmbeddedAws();
  const user = aws.addUser({ name: "router", ...keys });
  aws.addRole({
    name: "invoker",
    trustPolicy: trust(user.arn, ["source-1", "source-2"]),
    permissionPolicies: [permit("lambda:InvokeFunction", "arn:aws:lambda:us-east-1:123456789012:function:echo*")],
  });
  aws.addFunction({ name: "echo", handler: (event) => event });
  // What a person would set, and nothing else.
  Object.assign(process.env, {
    AWS_ENDPOINT_URL: aws.url,
    AWS_REGION: aws.region,
    AWS_ACCESS_KEY_ID: keys.accessKeyId,
    AWS_SECRET_ACCESS_KEY: keys.secretAccessKey,
  });
  clients = [];
});

afterEach(async () => {
  for (const client of clients) client.destroy();
  process.env = { ...environment };
  await aws.close();
});

function lambda(credentials?: { accessKeyId: string; secretAccessKey: string; sessionToken?: string }): LambdaClient {
  const client = new LambdaClient(credentials ? { credentials } : {});
  clients.push(client);
  return client;
}

function sts(): STSClient {
  const client = new STSClient({});
  clients.push(client);
  return client;
}

async function assume(ExternalId: string, more: object = {}) {
  const { Credentials } = await sts().send(
    new AssumeRoleCommand({
      RoleArn: "arn:aws:iam::123456789012:role/invoker",
      RoleSessionName: "router",
      ExternalId,
      ...more,
    }),
  );
  const { AccessKeyId = "", SecretAccessKey = "", SessionToken = "", Expiration } = Credentials ?? {};
  return {
    accessKeyId: AccessKeyId,
    secretAccessKey: SecretAccessKey,
    sessionToken: SessionToken,
    expiration: Expiration,
  };
}

test("the SDK finds its way by AWS_ENDPOINT_URL alone", async () => {
  const { Arn, Account } = await sts().send(new GetCallerIdentityCommand({}));
  expect([Arn, Account]).toEqual(["arn:aws:iam::123456789012:user/router", "123456789012"]);
});

test("it assumes a role with one of its external IDs and invokes as its session", async () => {
  const session = await assume("source-2");
  const answer = await lambda(session).send(
    new InvokeCommand({ FunctionName: "echo", Payload: '{"a":"ü"}', LogType: "Tail" }),
  );
  expect(session.expiration).toBeInstanceOf(Date);
  expect(answer).toMatchObject({ StatusCode: 200, ExecutedVersion: "$LATEST", LogResult: expect.any(String) });
  expect(answer.Payload?.transformToString()).toBe('{"a":"ü"}');
  expect(aws.invocations[0]?.principalArn).toBe("arn:aws:sts::123456789012:assumed-role/invoker/router");
});

test("a wrong external ID is AccessDenied", async () => {
  await expect(assume("source-3")).rejects.toMatchObject({ name: "AccessDenied", $metadata: { httpStatusCode: 403 } });
});

test("a session policy narrows what it may invoke", async () => {
  aws.addFunction({ name: "echo-2", handler: () => null });
  const Policy = JSON.stringify(permit("lambda:InvokeFunction", "arn:aws:lambda:us-east-1:123456789012:function:echo"));
  const client = lambda(await assume("source-1", { Policy }));
  await client.send(new InvokeCommand({ FunctionName: "echo" }));
  await expect(client.send(new InvokeCommand({ FunctionName: "echo-2" }))).rejects.toMatchObject({
    name: "AccessDeniedException",
    message: expect.stringContaining("because no session policy allows"),
  });
});

test.each<[string, Partial<InvokeCommandInput>, object]>([
  ["asynchronously", { InvocationType: "Event" }, { StatusCode: 202 }],
  ["dry", { InvocationType: "DryRun" }, { StatusCode: 204 }],
  ["by a qualifier", { Qualifier: "$LATEST" }, { StatusCode: 200 }],
  ["by ARN", { FunctionName: "arn:aws:lambda:us-east-1:123456789012:function:echo" }, { StatusCode: 200 }],
])("it invokes %s", async (_, input, expected) => {
  expect(await lambda().send(new InvokeCommand({ FunctionName: "echo", ...input }))).toMatchObject(expected);
});

test("a session that is over is an error, and the SDK follows the clock", async () => {
  const session = await assume("source-1", { DurationSeconds: 900 });
  const client = lambda(session);
  await client.send(new InvokeCommand({ FunctionName: "echo" }));
  aws.clock.advance(901_000);
  await expect(client.send(new InvokeCommand({ FunctionName: "echo" }))).rejects.toMatchObject({
    name: "ExpiredTokenException",
  });
});

test.each([
  ["a wrong secret", { ...keys, secretAccessKey: "wrong" }, "InvalidSignatureException"],
  ["unknown keys", { ...keys, accessKeyId: "AKIDSTRANGER" }, "UnrecognizedClientException"],
  ["a token of nobody", { ...keys, sessionToken: "token" }, "UnrecognizedClientException"],
])("%s is an error", async (_, credentials, name) => {
  await expect(lambda(credentials).send(new InvokeCommand({ FunctionName: "echo" }))).rejects.toMatchObject({ name });
});

test("the SDK's own errors carry what Lambda says", async () => {
  aws.addFunction({ name: "echo-off", handler: () => null, concurrency: 0 });
  const client = new LambdaClient({ maxAttempts: 1 });
  clients.push(client);
  await expect(client.send(new InvokeCommand({ FunctionName: "echo-off" }))).rejects.toMatchObject({
    name: "TooManyRequestsException",
    message: "Rate Exceeded.",
    Reason: "ReservedFunctionConcurrentInvocationLimitExceeded",
    Type: "User",
    retryAfterSeconds: "1",
  });
  await expect(client.send(new InvokeCommand({ FunctionName: "nobody" }))).rejects.toMatchObject({
    name: "ResourceNotFoundException",
    message: "Function not found: arn:aws:lambda:us-east-1:123456789012:function:nobody",
  });
});

test.each([
  ["GetFunction", () => new GetFunctionCommand({ FunctionName: "echo" })],
  ["InvokeAsync", () => new InvokeAsyncCommand({ FunctionName: "echo", InvokeArgs: "{}" })],
  [
    "InvokeWithResponseStream",
    () => new InvokeWithResponseStreamCommand({ FunctionName: "echo", Payload: Buffer.from("{}") }),
  ],
  ["ListTags", () => new ListTagsCommand({ Resource: "arn:aws:lambda:us-east-1:123456789012:function:echo" })],
])("what the embedded AWS lacks (%s) is told as Lambda tells an error", async (_name, command) => {
  const client = new LambdaClient({ maxAttempts: 1 });
  clients.push(client);
  await expect(client.send(command() as GetFunctionCommand)).rejects.toMatchObject({
    name: "UnknownOperationException",
    message: expect.stringMatching(/^The embedded AWS has no operation for (GET|POST) \/20/),
    $metadata: { httpStatusCode: 404, requestId: expect.any(String) },
  });
});

test("connections are kept alive", async () => {
  const agent = new Agent({ keepAlive: true, maxSockets: 1 });
  const call = (): Promise<boolean> =>
    new Promise((resolve, reject) => {
      const outgoing = get(aws.url, { agent }, (incoming) => {
        incoming.resume().on("end", () => resolve(outgoing.reusedSocket));
      }).on("error", reject);
    });
  const reused = [await call(), await call(), await call()];
  agent.destroy();
  expect(reused).toEqual([false, true, true]);
});
