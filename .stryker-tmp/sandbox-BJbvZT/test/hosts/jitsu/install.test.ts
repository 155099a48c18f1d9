// @ts-nocheck
import { mkdir, readFile, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { applyPatch, parsePatch } from "diff";
import { UsageError } from "../../../src/cli/command";
import { installJitsu, uninstallJitsu } from "../../../src/cli/install-jitsu";
import { applyChanges, NotInstallable } from "../../../src/hosts/file-changes";
import { planInstallation, planRemoval } from "../../../src/hosts/jitsu/install";
import { bufferedIo } from "../../cli/buffered-io";
import { type Layout, LIBRARY, makeCheckout, SCHEMAS, snapshot } from "./checkout";

const FORM = `${SCHEMAS}/amazon-lambda.tsx`;
const DESTINATIONS = `${SCHEMAS}/destinations.tsx`;

const PACKAGE = "file:../../amazon-lambda-destination.tgz";

const roots: string[] = [];

afterEach(async () => {
  for (const root of roots.splice(0)) await rm(root, { recursive: true, force: true });
});

async function checkout(...args: Parameters<typeof makeCheckout>): Promise<string> {
  const root = await makeCheckout(...args);
  roots.push(root);
  return root;
}

async function install(root: string, options: { version?: string; specifier?: string } = {}): Promise<string[]> {
  const { changes } = await planInstallation(root, { version: "1.2.3", specifier: PACKAGE, ...options });
  await applyChanges(changes);
  return changes.map(({ path }) => path.slice(root.length + 1));
}

async function uninstall(root: string): Promise<void> {
  await applyChanges((await planRemoval(root)).changes);
}

const onWindows = (text: string) => text.replaceAll("\n", "\r\n");

describe.each<Layout>(["older", "newer"])("a checkout of the %s layout", (layout) => {
  const library = LIBRARY[layout];
  const index = `${library}/src/index.ts`;

  test("gets a dependency, a function and a form, and nothing else", async () => {
    const root = await checkout(layout);
    const before = await snapshot(root);

    await install(root);

    const after = await snapshot(root);
    const added = (file: string) => linesAdded(before[file] ?? "", after[file] ?? "");
    expect(Object.keys(after).filter((file) => after[file] !== before[file])).toEqual(
      [`${library}/package.json`, index, FORM, DESTINATIONS].sort(),
    );
    expect(added(`${library}/package.json`)).toEqual([
      '    "amazon-lambda-destination": "file:../../amazon-lambda-destination.tgz",',
    ]);
    expect(JSON.parse(after[`${library}/package.json`] ?? "").dependencies).toMatchObject({ juava: "workspace:*" });
    expect(added(index)).toEqual([
      'import { AmazonLambdaDestination } from "amazon-lambda-destination/jitsu";',
      '  "builtin.destination.amazon-lambda": AmazonLambdaDestination as JitsuFunction,',
    ]);
    expect(added(DESTINATIONS)).toEqual([
      'import { amazonLambda } from "./amazon-lambda";',
      "  {",
      "    ...amazonLambda,",
      "    connectionOptions: CloudDestinationsConnectionOptions,",
      "  },",
    ]);
  });

  test("is not changed by a second installation", async () => {
    const root = await checkout(layout);
    await install(root);

    expect(await install(root)).toEqual([]);
  });

  test("follows to another version", async () => {
    const root = await checkout(layout);
    await install(root, { version: "1.0.0" });

    expect(await install(root, { version: "2.0.0" })).toEqual([FORM]);
  });

  test("follows to another place of the package", async () => {
    const root = await checkout(layout);
    await install(root);

    expect(await install(root, { specifier: "npm:@us/lambda@2" })).toEqual([`${library}/package.json`]);

    expect(await readFile(join(root, library, "package.json"), "utf8")).toContain(
      '"amazon-lambda-destination": "npm:@us/lambda@2"',
    );
  });

  test.each([
    ["with line feeds", (text: string) => text],
    ["with Windows' line ends", onWindows],
  ])("%s is what it was, to the byte, after the removal", async (_name, convert) => {
    const files = [`${library}/package.json`, index, DESTINATIONS];
    const root = await checkout(layout, Object.fromEntries(files.map((file) => [file, convert])));
    const before = await snapshot(root);
    await install(root);

    await uninstall(root);

    expect(await snapshot(root)).toEqual(before);
  });

  test("that never had it is left alone by the removal", async () => {
    const root = await checkout(layout);

    expect((await planRemoval(root)).changes).toEqual([]);
  });

  test("is refused, unchanged and with the reason, where it does not look as expected", async () => {
    const cases: [string, string, (text: string) => string, RegExp][] = [
      [
        "no list of functions",
        index,
        (text) => text.replaceAll("builtinDestinations", "others"),
        /builtinDestinations/,
      ],
      [
        "a list that is no literal",
        index,
        (text) => text.replace("= {", "= makeList({").replace("} as const", "})"),
        /builtinDestinations/,
      ],
      [
        "another function of that name",
        index,
        (text) => text.replace("builtin.destination.devnull", "builtin.destination.amazon-lambda"),
        /another builtin\.destination\.amazon-lambda/,
      ],
      ["broken source", index, (text) => `${text}const = ;`, /Unexpected token/],
      [
        "no list of destinations",
        DESTINATIONS,
        (text) => text.replaceAll("coreDestinations", "others"),
        /coreDestinations/,
      ],
      [
        "another destination of that name",
        DESTINATIONS,
        (text) => text.replace('"webhook"', '"amazon-lambda"'),
        /another destination/,
      ],
      [
        "no options for connections",
        DESTINATIONS,
        (text) => text.replaceAll("CloudDestinationsConnectionOptions", "Options"),
        /CloudDestinationsConnectionOptions/,
      ],
      [
        "no dependencies",
        `${library}/package.json`,
        (text) => text.replace('"dependencies"', '"others"'),
        /no dependencies/,
      ],
      ["no JSON", `${library}/package.json`, () => "[1]", /no JSON object/],
    ];
    for (const [name, file, change, reason] of cases) {
      const root = await checkout(layout, { [file]: change });
      const before = await snapshot(root);

      const error = await planInstallation(root, { version: "1.2.3", specifier: PACKAGE }).catch((thrown) => thrown);

      expect([name, error]).toEqual([name, expect.any(NotInstallable)]);
      expect(error.message).toContain(join(root, file));
      expect(error.message).toMatch(reason);
      expect(await snapshot(root)).toEqual(before);
    }
  });

  test("with somebody else's form of the same name is refused, and keeps it", async () => {
    const root = await checkout(layout);
    await writeFile(join(root, FORM), "export const mine = 1;\n");

    await expect(planInstallation(root, { version: "1.2.3", specifier: PACKAGE })).rejects.toThrow(
      /made by somebody else/,
    );
    expect((await planRemoval(root)).changes).toEqual([]);
  });

  test("that cannot be written to the end is left as it was", async () => {
    const root = await checkout(layout);
    const { changes } = await planInstallation(root, { version: "1.2.3", specifier: PACKAGE });
    const before = await snapshot(root);
    await mkdir(join(root, `${DESTINATIONS}.new`));

    await expect(applyChanges(changes)).rejects.toThrow(NotInstallable);

    expect(await snapshot(root)).toEqual(before);
  });
});

test("a folder that is no checkout is refused", async () => {
  await expect(planInstallation(__dirname, { version: "1.2.3", specifier: PACKAGE })).rejects.toThrow(
    /no source checkout of Jitsu/,
  );
});

describe("on the command line", () => {
  test("--dry-run shows a patch and changes nothing", async () => {
    const root = await checkout("newer");
    const before = await snapshot(root);
    const io = bufferedIo();

    expect(await installJitsu.run([root, "--package", PACKAGE, "--dry-run"], io)).toBe(0);

    expect(await snapshot(root)).toEqual(before);
    const patches = parsePatch(io.out().replace(/^(Jitsu|change|create|Nothing) .*\n/gm, ""));
    await installJitsu.run([root, "--package", PACKAGE], bufferedIo());
    const after = await snapshot(root);
    for (const [file, text] of Object.entries(after)) {
      const patch = patches.find(({ newFileName }) => newFileName === `b/${file}`);
      expect(patch ? applyPatch(before[file] ?? "", patch) : before[file]).toBe(text);
    }
  });

  test("install, install again, uninstall say what they did", async () => {
    const root = await checkout("older");
    const said = async (command: typeof installJitsu, ...argv: string[]) => {
      const io = bufferedIo();
      expect(await command.run(argv, io)).toBe(0);
      return io.out();
    };

    expect(await said(installJitsu, root, "--package", "file:../package.tgz")).toMatch(
      /^create .*amazon-lambda\.tsx$.*is installed\. Run pnpm install/ms,
    );
    expect(await readFile(join(root, LIBRARY.older, "package.json"), "utf8")).toContain('"file:../package.tgz"');
    expect(await said(installJitsu, root, "--package", "file:../package.tgz")).toMatch(/installed already/);
    expect(await said(uninstallJitsu, root)).toMatch(/^delete .*amazon-lambda\.tsx$.*is removed/ms);
    expect(await said(uninstallJitsu, root)).toMatch(/not installed there/);
  });

  test("never has the package fetched from npm, where its name is not ours, without being told to", async () => {
    const root = await checkout("newer");
    const before = await snapshot(root);

    await expect(installJitsu.run([root], bufferedIo())).rejects.toThrow(/--package is needed.*npm pack/);

    expect(await snapshot(root)).toEqual(before);
  });

  test.each([
    ["no folder", []],
    ["two folders", ["a", "b"]],
    ["a folder that is no checkout", [__dirname]],
  ])("%s is wrong usage", async (_name, argv) => {
    await expect(installJitsu.run([...argv, "--package", PACKAGE], bufferedIo())).rejects.toThrow(UsageError);
    await expect(uninstallJitsu.run(argv, bufferedIo())).rejects.toThrow(UsageError);
  });
});

function linesAdded(before: string, after: string): string[] {
  const lines = before.split("\n");
  const added: string[] = [];
  for (const line of after.split("\n")) {
    if (line === lines[0]) lines.shift();
    else added.push(line);
  }
  expect(lines).toEqual([]);
  return added;
}
