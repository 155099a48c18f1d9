import { type ChildProcess, execFile, spawnSync } from "node:child_process";
import { EventEmitter, once } from "node:events";
import { mkdtemp, rm, stat, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { ndjson, runCli, startCli } from "./run-cli";

const exec = promisify(execFile);

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "authors-"));
});
afterEach(() => rm(folder, { recursive: true }));

const write = (name: string, text: string) => writeFile(join(folder, name), text);
const settings = {
  lambda: "arn:aws:lambda:eu-west-1:111122223333:function:router-events:live",
  roleAddress: "arn:aws:iam::111122223333:role/routers/router-events-invoker",
  externalId: "my-external-id",
};

/** The command, and what it has printed. */
class Started {
  readonly #more = new EventEmitter();
  #out = "";

  constructor(readonly child: ChildProcess) {
    for (const stream of [child.stdout, child.stderr])
      stream?.on("data", (chunk) => {
        this.#out += String(chunk);
        this.#more.emit("more");
      });
  }

  /** Sends a track call to the router. */
  async send(event: object): Promise<void> {
    const url = await this.printed(/(http:\S+)\/v1\/track/);
    await fetch(`${url}/v1/track`, {
      method: "POST",
      headers: { authorization: `Basic ${btoa("website:")}` },
      body: JSON.stringify(event),
    });
  }

  async printed(what: RegExp): Promise<string> {
    for (let match = what.exec(this.#out); ; match = what.exec(this.#out)) {
      if (match) return match[1] ?? match[0];
      await once(this.#more, "more");
    }
  }
}

async function started(args: readonly string[], use: (command: Started) => Promise<void>): Promise<void> {
  const child = startCli(["start", "--port", "0", "--functions", folder, ...args]);
  try {
    await use(new Started(child));
  } finally {
    child.kill("SIGKILL");
  }
}

test("settings of a real destination make role, external ID and the function with its alias", async () => {
  await write(
    "router-events.mjs",
    "export const handler = async (event, { invokedFunctionArn }) => { console.log(invokedFunctionArn); };",
  );
  await write("real.json", JSON.stringify(settings));

  const args = ["start", "--once", "--functions", folder, "--settings", join(folder, "real.json")];
  const { code, out } = await runCli([...args, "--source-id", "my-source-id"]);

  expect(out).toContain("account 111122223333, eu-west-1");
  expect(out).toContain("arn:aws:iam::111122223333:role/routers/router-events-invoker  external IDs my-external-id");
  expect(out).toContain("│ INFO arn:aws:lambda:eu-west-1:111122223333:function:router-events:live");
  expect(out).toContain("6 delivered");
  expect(code).toBe(0);
});

test("a function that the settings name and the folder has not is told at start", async () => {
  await write("lambda.mjs", "export const handler = async () => null;");
  await write("settings.json", '{"eventLambdas":{"Order Completed":"orders"}}');

  const { err } = await runCli(["start", "--once", "--functions", folder]);

  expect(err).toContain("Note: There is no handler for the function orders");
});

test("what a function logged before it timed out or crashed is shown, whole, and where it broke", async () => {
  await write(
    "lambda.mjs",
    `export const handler = async ({ type }) => {
  console.log("begun", type);
  if (type === "track") for (let i = 0; i < 1000; i++) console.log("line", i, "of a long log");
  if (type === "page") await new Promise((done) => setTimeout(done, 60_000));
  if (type === "alias") process.exit(7);
};`,
  );
  await write("settings.json", '{"timeoutMs":1000,"logType":"None"}');

  const { out } = await runCli(["start", "--once", "--functions", folder]);

  expect(out).toContain("│ INFO line 0 of a long log");
  expect(out).toContain("│ INFO line 999 of a long log");
  expect(out).toMatch(/✗ ran +lambda +\d+ ms .*\n +│ INFO begun page\n/);
  expect(out).toContain("the router had already given up on this delivery: see Timeout (ms)");
  expect(out).toMatch(/│ INFO begun alias\n +Execution Error: .*exit status 7/);
});

test("a syntax error shows file, line and what stands there", async () => {
  await write("lambda.mjs", "export const handler = async () => {\n  const a = ;\n};\n");

  const { out } = await runCli(["start", "--once", "--functions", folder]);

  expect(out).toMatch(/ {12}file:\/\/.*lambda\.mjs:2\n {14}const a = ;\n {24}\^\n/);
});

test("an asynchronous invocation that fails is shown with its two retries and where it ends", async () => {
  await write(
    "lambda.mjs",
    "export const handler = async ({ type }) => { if (type === 'page') throw new Error('always'); };",
  );
  await write("settings.json", '{"invocationType":"Event"}');

  const { out, code } = await runCli(["start", "--once", "--functions", folder]);

  expect(out).toContain("asynchronous invocation, run 1 of at most 3; Lambda runs it again, at AWS in 1 min");
  expect(out).toContain("run 2 of at most 3; Lambda runs it again, at AWS in 2 min");
  expect(out).toContain("run 3 of at most 3; Lambda gives it up");
  expect(code).toBe(0);
});

test("an event that is given up comes with the line that replays it", async () => {
  await write(
    "lambda.mjs",
    "import { existsSync } from 'node:fs';\nexport const handler = async ({ event }) => { if (event === \"It's\" && !existsSync(new URL('./mended', import.meta.url))) throw new Error('no'); };",
  );

  await started([], async (command) => {
    await command.send({ event: "It's", messageId: "own-1", userId: "ü" });
    const line = await command.printed(/event is lost here[\s\S]*?\n +(curl .*own-1.*)\n/);
    await write("mended", "");
    await exec("sh", ["-c", line]);
    await command.printed(/✓ delivered track +It's .*own-1/);
  });
});

test("as RudderStack, events that come together reach a function for batches together", async () => {
  await write("lambda.mjs", "export const handler = async (events) => { console.log('got', events.length); };");
  await write("settings.json", '{"maxBatchSize":10}');

  await started(["--host", "rudderstack"], async (command) => {
    const url = await command.printed(/(http:\S+)\/v1\/track/);
    await command.printed(/Ctrl-C ends/);
    const batch = Array.from({ length: 3 }, (_, i) => ({ type: "track", event: "Batched", userId: `u-${i}` }));
    await fetch(`${url}/v1/batch`, {
      method: "POST",
      headers: { authorization: `Basic ${btoa("website:")}` },
      body: JSON.stringify({ batch }),
    });
    await command.printed(/Batched [\s\S]*│ INFO got 3\n/);
  });
}, 60_000);

test("what comes to the folder, goes and changes there counts from the next event on", async () => {
  await write("lambda.mjs", "export const handler = async () => null;");

  await started([], async (command) => {
    await command.send({ event: "First", userId: "u-1" });
    await command.printed(/✓ delivered track +First +→ lambda /);

    await write("track.mjs", "export const handler = async () => null;");
    await command.send({ event: "Second", userId: "u-1" });
    await command.printed(/Note: The function track is new\./);
    await command.printed(/✓ delivered track +Second +→ track /);

    await write("track.py", "def handler(event, context): return None\n");
    await command.send({ event: "Third", userId: "u-1" });
    await command.printed(/Note: There are several files for the function track in .*stays as it was/);
    await command.printed(/✓ delivered track +Third +→ track /);

    await rm(join(folder, "track.py"));
    await write("settings.json", '{"maxBatchSize":');
    await command.send({ event: "Fourth", userId: "u-1" });
    await command.printed(/Note: .*settings\.json is not JSON.*stays as it was/);

    await write("settings.json", '{"region":"nowhere"}');
    await command.send({ event: "Fifth", userId: "u-1" });
    await command.printed(/Note: Invalid settings: region must be .*the settings stay as they were/);
    await command.printed(/✓ delivered track +Fifth +→ track /);

    await rm(join(folder, "track.mjs"));
    await write("settings.json", '{"eventLambdas":{"Sixth":"orders"}}');
    await write("orders.mjs", "export const handler = async () => null;");
    await command.send({ event: "Sixth", userId: "u-1" });
    await command.printed(/Note: The function track is gone/);
    await command.printed(/✓ delivered track +Sixth +→ orders /);
    await command.send({ event: "Seventh", userId: "u-1" });
    await command.printed(/✓ delivered track +Seventh +→ lambda /);
  });
}, 60_000);

const hasCli = spawnSync("aws", ["--version"]).status === 0;

test("another terminal reaches this AWS by source, and so do check and the AWS CLI with the printed lines", async () => {
  await write("router-events.mjs", "export const handler = async ({ type }) => ({ got: type });");
  await write("real.json", JSON.stringify(settings));
  const keys = ["--aws-keys", "AKIDLOCAL00000000:not-a-secret"];
  const env = join(folder, "env");

  await started(["--settings", join(folder, "real.json"), "--write-env", env, ...keys], async (command) => {
    await command.printed(/source (.*)\n/);
    const cli = join(__dirname, "..", "..", "dist", "cli.cjs");
    const check = `. '${env}' && echo "$AWS_ACCESS_KEY_ID" && exec '${process.execPath}' '${cli}' check --settings '${join(folder, "real.json")}' --source-id website`;
    const { stdout } = await exec("sh", ["-c", check], { env: { PATH: process.env["PATH"], HOME: folder } });

    expect((await stat(env)).mode & 0o777).toBe(0o600);
    expect(stdout).toMatch(/^AKIDLOCAL00000000\n/);
    expect(stdout).toContain("The connection works.");
    if (hasCli) {
      const line = await command.printed(/^ +(echo .* aws --endpoint-url .*)$/m);
      // A terminal or a pipe has a /dev/stdout to write to; the socket that Node.js hands a child has none.
      const answer = await exec("sh", ["-c", `${line} | cat`], {
        env: { PATH: process.env["PATH"], HOME: folder, AWS_PAGER: "" },
      });
      expect(answer.stdout).toContain('{"got":"track"}');
      await command.printed(/invoked by arn:aws:iam::111122223333:user\/router/);
    }
    command.child.kill("SIGINT");
    expect(await once(command.child, "exit")).toEqual([0, null]);
    await expect(stat(env)).rejects.toThrow("ENOENT");
  });
}, 90_000);

test.each([
  [["--settings", "/nowhere.json"], "Cannot read /nowhere.json"],
  [["--aws-port", "x"], "--aws-port must be a number"],
  [["--aws-keys", "x"], "--aws-keys must be an access key ID"],
])("%j is answered with exit code 2 and the reason", async (args, reason) => {
  const { code, err } = await runCli(["start", "--once", ...args]);
  expect(err).toContain(reason);
  expect(code).toBe(2);
});

test("--json is nothing but results", async () => {
  await write("lambda.mjs", "export const handler = async () => null;");
  const { out } = await runCli(["start", "--once", "--json", "--functions", folder]);
  expect(ndjson(out)).toHaveLength(7);
});
