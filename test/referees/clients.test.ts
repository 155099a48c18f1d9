import { type EmbeddedAws, startEmbeddedAws } from "../../src/local/aws/embedded-aws";
import { python } from "./python";

let aws: EmbeddedAws;

beforeEach(async () => {
  aws = await startEmbeddedAws();
});

afterEach(() => aws.close());

/** What boto3 makes of the embedded AWS's answers to these calls, one after the other. */
function boto3(...calls: readonly (readonly [operation: string, args: object])[]) {
  const { accessKeyId, secretAccessKey } = aws.addUser({ name: "router" });
  return python<readonly Readonly<Record<string, unknown>>[]>("clients.py", calls, {
    AWS_ENDPOINT_URL: aws.url,
    AWS_DEFAULT_REGION: aws.region,
    AWS_ACCESS_KEY_ID: accessKeyId,
    AWS_SECRET_ACCESS_KEY: secretAccessKey,
  });
}

test("boto3 starts one durable execution per name, and is told which", async () => {
  let runs = 0;
  aws.addFunction({ name: "orders", durable: true, handler: () => ++runs });
  const once = { FunctionName: "orders:$LATEST", DurableExecutionName: "order-1", Payload: "{}" };

  const [first, again, other] = await boto3(
    ["invoke", once],
    ["invoke", once],
    ["invoke", { ...once, Payload: '{"a":1}' }],
  );

  expect(first).toMatchObject({
    StatusCode: 200,
    payload: "1",
    DurableExecutionArn: expect.stringContaining("/durable-execution/order-1/"),
  });
  expect(again).toEqual(first);
  expect(other).toMatchObject({ status: 409, error: { Code: "DurableExecutionAlreadyStartedException" } });
});

test("boto3 invokes for a tenant, and is told where the function has no tenants", async () => {
  aws.addFunction({ name: "isolated", tenantIsolation: true, handler: (_event, { tenantId }) => tenantId });
  aws.addFunction({ name: "plain", handler: () => 1 });

  const [acme, nobody, plain] = await boto3(
    ["invoke", { FunctionName: "isolated", TenantId: "acme corp" }],
    ["invoke", { FunctionName: "isolated" }],
    ["invoke", { FunctionName: "plain", TenantId: "acme corp" }],
  );

  expect(acme).toMatchObject({ StatusCode: 200, payload: '"acme corp"' });
  expect(nobody).toMatchObject({ status: 400, error: { Code: "InvalidParameterValueException" } });
  expect(plain).toMatchObject({ status: 400, error: { Code: "InvalidParameterValueException" } });
});

test("boto3 reads the error of an operation that the embedded AWS lacks", async () => {
  const answers = await boto3(
    ["get_function", { FunctionName: "orders" }],
    ["invoke_async", { FunctionName: "orders", InvokeArgs: "{}" }],
    ["invoke_with_response_stream", { FunctionName: "orders", Payload: "{}" }],
  );

  for (const answer of answers) {
    expect(answer).toMatchObject({
      status: 404,
      error: {
        Code: "UnknownOperationException",
        Message: expect.stringMatching(/^The embedded AWS has no operation/),
      },
    });
  }
});
