import { spawn } from "node:child_process";
import { once } from "node:events";
import { copyFileSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { text } from "node:stream/consumers";
import { type EmbeddedAws, startEmbeddedAws } from "../../src/local/aws/embedded-aws";
import { startCli } from "../cli/run-cli";
import { addRouter } from "../local/aws/router-account";

const DIST = resolve("dist");
const ORDER = { type: "track", event: "Order Completed", userId: "u-1", messageId: "m-1" };

let aws: EmbeddedAws;
let folder: string;
let settings: object;
let env: NodeJS.ProcessEnv;

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), "quiet-"));
  for (const name of ["transform", "networkHandler"])
    copyFileSync(join(DIST, "rudderstack", `${name}.cjs`), join(folder, `${name}.js`));
  aws = await startEmbeddedAws();
  const { roleAddress, accessKeyId, secretAccessKey } = addRouter(aws);
  const { arn: lambda } = aws.addFunction({ name: "router-events", handler: () => null });
  settings = { lambda, roleAddress, externalId: "my-source-id" };
  writeFileSync(join(folder, "settings.json"), JSON.stringify(settings));
  env = {
    PATH: process.env["PATH"],
    AWS_ENDPOINT_URL: aws.url,
    AWS_ACCESS_KEY_ID: accessKeyId,
    AWS_SECRET_ACCESS_KEY: secretAccessKey,
    // What looks for a proxy is in use, too.
    HTTP_PROXY: "http://127.0.0.1:9",
    NO_PROXY: "127.0.0.1",
  };
});

beforeEach(() => aws.clearRecords());

afterAll(async () => {
  await aws.close();
  rmSync(folder, { recursive: true });
});

/** A host's own program, which has the package's built files and nothing else. */
const HOSTS: readonly (readonly [host: string, file: string, program: () => string])[] = [
  [
    "a program with ES modules",
    "host.mjs",
    () => `
      import { checkConnection, createDestination } from ${JSON.stringify(join(DIST, "index.js"))};
      const { outcome } = await createDestination(settings).deliver(order);
      const { ok } = await checkConnection(settings);
      console.log(outcome, ok);`,
  ],
  [
    "a program with CommonJS",
    "host.cjs",
    () => `
      const { checkConnection, createDestination } = require(${JSON.stringify(join(DIST, "index.cjs"))});
      createDestination(settings).deliver(order).then(async ({ outcome }) => {
        const { ok } = await checkConnection(settings);
        console.log(outcome, ok);
      });`,
  ],
  [
    "Jitsu",
    "jitsu.mjs",
    () => `
      import deliver from ${JSON.stringify(join(DIST, "jitsu.js"))};
      const log = { info() {}, warn: console.error, debug() {}, error: console.error };
      await deliver(order, { props: settings, log, source: { id: "my-source-id" }, workspace: { id: "w" } });
      console.log("delivered", true);`,
  ],
  [
    "RudderStack",
    "rudderstack.cjs",
    () => `
      const { processRouterDest } = require("./transform.js");
      const { networkHandler } = require("./networkHandler.js");
      const destination = { ID: "d", Config: settings };
      const input = [{ message: order, metadata: { jobId: 1, sourceId: "my-source-id", workspaceId: "w" }, destination }];
      (async () => {
        const [{ batchedRequest, metadata }] = await processRouterDest(input, {});
        const request = { ...batchedRequest, metadata, destinationConfig: destination.Config };
        const [{ outcome }] = await new networkHandler().proxy(request);
        console.log(outcome, true);
      })();`,
  ],
];

test.each(HOSTS)(
  "%s: one delivery, and nothing on standard error, whatever the version of Node.js",
  async (_host, file, program) => {
    const given = `const settings = ${JSON.stringify(settings)}, order = ${JSON.stringify(ORDER)};`;
    writeFileSync(join(folder, file), given + program());
    const child = spawn(process.execPath, [join(folder, file)], { cwd: folder, env });
    const [out, err] = await Promise.all([text(child.stdout), text(child.stderr)]);

    expect({ out, err }).toEqual({ out: "delivered true\n", err: "" });
    expect(aws.invocations).toHaveLength(1);
  },
);

test("the receiver writes nothing but its log, and ends in peace", async () => {
  const secret = "a-secret-of-the-webhook";
  const connection = { settings, sourceId: "my-source-id", webhook: [{ type: "bearer", secrets: ["env:SECRET"] }] };
  const file = join(folder, "connections.json");
  writeFileSync(file, JSON.stringify({ connections: { shop: connection } }));
  const args = ["serve", "--connections", file, "--port", "0", "--admin-port", "0"];
  const child = startCli(args, { ...env, SECRET: secret });
  const err = text(child.stderr as NodeJS.ReadableStream);
  let out = "";
  let asked: Promise<Response> | undefined;
  child.stdout?.on("data", (chunk) => {
    out += chunk;
    const [, url] = /^\{.*"url":"([^"]+)".*"msg":"listening"\}$/m.exec(out) ?? [];
    if (url === undefined || asked) return;
    asked = fetch(`${url}/webhook/shop`, {
      method: "POST",
      headers: { authorization: `Bearer ${secret}`, "content-type": "application/json" },
      body: JSON.stringify(ORDER),
    }).finally(() => child.kill("SIGTERM"));
  });
  const [code] = await once(child, "exit");

  expect({ code, status: (await asked)?.status }).toEqual({ code: 0, status: 200 });
  expect(await err).toBe("");
  expect(out).not.toMatch(/warning/i);
});

test("npm start, with the examples in its runtimes, warns of nothing", async () => {
  const child = startCli(["start", "--once", "--json"], { PATH: process.env["PATH"] });
  child.stdin?.end();
  const [out, err] = await Promise.all([
    text(child.stdout as NodeJS.ReadableStream),
    text(child.stderr as NodeJS.ReadableStream),
  ]);

  expect(err).toMatch(/^Router: http:\/\/127\.0\.0\.1:\d+\n$/);
  expect(JSON.parse(out.trimEnd().split("\n").at(-1) ?? "")).toEqual({
    summary: { delivered: 7, skipped: 1, retry: 1, rejected: 2 },
  });
});
