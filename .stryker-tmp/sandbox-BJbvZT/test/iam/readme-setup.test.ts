// @ts-nocheck
import { execFile } from "node:child_process";
import { chmodSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { delimiter, join, resolve } from "node:path";
import { json } from "node:stream/consumers";
import { promisify } from "node:util";
import { createNodeAws } from "../../src/aws/node";
import { type EmbeddedAws, startEmbeddedAws } from "../../src/local/aws/embedded-aws";
import { pointEnvironmentAt } from "./scene";
import { createStack } from "./stack";

const run = promisify(execFile);
const README = readFileSync("README.md", "utf8");
const CLI = resolve("dist", "cli.cjs");

/** The fenced block that stands under `<!-- setup:name -->`. */
function block(name: string): string {
  const [, text] = new RegExp(`<!-- setup:${name} -->\\n+\`\`\`\\w+\\n([^]*?)\`\`\``).exec(README) ?? [];
  if (text === undefined) throw new Error(`README.md has no block setup:${name}`);
  return text;
}

/** What a user has typed after `aws`, and the template that it names. */
interface AwsCommand {
  readonly argv: readonly string[];
  readonly template?: string;
}

const environment = { ...process.env };
let aws: EmbeddedAws;
let awsCli: Server;
let folder: string;
let shellEnvironment: NodeJS.ProcessEnv;

beforeAll(async () => {
  aws = await startEmbeddedAws();
  const { accessKeyId, secretAccessKey } = aws.addUser({ name: "router" });
  pointEnvironmentAt(aws.url, { AWS_ACCESS_KEY_ID: accessKeyId, AWS_SECRET_ACCESS_KEY: secretAccessKey });
  awsCli = createServer(async (request, response) => {
    try {
      response.end(await answerAwsCommand((await json(request)) as AwsCommand));
    } catch (error) {
      response.writeHead(500).end(String(error));
    }
  });
  await new Promise<void>((listening) => awsCli.listen(0, "127.0.0.1", listening));

  folder = mkdtempSync(join(tmpdir(), "readme-"));
  const bin = join(folder, "bin");
  mkdirSync(bin);
  shim(join(bin, "amazon-lambda-destination"), `#!/bin/sh\nexec "${process.execPath}" "${CLI}" "$@"\n`);
  shim(join(bin, "aws"), `#!${process.execPath}\n${AWS_SHIM}`);
  shellEnvironment = {
    ...process.env,
    PATH: [bin, process.env["PATH"]].join(delimiter),
    AWS_SHIM_URL: `http://127.0.0.1:${(awsCli.address() as AddressInfo).port}`,
  };
});

afterAll(async () => {
  awsCli.closeAllConnections();
  awsCli.close();
  await aws.close();
  rmSync(folder, { recursive: true });
  process.env = { ...environment };
});

/** Stands in for the AWS CLI, which knows no CloudFormation at an embedded AWS: hands the command to this test. */
const AWS_SHIM = `
const { readFileSync } = require("node:fs");
const argv = process.argv.slice(2);
const file = argv[argv.indexOf("--template-file") + 1];
const template = argv.includes("--template-file") ? readFileSync(file, "utf8") : undefined;
fetch(process.env.AWS_SHIM_URL, { method: "POST", body: JSON.stringify({ argv, template }) }).then(async (answer) => {
  process.stdout.write((await answer.text()) + "\\n");
  process.exitCode = answer.ok ? 0 : 1;
});
`;

function shim(path: string, text: string): void {
  writeFileSync(path, text);
  chmodSync(path, 0o755);
}

async function answerAwsCommand({ argv, template }: AwsCommand): Promise<string> {
  const [service, action, ...options] = argv;
  const commands: Readonly<Record<string, () => Promise<string> | string>> = {
    "sts get-caller-identity": async () => (await createNodeAws().callerIdentity(aws.region, undefined, 5000)).arn,
    "cloudformation deploy": () => {
      expect(options).toContain("CAPABILITY_NAMED_IAM");
      expect(options.join(" ")).toContain(`--region ${aws.region}`);
      return JSON.stringify(createStack(aws, template ?? "").outputs);
    },
  };
  const command = commands[`${service} ${action}`];
  if (!command) throw new Error(`The README uses aws ${argv.join(" ")}, which this test does not know.`);
  return command();
}

/** Types the block into a shell, as a user would. */
async function type(name: string): Promise<string> {
  const { stdout } = await run("bash", ["-euo", "pipefail", "-c", block(name)], { cwd: folder, env: shellEnvironment });
  return stdout;
}

test("the README's steps lead from an empty AWS to a delivered event", async () => {
  aws.addFunction({ name: "router-events", source: block("function") });
  await type("settings");
  const { lambda, roleAddress, externalId } = JSON.parse(readFileSync(join(folder, "settings.json"), "utf8"));

  const identity = (await type("identity")).trim();
  expect(block("iam")).toContain(`--principal ${identity} `);
  expect(await type("iam")).toContain(`"RoleArn":"${roleAddress}"`);

  const checked = await type("check");
  expect(checked).toMatch(/The connection works\.\n$/);
  expect(checked.match(/^✓ Sample event /gm)).toHaveLength(6);

  aws.clearRecords();
  const sent = JSON.parse(await type("send"));
  expect(sent).toMatchObject({ outcome: "delivered", function: lambda });
  expect(aws.invocations).toMatchObject([
    {
      function: "router-events",
      payload: { type: "track", event: "Order Completed", userId: "user-1" },
      logTail: expect.stringContaining("track Order Completed from user-1"),
    },
  ]);

  const { trustPolicy } = JSON.parse(await type("json"));
  expect(trustPolicy.Statement[0].Condition.StringEquals["sts:ExternalId"]).toEqual([externalId]);
  await type("sources");
  expect(readFileSync(join(folder, "role.yaml"), "utf8")).toContain(
    `Default: "${externalId},another-source-id,a-third-source-id"`,
  );
}, 60_000);
