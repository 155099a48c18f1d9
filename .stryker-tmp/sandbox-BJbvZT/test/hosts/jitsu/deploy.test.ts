// @ts-nocheck
import { execFile, execFileSync } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { text } from "node:stream/consumers";
import { startSandbox } from "./sandbox-process";

const ROOT = join(__dirname, "../../..");
const JITSU_CLI = join(dirname(require.resolve("jitsu-cli/package.json")), "bin/jitsu-cli");

interface Received {
  readonly method: string;
  readonly url: string;
  readonly authorization?: string | undefined;
  readonly body: string;
}

let folder = "";
let received: Received[] = [];
/** The functions that the console says it has. */
let deployed: { id: string; slug: string }[] = [];

/** What `jitsu-cli deploy` asks of Jitsu's console. */
const server = createServer(async (request, response) => {
  const { method = "", url = "", headers } = request;
  received.push({ method, url, authorization: headers.authorization, body: await text(request) });
  const answers: Record<string, unknown> = {
    "/api/workspace": [{ id: "workspace-1", name: "My workspace", slug: "my-workspace" }],
    "/api/workspace-1/config/function": { objects: deployed },
    "/api/workspace-1/config/profile-builder": { profileBuilders: [] },
  };
  response.writeHead(200, { "content-type": "application/json" }).end(JSON.stringify(answers[url] ?? {}));
});

beforeAll(async () => {
  await once(server.listen(0, "127.0.0.1"), "listening");
  folder = mkdtempSync(join(tmpdir(), "deploy-"));
  execFileSync("npm", ["pack", "--ignore-scripts", "--loglevel=error", "--pack-destination", folder], {
    cwd: ROOT,
    stdio: "ignore",
  });
  const [tarball = ""] = readdirSync(folder);
  execFileSync("tar", ["xzf", tarball], { cwd: folder });
});

afterAll(async () => {
  rmSync(folder, { recursive: true, force: true });
  server.closeAllConnections();
  await new Promise((resolve) => server.close(resolve));
});

beforeEach(() => {
  received = [];
});

/** The real `jitsu-cli deploy` in the unpacked package, as the README has it: what it printed. */
function deploy(): Promise<string> {
  const host = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const args = [JITSU_CLI, "deploy", "--host", host, "--apikey", "not-a-real-key", "--workspace", "workspace-1"];
  return new Promise((resolve) => {
    // Version 1.10.4 uploads the functions and then fails where a project has no profile functions: its status says nothing.
    execFile(process.execPath, args, { cwd: join(folder, "package") }, (_error, stdout) => resolve(stdout));
  });
}

test("jitsu-cli uploads the function from the unpacked package, and what it uploads delivers", async () => {
  deployed = [];

  const printed = await deploy();

  expect(printed).toContain("was successfully added to workspace My workspace");
  const uploads = received.filter(({ method }) => method === "POST");
  expect(uploads).toMatchObject([{ url: "/api/workspace-1/config/function", authorization: "Bearer not-a-real-key" }]);
  const { code, ...uploaded } = JSON.parse(uploads[0]?.body ?? "");
  expect(uploaded).toMatchObject({
    type: "function",
    workspaceId: "workspace-1",
    slug: "amazon-lambda",
    name: "Amazon Lambda",
    description: expect.any(String),
    version: JSON.parse(readFileSync(join(ROOT, "package.json"), "utf8")).version,
  });

  const file = join(folder, "uploaded.mjs");
  writeFileSync(file, code);
  const keys = { accessKeyId: "AKIDEXAMPLE00000000", secretAccessKey: "not/a/real+secret/only+for+this+test00000" };
  const urls: string[] = [];
  const sandbox = await startSandbox(
    "isolate",
    file,
    { lambda: "my-function", region: "us-east-1", ...keys },
    async ({ url }) => {
      urls.push(url);
      return { status: 200, headers: {}, body: "null" };
    },
  );
  const event = { type: "track", event: "Signed Up", messageId: "m" };
  expect(await sandbox.call(event, { source: { id: "source" } })).toMatchObject({ result: event });
  await sandbox.close();
  expect(urls).toEqual(["https://lambda.us-east-1.amazonaws.com/2015-03-31/functions/my-function/invocations"]);
});

test("deployed again, it replaces the function that is there", async () => {
  deployed = [{ id: "function-1", slug: "amazon-lambda" }];

  const printed = await deploy();

  expect(printed).toContain("Amazon Lambda deployed successfully!");
  expect(received.filter(({ method }) => method === "PUT")).toMatchObject([
    { url: "/api/workspace-1/config/function/function-1" },
  ]);
});
