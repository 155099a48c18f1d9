// @ts-nocheck
import { InvokeCommand, LambdaClient } from "@aws-sdk/client-lambda";
import { AssumeRoleCommand, STSClient } from "@aws-sdk/client-sts";
import { type EmbeddedAws, startEmbeddedAws } from "../../../src/local/aws/embedded-aws";
import { trust } from "./policies";
import { errorType, type RawAnswer, send, signForm, signInvoke } from "./raw-client";

const keys = { accessKeyId: "AKIDEXAMPLE", secretAccessKey: "not-a-secret-EXAMPLEKEY" };
let aws: EmbeddedAws;

beforeEach(async () => {
  aws = await startEmbeddedAws();
  aws.addUser({ name: "router", ...keys });
  aws.addRole({ name: "invoker", trustPolicy: trust("*"), permissionPolicies: [] });
  aws.addFunction({ name: "echo", handler: (event) => event });
});

afterEach(() => aws.close());

const invoke = async (name = "echo"): Promise<RawAnswer> =>
  send(aws.url, await signInvoke(aws.url, keys, name, { body: '{"a":1}' }));
const whoAmI = async (): Promise<RawAnswer> =>
  send(aws.url, await signForm(aws.url, keys, { Action: "GetCallerIdentity" }));

test("an error of Lambda arrives at the SDK as that error, once", async () => {
  const error = { code: "EC2ThrottledException", status: 502, message: "slow down", headers: { "Retry-After": "7" } };
  aws.misbehave({ service: "lambda", error });
  const client = new LambdaClient({ endpoint: aws.url, region: aws.region, credentials: keys, maxAttempts: 1 });
  const failed = client.send(new InvokeCommand({ FunctionName: "echo" }));
  await expect(failed).rejects.toMatchObject({
    name: "EC2ThrottledException",
    message: "slow down",
    $metadata: { httpStatusCode: 502 },
    $response: { headers: { "retry-after": "7" } },
  });
  const { StatusCode } = await client.send(new InvokeCommand({ FunctionName: "echo" }));
  client.destroy();
  expect(StatusCode).toBe(200);
  expect(aws.calls.map(({ status, errorCode }) => [status, errorCode])).toEqual([
    [502, "EC2ThrottledException"],
    [200, undefined],
  ]);
  expect(aws.invocations).toHaveLength(1);
});

test("a throttling of Lambda can have a reason", async () => {
  const error = {
    code: "TooManyRequestsException",
    status: 429,
    message: "Rate exceeded",
    reason: "CallerRateLimitExceeded",
  };
  aws.misbehave({ service: "lambda", error });
  const { body } = await invoke();
  expect(JSON.parse(body)).toEqual({ Type: "User", message: "Rate exceeded", Reason: "CallerRateLimitExceeded" });
});

test("an error of STS arrives at the SDK as that error", async () => {
  aws.misbehave({ service: "sts", error: { code: "Throttling", status: 400, message: "Rate <exceeded> & more" } });
  const client = new STSClient({ endpoint: aws.url, region: aws.region, credentials: keys, maxAttempts: 1 });
  const command = new AssumeRoleCommand({ RoleArn: "arn:aws:iam::123456789012:role/invoker", RoleSessionName: "test" });
  await expect(client.send(command)).rejects.toMatchObject({ name: "Throttling", message: "Rate <exceeded> & more" });
  client.destroy();
});

test("it can be wished for a number of times, for a service, an action, a function", async () => {
  aws.addFunction({ name: "other", handler: () => null });
  const error = { code: "ServiceException", status: 500 };
  aws.misbehave({ service: "lambda", function: "echo", times: 2, error });
  aws.misbehave({ service: "sts", action: "AssumeRole", error: { code: "Throttling", status: 400 } });
  const answers = [await invoke("other"), await whoAmI(), await invoke(), await invoke("echo:$LATEST"), await invoke()];
  expect(answers.map(({ status }) => status)).toEqual([200, 200, 500, 500, 200]);
});

test("what is left of it can be taken back", async () => {
  aws.misbehave({
    service: "lambda",
    times: Number.POSITIVE_INFINITY,
    error: { code: "ServiceException", status: 500 },
  });
  const before = [(await invoke()).status, (await invoke()).status];
  aws.behave();
  expect([before, (await invoke()).status]).toEqual([[500, 500], 200]);
});

test("a request that is not authentic does not use it up", async () => {
  aws.misbehave({ service: "lambda", error: { code: "ServiceException", status: 500 } });
  const stranger = await send(aws.url, await signInvoke(aws.url, { ...keys, secretAccessKey: "wrong" }, "echo"));
  expect([stranger.status, (await invoke()).status]).toEqual([403, 500]);
});

test("latency lasts until the clock has passed it", async () => {
  aws.misbehave({ service: "lambda", latencyMs: 3_600_000, error: { code: "ServiceException", status: 503 } });
  const schedule = jest.spyOn(aws.clock, "schedule");
  const slow = invoke();
  while (schedule.mock.calls.length === 0) await new Promise(setImmediate);
  const quick = await invoke();
  expect([quick.status, aws.calls.length]).toEqual([200, 1]);
  aws.clock.advance(3_600_000);
  expect([(await slow).status, aws.calls.length]).toEqual([503, 2]);
});

test("a connection can be dropped before the function runs", async () => {
  aws.misbehave({ service: "lambda", fault: "drop" });
  await expect(invoke()).rejects.toMatchObject({ code: "ECONNRESET" });
  expect([aws.invocations.length, aws.calls[0]?.status]).toEqual([0, 0]);
});

test("a connection can be dropped after the function ran", async () => {
  aws.misbehave({ service: "lambda", fault: "drop-after-run" });
  await expect(invoke()).rejects.toMatchObject({ code: "ECONNRESET" });
  expect([aws.invocations.length, aws.calls[0]?.status]).toEqual([1, 0]);
});

test.each([
  ["lambda", invoke],
  ["sts", whoAmI],
] as const)("an answer of %s can break off halfway", async (service, call) => {
  aws.misbehave({ service, fault: "half" });
  await expect(call()).rejects.toMatchObject({ code: "ECONNRESET" });
});

test.each([
  ["lambda", invoke],
  ["sts", whoAmI],
] as const)("an answer of %s can be garbage", async (service, call) => {
  aws.misbehave({ service, fault: "garbage" });
  const answer = await call();
  expect(answer.status).toBe(200);
  expect(() => JSON.parse(answer.body)).toThrow();
  expect(answer.body).not.toContain("GetCallerIdentity");
});

test("an error has the form that AWS gives it", async () => {
  aws.misbehave({ service: "lambda", error: { code: "AccessDeniedException", status: 403, message: "no" } });
  const answer = await invoke();
  expect([errorType(answer), JSON.parse(answer.body)]).toEqual(["AccessDeniedException", { Message: "no" }]);
});
