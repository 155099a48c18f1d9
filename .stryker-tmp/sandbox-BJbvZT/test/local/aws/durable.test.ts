// @ts-nocheck
import { InvokeCommand, type InvokeCommandInput, LambdaClient } from "@aws-sdk/client-lambda";
import { type EmbeddedAws, startEmbeddedAws } from "../../../src/local/aws/embedded-aws";

let aws: EmbeddedAws;
let client: LambdaClient;
let runs: number;

beforeEach(async () => {
  aws = await startEmbeddedAws();
  const credentials = aws.addUser({ name: "router" });
  client = new LambdaClient({ endpoint: aws.url, region: aws.region, credentials, maxAttempts: 1 });
  runs = 0;
});

afterEach(async () => {
  client.destroy();
  await aws.close();
});

/** A durable function and its alias `live`. */
function addDurable(handler: (event: unknown) => unknown, retentionMs?: number): void {
  const counted = (event: unknown) => {
    runs++;
    return handler(event);
  };
  aws.addFunction({
    name: "orders",
    durable: retentionMs === undefined ? true : { retentionMs },
    handler: counted,
    versions: { "1": { handler: counted } },
    aliases: { live: "1" },
  });
}

async function invoke(more: Partial<InvokeCommandInput> = {}) {
  const answer = await client.send(
    new InvokeCommand({ FunctionName: "orders:live", DurableExecutionName: "one", Payload: '{"a":1}', ...more }),
  );
  return { ...answer, body: answer.Payload?.transformToString() };
}

test("a name starts one execution; whoever asks again gets what it returned", async () => {
  addDurable(() => ({ done: true }));

  const first = await invoke();
  const again = await invoke();

  expect(runs).toBe(1);
  expect(first).toMatchObject({ StatusCode: 200, body: '{"done":true}', ExecutedVersion: "1" });
  expect(first.DurableExecutionArn).toMatch(
    /^arn:aws:lambda:us-east-1:123456789012:function:orders:1\/durable-execution\/one\/[\w-]+$/,
  );
  expect(again).toMatchObject({ StatusCode: 200, body: first.body, DurableExecutionArn: first.DurableExecutionArn });
});

test("who asks while it runs waits for it", async () => {
  let finish = (_result: unknown): void => {};
  const started = new Promise<void>((begin) => {
    addDurable(() => {
      begin();
      return new Promise((resolve) => (finish = resolve));
    });
  });

  const both = [invoke(), invoke()];
  await started;
  finish("slow");

  expect((await Promise.all(both)).map(({ body }) => body)).toEqual(['"slow"', '"slow"']);
  expect(runs).toBe(1);
});

test("one that failed stays failed", async () => {
  addDurable(() => {
    throw new Error("no such order");
  });

  const first = await invoke();
  const again = await invoke();

  expect(runs).toBe(1);
  expect(first).toMatchObject({ StatusCode: 200, FunctionError: "Unhandled" });
  expect(JSON.parse(first.body ?? "")).toMatchObject({ errorMessage: "no such order" });
  expect(again).toMatchObject({ FunctionError: "Unhandled", body: first.body });
});

test("one that is stopped ends for all who wait", async () => {
  addDurable(() => new Promise(() => {}));
  const started = await invoke({ InvocationType: "Event" });
  const waiting = invoke();
  aws.stopExecution(started.DurableExecutionArn ?? "");

  expect(await waiting).toMatchObject({ FunctionError: "Unhandled" });
});

test("the same name with another payload is refused", async () => {
  addDurable(() => 1);
  await invoke();

  await expect(invoke({ Payload: '{"a":2}' })).rejects.toMatchObject({
    name: "DurableExecutionAlreadyStartedException",
    $metadata: { httpStatusCode: 409 },
  });
});

test("a name is free again once its retention has ended", async () => {
  addDurable(() => 1, 86_400_000);
  const first = await invoke();
  aws.clock.advance(86_400_001);
  client.config.systemClockOffset = 86_400_001;
  const later = await invoke();

  expect(runs).toBe(2);
  expect(later.DurableExecutionArn).not.toBe(first.DurableExecutionArn);
});

test("without a name, every invocation is an execution of its own", async () => {
  addDurable(() => 1);
  const arns = [await invoke({ DurableExecutionName: undefined }), await invoke({ DurableExecutionName: undefined })];

  expect(new Set(arns.map(({ DurableExecutionArn }) => DurableExecutionArn)).size).toBe(2);
  expect(runs).toBe(2);
});

test("queued, it runs once and is not run again where it fails", async () => {
  addDurable(() => {
    throw new Error("no");
  });
  const answers = [await invoke({ InvocationType: "Event" }), await invoke({ InvocationType: "Event" })];
  await aws.idle();

  expect(answers.map(({ StatusCode }) => StatusCode)).toEqual([202, 202]);
  expect(answers[0]?.DurableExecutionArn).toBe(answers[1]?.DurableExecutionArn);
  expect(runs).toBe(1);
});

test.each<[what: string, more: Partial<InvokeCommandInput>, message: RegExp]>([
  ["a durable function without version or alias", { FunctionName: "orders" }, /unqualified ARN/],
  ["a name for a function that is not durable", { FunctionName: "plain" }, /durable function/],
])("%s is refused, and so it is without a run", async (_what, more, message) => {
  addDurable(() => 1);
  aws.addFunction({ name: "plain", handler: () => 1 });

  for (const InvocationType of ["RequestResponse", "DryRun"] as const) {
    const refused = expect(invoke({ ...more, InvocationType })).rejects;
    await refused.toMatchObject({ name: "InvalidParameterValueException", message: expect.stringMatching(message) });
  }
  expect(runs).toBe(0);
});
