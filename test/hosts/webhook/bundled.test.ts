import { execFile } from "node:child_process";
import { resolve } from "node:path";
import { promisify } from "node:util";

interface Installed {
  readonly dependencies?: Readonly<Record<string, Installed>>;
}

const ROOT = resolve(__dirname, "../../..");
/** What the receiver is made of, and is bundled into `dist`. */
const BUNDLED = ["hono", "pino", "prom-client", "picocolors", "cli-progress"];

function namesIn({ dependencies = {} }: Installed): string[] {
  return Object.entries(dependencies).flatMap(([name, installed]) => [name, ...namesIn(installed)]);
}

test("who installs a plugin installs nothing of the receiver", async () => {
  const { stdout } = await promisify(execFile)("npm", ["ls", "--omit=dev", "--all", "--json"], {
    cwd: ROOT,
    maxBuffer: 64 * 1024 * 1024,
    shell: process.platform === "win32",
  });
  const installed = new Set(namesIn(JSON.parse(stdout) as Installed));

  expect(installed).toContain("@aws-sdk/client-lambda");
  expect(BUNDLED.filter((name) => installed.has(name))).toEqual([]);
});
