// `npm run test:clients`: clients of other languages against the receiver, and the examples against the schemas of those who read them.
import { execFile } from "node:child_process";
import { readFile, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { type Serving, startServing } from "./serving";

const run = promisify(execFile);
const PYTHON = String(process.env["CLIENTS_PYTHON"]);
const GO_CLIENT = String(process.env["CLIENTS_GO"]);
const here = (name: string) => join(__dirname, "clients", name);
const root = join(__dirname, "../../..");

let serving: Serving;

beforeEach(async () => {
  serving = await startServing({}, [{ id: "my-write-key" }]);
});

afterEach(async () => {
  await serving.close();
});

const SIX = ["alias", "group", "identify", "page", "screen", "track"];
const types = () => serving.behind.taken.map(({ type }) => type).sort();

describe.each([
  ["segment-analytics-python", "segment_client.py"],
  ["rudder-sdk-python", "rudder_client.py"],
])("%s", (_library, script) => {
  test.each(["plain", "gzip"])("delivers every call type, %s", async (encoding) => {
    await run(PYTHON, [here(script), serving.url, "my-write-key", encoding]);

    expect(types()).toEqual(SIX);
    const times = serving.behind.taken.map(({ timestamp }) => Math.abs(Date.parse(String(timestamp)) - Date.now()));
    expect(Math.max(...times)).toBeLessThan(60_000);
  });

  test("tells of a wrong write key in our words", async () => {
    await expect(run(PYTHON, [here(script), serving.url, "wrong", "plain"])).rejects.toThrow(
      /InvalidWriteKey|write key/,
    );
  });
});

test("analytics-go delivers every call type, with the context of its batch", async () => {
  await run(GO_CLIENT, [serving.url, "my-write-key"]);

  expect(types()).toEqual(SIX);
  for (const { context } of serving.behind.taken) expect(context).toMatchObject({ app: { name: "shop" } });
});

test("the examples are what Kubernetes and Compose read", async () => {
  const files = ["kubernetes/receiver.yaml", "compose/compose.yaml"].map((name) => join(root, "examples", name));
  await run(PYTHON, [here("validate_examples.py"), ...files]);

  const [manifest = "", compose = ""] = await Promise.all(files.map((file) => readFile(file, "utf8")));
  const spoilt = [join(tmpdir(), "spoilt-receiver.yaml"), join(tmpdir(), "spoilt-compose.yaml")];
  await writeFile(spoilt[0] as string, manifest.replace("minReplicas: 2", "minReplica: 2"));
  await writeFile(spoilt[1] as string, compose.replace("mem_limit", "mem_limitt"));
  await expect(run(PYTHON, [here("validate_examples.py"), spoilt[0] as string, files[1] as string])).rejects.toThrow();
  await expect(run(PYTHON, [here("validate_examples.py"), files[0] as string, spoilt[1] as string])).rejects.toThrow();
});
