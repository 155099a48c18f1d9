// Installs the engines that Jitsu runs deployed functions in, for the tests only: apart from the project's own
// dependencies, because they are large, and without install scripts, because their packages hold all binaries.
import { execFileSync } from "node:child_process";
import { statSync } from "node:fs";
import { fileURLToPath } from "node:url";

const folder = new URL("../test/hosts/jitsu/sandboxes/", import.meta.url);

function changedAt(file) {
  return statSync(new URL(file, folder), { throwIfNoEntry: false })?.mtimeMs ?? 0;
}

if (changedAt("node_modules/.package-lock.json") < changedAt("package-lock.json")) {
  console.error("Installing the sandboxes that the tests run deployed functions in (about 300 MB) …");
  execFileSync("npm", ["ci", "--ignore-scripts", "--no-audit", "--no-fund", "--loglevel=error"], {
    cwd: fileURLToPath(folder),
    stdio: ["ignore", "ignore", "inherit"],
    shell: process.platform === "win32",
  });
}
