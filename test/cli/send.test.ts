import { existsSync } from "node:fs";
import { appendFile, link, mkdtemp, readFile, rm, stat, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { PassThrough, type Readable } from "node:stream";
import { text } from "node:stream/consumers";
import { gzipSync } from "node:zlib";
import { send } from "../../src/cli/send";
import type { DeliveryResult } from "../../src/delivery/delivery-result";
import { type EmbeddedAws, startEmbeddedAws } from "../../src/local/aws/embedded-aws";
import { assessedResult } from "../assess";
import { bufferedIo } from "./buffered-io";
import { ndjson, runCli, startCli } from "./run-cli";
import { terminal } from "./terminal";

let aws: EmbeddedAws;
let folder: string;
let env: NodeJS.ProcessEnv;
let settings: Record<string, unknown>;

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "send-"));
  aws = await startEmbeddedAws();
  const user = aws.addUser({ name: "router" });
  const { arn } = aws.addFunction({ name: "store", handler: async () => null });
  const allow = (statement: object) => ({ Version: "2012-10-17", Statement: [{ Effect: "Allow", ...statement }] });
  const role = aws.addRole({
    name: "destination",
    trustPolicy: allow({
      Principal: { AWS: user.arn },
      Action: "sts:AssumeRole",
      Condition: { StringEquals: { "sts:ExternalId": "source-1" } },
    }),
    permissionPolicies: [allow({ Action: "lambda:InvokeFunction", Resource: [arn, `${arn}:*`] })],
  });
  settings = { trackLambda: arn, roleAddress: role.arn };
  env = { AWS_ENDPOINT_URL: aws.url, AWS_ACCESS_KEY_ID: user.accessKeyId, AWS_SECRET_ACCESS_KEY: user.secretAccessKey };
});

afterEach(async () => {
  await aws.close();
  await rm(folder, { recursive: true });
});

async function file(name: string, content: string): Promise<string> {
  const path = join(folder, name);
  await writeFile(path, content);
  return path;
}

const settingsFile = () => file("settings.json", JSON.stringify(settings));
const track = (n: number) => JSON.stringify({ type: "track", event: "Signed Up", messageId: `m-${n}`, userId: "u" });
const payloads = () => aws.invocations.map(({ payload }) => payload as { messageId: string });

test("delivers a file of events and prints a result per line", async () => {
  const events = await file(
    "events.ndjson",
    [track(1), "", track(2), '{"type":"page","messageId":"m-3"}', track(4)].join("\r\n"),
  );

  const { code, out, err } = await runCli(
    ["send", "--settings", await settingsFile(), "--source-id", "source-1", events],
    { env },
  );

  const results = ndjson(out) as unknown as (DeliveryResult & { line: number })[];
  for (const { line: _, ...result } of results) assessedResult(result);
  expect(results.map(({ line, outcome }) => [line, outcome]).sort()).toEqual([
    [1, "delivered"],
    [3, "delivered"],
    [4, "skipped"],
    [5, "delivered"],
  ]);
  expect(
    payloads()
      .map(({ messageId }) => messageId)
      .sort(),
  ).toEqual(["m-1", "m-2", "m-4"]);
  expect(err).toMatch(/delivered +3\nskipped +1\nretry +0\nrejected +0\n/);
  expect(code).toBe(0);
});

test("a broken line is a rejected result and harms no other; what was not delivered is kept for another try", async () => {
  const deadLetter = join(folder, "failed.ndjson");
  const input = `\uFEFF${track(1)}\n{"type":\n"text"\n${track(2)}\n`;

  const { code, out, err } = await runCli(
    ["send", "--settings", await settingsFile(), "--source-id", "source-1", "--dead-letter", deadLetter],
    { env, input },
  );

  const byLine = new Map(ndjson(out).map((result) => [result["line"], result]));
  expect(byLine.get(1)).toMatchObject({ outcome: "delivered" });
  expect(byLine.get(2)).toMatchObject({ outcome: "rejected", error: { code: "InvalidEvent" } });
  expect(byLine.get(3)).toMatchObject({ outcome: "rejected", error: { code: "InvalidEvent" } });
  expect(byLine.get(4)).toMatchObject({ outcome: "delivered" });
  expect((await readFile(deadLetter, "utf8")).split("\n").sort()).toEqual(["", '"text"', '{"type":']);
  expect(err).toContain("InvalidEvent × 2");
  expect(code).toBe(1);
});

test("sends batches where the settings ask for them", async () => {
  settings = { ...settings, maxBatchSize: 10 };
  const input = Array.from({ length: 25 }, (_, i) => `${track(i)}\n`).join("");

  const { code, out } = await runCli(["send", "--settings", await settingsFile(), "--source-id", "source-1"], {
    env,
    input,
  });

  expect(aws.invocations.map(({ payload }) => (payload as unknown[]).length).sort()).toEqual([10, 10, 5]);
  expect(ndjson(out)).toHaveLength(25);
  expect(code).toBe(0);
});

test("never has more invocations under way than --concurrency", async () => {
  let running = 0;
  let most = 0;
  const { arn } = aws.addFunction({
    name: "counting",
    handler: async () => {
      most = Math.max(most, ++running);
      await new Promise((resolve) => setImmediate(resolve));
      running--;
      return null;
    },
  });
  settings = { trackLambda: arn, accessKeyId: env["AWS_ACCESS_KEY_ID"], secretAccessKey: env["AWS_SECRET_ACCESS_KEY"] };
  const input = Array.from({ length: 60 }, (_, i) => `${track(i)}\n`).join("");

  const { code, out } = await runCli(["send", "--settings", await settingsFile(), "--concurrency", "3"], {
    env,
    input,
  });

  expect(ndjson(out)).toHaveLength(60);
  expect(most).toBeGreaterThan(0);
  expect(most).toBeLessThanOrEqual(3);
  expect(code).toBe(0);
});

test("a batch of events for several functions is no more than one invocation at a time either", async () => {
  let running = 0;
  let most = 0;
  const counting = async () => {
    most = Math.max(most, ++running);
    // Long enough for another to come in meanwhile, if one was sent.
    await new Promise((resolve) => setTimeout(resolve, 50));
    running--;
    return null;
  };
  const functions = ["track", "page"].map((type) => [
    `${type}Lambda`,
    aws.addFunction({ name: type, handler: counting }).arn,
  ]);
  settings = {
    ...Object.fromEntries(functions),
    accessKeyId: env["AWS_ACCESS_KEY_ID"],
    secretAccessKey: env["AWS_SECRET_ACCESS_KEY"],
    maxBatchSize: 4,
  };
  const input = Array.from({ length: 8 }, (_, i) => `{"type":"${i % 2 ? "page" : "track"}"}\n`).join("");

  const { out } = await runCli(["send", "--settings", await settingsFile(), "--concurrency", "1"], { env, input });

  expect(ndjson(out).map(({ outcome }) => outcome)).toEqual(Array(8).fill("delivered"));
  expect(most).toBe(1);
});

test("--from-line goes on where a former run stopped", async () => {
  const input = [1, 2, 3].map((n) => `${track(n)}\n`).join("");

  await runCli(["send", "--settings", await settingsFile(), "--source-id", "source-1", "--from-line", "3"], {
    env,
    input,
  });

  expect(payloads().map(({ messageId }) => messageId)).toEqual(["m-3"]);
});

test("Ctrl-C finishes what is in flight and says how to resume", async () => {
  const child = startCli(["send", "--settings", await settingsFile(), "--source-id", "source-1"], env);
  let out = "";
  let err = "";
  child.stderr?.on("data", (chunk) => {
    err += chunk;
  });
  child.stdin?.write(`${track(1)}\n`);
  await new Promise<void>((resolve) => {
    child.stdout?.on("data", (chunk) => {
      out += chunk;
      if (out.includes("\n")) resolve();
    });
  });

  child.kill("SIGINT");
  const code = await new Promise((resolve) => child.once("exit", resolve));

  expect(ndjson(out)).toMatchObject([{ line: 1, outcome: "delivered" }]);
  expect(err).toContain("Stopped after line 1. To go on: the same command with --from-line 2");
  expect(code).toBe(1);
});

test("Ctrl-C leaves no line out that was read but waited for a batch to fill", async () => {
  settings = { ...settings, maxBatchSize: 2 };
  const args = ["send", "--settings", await settingsFile(), "--source-id", "source-1", "--from-line", "2"];
  const child = startCli(args, env);
  let err = "";
  child.stderr?.on("data", (chunk) => {
    err += chunk;
  });
  child.stdin?.write([1, 2, 3, 4].map((n) => `${track(n)}\n`).join(""));
  await new Promise((resolve) => child.stdout?.once("data", resolve));

  child.kill("SIGINT");
  await new Promise((resolve) => child.once("exit", resolve));

  expect(aws.invocations.map(({ payload }) => (payload as unknown[]).length)).toEqual([2]);
  expect(err).toContain("Stopped after line 3. To go on: the same command with --from-line 4");
});

test("Ctrl-C before the first line changes nothing about where to go on", async () => {
  const io = bufferedIo();
  const onInterrupt = (callback: () => void) => {
    setImmediate(callback);
    return () => {};
  };

  await send.run(["--settings", await settingsFile(), "--from-line", "7"], {
    ...io,
    stdin: new PassThrough(),
    onInterrupt,
  });

  expect(io.err()).toContain("Stopped after line 6. To go on: the same command with --from-line 7");
});

test("Ctrl-C on a terminal takes the progress bar away before it says anything", async () => {
  const stderr = terminal();
  const onInterrupt = (callback: () => void) => {
    setImmediate(callback);
    return () => {};
  };

  await send.run(["--settings", await settingsFile()], {
    ...bufferedIo(),
    stdin: new PassThrough(),
    stderr,
    onInterrupt,
  });

  const [bar, told = ""] = stderr.written().split("Ctrl-C again ends at once. Finishing what is under way…\n");
  expect(bar).toContain("0 events");
  expect(bar?.endsWith("\u001b[2K")).toBe(true);
  expect(told).not.toContain("events");
  expect(told).toContain("Stopped after line 0.");
});

test("when nobody reads the results any more, no line is taken, and where to go on is told", async () => {
  const child = startCli(["send", "--settings", await settingsFile(), "--source-id", "source-1"], env);
  const err = text(child.stderr as Readable);
  child.stdin?.on("error", () => {});
  child.stdin?.write(`${track(1)}\n`);
  await new Promise((resolve) => child.stdout?.once("data", resolve));

  child.stdout?.destroy();
  await new Promise((resolve) => child.stdout?.once("close", resolve));
  child.stdin?.write(`${track(2)}\n`);
  const code = await new Promise((resolve) => child.once("exit", resolve));

  expect(payloads().map(({ messageId }) => messageId)).toEqual(["m-1", "m-2"]);
  expect(await err).toMatch(/^Cannot write standard output: .+ Finishing what is under way…\n/);
  expect(await err).toContain("Stopped after line 2. To go on: the same command with --from-line 3");
  expect(code).toBe(1);
});

test("what a function writes into its error moves no cursor, colours nothing and forges no line of the summary", async () => {
  const { arn } = aws.addFunction({
    name: "hostile",
    handler: async () => {
      throw new Error("\u001b[2J\u001b]0;title\u0007\u009b31m\u202eno\rrejected   0\ndelivered  1000\u0000");
    },
  });
  settings = { trackLambda: arn, accessKeyId: env["AWS_ACCESS_KEY_ID"], secretAccessKey: env["AWS_SECRET_ACCESS_KEY"] };

  const { err } = await runCli(["send", "--settings", await settingsFile()], { env, input: `${track(1)}\n` });

  expect(err).toMatch(/^ {2}line 1: The function failed with Error: .*no$/m);
  expect(err).not.toMatch(/[^\P{Cc}\n]|\u202e/u);
  expect(err.match(/^(?:delivered|rejected) .*/gm)).toEqual(["delivered           0", "rejected            0"]);
});

describe("the dead-letter file", () => {
  test("can be read by its owner alone", async () => {
    const path = join(folder, "failed.ndjson");
    await runCli(["send", "--settings", await settingsFile(), "--dead-letter", path], { env, input: "[]\n" });

    expect(await readFile(path, "utf8")).toBe("[]\n");
    expect((await stat(path)).mode & 0o777).toBe(0o600);
  });

  const broken = "broken\n";

  test.each([
    ["named", (path: string) => [path]],
    ["named by a link", (path: string) => [`${path}.link`]],
  ])("must not be the file that is sent, %s", async (_name, events) => {
    const path = await file("events.ndjson", broken);
    await link(path, `${path}.link`);

    const { code, out, err } = await runCli(
      ["send", "--settings", await settingsFile(), "--dead-letter", path, "--from-line", "1", ...events(path)],
      { env },
    );

    expect(err).toBe("error: The dead-letter file must not be the file that is sent: name another.\n");
    expect(out).toBe("");
    expect(await readFile(path, "utf8")).toBe(broken);
    expect(code).toBe(2);
  });

  test.each([
    ["is a folder", async () => folder, "it is a folder"],
    ["is in no folder", async () => join(folder, "none", "failed.ndjson"), "there is no such file or folder"],
    ["holds something already", () => file("failed.ndjson", broken), "is not empty"],
  ])("that %s is refused before anything is sent", async (_name, path, reason) => {
    const { code, out, err } = await runCli(
      ["send", "--settings", await settingsFile(), "--source-id", "source-1", "--dead-letter", await path()],
      { env, input: track(1) },
    );

    expect(err).toContain(reason);
    expect(out).toBe("");
    expect(aws.invocations).toEqual([]);
    expect(code).toBe(2);
  });

  test("is appended to by a run that goes on", async () => {
    const path = await file("failed.ndjson", broken);

    await runCli(["send", "--settings", await settingsFile(), "--dead-letter", path, "--from-line", "2"], {
      env,
      input: "sent before\nbroken too\n",
    });

    expect(await readFile(path, "utf8")).toBe(`${broken}broken too\n`);
  });

  test("does not get a line that is longer than any event, and the result says so", async () => {
    const path = join(folder, "failed.ndjson");
    const input = `${" ".repeat(16 * 1024 * 1024 + 1)}\nbroken\n`;

    const { out } = await runCli(["send", "--settings", await settingsFile(), "--dead-letter", path], { env, input });

    expect(await readFile(path, "utf8")).toBe(broken);
    expect(ndjson(out)).toContainEqual(
      expect.objectContaining({
        line: 1,
        error: expect.objectContaining({
          code: "PayloadTooLarge",
          message: expect.stringContaining("nor written to a dead-letter file"),
        }),
      }),
    );
  });

  const full = "/dev/full";
  (existsSync(full) ? test : test.skip)("that takes nothing more stops the run", async () => {
    const child = startCli(["send", "--settings", await settingsFile(), "--dead-letter", full], env);
    const err = text(child.stderr as Readable);
    child.stdin?.on("error", () => {});
    child.stdin?.write(broken);

    const code = await new Promise((resolve) => child.once("exit", resolve));

    expect(await err).toContain(`Cannot write ${full}: the disk is full. Finishing what is under way…\n`);
    expect(await err).toContain("Stopped after line 1.");
    expect(code).toBe(1);
  });
});

test("what is appended to the file while it is sent is left for another run", async () => {
  // Longer than what is read ahead while the first event is delivered.
  const skipped = `{"type":"page","name":"${"x".repeat(1000)}"}\n`.repeat(500);
  const events = await file("events.ndjson", `${track(1)}\n${skipped}`);
  const { arn } = aws.addFunction({ name: "appending", handler: async () => appendFile(events, `${track(2)}\n`) });
  settings = { trackLambda: arn, accessKeyId: env["AWS_ACCESS_KEY_ID"], secretAccessKey: env["AWS_SECRET_ACCESS_KEY"] };

  const { out } = await runCli(["send", "--settings", await settingsFile(), "--concurrency", "1", events], { env });

  expect(payloads().map(({ messageId }) => messageId)).toEqual(["m-1"]);
  expect(ndjson(out)).toHaveLength(501);
});

describe("a file that is no NDJSON is told by how to make it so", () => {
  test.each([
    ["an array on many lines", `[\n${track(1)}\n]\n`, ". Convert the file with `jq -c '.[]' file`."],
    ["an array on one line", `[${track(1)}]\n`, ". Convert the file with `jq -c '.[]' file`."],
    [
      "an event on many lines",
      '{\n  "type": "track"\n}\n',
      ", and this one spans several lines. Convert the file with `jq -c . file`.",
    ],
    ["an event that is cut off", track(1).slice(0, -7), ", and this one is cut off: whatever wrote it did not finish."],
    ["no JSON at all", "messageId,type\nm-1,track\n", ". (Unexpected token"],
  ])("%s", async (_name, input, advice) => {
    const { code, err } = await runCli(["send", "--settings", await settingsFile(), "--source-id", "source-1"], {
      env,
      input,
    });

    expect(err).toContain(`line 1: The line is not a JSON object: events must be NDJSON, one event per line${advice}`);
    expect(code).toBe(1);
  });

  test("text that is not UTF-8, whose bytes are kept as they are", async () => {
    const events = join(folder, "events.ndjson");
    const bytes = Buffer.concat([
      Buffer.from('{"type":"track","event":"caf'),
      Buffer.from([0xe9]),
      Buffer.from('"}\n'),
    ]);
    await writeFile(events, bytes);
    const deadLetter = join(folder, "failed.ndjson");

    const { err } = await runCli(["send", "--settings", await settingsFile(), "--dead-letter", deadLetter, events], {
      env,
    });

    expect(err).toContain("line 1: The line is not UTF-8");
    expect(await readFile(deadLetter)).toEqual(bytes);
  });

  test("UTF-16", async () => {
    const events = join(folder, "events.ndjson");
    await writeFile(events, `\uFEFF${track(1)}\n`, "utf16le");

    const { code, out, err } = await runCli(["send", "--settings", await settingsFile(), events], { env });

    expect(err).toMatch(/^error: The events are in UTF-16\./);
    expect(out).toBe("");
    expect(code).toBe(2);
  });
});

describe("a run without a single event says why", () => {
  test.each([
    ["", "1", "There were no events."],
    ["\n\n", "1", "There were no events."],
    ["", "7", "There were no events."],
    ["{}\n\n", "2", "There were no events."],
    ["{}\n{}\n", "3", "The input has only 2 lines."],
    ["{}", "3", "The input has only 1 line."],
  ])("%j from line %s: %s", async (input, line, reason) => {
    const io = bufferedIo(input);

    const code = await send.run(["--settings", await settingsFile(), "--from-line", line], io);

    expect(io.err().trimEnd().split("\n").at(-1)).toBe(reason);
    expect(code).toBe(0);
  });
});

test("a denied role is told once per code, with the way out, and no key appears anywhere", async () => {
  const { code, out, err } = await runCli(
    ["send", "--settings", await settingsFile(), "--source-id", "another-source"],
    { env, input: `${track(1)}\n${track(2)}\n` },
  );

  expect(ndjson(out)).toMatchObject([
    { outcome: "retry", error: { code: "AccessDenied" } },
    { error: { code: "AccessDenied" } },
  ]);
  expect(err).toContain("AccessDenied × 2");
  expect(err).toContain("trust policy");
  for (const secret of [env["AWS_SECRET_ACCESS_KEY"], env["AWS_ACCESS_KEY_ID"]])
    expect(out + err).not.toContain(secret as string);
  expect(code).toBe(1);
});

describe("wrong usage is answered with exit code 2 and the reason", () => {
  test.each([
    ["no settings", async () => ["send"], "--settings <file> is needed"],
    ["no such settings", async () => ["send", "--settings", join(folder, "none.json")], "there is no such file"],
    [
      "settings that are no JSON",
      async () => ["send", "--settings", await file("s.json", '{"secretAccessKey":"hush')],
      "is not JSON",
    ],
    [
      "settings that are no good",
      async () => ["send", "--settings", await file("s.json", '{"lambda":"f"}')],
      "Invalid settings: region is needed",
    ],
    ["no such events", async () => ["send", "--settings", await settingsFile(), join(folder, "none")], "Cannot read"],
    ["settings that are a folder", async () => ["send", "--settings", folder], "it is a folder"],
    ["events that are a folder", async () => ["send", "--settings", await settingsFile(), folder], "it is a folder"],
    [
      "a line to start from",
      async () => ["send", "--settings", await settingsFile(), "--from-line", "0"],
      "--from-line must be a whole number of at least 1.",
    ],
    [
      "concurrency",
      async () => ["send", "--settings", await settingsFile(), "--concurrency", "0"],
      "--concurrency must be",
    ],
  ])("%s", async (_name, args, reason) => {
    const { code, err, out } = await runCli(await args(), { env });

    expect(err).toContain(reason);
    expect(err).not.toContain("hush");
    expect(out).toBe("");
    expect(code).toBe(2);
  });
});

describe("input that is packed with gzip", () => {
  const packed = gzipSync([1, 2, 3].map((n) => `${track(n)}\n`).join(""));

  test.each([
    ["in a file", (path: string) => [path]],
    ["from standard input", () => []],
  ])("is unpacked, %s", async (_name, args) => {
    const events = join(folder, "events.ndjson.gz");
    await writeFile(events, packed);

    const { code } = await runCli(
      ["send", "--settings", await settingsFile(), "--source-id", "source-1", ...args(events)],
      { env, input: packed },
    );

    expect(
      payloads()
        .map(({ messageId }) => messageId)
        .sort(),
    ).toEqual(["m-1", "m-2", "m-3"]);
    expect(code).toBe(0);
  });

  test("and cut off is told", async () => {
    const { code, err } = await runCli(["send", "--settings", await settingsFile(), "--source-id", "source-1"], {
      env,
      input: packed.subarray(0, -9),
    });

    expect(err).toContain("Cannot read standard input to the end: its gzip data is cut off or damaged");
    expect(code).toBe(1);
  });
});

test("--retries sends what may be sent again, and only that", async () => {
  const tries = new Map<string, number>();
  const { arn } = aws.addFunction({
    name: "flaky",
    handler: async (event) => {
      const { messageId } = event as { messageId: string };
      tries.set(messageId, (tries.get(messageId) ?? 0) + 1);
      if (messageId === "m-1" && tries.get(messageId) === 1) throw new Error("not yet");
      if (messageId === "m-2") throw Object.assign(new Error("never"), { name: "DropEvent" });
    },
  });
  settings = { trackLambda: arn, accessKeyId: env["AWS_ACCESS_KEY_ID"], secretAccessKey: env["AWS_SECRET_ACCESS_KEY"] };

  const { out } = await runCli(["send", "--settings", await settingsFile(), "--retries", "2"], {
    env,
    input: `${track(1)}\n${track(2)}\n`,
  });

  const outcomes = new Map(ndjson(out).map(({ line, outcome }) => [line, outcome]));
  expect([outcomes.get(1), outcomes.get(2)]).toEqual(["delivered", "rejected"]);
  expect(Object.fromEntries(tries)).toEqual({ "m-1": 2, "m-2": 1 });
});

test("--max-failures stops where everything fails alike, and says where to go on", async () => {
  const input = Array.from({ length: 50 }, (_, i) => `${track(i)}\n`).join("");
  const args = ["send", "--settings", await settingsFile(), "--source-id", "another", "--max-failures", "5"];

  const { code, out, err } = await runCli([...args, "--concurrency", "1"], { env, input });

  expect(ndjson(out)).toHaveLength(5);
  expect(err).toContain("The last 5 events all failed with AccessDenied");
  expect(err).toContain("To go on: the same command with --from-line 1 and the same input.");
  expect(code).toBe(1);
});

test("the reason for each dead letter stands beside it, line by line", async () => {
  const deadLetter = join(folder, "failed.ndjson");

  await runCli(["send", "--settings", await settingsFile(), "--source-id", "source-1", "--dead-letter", deadLetter], {
    env,
    input: `${track(1)}\nbroken\n{"type":"purchase","messageId":"m-3"}\n`,
  });

  const reasons = ndjson(await readFile(`${deadLetter}.reasons.ndjson`, "utf8"));
  const letters = (await readFile(deadLetter, "utf8")).trimEnd().split("\n");
  expect(letters).toHaveLength(2);
  expect(reasons.map(({ line }) => (line === 2 ? "broken" : '{"type":"purchase","messageId":"m-3"}'))).toEqual(letters);
  expect(reasons).toContainEqual(
    expect.objectContaining({
      line: 3,
      messageId: "m-3",
      outcome: "rejected",
      code: "InvalidEvent",
      hint: expect.any(String),
    }),
  );
});

test("a second Ctrl-C ends at once", async () => {
  let begin = (): void => {};
  const begun = new Promise<void>((resolve) => {
    begin = resolve;
  });
  const handler = () => {
    begin();
    return new Promise((done) => setTimeout(done, 60_000).unref());
  };
  const { arn } = aws.addFunction({ name: "slow", handler, timeoutMs: 60_000 });
  settings = {
    trackLambda: arn,
    accessKeyId: env["AWS_ACCESS_KEY_ID"],
    secretAccessKey: env["AWS_SECRET_ACCESS_KEY"],
    timeoutMs: 60_000,
  };
  const child = startCli(["send", "--settings", await settingsFile()], env);
  child.stdin?.on("error", () => {});
  child.stdin?.write(`${track(1)}\n`);
  await begun;

  child.kill("SIGINT");
  await new Promise((resolve) => child.stderr?.once("data", resolve));
  child.kill("SIGINT");

  expect(await new Promise((resolve) => child.once("exit", (_code, signal) => resolve(signal)))).toBe("SIGINT");
});
