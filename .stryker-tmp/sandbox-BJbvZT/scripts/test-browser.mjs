// @ts-nocheck
// `npm run test:browser [-- --required] [jest's own arguments]`: the tests that need a browser. Where there is none they
// are skipped, and said to be; with --required that is a failure.
import { spawnSync } from "node:child_process";
import { fileURLToPath } from "node:url";
import { findBrowser } from "./browser.mjs";

const [, , ...args] = process.argv;
const required = args.includes("--required");
const browser = findBrowser();
if (browser === undefined) {
  console.error(
    "SKIPPED: no browser was found, so nothing was tested in one. Install Chrome, Chromium or Edge, or name one with BROWSER_PATH.",
  );
  process.exit(required ? 1 : 0);
}

const jest = fileURLToPath(new URL("../node_modules/jest/bin/jest.js", import.meta.url));
const { status } = spawnSync(
  process.execPath,
  [jest, "--config", "jest.browser.config.mjs", ...args.filter((arg) => arg !== "--required")],
  {
    cwd: fileURLToPath(new URL("..", import.meta.url)),
    env: { ...process.env, BROWSER_PATH: browser },
    stdio: "inherit",
  },
);
process.exit(status ?? 1);
