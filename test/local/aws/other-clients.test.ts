import { spawn, spawnSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type EmbeddedAws, startEmbeddedAws } from "../../../src/local/aws/embedded-aws";
import { permit, trust } from "./policies";

/**
 * Clients that we did not write and that share no code with the AWS SDK for JavaScript: the referees. They are told the
 * endpoint as an option, because old ones ignore `AWS_ENDPOINT_URL` and would call the real AWS.
 */
const cli = versionOf("aws", ["--version"], /aws-cli\/(\S+)/);
const boto3 = versionOf("python3", ["-W", "ignore", "-c", "import boto3; print(boto3.__version__)"], /(\S+)/);
/** Older ones do not run in a Python of today, or lack an option that the tests use. */
const OLDEST = { cli: "1.18", boto3: "1.15" };

function versionOf(command: string, args: readonly string[], pattern: RegExp): string | undefined {
  // Version 1 of the AWS CLI wrote its version to standard error where Python did so.
  const { status, stdout, stderr } = spawnSync(command, args, { encoding: "utf8" });
  return status === 0 ? pattern.exec(`${stdout}${stderr}`)?.[1] : undefined;
}

/** `describe` with what is tested in its name, or why it is not. */
function describeClient(name: string, version: string | undefined, oldest: string, tests: () => void): void {
  if (version === undefined) describe.skip(`${name} (skipped: it is not installed)`, tests);
  else if (older(version, oldest)) describe.skip(`${name} ${version} (skipped: older than ${oldest})`, tests);
  else describe(`${name} ${version}`, tests);
}

function older(version: string, than: string): boolean {
  return version.localeCompare(than, "en", { numeric: true }) < 0;
}

const keys = { accessKeyId: "AKIDEXAMPLE", secretAccessKey: "not-a-secret-EXAMPLEKEY" };
let aws: EmbeddedAws;
let folder: string;

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), "other-clients-"));
  aws = await startEmbeddedAws();
  const user = aws.addUser({ name: "router", ...keys });
  aws.addRole({
    name: "invoker",
    trustPolicy: trust(user.arn, ["source-1", "source-2"]),
    permissionPolicies: [
      permit("lambda:InvokeFunction", ["arn:aws:lambda:*:*:function:echo", "arn:aws:lambda:*:*:function:echo:*"]),
    ],
  });
  aws.addFunction({
    name: "echo",
    handler: (event, context) => ({ event, client: context.clientContext }),
    aliases: { live: "$LATEST" },
  });
});

afterAll(async () => {
  await aws.close();
  rmSync(folder, { recursive: true });
});

/** Runs the AWS CLI against the AWS here. @throws Error with what it said, where it fails */
async function awsCli(...args: string[]): Promise<string> {
  const { code, stdout, stderr } = await run("aws", ["--endpoint-url", aws.url, ...args, "--output", "json"]);
  if (code !== 0) throw new Error(stderr);
  return stdout;
}

function run(
  command: string,
  args: readonly string[],
): Promise<{ code: number | null; stdout: string; stderr: string }> {
  return new Promise((resolve) => {
    const child = spawn(command, args, {
      env: {
        ...process.env,
        AWS_ENDPOINT_URL: aws.url,
        AWS_DEFAULT_REGION: aws.region,
        AWS_ACCESS_KEY_ID: keys.accessKeyId,
        AWS_SECRET_ACCESS_KEY: keys.secretAccessKey,
        AWS_CONFIG_FILE: join(folder, "none"),
        AWS_SHARED_CREDENTIALS_FILE: join(folder, "none"),
        AWS_PAGER: "",
      },
    });
    let [stdout, stderr] = ["", ""];
    child.stdout.on("data", (chunk: Buffer) => {
      stdout += chunk;
    });
    child.stderr.on("data", (chunk: Buffer) => {
      stderr += chunk;
    });
    child.on("close", (code) => resolve({ code, stdout, stderr }));
  });
}

const roleArn = "arn:aws:iam::123456789012:role/invoker";

describeClient("the AWS CLI", cli, OLDEST.cli, () => {
  test("tells who the caller is", async () => {
    expect(JSON.parse(await awsCli("sts", "get-caller-identity"))).toMatchObject({
      Account: "123456789012",
      Arn: "arn:aws:iam::123456789012:user/router",
    });
  }, 30_000);

  test("assumes a role with its external ID", async () => {
    const assume = ["sts", "assume-role", "--role-arn", roleArn, "--role-session-name", "cli", "--external-id"];
    const [right, wrong] = await Promise.allSettled([awsCli(...assume, "source-1"), awsCli(...assume, "source-9")]);
    expect(JSON.parse(right.status === "fulfilled" ? right.value : String(right.reason))).toMatchObject({
      AssumedRoleUser: { Arn: "arn:aws:sts::123456789012:assumed-role/invoker/cli" },
      Credentials: { SessionToken: expect.any(String) },
    });
    expect(String(wrong.status === "rejected" && wrong.reason)).toContain(
      "An error occurred (AccessDenied) when calling the AssumeRole operation: User: arn:aws:iam::123456789012:user/router is not authorized to perform: sts:AssumeRole",
    );
  }, 30_000);

  test("invokes a function by its ARN and reads the log", async () => {
    writeFileSync(join(folder, "event.json"), '{"a":"ü"}');
    const stdout = await awsCli(
      "lambda",
      "invoke",
      "--function-name",
      "arn:aws:lambda:us-east-1:123456789012:function:echo:live",
      "--payload",
      `fileb://${join(folder, "event.json")}`,
      "--client-context",
      Buffer.from('{"custom":{"b":2}}').toString("base64"),
      "--log-type",
      "Tail",
      join(folder, "answer.json"),
    );
    expect(JSON.parse(stdout)).toMatchObject({
      StatusCode: 200,
      ExecutedVersion: "$LATEST",
      LogResult: expect.any(String),
    });
    expect(JSON.parse(readFileSync(join(folder, "answer.json"), "utf8"))).toEqual({
      event: { a: "ü" },
      client: { custom: { b: 2 } },
    });
  }, 30_000);
});

describeClient("boto3", boto3, OLDEST.boto3, () => {
  const script = `
import boto3, json, os
from botocore.exceptions import ClientError

def connect(service, **more):
    return boto3.client(service, endpoint_url=os.environ["AWS_ENDPOINT_URL"], **more)

def attempt(call):
    try:
        return call()
    except ClientError as error:
        return {"code": error.response["Error"]["Code"], "message": error.response["Error"]["Message"],
                "status": error.response["ResponseMetadata"]["HTTPStatusCode"]}

def assume(external_id, **more):
    return connect("sts").assume_role(RoleArn="${roleArn}", RoleSessionName="boto3", ExternalId=external_id, **more)["Credentials"]

def client(credentials, **more):
    return connect("lambda", aws_access_key_id=credentials["AccessKeyId"], aws_secret_access_key=credentials["SecretAccessKey"],
                   aws_session_token=credentials.get("SessionToken"), **more)

def invoke(client, **more):
    answer = client.invoke(**{"FunctionName": "echo", "Payload": json.dumps({"a": "ü"}), **more})
    return {"status": answer["StatusCode"], "payload": answer["Payload"].read().decode(), "version": answer.get("ExecutedVersion")}

session = client(assume("source-2"))
narrow = client(assume("source-1", Policy=json.dumps({"Version": "2012-10-17", "Statement": [
    {"Effect": "Allow", "Action": "lambda:InvokeFunction", "Resource": "arn:aws:lambda:us-east-1:123456789012:function:other"}]})))
print(json.dumps({
    "identity": connect("sts").get_caller_identity()["Arn"],
    "invoked": invoke(session),
    "qualified": invoke(session, Qualifier="live"),
    "arn": invoke(session, FunctionName="arn:aws:lambda:us-east-1:123456789012:function:echo:live"),
    "event": invoke(session, InvocationType="Event"),
    "dry": invoke(session, InvocationType="DryRun"),
    "externalId": attempt(lambda: assume("source-9")),
    "sessionName": attempt(lambda: connect("sts").assume_role(RoleArn="${roleArn}", RoleSessionName="a b")),
    "narrow": attempt(lambda: invoke(narrow)),
    "unknown": attempt(lambda: invoke(client({"AccessKeyId": "AKIDSTRANGER", "SecretAccessKey": "x"}))),
    "secret": attempt(lambda: invoke(client({"AccessKeyId": "AKIDEXAMPLE", "SecretAccessKey": "x"}))),
    "region": attempt(lambda: invoke(client({"AccessKeyId": "AKIDEXAMPLE", "SecretAccessKey": "x"}, region_name="eu-west-1"))),
    "missing": attempt(lambda: invoke(client({"AccessKeyId": "${keys.accessKeyId}", "SecretAccessKey": "${keys.secretAccessKey}"}), FunctionName="nobody")),
}))
`;

  test("passes with and without permission as at AWS", async () => {
    const { code, stdout, stderr } = await run("python3", ["-W", "ignore", "-c", script]);
    if (code !== 0) throw new Error(stderr);
    const payload = '{"event":{"a":"ü"}}';
    expect(JSON.parse(stdout)).toEqual({
      identity: "arn:aws:iam::123456789012:user/router",
      invoked: { status: 200, payload, version: "$LATEST" },
      qualified: { status: 200, payload, version: "$LATEST" },
      arn: { status: 200, payload, version: "$LATEST" },
      event: { status: 202, payload: "", version: null },
      dry: { status: 204, payload: "", version: "$LATEST" },
      externalId: {
        code: "AccessDenied",
        status: 403,
        message: `User: arn:aws:iam::123456789012:user/router is not authorized to perform: sts:AssumeRole on resource: ${roleArn}`,
      },
      sessionName: {
        code: "ValidationError",
        status: 400,
        message: expect.stringContaining("at 'roleSessionName' failed to satisfy constraint"),
      },
      narrow: {
        code: "AccessDeniedException",
        status: 403,
        message: expect.stringContaining("because no session policy allows the lambda:InvokeFunction action"),
      },
      unknown: {
        code: "UnrecognizedClientException",
        status: 403,
        message: "The security token included in the request is invalid.",
      },
      secret: {
        code: "InvalidSignatureException",
        status: 403,
        message: expect.stringContaining("does not match the signature you provided"),
      },
      region: {
        code: "InvalidSignatureException",
        status: 403,
        message: "Credential should be scoped to a valid region, not 'eu-west-1'. ",
      },
      missing: {
        code: "ResourceNotFoundException",
        status: 404,
        message: "Function not found: arn:aws:lambda:us-east-1:123456789012:function:nobody",
      },
    });
  }, 60_000);
});
