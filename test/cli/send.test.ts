import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { PassThrough } from "node:stream";
import { send } from "../../src/cli/send";
import type { DeliveryResult } from "../../src/delivery/delivery-result";
import { type EmbeddedAws, startEmbeddedAws } from "../../src/local/aws/embedded-aws";
import { assessedResult } from "../assess";
import { bufferedIo } from "./buffered-io";
import { ndjson, runCli, startCli } from "./run-cli";

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
    ["no such settings", async () => ["send", "--settings", join(folder, "none.json")], "ENOENT"],
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

test("every command has --help", async () => {
  const { out } = await runCli(["--help"]);

  const commands = [...out.matchAll(/^ {2}(\w+(?: \w+)?) {2}/gm)].map(([, name]) => (name as string).split(" "));
  expect(commands).toEqual(expect.arrayContaining([["start"], ["send"], ["install", "jitsu"]]));
  for (const command of commands)
    expect(await runCli([...command, "--help"])).toMatchObject({
      code: 0,
      err: "",
      out: expect.stringContaining("Usage:"),
    });
});
