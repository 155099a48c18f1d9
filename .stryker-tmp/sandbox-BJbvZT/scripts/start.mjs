// @ts-nocheck
// `npm start`: builds what is missing or older than its source, then runs the `start` command.
import { execFileSync } from "node:child_process";
import { existsSync, readdirSync, statSync } from "node:fs";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

const root = dirname(dirname(fileURLToPath(import.meta.url)));
const built = [join(root, "dist", "cli.cjs"), join(root, "dist", "local", "worker.cjs")];
const sources = ["src", "schemas", "package.json", "tsup.config.ts"].map((path) => join(root, path));

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
