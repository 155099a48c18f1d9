// @ts-nocheck
import { existsSync, mkdtempSync, rmSync, utimesSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type EmbeddedAws, startEmbeddedAws } from "../../../src/local/aws/embedded-aws";
import type { FunctionOptions } from "../../../src/local/aws/functions";
import { send, signInvoke } from "./raw-client";

const keys = { accessKeyId: "AKIDEXAMPLE", secretAccessKey: "not-a-secret-EXAMPLEKEY" };
let aws: EmbeddedAws;
let folder: string;

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), "function-runtime-"));
  aws = await startEmbeddedAws();
  aws.addUser({ name: "router", ...keys });
});

afterAll(async () => {
  await aws.close();
  rmSync(folder, { recursive: true });
});

let count = 0;

type Options = Omit<FunctionOptions, "name" | "handler" | "file" | "source">;

/** Adds a function of that source; returns its name. */
function add(source: string, options: Options = {}): string {
  const name = `function-${++count}`;
  aws.addFunction({ name, source, ...options });
  return name;
}

/** Adds a function of a file of that name and text; returns its name and the file's path. */
function addFile(fileName: string, text: string, options: Options = {}): { name: string; file: string } {
  const name = `function-${++count}`;
  const file = join(folder, `${name}-${fileName}`);
  writeFileSync(file, text);
  aws.addFunction({ name, file, ...options });
  return { name, file };
}

interface Outcome {
  readonly value: unknown;
  readonly functionError: unknown;
  readonly requestId: string;
  readonly log: string;
}

async function invoke(name: string, event: unknown = {}, headers: Record<string, string> = {}): Promise<Outcome> {
  const wire = await signInvoke(aws.url, keys, name, {
    body: JSON.stringify(event),
    headers: { "x-amz-log-type": "Tail", ...headers },
  });
  const answer = await send(aws.url, wire);
  return {
    value: JSON.parse(answer.body),
    functionError: answer.headers["x-amz-function-error"],
    requestId: String(answer.headers["x-amzn-requestid"]),
    log: Buffer.from(String(answer.headers["x-amz-log-result"]), "base64").toString(),
  };
}

const value = async (name: string, event?: unknown): Promise<unknown> => (await invoke(name, event)).value;

describe("a handler", () => {
  test.each([
    ["async", "export const handler = async (event) => ({ got: event.a });", { got: 1 }],
    ["returning a promise", "export const handler = (event) => Promise.resolve({ got: event.a });", { got: 1 }],
    ["returning its result", "export const handler = (event) => ({ got: event.a });", { got: 1 }],
    [
      "calling back",
      "export const handler = (event, context, callback) => callback(null, { got: event.a });",
      { got: 1 },
    ],
    [
      "calling back later",
      "export const handler = (event, context, callback) => { setTimeout(callback, 1, null, { got: event.a }); };",
      { got: 1 },
    ],
    [
      "that never calls back",
      "export const handler = (event, context, callback) => { setTimeout(() => {}, 1); };",
      null,
    ],
    ["returning nothing", "export const handler = async () => {};", null],
    [
      "returning what JSON leaves out",
      "export const handler = async () => ({ a: undefined, b: () => 1, c: new Date(0) });",
      { c: "1970-01-01T00:00:00.000Z" },
    ],
  ])("may be one %s", async (_, source, expected) => {
    const { value, functionError } = await invoke(add(source), { a: 1 });
    expect([value, functionError]).toEqual([expected, undefined]);
  });

  test("calling back is answered when its event loop is empty, unless it says otherwise", async () => {
    const source = (wait: boolean) => `
      let late = "no";
      export const handler = (event, context, callback) => {
        context.callbackWaitsForEmptyEventLoop = ${wait};
        const result = { get late() { return late; } };
        setTimeout(() => { late = "yes"; }, 20);
        callback(null, result);
      };`;
    expect(await value(add(source(true)))).toEqual({ late: "yes" });
    expect(await value(add(source(false)))).toEqual({ late: "no" });
  });

  test("is told about its function and its invocation", async () => {
    const name = add(
      `export const handler = async (event, context) => ({
        ...context, remaining: context.getRemainingTimeInMillis(), env: process.env });`,
      { timeoutMs: 5000, memoryMb: 256, environment: { MINE: "yes" } },
    );
    process.env["EMBEDDED_AWS_TEST_SECRET"] = "must not be seen";
    const clientContext = Buffer.from('{"custom":{"a":1}}').toString("base64");
    const { value, requestId } = await invoke(name, {}, { "x-amz-client-context": clientContext });
    delete process.env["EMBEDDED_AWS_TEST_SECRET"];
    expect(value).toMatchObject({
      functionName: name,
      functionVersion: "$LATEST",
      invokedFunctionArn: `arn:aws:lambda:us-east-1:123456789012:function:${name}`,
      memoryLimitInMB: "256",
      awsRequestId: requestId,
      logGroupName: `/aws/lambda/${name}`,
      logStreamName: expect.stringMatching(/^\d{4}\/\d\d\/\d\d\/\[\$LATEST\][0-9a-f]{32}$/),
      clientContext: { custom: { a: 1 } },
      callbackWaitsForEmptyEventLoop: true,
      env: { AWS_LAMBDA_FUNCTION_NAME: name, AWS_REGION: "us-east-1", MINE: "yes" },
    });
    const { remaining, env } = value as { remaining: number; env: object };
    expect(remaining).toBeGreaterThan(0);
    expect(remaining).toBeLessThanOrEqual(5000);
    expect(env).not.toHaveProperty("EMBEDDED_AWS_TEST_SECRET");
  });

  test("may be exported under another name", async () => {
    expect(await value(add("export const run = () => 1;", { exportName: "run" }))).toBe(1);
  });

  test.each([
    ["index.mjs", "export const handler = () => import.meta.url.slice(0, 4);", "file"],
    ["index.cjs", "exports.handler = () => typeof require;", "function"],
    ["index.js", "module.exports = { ['hand' + 'ler']: () => typeof module };", "object"],
  ])("may be in a file %s", async (fileName, text, expected) => {
    expect(await value(addFile(fileName, text).name)).toBe(expected);
  });
});

describe("module state", () => {
  const counting = "let count = 0; export const handler = async (event) => { await event; return ++count; };";

  test("survives from one invocation to the next", async () => {
    const name = add(counting);
    expect([await value(name), await value(name), await value(name)]).toEqual([1, 2, 3]);
  });

  test("is not shared by invocations at the same time", async () => {
    const name = add(
      "let busy = 0; export const handler = async () => { busy++; await new Promise((go) => setTimeout(go, 30)); return busy--; };",
    );
    expect(await Promise.all([value(name), value(name), value(name)])).toEqual([1, 1, 1]);
  });

  test("is lost when the file changes, and the new code runs", async () => {
    const { name, file } = addFile("index.mjs", counting);
    const before = [await value(name), await value(name)];
    writeFileSync(file, counting.replace("++count", "'new ' + ++count"));
    const after = [await value(name), await value(name)];
    utimesSync(file, new Date(), new Date(Date.now() + 5000));
    expect([before, after, await value(name)]).toEqual([[1, 2], ["new 1", "new 2"], "new 1"]);
  });
});

describe("what fails", () => {
  test.each([
    ["throws", "export const handler = () => { throw new TypeError('boom'); };"],
    ["rejects", "export const handler = async () => { throw new TypeError('boom'); };"],
    [
      "calls back with an error",
      "export const handler = (event, context, callback) => callback(new TypeError('boom'));",
    ],
  ])("is reported with type, message and trace if it %s", async (_, source) => {
    const { value, functionError, log } = await invoke(add(source));
    expect(functionError).toBe("Unhandled");
    expect(value).toEqual({ errorType: "TypeError", errorMessage: "boom", trace: expect.any(Array) });
    expect((value as { trace: string[] }).trace[0]).toBe("TypeError: boom");
    expect(log).toMatch(
      /\tERROR\tInvoke Error \t\{"errorType":"TypeError","errorMessage":"boom","stack":\["TypeError: boom"/,
    );
  });

  test.each([
    [
      "an error of a class of its own",
      "class DropEvent extends Error { name = 'DropEvent' }; throw new DropEvent('no')",
      { errorType: "DropEvent", errorMessage: "no" },
    ],
    ["a string", "throw 'no'", { errorType: "string", errorMessage: "no", trace: [] }],
    ["an object", "throw { a: 1 }", { errorType: "object", errorMessage: "[object Object]", trace: [] }],
    ["nothing", "throw undefined", { errorType: "undefined", errorMessage: "undefined", trace: [] }],
    ["something unreadable", "throw { get name() { throw 1 } }", { errorType: "handled" }],
  ])("is reported if it throws %s", async (_, statement, expected) => {
    const { value, functionError } = await invoke(add(`export const handler = async () => { ${statement} };`));
    expect(functionError).toBe("Unhandled");
    expect(value).toMatchObject(expected);
  });

  test.each([
    ["circular", "const a = {}; a.a = a; return a;"],
    ["a BigInt", "return { n: 1n };"],
  ])("is reported if its result is %s", async (_, body) => {
    const { value, functionError } = await invoke(add(`export const handler = async () => { ${body} };`));
    expect(functionError).toBe("Unhandled");
    expect(value).toMatchObject({ errorType: "Error", errorMessage: "Unable to stringify response body" });
  });

  test.each([
    ["cannot be parsed", "export const handler = (", "Runtime.UserCodeSyntaxError", /^SyntaxError: /],
    [
      "imports what is not there",
      "import 'not-a-package-of-anybody'; export const handler = 1;",
      "Runtime.ImportModuleError",
      /^Error: Cannot find package 'not-a-package-of-anybody'/,
    ],
    [
      "exports no handler",
      "export const other = 1;",
      "Runtime.HandlerNotFound",
      /^index.handler is undefined or not exported$/,
    ],
    [
      "exports something else as handler",
      "export const handler = 1;",
      "Runtime.HandlerNotFound",
      /^index.handler is not a function$/,
    ],
    ["throws while it loads", "throw new RangeError('at load');", "RangeError", /^at load$/],
  ])("is reported if its module %s", async (_, source, errorType, errorMessage) => {
    const name = add(source);
    const first = await invoke(name);
    const second = await invoke(name);
    expect([first.functionError, second.functionError]).toEqual(["Unhandled", "Unhandled"]);
    expect([first.value, second.value]).toMatchObject(
      Array(2).fill({ errorType, errorMessage: expect.stringMatching(errorMessage) }),
    );
    expect(second.log).toContain("END RequestId");
  });

  test("is reported if its file is gone, and runs once it is back", async () => {
    const { name, file } = addFile("index.mjs", "export const handler = () => 'back';");
    rmSync(file);
    const gone = await value(name);
    writeFileSync(file, "export const handler = () => 'back';");
    expect(gone).toMatchObject({
      errorType: "Runtime.ImportModuleError",
      errorMessage: `Error: Cannot find module '${file}'`,
    });
    expect(await value(name)).toBe("back");
  });

  describe("costs the environment, and the next invocation gets a new one:", () => {
    const onFirst = (statement: string): string => `
      let count = 0;
      export const handler = async (event) => { count++; if (event.fail) { ${statement}; await new Promise((go) => setTimeout(go, 5000)); } return count; };`;

    test.each([
      [
        "process.exit(3)",
        "process.exit(3)",
        { errorType: "Runtime.ExitError", errorMessage: "Runtime exited with error: exit status 3" },
      ],
      [
        "process.exit(0)",
        "process.exit(0)",
        { errorType: "Runtime.ExitError", errorMessage: "Runtime exited without providing a reason" },
      ],
      [
        "an uncaught exception",
        "setTimeout(() => { throw new RangeError('late'); })",
        { errorType: "RangeError", errorMessage: "late" },
      ],
      [
        "an unhandled rejection",
        "Promise.reject(new RangeError('late'))",
        { errorType: "Runtime.UnhandledPromiseRejection", errorMessage: "RangeError: late" },
      ],
      [
        "no memory left",
        "const all = []; for (;;) all.push(new Array(1e5).fill({}))",
        { errorType: "Runtime.OutOfMemory", errorMessage: "Runtime exited with error: signal: killed" },
      ],
    ])("%s", async (_, statement, expected) => {
      const name = add(onFirst(statement), { memoryMb: 32, timeoutMs: 30_000 });
      const before = await value(name);
      const failed = await invoke(name, { fail: true });
      const after = await value(name);
      expect([before, after]).toEqual([1, 1]);
      expect(failed.functionError).toBe("Unhandled");
      expect(failed.value).toMatchObject({
        errorType: expected.errorType,
        errorMessage: expect.stringContaining(expected.errorMessage),
      });
    });

    test.each([
      ["a timeout", ""],
      ["a timeout of a busy loop", "for (;;);"],
    ])("%s", async (_, statement) => {
      const name = add(onFirst(`console.log("begun"); ${statement}`), { timeoutMs: 500 });
      const before = await value(name);
      const failed = await invoke(name, { fail: true });
      const after = await value(name);
      expect([before, after]).toEqual([1, 1]);
      expect(failed.functionError).toBe("Unhandled");
      expect(failed.value).toEqual({
        errorType: "Sandbox.Timedout",
        errorMessage: `RequestId: ${failed.requestId} Error: Task timed out after 0.50 seconds`,
      });
      expect(failed.log).toContain("\tINFO\tbegun\n");
      expect(failed.log).toMatch(/Z [0-9a-f-]{36} Task timed out after 0.50 seconds\n/);
    });
  });

  test("is reported if its promise can never settle", async () => {
    expect(
      await value(add("export const handler = () => new Promise(() => {});", { timeoutMs: 60_000 })),
    ).toMatchObject({ errorType: "Runtime.NodeJsExit" });
  });

  test("between two invocations costs the environment only", async () => {
    const name = add(
      "let count = 0; export const handler = async () => { setTimeout(() => process.exit(1), 0); return ++count; };",
    );
    expect(await value(name)).toBe(1);
    // Whatever is answered while the environment is on its way out, a new one comes.
    while ((await value(name)) !== 1);
    expect(aws.invocations.at(-1)?.logTail).toContain("Init Duration");
  });
});

describe("the log", () => {
  test("has Lambda's lines around the function's own, in its format", async () => {
    const { log, requestId } = await invoke(
      add(`
        console.log("loading");
        export const handler = async () => {
          console.log("a %s", "b", { c: [1] });
          console.debug("d"); console.info("i"); console.warn("w"); console.error("two\\nlines"); console.trace("t");
          process.stdout.write("raw\\n");
          await new Promise((written) => process.stderr.write(Buffer.from("rough"), written));
        };`),
    );
    const lines = log.split("\n").map((line) => line.replace(/^\d{4}-\d\d-\d\dT[\d:.]+Z\t/, "TIME\t"));
    expect(lines).toEqual([
      `START RequestId: ${requestId} Version: $LATEST`,
      "TIME\tundefined\tINFO\tloading",
      `TIME\t${requestId}\tINFO\ta b { c: [ 1 ] }`,
      `TIME\t${requestId}\tDEBUG\td`,
      `TIME\t${requestId}\tINFO\ti`,
      `TIME\t${requestId}\tWARN\tw`,
      `TIME\t${requestId}\tERROR\ttwo\rlines`,
      `TIME\t${requestId}\tTRACE\tt`,
      "raw",
      "rough",
      `END RequestId: ${requestId}`,
      expect.stringMatching(
        new RegExp(
          `^REPORT RequestId: ${requestId}\tDuration: .* ms\tBilled Duration: .* ms\tMemory Size: 128 MB\tMax Memory Used: \\d+ MB\tInit Duration: .* ms\t$`,
        ),
      ),
      "",
    ]);
  });

  test("says how long the start took only when there was one", async () => {
    const name = add("export const handler = () => 1;");
    const logs = [(await invoke(name)).log, (await invoke(name)).log];
    expect(logs.map((log) => log.includes("Init Duration"))).toEqual([true, false]);
  });

  test("is cut to its last 4 KB", async () => {
    const { log } = await invoke(
      add("export const handler = () => { for (let n = 0; n < 200; n++) console.log('ü'.repeat(50), n); };"),
    );
    expect(Buffer.byteLength(log)).toBeLessThanOrEqual(4096);
    expect(Buffer.byteLength(log)).toBeGreaterThan(4090);
    expect(log).toContain(" 199\n");
    expect(log).not.toContain("\ufffd");
    expect(log).not.toContain("START");
  });
});

test("a version of a function runs its own code, and is told its number", async () => {
  const name = add('export const handler = (event, context) => "new " + context.functionVersion;', {
    versions: { "7": { source: 'export const handler = (event, context) => "old " + context.functionVersion;' } },
    aliases: { live: "7" },
  });
  expect([await value(name), await value(`${name}:live`)]).toEqual(["new $LATEST", "old 7"]);
});

test("closing stops what still runs", async () => {
  const brief = await startEmbeddedAws();
  brief.addUser({ name: "router", ...keys });
  const begun = join(folder, "begun");
  const source = `
    import { writeFileSync } from "node:fs";
    export const handler = () => { writeFileSync(process.env.BEGUN, ""); for (;;); };`;
  brief.addFunction({ name: "endless", source, timeoutMs: 600_000, environment: { BEGUN: begun } });
  const broken = expect(send(brief.url, await signInvoke(brief.url, keys, "endless"))).rejects.toThrow();
  while (!existsSync(begun)) await new Promise((resolve) => setTimeout(resolve, 5));
  await brief.close();
  await broken;
});

describe("a handler in this process", () => {
  test("runs like one in a worker", async () => {
    const throwing = async () => {
      throw Object.assign(new Error("no"), { name: "DropEvent" });
    };
    aws.addFunction({ name: "in-process-callback", handler: (_event, _context, callback) => callback(null, 1) });
    aws.addFunction({ name: "in-process-throwing", handler: throwing });
    aws.addFunction({ name: "in-process-context", handler: (_, context) => context });
    expect(await value("in-process-callback")).toBe(1);
    expect(await value("in-process-throwing")).toMatchObject({ errorType: "DropEvent", errorMessage: "no" });
    expect(await value("in-process-context")).toMatchObject({
      functionName: "in-process-context",
      memoryLimitInMB: "128",
    });
  });

  test("is not waited for beyond its timeout", async () => {
    aws.addFunction({ name: "in-process-endless", handler: () => new Promise(() => {}), timeoutMs: 20 });
    expect(await value("in-process-endless")).toMatchObject({ errorType: "Sandbox.Timedout" });
  });
});
