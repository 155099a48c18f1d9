import { spawnSync } from "node:child_process";
import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import type { FunctionError } from "../../../src/local/aws/runtime";
import { WorkerRuntime } from "../../../src/local/aws/worker-runtime";

let folder: string;
const runtimes: WorkerRuntime[] = [];

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "languages-"));
});

afterEach(async () => {
  await Promise.all(runtimes.splice(0).map((runtime) => runtime.close()));
  rmSync(folder, { recursive: true });
});

/** Writes a handler file; returns what runs it once. */
function handler(name: string, source: string, timeoutMs = 60_000) {
  const file = join(folder, name);
  writeFileSync(file, source);
  const runtime = new WorkerRuntime({
    functionName: "echo",
    functionVersion: "7",
    memoryMb: 128,
    timeoutMs,
    file,
    folder,
    handler: "handler",
    region: "eu-west-1",
    environment: { GREETING: "hi" },
    maxEnvironments: 1,
  });
  runtimes.push(runtime);
  return async (event: unknown = {}, clientContext?: string) => {
    const log: string[] = [];
    const { outcome } = await runtime.run(
      {
        requestId: "r-1",
        payload: JSON.stringify(event),
        clientContext,
        invokedFunctionArn: "arn:aws:lambda:eu-west-1:1:function:echo:7",
      },
      (line) => log.push(line),
    );
    const { payload, error } = outcome as { payload?: string; error?: FunctionError };
    return { value: payload === undefined ? undefined : (JSON.parse(payload) as unknown), error, log };
  };
}

const hasPython = spawnSync("python3", ["-c", "import sys; sys.exit(sys.version_info < (3, 9))"]).status === 0;

(hasPython ? describe : describe.skip)(`Python${hasPython ? "" : " (skipped: no Python 3.9 or newer)"}`, () => {
  test("gets the event and Lambda's context, and its state survives", async () => {
    const run = handler(
      "track.py",
      `import os
count = 0
def handler(event, context):
    global count
    count += 1
    left = context.get_remaining_time_in_millis()
    return [event["ü"], count, context.aws_request_id, context.function_name, context.function_version,
            context.invoked_function_arn, context.memory_limit_in_mb, context.log_group_name, context.client_context.custom,
            context.identity.cognito_identity_id, 0 < left <= 60000, os.environ["GREETING"], os.environ["AWS_REGION"]]
`,
    );

    await run({ ü: 0 }, "{}");
    const { value } = await run({ ü: "日本" }, '{"custom":{"a":1},"other":2}');

    const arn = "arn:aws:lambda:eu-west-1:1:function:echo:7";
    expect(value).toEqual([
      "日本",
      2,
      "r-1",
      "echo",
      "7",
      arn,
      "128",
      "/aws/lambda/echo",
      { a: 1 },
      null,
      true,
      "hi",
      "eu-west-1",
    ]);
  });

  test("logs what is printed, logged and written by other processes, an entry per line", async () => {
    const run = handler(
      "track.py",
      `import logging, subprocess, sys
def handler(event, context):
    print("printed")
    sys.stderr.write("half ")
    sys.stderr.write("a line\\n")
    logging.warning("logged\\ntwice")
    print("no newline", end="")
`,
    );

    const { value, log } = await run();

    expect(value).toBeNull();
    expect(log).toEqual([
      "printed",
      "half a line",
      expect.stringMatching(/^\[WARNING\]\t\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z\tr-1\tlogged\rtwice$/),
      "no newline",
    ]);
  });

  test("its errors are told as Lambda tells them, and it goes on", async () => {
    const run = handler(
      "track.py",
      `class DropEvent(Exception): pass
def handler(event, context):
    if event.get("drop"):
        raise DropEvent("no use")
    return {1} if event.get("set") else "well"
`,
    );

    const { error, log } = await run({ drop: true });
    const trace = [
      expect.stringMatching(/^ {2}File ".*track\.py", line 4, in handler\n {4}raise DropEvent\("no use"\)\n/),
    ];
    expect(error).toEqual({ errorType: "DropEvent", errorMessage: "no use", requestId: "r-1", stackTrace: trace });
    expect(log.join()).toContain("[ERROR] DropEvent: no use\rTraceback (most recent call last):\r\u00a0\u00a0File ");
    expect((await run({ set: true })).error?.errorType).toBe("Runtime.MarshalError");
    expect((await run()).value).toBe("well");
  });

  test.each([
    [
      "def handler(event, context):\n    return (\n",
      "Runtime.UserCodeSyntaxError",
      "(track.py, line 2)",
      /track\.py" Line 2/,
    ],
    ["\nimport nowhere\n", "Runtime.ImportModuleError", "No module named 'nowhere'", /track\.py", line 2/],
    ["x = 1\n", "Runtime.HandlerNotFound", "Handler 'handler' missing on module 'track'", undefined],
    ["raise ValueError('at once')\n", "ValueError", "at once", /track\.py", line 1/],
  ])("%j is told with file and line, and works once it is mended", async (source, errorType, message, place) => {
    const run = handler("track.py", source);

    const { error } = await run();
    writeFileSync(join(folder, "track.py"), "def lambda_handler(event, context): return 'mended'\n");

    expect(error).toMatchObject({ errorType, errorMessage: expect.stringContaining(message) });
    if (place) expect(error?.stackTrace?.at(-1)).toMatch(place);
    expect((await run()).value).toBe("mended");
  });

  test.each([
    [
      "times out",
      "import time; print('begun'); time.sleep(100)",
      "Sandbox.Timedout",
      "Task timed out after 1.00 seconds",
    ],
    ["exits", "import sys; print('begun'); sys.exit(3)", "Runtime.ExitError", "exit status 3"],
    ["is killed", "import os; print('begun'); os.kill(os.getpid(), 9)", "Runtime.ExitError", "signal: SIGKILL"],
  ])("one that %s leaves its log, and the next run works", async (_name, code, errorType, message) => {
    const run = handler(
      "track.py",
      `def handler(event, context):\n    if event.get("bad"):\n        ${code}\n    return 1\n`,
      1000,
    );

    const { error, log } = await run({ bad: true });

    expect(error).toMatchObject({ errorType, errorMessage: expect.stringContaining(message) });
    expect(log[0]).toBe("begun");
    expect((await run()).value).toBe(1);
  });

  test("nothing that it started outlives it", async () => {
    const run = handler(
      "track.py",
      "import subprocess, time\ndef handler(event, context):\n    print(subprocess.Popen(['sleep', '1000']).pid)\n    time.sleep(1000)\n",
      500,
    );

    const { log } = await run();

    const state = () => spawnSync("ps", ["-o", "stat=", "-p", log[0] ?? ""], { encoding: "utf8" }).stdout.trim();
    while (/^[^Z]/.test(state())) await new Promise(setImmediate);
  });
});

describe("TypeScript", () => {
  beforeEach(() => {
    mkdirSync(join(folder, "node_modules"));
    // As `npm install --save-dev esbuild` puts it there.
    for (const name of ["esbuild"])
      symlinkSync(dirname(require.resolve(`${name}/package.json`)), join(folder, "node_modules", name));
  });

  test("runs with what it imports, and tells where it threw by its own lines", async () => {
    writeFileSync(join(folder, "sum.ts"), "export const sum = (a: number, b: number): number => a + b;\n");
    const run = handler(
      "track.ts",
      'import { sum } from "./sum.ts";\n\ninterface Input {\n  a: number;\n}\n\nexport const handler = async ({ a }: Input): Promise<number> => {\n  if (a < 0) throw new RangeError("below");\n  return sum(a, 1);\n};\n',
    );

    expect((await run({ a: 1 })).value).toBe(2);
    expect((await run({ a: -1 })).error).toMatchObject({
      errorType: "RangeError",
      trace: expect.arrayContaining([expect.stringMatching(/track\.ts:8:\d+\)?$/)]),
    });
  });

  test("a change of what it imports counts from the next run on", async () => {
    writeFileSync(join(folder, "text.ts"), 'export const text: string = "before";');
    const run = handler(
      "track.ts",
      'import { text } from "./text.ts";\nexport const handler = async (): Promise<string> => text;',
    );
    const before = await run();
    writeFileSync(join(folder, "text.ts"), 'export const text: string = "afterwards";');
    expect([before.value, (await run()).value]).toEqual(["before", "afterwards"]);
  });

  test("a syntax error is told with file and line", async () => {
    const { error } = await handler(
      "track.ts",
      "export const handler = async (): Promise<void> => {\n  const a: number = ;\n};\n",
    )();
    expect(error?.errorType).toBe("Runtime.UserCodeSyntaxError");
    expect(error?.trace?.join("\n")).toMatch(/track\.ts:2/);
  });

  const strips = Boolean((process.features as { typescript?: unknown }).typescript);
  (strips ? test.skip : test)("where nothing can run it, one line says what to do", async () => {
    rmSync(join(folder, "node_modules"), { recursive: true });
    const { error } = await handler("track.ts", "export const handler = async () => 1;")();
    expect(error).toEqual({
      errorType: "Runtime.ImportModuleError",
      errorMessage: expect.stringMatching(
        /^Error: track\.ts needs Node\.js 22\.18 or newer .* npm install --save-dev esbuild$/,
      ),
      trace: [expect.any(String)],
    });
  });

  test("more than types runs where esbuild is there, and says what to do where it is not", async () => {
    const source = 'enum Kind { A = "a" }\nexport const handler = async (): Promise<string> => Kind.A;\n';
    expect((await handler("track.ts", source)()).value).toBe("a");
    rmSync(join(folder, "node_modules"), { recursive: true });
    expect((await handler("page.ts", source)()).error?.errorMessage).toMatch(/npm install --save-dev esbuild$/);
  });
});

describe("a syntax error in JavaScript is told with file and line", () => {
  test.each([
    ["track.mjs", "export const handler = async () => {\n  const a = ;\n};\n", /track\.mjs:2$/],
    ["track.cjs", "exports.handler = async () => {\n  const a = ;\n};\n", /track\.cjs:2$/],
    ["track.mjs", 'import { nothing } from "node:fs";\nexport const handler = nothing;', /track\.mjs:1$/],
  ])("%s", async (name, source, place) => {
    const { error } = await handler(name, source)();
    expect(error?.errorType).toBe("Runtime.UserCodeSyntaxError");
    expect(error?.trace).toContainEqual(expect.stringMatching(place));
  });

  test("in a file that it imports", async () => {
    writeFileSync(join(folder, "other.mjs"), "\n\nexport const = 1;\n");
    const { error } = await handler("track.mjs", 'import "./other.mjs";\nexport const handler = async () => 1;')();
    expect(error?.trace).toContainEqual(expect.stringMatching(/other\.mjs:3$/));
  });
});
