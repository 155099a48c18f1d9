// @ts-nocheck
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import fc from "fast-check";
import { check } from "../../src/cli/check";
import { type Command, UsageError } from "../../src/cli/command";
import { form } from "../../src/cli/form";
import { iam } from "../../src/cli/iam";
import { migrate } from "../../src/cli/migrate";
import { send } from "../../src/cli/send";
import { SETTING_KEYS } from "../../src/settings/settings";
import { bufferedIo } from "../cli/buffered-io";
import { json, objectWith, parameters } from "./corpus";
import { type Surroundings, surroundings } from "./surroundings";

const SETTINGS = {
  lambda: "arn:aws:lambda:us-east-1:123456789012:function:router-events",
  accessKeyId: "AKIDEXAMPLE00000000",
  secretAccessKey: "not/a/real+secret/only+for+this+test00000",
  timeoutMs: 300,
};
/** What moves a terminal's cursor or colours it: of what a file says, nothing of it may be printed but in JSON. */
const CONTROLS = /[^\P{Cc}\t\n\r]/u;
const folder = mkdtempSync(join(tmpdir(), "hostile-files-"));
let world: Surroundings;

beforeAll(async () => {
  world = await surroundings();
});

afterAll(async () => {
  await world.close();
  rmSync(folder, { recursive: true });
});

afterEach(() => world.assess());

const text = fc.oneof(
  json.map((value) => JSON.stringify(value)),
  objectWith(SETTING_KEYS).map((value) => JSON.stringify(value)),
  objectWith(SETTING_KEYS).map((value) => JSON.stringify({ ...value, ...SETTINGS })),
  fc.string(),
  fc.constantFrom("", "{", "[]", "null", "\ufeff{}", '{"a":1}\n{"b":2}', "\u0000\u0000", "[".repeat(100_000)),
);

let files = 0;

function file(content: string | Uint8Array): string {
  const path = join(folder, `${files++}.json`);
  writeFileSync(path, content);
  return path;
}

/** Ends with a code, or with words to the user; never with an error that we did not foresee. */
async function ending(command: Command, argv: readonly string[], input = ""): Promise<number> {
  const io = bufferedIo(input);
  try {
    const code = await command.run(argv, { ...io, env: { ...process.env, NO_COLOR: "1" } });
    const forPeople = (io.out() + io.err()).split("\n").filter((line) => !line.startsWith("{"));
    expect(forPeople.join("\n")).not.toMatch(CONTROLS);
    return code;
  } catch (error) {
    const { name, code } = error as NodeJS.ErrnoException;
    // `parseArgs` of Node.js; main.ts tells the user.
    if (error instanceof UsageError || String(code).startsWith("ERR_PARSE_ARGS")) return 2;
    throw new Error(`${name}: ${(error as Error).stack}`);
  }
}

test.each<[string, Command, (path: string) => readonly string[]]>([
  ["check", check, (path) => ["--settings", path]],
  ["send", send, (path) => ["--settings", path]],
  ["iam", iam, (path) => ["cloudformation", "--settings", path]],
  ["form", form, (path) => ["rudderstack", "--workspace-config", "--settings", path]],
  ["migrate segment", migrate, (path) => ["segment", path]],
  ["migrate rudderstack", migrate, (path) => ["rudderstack", path]],
])("%s takes a settings file of any kind", async (_, command, argv) => {
  await fc.assert(
    fc.asyncProperty(text, async (content) => {
      expect([0, 1, 2]).toContain(await ending(command, argv(file(content))));
    }),
    { ...parameters, numRuns: 60 },
  );
});

test("send takes events of any kind: a line that is none is told, and the others are sent", async () => {
  const settings = file(JSON.stringify(SETTINGS));
  const bytes = fc.uint8Array({ maxLength: 200 }).map((array) => Buffer.from(array));
  const line = fc.oneof(
    json.map((value) => JSON.stringify(value)),
    fc.string(),
    bytes,
  );

  await fc.assert(
    fc.asyncProperty(fc.array(line, { maxLength: 6 }), async (lines) => {
      const good = JSON.stringify({ type: "track", event: "Good", messageId: "good" });
      const content = Buffer.concat([...lines, good].flatMap((each) => [Buffer.from(each), Buffer.from("\n")]));
      world.bodies.length = 0;
      expect([0, 1]).toContain(await ending(send, ["--settings", settings, file(content)]));
      expect(world.bodies.filter((body) => body.includes('"messageId":"good"'))).toHaveLength(1);
    }),
    { ...parameters, numRuns: 40 },
  );
});
