// `npm run test:nodes [-- jest's own arguments]`: runs what may differ between versions of Node.js on each that is supported, but the one
// that `npm test` runs on: identities and connections by real sockets, the runtimes of local functions, and that no warning reaches
// a host's log. The binaries come from npm. Needs a build.
import { execFileSync, spawn } from "node:child_process";
import { once } from "node:events";
import { tmpdir } from "node:os";
import { delimiter, dirname } from "node:path";
import { text } from "node:stream/consumers";
import { fileURLToPath } from "node:url";

const SUPPORTED = [20, 22, 24];
const TESTS = [
  "test/aws/networks",
  "test/aws/proxies",
  "test/aws/sdk",
  "test/cli/networks",
  "test/function-modes",
  "test/hosts/faces",
  "test/hosts/quiet",
  "test/hosts/rudderstack/built-files",
  "test/local/aws/function-runtime",
  "test/local/aws/worker-runtime",
];

const root = fileURLToPath(new URL("..", import.meta.url));
const jest = fileURLToPath(new URL("../node_modules/jest/bin/jest.js", import.meta.url));
const given = process.argv.slice(2);
const running = Number.parseInt(process.versions.node, 10);

/** Where npm has put that version's binary. */
function binaryOf(version) {
  const asked = ["exec", "--yes", `--package=node@${version}`, "--", "node", "-p", "process.execPath"];
  const options = { cwd: tmpdir(), encoding: "utf8", stdio: ["ignore", "pipe", "inherit"] };
  return execFileSync("npm", asked, { ...options, shell: process.platform === "win32" })
    .trim()
    .split("\n")
    .at(-1);
}

const others = SUPPORTED.filter((version) => version !== running).map((version) => [version, binaryOf(version)]);
const runs = await Promise.all(
  others.map(async ([version, binary]) => {
    const child = spawn(binary, [jest, "-w", "1", ...(given.length > 0 ? given : TESTS)], {
      cwd: root,
      env: { ...process.env, PATH: [dirname(binary), process.env.PATH].join(delimiter) },
      stdio: ["ignore", "pipe", "pipe"],
    });
    const [out, told, [code]] = await Promise.all([text(child.stdout), text(child.stderr), once(child, "exit")]);
    return { version, code, told: out + told };
  }),
);
for (const { version, told } of runs) process.stdout.write(`\nNode.js ${version}\n${told}`);
process.exit(runs.every(({ code }) => code === 0) ? 0 : 1);
