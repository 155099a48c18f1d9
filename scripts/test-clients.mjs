// `npm run test:clients`: installs the Python and Go clients that the receiver is tried with beside this checkout, and runs the tests.
import { spawnSync } from "node:child_process";
import { existsSync, mkdirSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

const root = fileURLToPath(new URL("..", import.meta.url));
const clients = join(root, "test/hosts/webhook/clients");
const installed = join(root, "node_modules/.cache/clients");
const python = join(installed, "venv/bin/python");
const goClient = join(installed, "go-client");

function run(command, args, options = {}) {
  const { status, error } = spawnSync(command, args, { stdio: "inherit", cwd: root, ...options });
  if (error) process.stderr.write(`${command} is needed: ${error.message}\n`);
  if (status !== 0) process.exit(1);
}

mkdirSync(installed, { recursive: true });
if (!existsSync(python)) run("python3", ["-m", "venv", join(installed, "venv")]);
run(python, [
  "-m",
  "pip",
  "install",
  "--quiet",
  "--disable-pip-version-check",
  "-r",
  join(clients, "requirements.txt"),
]);
run("go", ["build", "-o", goClient, "."], { cwd: join(clients, "go") });
run(
  process.execPath,
  [join(root, "node_modules/jest/bin/jest.js"), "--testMatch", "**/*.clients.ts", ...process.argv.slice(2)],
  {
    env: { ...process.env, CLIENTS_PYTHON: python, CLIENTS_GO: goClient },
  },
);
