import { readFileSync } from "node:fs";
import { join } from "node:path";
import { parse } from "yaml";
import type { Command } from "../src/cli/command";
import { form } from "../src/cli/form";
import { installJitsu, uninstallJitsu } from "../src/cli/install-jitsu";
import { installRudderstack, uninstallRudderstack } from "../src/cli/install-rudderstack";
import { migrate } from "../src/cli/migrate";
import { send } from "../src/cli/send";
import { composeOverride } from "../src/hosts/rudderstack/compose-override";
import { SETTINGS } from "../src/settings/setting-schemas";
import { composeProblems } from "./compose";

const pages = ["jitsu", "rudderstack"].map(
  (name) => [name, readFileSync(join(__dirname, "..", "docs", `${name}.md`), "utf8")] as const,
);
const [[, jitsu = ""] = [], [, rudderstack = ""] = []] = pages;

const COMMANDS: Readonly<Record<string, Command>> = {
  form,
  send,
  migrate,
  "install jitsu": installJitsu,
  "uninstall jitsu": uninstallJitsu,
  "install rudderstack": installRudderstack,
  "uninstall rudderstack": uninstallRudderstack,
};

const blocks = (page: string, language: string) =>
  [...page.matchAll(new RegExp(`^ *\`\`\`${language}\\n([\\s\\S]*?)^ *\`\`\``, "gm"))].map(([, code = ""]) => code);

describe.each(pages)("docs/%s.md", (_name, page) => {
  test("has commands that there are, with options that they have", () => {
    const lines = blocks(page, "sh").flatMap((code) => code.replace(/\\\n/g, " ").split("\n"));
    const ours = lines.filter((line) => line.startsWith("amazon-lambda-destination "));
    expect(ours.length).toBeGreaterThan(0);
    for (const line of ours) {
      const [, ...words] = line.split(/ +/);
      const command = COMMANDS[words[0] ?? ""] ?? COMMANDS[words.slice(0, 2).join(" ")];
      expect([line, command !== undefined]).toEqual([line, true]);
      for (const option of words.filter((word) => word.startsWith("--"))) expect(command?.help).toContain(option);
    }
  });

  test("has Compose files that are such", () => {
    for (const code of blocks(page, "yaml")) expect(composeProblems(code)).toEqual([]);
  });

  test("leads to headings and files that there are", () => {
    const headings = [...page.matchAll(/^#+ (.+)$/gm)].map(([, heading = ""]) =>
      heading
        .toLowerCase()
        .replace(/[^\w -]/g, "")
        .replaceAll(" ", "-"),
    );
    const links = [...page.matchAll(/\]\((?!https?:)([^)#]*)(?:#([^)]+))?\)/g)];
    expect(links.length).toBeGreaterThan(0);
    for (const [, path = "", heading] of links) {
      if (path) expect(readFileSync(join(__dirname, "../docs", path))).toBeDefined();
      else expect(headings).toContain(heading);
    }
  });
});

test("the variables of a connection are settings", () => {
  const [, table = ""] = jitsu.split("| variable | example |");
  const variables = [...(table.split("\n\n")[0] ?? "").matchAll(/`([a-z]\w+)`(?=[,\s|])/g)].map(([, key = ""]) => key);

  expect(variables).toEqual(expect.arrayContaining(["lambda", "roleAddress", "secretAccessKey"]));
  expect(Object.keys(SETTINGS)).toEqual(expect.arrayContaining(variables));
});

test("the page on RudderStack explains what the Compose override sets", () => {
  const { backend } = parse(composeOverride(100)).services;
  const router = (backend.environment as string[]).filter((variable) => !variable.includes("BACKEND_CONFIG"));

  expect(router.length).toBeGreaterThan(5);
  for (const variable of router) expect(rudderstack).toContain(`\`${variable}\``);
});
