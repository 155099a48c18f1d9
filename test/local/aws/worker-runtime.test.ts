import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { WorkerRuntime } from "../../../src/local/aws/worker-runtime";

test("closing ends the run under way, the one that waits for a worker, and those that come later", async () => {
  const folder = mkdtempSync(join(tmpdir(), "worker-runtime-"));
  const file = join(folder, "index.mjs");
  writeFileSync(
    file,
    "export const handler = () => { console.log('begun'); return new Promise((go) => setTimeout(go, 1e6)); };",
  );
  const runtime = new WorkerRuntime({
    functionName: "endless",
    functionVersion: "$LATEST",
    memoryMb: 128,
    timeoutMs: 600_000,
    file,
    handler: "handler",
    region: "us-east-1",
    environment: {},
    maxEnvironments: 1,
  });
  const invocation = {
    payload: "{}",
    clientContext: undefined,
    invokedFunctionArn: "arn:aws:lambda:us-east-1:1:function:endless",
  };
  const run = (requestId: string, log: (line: string) => void = () => {}) =>
    runtime.run({ ...invocation, requestId }, log);

  let underWay: ReturnType<typeof run> | undefined;
  await new Promise<void>((begun) => {
    underWay = run("first", () => begun());
  });
  const waiting = run("second");
  await runtime.close();
  const late = run("third");
  const outcomes = (await Promise.all([underWay, waiting, late])).map((returned) => returned?.outcome);
  rmSync(folder, { recursive: true });

  expect(outcomes).toEqual(
    ["first", "second", "third"].map((requestId) => ({
      error: {
        errorType: "Runtime.ExitError",
        errorMessage: expect.stringContaining(`RequestId: ${requestId} Error: `),
      },
    })),
  );
});
