// @ts-nocheck
import { execFileSync } from "node:child_process";
import { statSync } from "node:fs";
import { fileURLToPath } from "node:url";

/**
 * Installs what only some tests need, from the lock file in its own folder: apart from the project's own dependencies,
 * because it is large, and without install scripts, because its packages hold all binaries. Does nothing where it is there.
 *
 * @param {URL} folder ending in a slash
 * @param {string} what for the person who waits
 */
export function installApart(folder, what) {
  const changedAt = (file) => statSync(new URL(file, folder), { throwIfNoEntry: false })?.mtimeMs ?? 0;
  if (changedAt("node_modules/.package-lock.json") >= changedAt("package-lock.json")) return;
  console.error(`Installing ${what} …`);
  execFileSync("npm", ["ci", "--ignore-scripts", "--no-audit", "--no-fund", "--loglevel=error"], {
    cwd: fileURLToPath(folder),
    stdio: ["ignore", "ignore", "inherit"],
    shell: process.platform === "win32",
  });
}
