// @ts-nocheck
import { spawn, spawnSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type EmbeddedAws, startEmbeddedAws } from "../../../src/local/aws/embedded-aws";
import { permit, trust } from "./policies";

/** Clients that we did not write and that share no code with the AWS SDK for JavaScript: the referees. */
const hasCli = spawnSync("aws", ["--version"]).status === 0;
const hasBoto3 = spawnSync("python3", ["-c", "import boto3"]).status === 0;

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

(hasCli ? describe : describe.skip)(`the AWS CLI${hasCli ? "" : " (skipped: no `aws` on the PATH)"}`, () => {
  test("tells who the caller is", async () => {
    const { stdout } = await run("aws", ["sts", "get-caller-identity", "--output", "json"]);
    expect(JSON.parse(stdout)).toMatchObject({ Account: "123456789012", Arn: "arn:aws:iam::123456789012:user/router" });
  }, 30_000);

  test("assumes a role with its external ID", async () => {
    const assume = [
      "sts",
      "assume-role",
      "--role-arn",
      roleArn,
      "--role-session-name",
      "cli",
      "--output",
      "json",
      "--external-id",
    ];
    const [right, wrong] = await Promise.all([
      run("aws", [...assume, "source-1"]),
      run("aws", [...assume, "source-9"]),
    ]);
    expect(JSON.parse(right.stdout)).toMatchObject({
      AssumedRoleUser: { Arn: "arn:aws:sts::123456789012:assumed-role/invoker/cli" },
      Credentials: { SessionToken: expect.any(String) },
    });
    expect(wrong.code).not.toBe(0);
    expect(wrong.stderr).toContain(
      "An error occurred (AccessDenied) when calling the AssumeRole operation: User: arn:aws:iam::123456789012:user/router is not authorized to perform: sts:AssumeRole",
    );
  }, 30_000);

  test("invokes a function by its ARN and reads the log", async () => {
    writeFileSync(join(folder, "event.json"), '{"a":"ü"}');
    const { stdout, stderr } = await run("aws", [
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
      "--output",
      "json",
      join(folder, "answer.json"),
    ]);
    expect(stderr).toBe("");
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

(hasBoto3 ? describe : describe.skip)(`boto3${hasBoto3 ? "" : " (skipped: python3 cannot import it)"}`, () => {
  const script = `
import boto3, json
from botocore.exceptions import ClientError

def attempt(call):
    try:
        return call()
    except ClientError as error:
        return {"code": error.response["Error"]["Code"], "message": error.response["Error"]["Message"],
                "status": error.response["ResponseMetadata"]["HTTPStatusCode"]}

def assume(external_id, **more):
    return boto3.client("sts").assume_role(RoleArn="${roleArn}", RoleSessionName="boto3", ExternalId=external_id, **more)["Credentials"]

def client(credentials, **more):
    return boto3.client("lambda", aws_access_key_id=credentials["AccessKeyId"], aws_secret_access_key=credentials["SecretAccessKey"],
                        aws_session_token=credentials.get("SessionToken"), **more)

def invoke(client, **more):
    answer = client.invoke(**{"FunctionName": "echo", "Payload": json.dumps({"a": "ü"}), **more})
    return {"status": answer["StatusCode"], "payload": answer["Payload"].read().decode(), "version": answer.get("ExecutedVersion")}

session = client(assume("source-2"))
narrow = client(assume("source-1", Policy=json.dumps({"Version": "2012-10-17", "Statement": [
    {"Effect": "Allow", "Action": "lambda:InvokeFunction", "Resource": "arn:aws:lambda:us-east-1:123456789012:function:other"}]})))
print(json.dumps({
    "identity": boto3.client("sts").get_caller_identity()["Arn"],
    "invoked": invoke(session),
    "qualified": invoke(session, Qualifier="live"),
    "arn": invoke(session, FunctionName="arn:aws:lambda:us-east-1:123456789012:function:echo:live"),
    "event": invoke(session, InvocationType="Event"),
    "dry": invoke(session, InvocationType="DryRun"),
    "externalId": attempt(lambda: assume("source-9")),
    "sessionName": attempt(lambda: boto3.client("sts").assume_role(RoleArn="${roleArn}", RoleSessionName="a b")),
    "narrow": attempt(lambda: invoke(narrow)),
    "unknown": attempt(lambda: invoke(client({"AccessKeyId": "AKIDSTRANGER", "SecretAccessKey": "x"}))),
    "secret": attempt(lambda: invoke(client({"AccessKeyId": "AKIDEXAMPLE", "SecretAccessKey": "x"}))),
    "region": attempt(lambda: invoke(client({"AccessKeyId": "AKIDEXAMPLE", "SecretAccessKey": "x"}, region_name="eu-west-1"))),
    "missing": attempt(lambda: invoke(client({"AccessKeyId": "${keys.accessKeyId}", "SecretAccessKey": "${keys.secretAccessKey}"}), FunctionName="nobody")),
}))
`;

  test("passes with and without permission as at AWS", async () => {
    const { stdout, stderr } = await run("python3", ["-W", "ignore", "-c", script]);
    expect(stderr).toBe("");
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
