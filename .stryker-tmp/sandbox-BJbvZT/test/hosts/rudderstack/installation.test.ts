// @ts-nocheck
import { createHash } from "node:crypto";
import { existsSync } from "node:fs";
import { chmod, mkdir, readdir, readFile, rm, symlink, writeFile } from "node:fs/promises";
import { dirname, join, relative } from "node:path";
import { applyChanges, NotInstallable } from "../../../src/hosts/file-changes";
import { type Plan, planInstallation, planRemoval } from "../../../src/hosts/rudderstack/installation";
import { CAPABILITIES, FEATURE_MAP, makeBuild } from "./host/build";

const FILES = { transform: "exports.process = 1;\n", networkHandler: "exports.networkHandler = 1;\n" };
const TRANSFORM = "v0/destinations/amazon_lambda/transform.js";
const NETWORK_HANDLER = "v1/destinations/amazon_lambda/networkHandler.js";

const builds: string[] = [];

afterEach(async () => {
  for (const build of builds.splice(0)) await rm(build, { recursive: true, force: true });
});

async function build(features?: string): Promise<string> {
  const folder = await makeBuild(features);
  builds.push(folder);
  return folder;
}

async function install(folder: string, version = "1.0.0", files = FILES): Promise<Plan> {
  const plan = await planInstallation(folder, files, version);
  await applyChanges(plan.changes);
  return plan;
}

/** Every file and folder, with its content and rights. */
async function snapshot(folder: string): Promise<Record<string, string>> {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true });
  const found = entries.map(async (entry) => {
    const path = join(entry.parentPath, entry.name);
    const content = entry.isFile()
      ? createHash("sha256")
          .update(await readFile(path))
          .digest("hex")
      : "folder";
    return [relative(folder, path), content] as const;
  });
  return Object.fromEntries((await Promise.all(found)).sort());
}

describe.each([
  ["of capabilities per destination", CAPABILITIES, { AM: true, ALGOLIA: true, AMAZON_LAMBDA: true }],
  ["of destinations within the features", FEATURE_MAP, { MARKETO: true, HS: true, AMAZON_LAMBDA: true }],
  ["with Windows' line ends", CAPABILITIES.replaceAll("\n", "\r\n"), { AM: true, ALGOLIA: true, AMAZON_LAMBDA: true }],
  [
    "on one line, with names in quotes",
    'const defaultFeaturesConfig={"routerTransform":{"HS":true}};exports.default=defaultFeaturesConfig;',
    { HS: true, AMAZON_LAMBDA: true },
  ],
])("a transformer with a list %s", (_name, features, expected) => {
  test("gets the two files and an entry in its list", async () => {
    const folder = await build(features);

    const { version } = await install(join(folder, "dist"));

    const source = join(folder, "dist", "src");
    expect(await readFile(join(source, TRANSFORM), "utf8")).toMatch(
      /^\/\/ Installed by .* 1\.0\.0\.\nexports\.process/,
    );
    expect(await readFile(join(source, NETWORK_HANDLER), "utf8")).toContain("exports.networkHandler");
    expect(require(join(source, "features.js")).default.routerTransform).toEqual(expected);
    expect(version).toBe("1.145.0");
  });

  test("is not changed by a second installation", async () => {
    const folder = await build(features);
    await install(folder);
    const once = await snapshot(folder);

    const { changes } = await install(folder);

    expect(changes).toEqual([]);
    expect(await snapshot(folder)).toEqual(once);
  });

  test("is again what it was, to the byte, after the removal", async () => {
    const folder = await build(features);
    const before = await snapshot(folder);
    await install(folder);
    await install(folder, "1.1.0", { ...FILES, transform: "exports.process = 2;\n" });

    await applyChanges((await planRemoval(folder)).changes);

    expect(await snapshot(folder)).toEqual(before);
    expect((await planRemoval(folder)).changes).toEqual([]);
  });
});

test("a plan changes nothing by itself", async () => {
  const folder = await build();
  const before = await snapshot(folder);

  const { changes } = await planInstallation(folder, FILES, "1.0.0");

  expect(changes.map(({ path }) => relative(join(folder, "dist", "src"), path))).toEqual([
    TRANSFORM,
    NETWORK_HANDLER,
    "features.js",
  ]);
  expect(await snapshot(folder)).toEqual(before);
});

test.each(["", "dist", "dist/src"])("the build is found in %p of the checkout", async (inner) => {
  const folder = await build();

  const plan = await planInstallation(join(folder, inner), FILES, "1.0.0");

  expect(plan.folder).toBe(join(folder, "dist", "src"));
});

test("another version is replaced", async () => {
  const folder = await build();
  await install(folder);

  const { changes } = await install(folder, "1.1.0");

  expect(changes.map(({ path }) => relative(plan(folder), path))).toEqual([TRANSFORM, NETWORK_HANDLER]);
  expect(await readFile(join(plan(folder), TRANSFORM), "utf8")).toContain("1.1.0");
});

function plan(folder: string): string {
  return join(folder, "dist", "src");
}

describe("a build that is half installed", () => {
  test.each([TRANSFORM, NETWORK_HANDLER, "features.js"])("without %s is completed", async (missing) => {
    const folder = await build();
    const pristine = await readFile(join(plan(folder), "features.js"), "utf8");
    await install(folder);
    const whole = await snapshot(folder);
    await rm(join(plan(folder), missing));
    if (missing === "features.js") await writeFile(join(plan(folder), missing), pristine);

    await install(folder);

    expect(await snapshot(folder)).toEqual(whole);
  });

  test("with a file that was being written is completed, and cleaned up", async () => {
    const folder = await build();
    const before = await snapshot(folder);
    await mkdir(dirname(join(plan(folder), TRANSFORM)));
    await writeFile(join(plan(folder), `${TRANSFORM}.new`), "exports.pro");

    await install(folder);
    await applyChanges((await planRemoval(folder)).changes);

    expect(await snapshot(folder)).toEqual(before);
  });

  test("is cleaned up by the removal", async () => {
    const folder = await build();
    const before = await snapshot(folder);
    await install(folder);
    await rm(join(plan(folder), NETWORK_HANDLER));

    await applyChanges((await planRemoval(folder)).changes);

    const after = await snapshot(folder);
    delete after["dist/src/v1/destinations/amazon_lambda"];
    expect(after).toEqual(before);
  });
});

describe("is refused, and nothing changed,", () => {
  async function refused(folder: string, message: RegExp): Promise<void> {
    const before = await snapshot(folder);
    const installation = install(folder);
    await expect(installation).rejects.toThrow(NotInstallable);
    await expect(installation).rejects.toThrow(message);
    expect(await snapshot(folder)).toEqual(before);
  }

  test("in a folder that is no transformer", async () => {
    const folder = await build();
    await rm(join(folder, "dist"), { recursive: true });

    await refused(folder, /is no build of rudder-transformer/);
  });

  test("in a folder that does not exist", async () => {
    await expect(install("/nonexistent")).rejects.toThrow("There is no folder /nonexistent.");
  });

  test("in a checkout that was not built", async () => {
    const folder = await build();
    await writeFile(join(plan(folder), "features.ts"), "");

    await refused(folder, /run npm run build first/);
  });

  test.each([
    ["an empty list", CAPABILITIES.replace(/\n {4}[A-Z].*/g, "")],
    ["a list that is made by a call", "const destinationCapabilities = load();"],
    ["no list", "exports.default = {};"],
    ["a syntax error", "const destinationCapabilities = {"],
  ])("where the features hold %s", async (_name, features) => {
    await refused(await build(features), /does not list destinations in a way that is known here/);
  });

  test("where there are no features", async () => {
    const folder = await build();
    await rm(join(plan(folder), "features.js"));

    await refused(folder, /features\.js is missing/);
  });

  test.each([
    ["another destination of the name", TRANSFORM, "exports.process = theirs;"],
    ["more files than ours", "v1/destinations/amazon_lambda/config.js", ""],
  ])("where there is %s", async (_name, path, text) => {
    const folder = await build();
    await mkdir(dirname(join(plan(folder), path)));
    await writeFile(join(plan(folder), path), text);

    await refused(folder, /was not made by this installation/);
  });

  test("where a link stands in the destination's place", async () => {
    const folder = await build();
    await symlink("/tmp", dirname(join(plan(folder), TRANSFORM)));

    await refused(folder, /was not made by this installation/);
  });

  test("where the folder is read-only", async () => {
    const folder = await build();
    await chmod(folder, 0o755);
    await chmod(join(plan(folder), "v0", "destinations"), 0o555);

    await withoutRoot(() => refused(folder, /cannot be written \(EACCES\); nothing was changed/));
  });
});

test("what was done is undone where a later change fails", async () => {
  const folder = await build();
  const before = await snapshot(folder);
  const { changes } = await planInstallation(folder, FILES, "1.0.0");
  const impossible = { path: join(plan(folder), "features.js", "x"), after: "" };

  const failing = applyChanges([...changes, impossible]);

  await expect(failing).rejects.toThrow(/cannot be written/);
  expect(await snapshot(folder)).toEqual(before);
});

const FULL = "/dev/full";

// Only Linux has a disk that is always full.
(existsSync(FULL) ? test : test.skip)("where the disk is full, the file that has no room is named", async () => {
  const folder = await build();
  const before = await snapshot(folder);
  const { changes } = await planInstallation(folder, FILES, "1.0.0");
  const path = join(plan(folder), "features.js");
  await symlink(FULL, `${path}.new`);

  const failing = applyChanges(changes);

  await expect(failing).rejects.toThrow(`${path} cannot be written (ENOSPC); nothing was changed. Make room`);
  expect(await snapshot(folder)).toEqual(before);
});

/** Rights hold for everybody but root, which tests in containers run as. */
async function withoutRoot(act: () => Promise<void>): Promise<void> {
  const isRoot = process.geteuid?.() === 0;
  if (isRoot) process.seteuid?.(65534);
  try {
    await act();
  } finally {
    if (isRoot) process.seteuid?.(0);
  }
}
