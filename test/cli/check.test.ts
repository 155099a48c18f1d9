import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { check } from "../../src/cli/check";
import { UsageError } from "../../src/cli/command";
import { pointEnvironmentAt, type Scene, startScene } from "../iam/scene";
import { permit, trust } from "../local/aws/policies";
import { bufferedIo } from "./buffered-io";

const folder = mkdtempSync(join(tmpdir(), "check-command-"));
const environment = { ...process.env };
let scene: Scene;
let url: string;

beforeAll(async () => {
  scene = await startScene();
  url = scene.aws.url;
});

beforeEach(() => {
  pointEnvironmentAt(url);
  scene.changeRole({});
  scene.aws.clearRecords();
});

afterAll(async () => {
  await scene.aws.close();
  process.env = { ...environment };
  rmSync(folder, { recursive: true });
});

async function run(
  settings: Readonly<Record<string, unknown>> = {},
  argv: readonly string[] = [],
  env: Readonly<Record<string, string>> = {},
) {
  const io = { ...bufferedIo(), env };
  const file = join(folder, "settings.json");
  writeFileSync(file, JSON.stringify({ ...scene.settings, ...settings }));
  const code = await check.run(["--settings", file, ...argv], io);
  expect(io.out() + io.err()).not.toContain(scene.router.secretAccessKey);
  return { code, stdout: io.out(), stderr: io.err() };
}

test("prints a line per step and ends with 0 where everything is right", async () => {
  const { code, stdout } = await run();
  expect(code).toBe(0);
  expect(stdout.trimEnd().split("\n")).toEqual([
    expect.stringMatching(
      /^✓ Settings: 1 function for 6 kinds of call in us-east-1; external ID "source-1" \(from the settings\)$/,
    ),
    expect.stringMatching(
      /^✓ Base identity: arn:aws:iam::123456789012:user\/router, by the access key in the settings$/,
    ),
    expect.stringMatching(/^✓ Role: .*role\/invoker is assumed with "source-1"$/),
    "✓ Trust without external ID: denied, as it has to be",
    "✓ Trust with a wrong external ID: denied, as it has to be",
    "✓ Session: limited to the functions in the settings",
    expect.stringMatching(/^✓ Function arn:\S*:orders: may be invoked$/),
    "The connection works.",
  ]);
  expect(scene.aws.invocations).toEqual([]);
});

test("a step that fails says what AWS said, what is wrong and what to change, and ends with 1", async () => {
  scene.changeRole({ permission: permit("lambda:GetFunction", "*") });
  const { code, stdout } = await run();
  expect(code).toBe(1);
  expect(stdout).toMatch(
    /^✗ Function .*: AccessDeniedException: User: .* is not authorized.*\n {2}Missing lambda:InvokeFunction\. The permission policy of .*If the name is right, add: \{.*\n1 of 7 steps failed\.$/m,
  );
});

test("an administrator's run in place of the router's ends with 1, though all else works", async () => {
  const { code, stdout } = await run({}, ["--principal", "arn:aws:iam::123456789012:role/router-on-eks"]);
  expect(code).toBe(1);
  expect(stdout).not.toContain("The connection works.");
  expect(stdout).toMatch(/somebody else than arn:aws:iam::123456789012:role\/router-on-eks/);
});

test("a function given by its name is told with its ARN", async () => {
  const { stdout } = await run({ lambda: "orders", region: "us-east-1" });
  expect(stdout).toMatch(/^✓ Function orders: may be invoked: arn:aws:lambda:us-east-1:123456789012:function:orders$/m);
});

test("a role that needs no external ID ends with 1", async () => {
  scene.changeRole({ trust: trust(scene.router.arn) });
  const { code, stdout } = await run();
  expect(code).toBe(1);
  expect(stdout.match(/^ {2}Confused deputy\. /gm)).toHaveLength(2);
});

test("settings that are no good end with 2", async () => {
  const { code, stdout } = await run({ lambda: "", timeoutMs: "soon" });
  expect(code).toBe(2);
  expect(stdout).toMatch(/^✗ Settings: Invalid settings: .*timeoutMs must be.*lambda is needed/);
  expect(scene.aws.calls).toEqual([]);
});

test("a policy of the operator that is mistyped is wrong usage", async () => {
  await expect(run({}, [], { AMAZON_LAMBDA_EXTERNAL_ID: "sources" })).rejects.toThrow(UsageError);
});

test("the operator's policy counts: the pinned ID comes from --source-id", async () => {
  const env = { AMAZON_LAMBDA_EXTERNAL_ID: "source" };
  const { stdout, code } = await run({ externalId: "typed" }, ["--source-id", "source-1"], env);
  expect(code).toBe(0);
  expect(stdout).toContain("as the operator demands; the one in the settings does not count");
  expect((await run({}, [], env)).code).toBe(2);
});

test("--json prints the report and nothing else", async () => {
  const { code, stdout } = await run({ externalId: "mistyped" }, ["--json", "--external-id", "source-1"]);
  const report = JSON.parse(stdout);
  expect(code).toBe(1);
  expect(report.ok).toBe(false);
  expect(report.steps.at(-1)).toMatchObject({ step: "role", ok: false, diagnosis: { name: "WrongExternalId" } });
});

test("--send shows what became of each sample, its duration against the limit and the log", async () => {
  const { arn } = scene.aws.addFunction({
    name: "talkative",
    source: `export const handler = async ({ type }) => {
      console.log("\\u001b[2Jgot", type);
      if (type === "page") throw new Error("no pages,\\nplease");
    };`,
  });
  scene.changeRole({ permission: permit("lambda:InvokeFunction", arn) });
  const { code, stdout } = await run({ lambda: "", trackLambda: arn, pageLambda: arn }, ["--send"]);
  expect(code).toBe(1);
  expect(stdout).toMatch(/^✓ Sample event track: delivered to arn:.*:talkative in \d+ of 5000 ms$/m);
  expect(stdout).toMatch(/^✗ Sample event page: The function failed with Error: no pages, please \(\d+ of 5000 ms\)$/m);
  expect(stdout).toMatch(/^ {2}Execution Error\. The function threw/m);
  expect(stdout).toMatch(/^ {2}│ .*got track$/m);
  // What a function logs must not steer the terminal.
  expect(stdout).not.toContain("\u001b");
});

test("the file of settings must be there and be JSON", async () => {
  const io = bufferedIo();
  await expect(check.run(["--settings", join(folder, "none.json")], io)).rejects.toThrow(/Cannot read/);
  await expect(check.run([], io)).rejects.toThrow(/--settings <file> is needed/);
});

describe("--connections", () => {
  async function runAll(file: unknown, argv: readonly string[] = []) {
    const io = bufferedIo();
    const path = join(folder, "connections.json");
    writeFileSync(path, JSON.stringify(file));
    const code = await check.run(["--connections", path, ...argv], io);
    expect(io.out() + io.err()).not.toContain(scene.router.secretAccessKey);
    return { code, stdout: io.out() };
  }

  const connections = () => {
    const writeKeys = (key: string) => [{ key }];
    const { externalId: _own, ...settings } = scene.settings;
    return {
      connections: {
        right: { settings, sourceId: "source-1", writeKeys: writeKeys("a") },
        wrong: { settings, sourceId: "source-2", writeKeys: writeKeys("b") },
      },
    };
  };

  test("tests each connection of the receiver with its own source", async () => {
    const { code, stdout } = await runAll(connections());

    expect(code).toBe(1);
    expect(stdout).toMatch(/^right\n✓ Settings.+The connection works\..+\nwrong\n✓ Settings.+steps failed\./s);
  });

  test("prints a report per connection as JSON", async () => {
    const { stdout } = await runAll(connections(), ["--json"]);

    expect(JSON.parse(stdout)).toMatchObject([
      { connection: "right", ok: true },
      { connection: "wrong", ok: false },
    ]);
  });

  test("says what is wrong with the file", async () => {
    const { connections: all } = connections();
    await expect(runAll({ connections: { right: { ...all.right, router: "x" } } })).rejects.toThrow(
      /right: router must be one of/,
    );
    await expect(check.run(["--connections", "a", "--settings", "b"], bufferedIo())).rejects.toThrow(/not both/);
  });
});
