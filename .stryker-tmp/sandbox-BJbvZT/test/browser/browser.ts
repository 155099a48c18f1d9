// @ts-nocheck
import { type Browser, chromium } from "playwright-core";

/**
 * A browser for tests, which `npm run test:browser` has found or installed. Close it when done.
 *
 * @throws Error where the tests are run in another way
 */
export async function launchBrowser(): Promise<Browser> {
  const executablePath = process.env["BROWSER_PATH"];
  if (!executablePath) throw new Error("Run these tests with npm run test:browser.");
  // The tests' own pages only: a container without a sandbox for browsers can run them too.
  return chromium.launch({ executablePath, args: ["--no-sandbox", "--disable-dev-shm-usage", "--no-zygote"] });
}
