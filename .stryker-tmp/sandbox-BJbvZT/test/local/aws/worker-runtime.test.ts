// @ts-nocheck
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { WorkerRuntime } from "../../../src/local/aws/worker-runtime";

let folder: string;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "worker-runtime-"));
});

afterEach(() => rmSync(folder, { recursive: true }));

function start(source: string, maxEnvironments: number) {
  const file = join(folder, "index.mjs");
  writeFileSync(file, source);
  const runtime = new WorkerRuntime({
    functionName: "echo",
    functionVersion: "$LATEST",
    memoryMb: 128,
    timeoutMs: 600_000,
    file,
    handler: "handler",
    region: "us-east-1",
    environment: {},
    maxEnvironments,
  });
  const invocation = {
    payload: "{}",
    clientContext: undefined,
    invokedFunctionArn: "arn:aws:lambda:us-east-1:1:function:echo",
  };
  return {
    runtime,
    run: (requestId: string, log: (line: string) => void = () => {}) => runtime.run({ ...invocation, requestId }, log),
  };
}

test("no more workers are started than allowed, and the runs wait for each other", async () => {
  const { runtime, run } = start(
    "export const handler = async () => { await new Promise((go) => setTimeout(go, 5)); return process.env.AWS_LAMBDA_LOG_STREAM_NAME; };",
    2,
  );
  const runs = await Promise.all(["1", "2", "3", "4", "5", "6"].map((requestId) => run(requestId)));
  await runtime.close();
  const streams = runs.map(({ outcome }) => ("payload" in outcome ? outcome.payload : outcome.error));
  expect(streams).toEqual(Array(6).fill(expect.stringContaining("[$LATEST]")));
  expect(new Set(streams).size).toBe(2);
});

test("closing ends the run under way, those that wait for a worker, and those that come later", async () => {
  const { runtime, run } = start(
    "export const handler = () => { console.log('begun'); return new Promise((go) => setTimeout(go, 1e6)); };",
    1,
  );
  let underWay: ReturnType<typeof run> | undefined;
  await new Promise<void>((begun) => {
    underWay = run("first", () => begun());
  });
  const waiting = [run("second"), run("third")];
  // Gives the two time to look at the file and to queue up; without it they only come late, too.
  for (let turn = 0; turn < 100; turn++) await new Promise(setImmediate);
  await runtime.close();
  const outcomes = (await Promise.all([underWay, ...waiting, run("fourth")])).map((returned) => returned?.outcome);
  expect(outcomes).toEqual(
    ["first", "second", "third", "fourth"].map((requestId) => ({
      error: {
        errorType: "Runtime.ExitError",
        errorMessage: expect.stringContaining(`RequestId: ${requestId} Error: `),
      },
    })),
  );
});
