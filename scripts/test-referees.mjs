// `npm run test:referees [-- --required] [jest's own arguments]`: holds signatures, roles and templates against botocore and
// moto, and HCL against Terraform. Installs the Python packages of test/referees/requirements.txt into a virtual environment
// beside them. Where there is no Python the tests are skipped, and said to be; with --required that is a failure.
import { execFileSync, spawnSync } from "node:child_process";
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { fileURLToPath } from "node:url";

const [, , ...args] = process.argv;
const required = args.includes("--required");
const root = new URL("..", import.meta.url);
const folder = fileURLToPath(new URL("test/referees/", root));
const python = `${folder}.venv/bin/python`;

function skip(reason) {
  console.error(`SKIPPED: ${reason}, so nothing was held against botocore, moto and Terraform.`);
  process.exit(required ? 1 : 0);
}

if (spawnSync("python3", ["-c", "import venv, sys; assert sys.version_info >= (3, 9)"]).status !== 0) {
  skip("no Python 3.9 or later with venv was found");
}
if (required && spawnSync("terraform", ["version"]).status !== 0) skip("no Terraform was found");

const wanted = readFileSync(`${folder}requirements.txt`, "utf8");
const stamp = `${folder}.venv/installed.txt`;
if (!existsSync(stamp) || readFileSync(stamp, "utf8") !== wanted) {
  console.error("Installing botocore and moto …");
  execFileSync("python3", ["-m", "venv", "--clear", ".venv"], { cwd: folder, stdio: "inherit" });
  const pip = ["-m", "pip", "install", "--quiet", "--disable-pip-version-check", "-r", "requirements.txt"];
  execFileSync(python, pip, { cwd: folder, stdio: "inherit" });
  writeFileSync(stamp, wanted);
}

const jest = fileURLToPath(new URL("node_modules/jest/bin/jest.js", root));
const { status } = spawnSync(
  process.execPath,
  [jest, "--config", "jest.referees.config.mjs", ...args.filter((arg) => arg !== "--required")],
  { cwd: fileURLToPath(root), env: { ...process.env, REFEREE_PYTHON: python }, stdio: "inherit" },
);
process.exit(status ?? 1);
