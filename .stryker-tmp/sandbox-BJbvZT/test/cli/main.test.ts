// @ts-nocheck
import { runCli } from "./run-cli";

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

describe("a word that several commands begin with shows them, and no others", () => {
  test.each([
    ["install --help", 0],
    ["install -h", 0],
    ["install", 2],
    ["uninstall --help", 0],
    ["uninstall", 2],
  ])("%s", async (args, expected) => {
    const { code, out, err } = await runCli(args.split(" "));

    const shown = [...out.matchAll(/^ {2}(\w+ \w+) {2}/gm)].map(([, name]) => name);
    const [word] = args.split(" ");
    expect(shown).toEqual([`${word} jitsu`, `${word} rudderstack`]);
    expect(out).not.toContain("migrate");
    expect(err).toBe("");
    expect(code).toBe(expected);
  });
});

describe("arguments that are wrong are told on one line, with the way to the help", () => {
  test.each([
    [
      "send --settings --dead-letter x",
      "error: --settings needs a value; one that begins with a dash is given as --settings=-value.",
    ],
    ["send --none", "error: Unknown option '--none'."],
    ["send --settings", "error: Option '--settings <value>' argument missing."],
    ["check file", "error: Unexpected argument 'file'."],
    ["install jitsu --dry-run=1", "error: Option '--dry-run' does not take an argument."],
  ])("%s", async (args, message) => {
    const { code, out, err } = await runCli(args.split(" "));

    const command = args.startsWith("install") ? "install jitsu" : args.split(" ")[0];
    expect(err).toBe(`${message} See amazon-lambda-destination ${command} --help.\n`);
    expect(out).toBe("");
    expect(code).toBe(2);
  });
});
