// @ts-nocheck
// Packs the package as it would be published and looks at it as its users will: publint, @arethetypeswrong/cli, and an
// empty project that installs the tarball and uses it by import, by require and from TypeScript.
import { execFileSync } from "node:child_process";
import { copyFileSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

const root = fileURLToPath(new URL("..", import.meta.url));
const project = mkdtempSync(join(tmpdir(), "amazon-lambda-destination-"));
const { name, version } = JSON.parse(readFileSync(join(root, "package.json"), "utf8"));

function run(what, command, args, cwd = project) {
  process.stdout.write(`${what}… `);
  try {
    const output = execFileSync(command, args, { cwd, encoding: "utf8", stdio: ["ignore", "pipe", "pipe"] });
    process.stdout.write("ok\n");
    return output;
  } catch (error) {
    process.stdout.write(`failed\n${error.stdout}\n${error.stderr}\n`);
    process.exit(1);
  }
}

try {
  const [{ filename, files, size }] = JSON.parse(
    run("npm pack", "npm", ["pack", "--json", "--ignore-scripts", "--pack-destination", project], root),
  );
  const tarball = join(project, filename);
  const strangers = files
    .map(({ path }) => path)
    .filter(
      (path) => !/^(dist|schemas|examples|templates)\/|^(plugin|package)\.json$|^(README|CHANGELOG|LICENSE)/.test(path),
    );
  if (strangers.length > 0) throw new Error(`Not for users: ${strangers.join(", ")}`);
  process.stdout.write(`${files.length} files, ${Math.round(size / 1024)} KB packed\n`);

  run("publint", join(root, "node_modules/.bin/publint"), ["--strict", tarball], root);
  run("are the types wrong", join(root, "node_modules/.bin/attw"), [tarball], root);

  writeFileSync(join(project, "package.json"), JSON.stringify({ name: "user", private: true, type: "module" }));
  run("npm install", "npm", ["install", "--no-audit", "--no-fund", "--prefer-offline", tarball]);

  const settings = JSON.stringify({
    lambda: "f",
    region: "us-east-1",
    accessKeyId: "AKIDEXAMPLE000000",
    secretAccessKey: "x".repeat(40),
  });
  const use = `
    const result = await createDestination(${settings}).deliver({ type: "purchase" });
    if (result.error?.code !== "InvalidEvent") throw new Error(JSON.stringify(result));
    if (parseSettings(${settings}).region !== "us-east-1" || typeof jitsu !== "function") throw new Error("not as documented");`;
  writeFileSync(
    join(project, "by-import.mjs"),
    `import { createDestination, parseSettings } from "${name}"; import jitsu from "${name}/jitsu";
     import manifest from "${name}/plugin.json" with { type: "json" }; import schema from "${name}/schemas/settings.schema.json" with { type: "json" };
     if (manifest.version !== "${version}" || schema.title !== "Settings") throw new Error("not this package");${use}`,
  );
  writeFileSync(
    join(project, "by-require.cjs"),
    `const { createDestination, parseSettings } = require("${name}"); const { default: jitsu } = require("${name}/jitsu");
     require("${name}/plugin.json"); require("${name}/schemas/delivery-result.schema.json"); (async () => {${use}})();`,
  );
  writeFileSync(
    join(project, "typed.mts"),
    `import { createDestination, type DeliveryResult, parseSettings, type Settings } from "${name}";
     import jitsu, { type JitsuDestinationFunction } from "${name}/jitsu";
     const settings: Settings = { lambda: "f", region: "us-east-1" };
     export const result: Promise<DeliveryResult> = createDestination(settings).deliver({}, { sourceId: "s" });
     export const { region } = parseSettings(settings);
     export const registered: JitsuDestinationFunction = jitsu;
     // @ts-expect-error: a setting that does not exist
     export const wrong: Settings = { lamda: "f" };`,
  );
  // The example in TypeScript, as somebody who has installed the package has it.
  copyFileSync(join(root, "examples", "typescript", "track.ts"), join(project, "track.mts"));
  run("import", process.execPath, ["--no-warnings", "by-import.mjs"]);
  run("require", process.execPath, ["by-require.cjs"]);
  const tsc = join(root, "node_modules/typescript/bin/tsc");
  for (const [module, resolution] of [
    ["nodenext", "nodenext"],
    ["esnext", "bundler"],
  ]) {
    run(`TypeScript, ${resolution}`, process.execPath, [
      tsc,
      "--noEmit",
      "--strict",
      "--module",
      module,
      "--moduleResolution",
      resolution,
      "--target",
      "es2022",
      "--lib",
      "es2022,dom",
      "typed.mts",
      "track.mts",
    ]);
  }
  const help = run("command", "npx", ["--no-install", name, "--help"]);
  if (!help.includes("Usage:")) throw new Error(help);
} finally {
  rmSync(project, { recursive: true, force: true });
}
