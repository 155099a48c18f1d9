import { mkdtemp, readFile, rm, stat, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join, relative } from "node:path";
import { parse } from "yaml";
import { version } from "../../package.json";
import { UsageError } from "../../src/cli/command";
import { form } from "../../src/cli/form";
import { planInstallation } from "../../src/hosts/jitsu/install";
import { parseSettings } from "../../src/settings/settings";
import { composeProblems } from "../compose";
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

test("writes what a control plane's repository needs into a checkout of it", async () => {
  const io = bufferedIo();

  const code = await form.run(["rudderstack", "--out", join(folder, "new")], io);

  expect(code).toBe(0);
  const paths = io.out().trim().split("\n");
  expect(paths.map((path) => relative(join(folder, "new"), path))).toEqual([
    "src/configurations/destinations/amazon_lambda/db-config.json",
    "src/configurations/destinations/amazon_lambda/schema.json",
    "src/configurations/destinations/amazon_lambda/ui-config.json",
    "test/data/validation/destinations/amazon_lambda.json",
  ]);
  for (const path of paths) expect(JSON.parse(await readFile(path, "utf8"))).toEqual(expect.any(Object));
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

test("prints what Docker Compose needs over RudderStack's own file", async () => {
  const io = bufferedIo();
  await writeFile(
    join(folder, "settings.json"),
    JSON.stringify({ lambda: "orders", region: "eu-west-1", maxBatchSize: "500" }),
  );

  await form.run(["rudderstack", "--compose", "--settings", join(folder, "settings.json")], io);

  expect(composeProblems(io.out())).toEqual([]);
  const { services } = parse(io.out());
  expect(Object.keys(services)).toEqual(["backend", "d-transformer"]);
  for (const service of Object.values(services)) expect(service).toMatchObject({ restart: "unless-stopped" });
  // Names as rudder-server 1.83 reads them.
  expect(services.backend.environment).toEqual(
    expect.arrayContaining([
      "RSERVER_ROUTER_AMAZON_LAMBDA_TRANSFORMER_PROXY=true",
      "RSERVER_ROUTER_AMAZON_LAMBDA_NO_OF_JOBS_TO_BATCH_IN_AWORKER=500",
      "RSERVER_ROUTER_AMAZON_LAMBDA_JOBS_BATCH_TIMEOUT=1s",
      "RSERVER_ROUTER_AMAZON_LAMBDA_NO_OF_WORKERS=63",
      "RSERVER_TRANSFORMER_CLIENT_DISABLE_KEEP_ALIVES=false",
      "RSERVER_BACKEND_CONFIG_CONFIG_FROM_FILE=true",
      "RSERVER_BACKEND_CONFIG_CONFIG_JSONPATH=/etc/rudderstack/workspaceConfig.json",
      "RSERVER_DIAGNOSTICS_ENABLE_DIAGNOSTICS=false",
    ]),
  );
  expect(services.backend.volumes).toEqual(["./workspaceConfig.json:/etc/rudderstack/workspaceConfig.json:ro"]);
  expect(services["d-transformer"].build.dockerfile_inline).toContain(
    "amazon-lambda-destination install rudderstack /home/node/app/dist",
  );
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
    /Cannot write .*form\.test\.ts.*: a part of the path is a file/,
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
