// @ts-nocheck
import { execFile } from "node:child_process";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { promisify } from "node:util";

const run = promisify(execFile);
const packageRoot = resolve(__dirname, "..");
const permissionFlag = process.allowedNodeEnvironmentFlags.has("--permission")
  ? "--permission"
  : "--experimental-permission";

/** Runs before the package is imported, and notes every way out of the process. */
const WATCH = `
const opened = (globalThis.opened = []);
function watch(object, method, what) {
  const own = object[method];
  object[method] = function (...given) {
    opened.push(what + " " + String(given[0]?.path ?? given[0]?.host ?? given[0]));
    return own.apply(this, given);
  };
}
const net = require("node:net");
watch(net.Socket.prototype, "connect", "socket");
watch(net.Server.prototype, "listen", "server");
watch(require("node:dgram").Socket.prototype, "bind", "socket");
const dns = require("node:dns");
watch(dns, "lookup", "name");
watch(dns.promises, "lookup", "name");
watch(globalThis, "fetch", "fetch");
watch(globalThis, "setTimeout", "timer");
watch(globalThis, "setInterval", "timer");
`;

/** What is said of the process once the package is there. */
const TELL = `
console.log(JSON.stringify({
  opened: globalThis.opened,
  exported: Object.keys(loaded),
  resources: process.getActiveResourcesInfo().filter((kind) => !/TTY|Pipe|FSReq|CloseReq/.test(kind)),
  sdk: Object.keys(typeof require === "function" ? require.cache : {}).filter((file) => /aws-sdk|smithy/.test(file)),
}));
`;

let scratch: string;

beforeAll(async () => {
  scratch = await mkdtemp(join(tmpdir(), "import-"));
  await writeFile(join(scratch, "watch.cjs"), WATCH);
});

afterAll(async () => {
  await rm(scratch, { recursive: true });
});

describe.each([
  ["index", "createDestination"],
  ["jitsu", "default"],
])("importing %s", (entry, expected) => {
  test.each([
    ["cjs", (file: string) => `const loaded = require(${JSON.stringify(file)});`],
    ["js", (file: string) => `import * as loaded from ${JSON.stringify(`file://${file}`)};`],
  ])(".%s opens nothing, reads nothing but the package, and loads no AWS SDK", async (extension, load) => {
    const main = join(scratch, `main-${entry}.${extension === "cjs" ? "cjs" : "mjs"}`);
    await writeFile(main, load(join(packageRoot, "dist", `${entry}.${extension}`)) + TELL);

    // Whatever is read beyond these folders is refused by Node.js, and fails the import.
    const { stdout } = await run(
      process.execPath,
      [
        permissionFlag,
        ...["dist/*", "package.json"].map((allowed) => `--allow-fs-read=${join(packageRoot, allowed)}`),
        `--allow-fs-read=${join(scratch, "*")}`,
        "--require",
        join(scratch, "watch.cjs"),
        main,
      ],
      { env: { ...process.env, NODE_OPTIONS: "", NODE_NO_WARNINGS: "1" } },
    );

    const { exported, ...told } = JSON.parse(stdout);
    expect(told).toEqual({ opened: [], resources: [], sdk: [] });
    expect(exported).toContain(expected);
  });
});

test("what is beyond the package really is out of reach in these tests", async () => {
  const main = join(scratch, "beyond.cjs");
  await writeFile(main, `require(${JSON.stringify(join(packageRoot, "node_modules/@aws-sdk/client-sts"))});`);
  const allowed = `--allow-fs-read=${join(scratch, "*")}`;
  await expect(run(process.execPath, [permissionFlag, allowed, main])).rejects.toThrow(
    /ERR_ACCESS_DENIED|Cannot find module/,
  );
});
