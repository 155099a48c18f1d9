// `npm start`: builds what is missing or older than its source, then runs the `start` command. Needs nothing installed to say what is missing.
import { execFileSync } from "node:child_process";
import { existsSync, readdirSync, readFileSync, statSync } from "node:fs";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

const root = dirname(dirname(fileURLToPath(import.meta.url)));

const { engines } = JSON.parse(readFileSync(join(root, "package.json"), "utf8"));
const least = Number.parseInt(engines.node.replace(/^\D+/, ""), 10);
if (Number.parseInt(process.versions.node, 10) < least)
  refuse(`This needs Node.js ${least} or newer, and this is ${process.version}: install one from https://nodejs.org.`);
if (!existsSync(join(root, "node_modules", "tsup")))
  refuse(`Nothing is installed here yet. Run this first, in ${root}: npm ci`);

const built = ["cli.cjs", "local/worker.cjs", "local/check-worker.cjs", "page/page.js"].map((file) =>
  join(root, "dist", file),
);
const sources = ["src", "schemas", "package.json", "tsup.config.ts"].map((path) => join(root, path));

function refuse(reason) {
  process.stderr.write(`${reason}\n`);
  process.exit(2);
}

function newest(path) {
  if (!statSync(path).isDirectory()) return statSync(path).mtimeMs;
  return Math.max(...readdirSync(path).map((entry) => newest(join(path, entry))));
}

if (built.some((file) => !existsSync(file) || statSync(file).mtimeMs < Math.max(...sources.map(newest)))) {
  process.stderr.write("Building…\n");
  // Standard output belongs to the command.
  execFileSync("npm", ["run", "--silent", "build"], {
    cwd: root,
    stdio: ["ignore", 2, 2],
    shell: process.platform === "win32",
  });
}
process.argv = [process.argv[0], built[0], "start", ...process.argv.slice(2)];
createRequire(import.meta.url)(built[0]);
