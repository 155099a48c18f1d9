import { execFile } from "node:child_process";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { builtinModules } from "node:module";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { readBuiltFiles } from "./host/build";

let folder: string;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "built-"));
  const { transform, networkHandler } = await readBuiltFiles();
  await writeFile(join(folder, "transform.js"), transform);
  await writeFile(join(folder, "networkHandler.js"), networkHandler);
});

afterAll(async () => {
  await rm(folder, { recursive: true });
});

/** Runs a script beside the two files, in a process that may read that folder and nothing else. */
async function run(script: string): Promise<unknown> {
  await writeFile(join(folder, "script.js"), script);
  const permission = process.allowedNodeEnvironmentFlags.has("--permission")
    ? "--permission"
    : "--experimental-permission";
  const argv = [permission, `--allow-fs-read=${folder}`, "--no-warnings", join(folder, "script.js")];
  const { stdout } = await promisify(execFile)(process.execPath, argv, { cwd: folder, env: {} });
  return JSON.parse(stdout);
}

test("together they are smaller than 1.5 MB", async () => {
  const { transform, networkHandler } = await readBuiltFiles();

  expect(Buffer.byteLength(transform) + Buffer.byteLength(networkHandler)).toBeLessThan(1_500_000);
});

test("they load in an empty folder, from Node.js's own modules, and read no file outside it", async () => {
  const loaded = await run(`
    const Module = require("node:module");
    const load = Module._load;
    const names = new Set();
    Module._load = (name, ...rest) => (names.add(name.replace("node:", "")), load(name, ...rest));
    const transform = require("./transform.js");
    const { networkHandler } = require("./networkHandler.js");
    names.delete("./transform.js"), names.delete("./networkHandler.js");
    console.log(JSON.stringify({ names: [...names], exports: [...Object.keys(transform), typeof new networkHandler().proxy] }));
  `);

  const { names, exports } = loaded as { names: string[]; exports: string[] };
  expect(names.filter((name) => !builtinModules.includes(name))).toEqual([]);
  expect(exports.sort()).toEqual(["function", "process", "processRouterDest"]);
});

test("the host's error class is looked for once, not with each event that fails", async () => {
  const looks = await run(`
    const Module = require("node:module");
    let looks = 0;
    const ownKeys = (cache) => (looks++, Reflect.ownKeys(cache));
    Module._cache = new Proxy(Module._cache, { ownKeys });
    const { process: transform } = require("./transform.js");
    for (let i = 0; i < 3; i++) {
      try {
        transform({ message: { type: "page" }, metadata: {}, destination: { Config: {} } });
      } catch {}
    }
    console.log(looks);
  `);

  expect(looks).toBe(1);
});

test("an event is transformed there, and fails with the host's tags where the host has no error class", async () => {
  const result = await run(`
    const { process: transform } = require("./transform.js");
    const destination = { Config: { trackLambda: "function", region: "us-east-1", roleAddress: "arn:aws:iam::123456789012:role/r" } };
    const metadata = { sourceId: "source" };
    const { endpointPath, body } = transform({ message: { type: "track", event: "A" }, metadata, destination });
    let failure;
    try {
      transform({ message: { type: "page" }, metadata, destination });
    } catch ({ name, status, statTags }) {
      failure = { name, status, statTags };
    }
    console.log(JSON.stringify({ endpointPath, externalId: body.JSON.deliveries[0].externalId, failure }));
  `);

  expect(result).toEqual({
    endpointPath: "function",
    externalId: "source",
    failure: { name: "FilteredEventsError", status: 298, statTags: {} },
  });
});
