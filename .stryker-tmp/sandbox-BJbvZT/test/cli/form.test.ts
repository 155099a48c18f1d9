// @ts-nocheck
import { mkdtemp, readdir, readFile, rm, stat, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { version } from "../../package.json";
import { UsageError } from "../../src/cli/command";
import { form } from "../../src/cli/form";
import { planInstallation } from "../../src/hosts/jitsu/install";
import { parseSettings } from "../../src/settings/settings";
import { makeCheckout } from "../hosts/jitsu/checkout";
import { bufferedIo } from "./buffered-io";

let folder: string;

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "form-"));
});

afterEach(async () => {
  await rm(folder, { recursive: true });
});

test("prints the form that install jitsu writes", async () => {
  const io = bufferedIo();
  const checkout = await makeCheckout("newer");
  const { changes } = await planInstallation(checkout, { version, specifier: "file:x.tgz" });
  await rm(checkout, { recursive: true });

  expect(await form.run(["jitsu"], io)).toBe(0);

  expect(io.out()).toBe(changes.find(({ path }) => path.endsWith("amazon-lambda.tsx"))?.after);
});

test("writes the three files of a control plane", async () => {
  const io = bufferedIo();

  const code = await form.run(["rudderstack", "--out", join(folder, "new", "amazon_lambda")], io);

  expect(code).toBe(0);
  const files = await readdir(join(folder, "new", "amazon_lambda"));
  expect(files.sort()).toEqual(["db-config.json", "schema.json", "ui-config.json"]);
  for (const file of files) {
    const path = join(folder, "new", "amazon_lambda", file);
    expect(JSON.parse(await readFile(path, "utf8"))).toEqual(expect.any(Object));
    expect(io.out()).toContain(path);
  }
});

test("prints a workspace configuration whose example settings are good", async () => {
  const io = bufferedIo();

  await form.run(["rudderstack", "--workspace-config", "--source-id", "my-source", "--write-key", "key"], io);

  const { workspaceId, sources } = JSON.parse(io.out());
  const [source] = sources;
  expect(source).toMatchObject({ id: "my-source", writeKey: "key", enabled: true, workspaceId });
  const [destination] = source.destinations;
  expect(destination).toMatchObject({
    enabled: true,
    isProcessorEnabled: true,
    destinationDefinition: { name: "AMAZON_LAMBDA" },
  });
  expect(destination.destinationDefinition.config).toMatchObject({ transformAtV1: "router" });
  expect(() => parseSettings(destination.config)).not.toThrow();
});

test("puts the user's settings into it, and writes it where it is told to", async () => {
  const settings = {
    trackLambda: "orders",
    region: "eu-west-1",
    roleAddress: "arn:aws:iam::123456789012:role/r",
    timeoutMs: 900,
  };
  await writeFile(join(folder, "settings.json"), JSON.stringify(settings));

  const argv = ["rudderstack", "--workspace-config", "--settings", join(folder, "settings.json"), "--out", folder];
  await form.run(argv, bufferedIo());

  const { sources } = JSON.parse(await readFile(join(folder, "workspaceConfig.json"), "utf8"));
  expect(sources[0].destinations[0].config).toEqual(settings);
});

test("a workspace configuration in a file can be read by its owner alone, also where a file was before", async () => {
  const path = join(folder, "workspaceConfig.json");
  for (const before of [undefined, "{}"]) {
    await rm(path, { force: true });
    if (before) await writeFile(path, before, { mode: 0o644 });

    await form.run(["rudderstack", "--workspace-config", "--out", folder], bufferedIo());

    expect((await stat(path)).mode & 0o777).toBe(0o600);
  }
});

test.each<[string, string[], RegExp]>([
  ["no router", ["--out", "x"], /form rudderstack/],
  ["another router", ["segment", "--out", "x"], /form jitsu and form rudderstack/],
  ["two routers", ["jitsu", "rudderstack"], /form jitsu and form rudderstack/],
  ["nowhere to write", ["rudderstack"], /--out <folder> is needed/],
  [
    "a file in the folder's place",
    ["rudderstack", "--out", join(__filename, "x")],
    /Cannot write .*: a part of the path is a file/,
  ],
  [
    "a file that is the folder's namesake",
    ["rudderstack", "--out", __filename],
    /Cannot write .*form\.test\.ts: it is a file that is there already/,
  ],
  [
    "settings that are none",
    ["rudderstack", "--workspace-config", "--settings", join(__dirname, "../../tsconfig.json")],
    /Invalid settings/,
  ],
])("%s is wrong usage", async (_name, argv, message) => {
  const run = form.run(argv, bufferedIo());

  await expect(run).rejects.toThrow(UsageError);
  await expect(run).rejects.toThrow(message);
});
