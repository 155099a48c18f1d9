import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parse as parseHcl } from "@cdktf/hcl2json";
import { UsageError } from "../../src/cli/command";
import { iam } from "../../src/cli/iam";
import { cloudFormationTemplate } from "../../src/iam/cloudformation";
import { terraformModule } from "../../src/iam/terraform";
import { parseTemplate } from "../iam/stack";
import { bufferedIo } from "./buffered-io";

const folder = mkdtempSync(join(tmpdir(), "iam-command-"));
const PRINCIPAL = "arn:aws:iam::111122223333:role/router";
const ORDERS = "arn:aws:lambda:us-east-1:123456789012:function:orders";
const SETTINGS = {
  lambda: ORDERS,
  roleAddress: "arn:aws:iam::123456789012:role/invoker",
  externalId: "source-1",
};

afterAll(() => rmSync(folder, { recursive: true }));

async function run(settings: unknown, argv: readonly string[] = [], env: Readonly<Record<string, string>> = {}) {
  const io = { ...bufferedIo(), env };
  const file = join(folder, "settings.json");
  writeFileSync(file, JSON.stringify(settings));
  const code = await iam.run(["--settings", file, "--principal", PRINCIPAL, ...argv], io);
  return { code, stdout: io.out(), stderr: io.err() };
}

async function policies(settings: unknown, argv: readonly string[] = [], env: Readonly<Record<string, string>> = {}) {
  const { stdout } = await run(settings, ["--format", "json", ...argv], env);
  const { trustPolicy, permissionPolicy } = JSON.parse(stdout);
  const [trust, tags] = trustPolicy.Statement;
  expect(tags).toEqual({ Effect: "Allow", Principal: trust.Principal, Action: "sts:TagSession" });
  const [permission] = permissionPolicy.Statement;
  return {
    principal: trust.Principal.AWS,
    externalIds: trust.Condition.StringEquals["sts:ExternalId"],
    resources: permission.Resource,
  };
}

const defaultsOf = (template: string) =>
  Object.fromEntries(
    Object.entries(parseTemplate(template).Parameters ?? {}).map(([name, { Default }]) => [name, Default]),
  );

test("prints a CloudFormation template that is filled in from the settings", async () => {
  const { code, stdout, stderr } = await run(SETTINGS);
  expect({ code, stderr }).toEqual({ code: 0, stderr: "" });
  expect(defaultsOf(stdout)).toEqual({
    RouterPrincipalArn: PRINCIPAL,
    ExternalIds: "source-1",
    LambdaArns: ORDERS,
    RoleName: "invoker",
    PermissionsBoundaryArn: "",
  });
});

test("prints the same for Terraform", async () => {
  const { stdout } = await run(SETTINGS, ["--format", "terraform"]);
  const { variable } = await parseHcl("role.tf", stdout);
  expect(variable).toMatchObject({
    router_principal_arn: [{ default: PRINCIPAL }],
    external_ids: [{ default: ["source-1"] }],
    lambda_arns: [{ default: [ORDERS] }],
    role_name: [{ default: "invoker" }],
  });
});

test("prints both policies for the console", async () => {
  expect(await policies(SETTINGS)).toEqual({
    principal: PRINCIPAL,
    externalIds: ["source-1"],
    resources: [ORDERS, `${ORDERS}:*`],
  });
});

test("without settings, it prints the generic templates", async () => {
  for (const [format, text] of [
    ["cloudformation", cloudFormationTemplate()],
    ["terraform", terraformModule()],
  ] as const) {
    const io = bufferedIo();
    expect(await iam.run(["--format", format], io)).toBe(0);
    expect(io.out()).toBe(text);
  }
});

test("several sources share a role: each further external ID is added once", async () => {
  const { externalIds } = await policies(SETTINGS, [
    "--external-id",
    "source-2",
    "--external-id",
    "source-3",
    "--external-id",
    "source-1",
  ]);
  expect(externalIds).toEqual(["source-1", "source-2", "source-3"]);
});

test("functions of all call types and events and the Failure Lambda are named, by name, ARN and alias, each once and without qualifier", async () => {
  const { resources } = await policies({
    ...SETTINGS,
    trackLambda: "tracks:live",
    pageLambda: `${ORDERS}:7`,
    eventLambdas: { "Order Completed": "123456789012:function:completed", "Order *": "patterns", Viewed: "(skip)" },
    failureLambda: "failures",
  });
  const arn = (name: string) => `arn:aws:lambda:us-east-1:123456789012:function:${name}`;
  expect(resources).toEqual(
    ["completed", "failures", "orders", "patterns", "tracks"].flatMap((name) => [arn(name), `${arn(name)}:*`]),
  );
});

test("a function given by its name belongs to --account where there is no role yet", async () => {
  const settings = { lambda: "orders", region: "eu-west-1", externalId: "source-1" };
  const { resources } = await policies(settings, ["--account", "444455556666"]);
  expect(resources[0]).toBe("arn:aws:lambda:eu-west-1:444455556666:function:orders");
});

test("other partitions get ARNs of theirs", async () => {
  const { resources } = await policies({
    lambda: "orders",
    region: "cn-north-1",
    roleAddress: "arn:aws-cn:iam::123456789012:role/invoker",
    externalId: "source-1",
  });
  expect(resources[0]).toBe("arn:aws-cn:lambda:cn-north-1:123456789012:function:orders");
});

test("where the operator pins the external ID, the one in the settings does not count", async () => {
  const env = { AMAZON_LAMBDA_EXTERNAL_ID: "workspace" };
  expect((await policies(SETTINGS, ["--external-id", "workspace-1"], env)).externalIds).toEqual(["workspace-1"]);
  await expect(run(SETTINGS, [], env)).rejects.toThrow(/externalId is needed as --external-id: the operator pins it/);
});

test("a function of another account comes with what its owner has to run", async () => {
  const { stderr } = await run({ ...SETTINGS, pageLambda: "arn:aws:lambda:us-east-1:999988887777:function:theirs" });
  expect(stderr).toMatch(/aws lambda add-permission .*999988887777:function:theirs .*--principal arn:.*role\/invoker/);
});

test("a whole account as principal is pointed out", async () => {
  const { stderr } = await run(SETTINGS, ["--principal", "arn:aws:iam::111122223333:root"]);
  expect(stderr).toMatch(/whole account/);
});

test.each([
  ["no ARN", "router"],
  ["everybody", "*"],
  ["a wildcard", "arn:aws:iam::111122223333:role/*"],
  ["a service", "lambda.amazonaws.com"],
  ["a newline", `${PRINCIPAL}\n`],
  ["YAML", 'arn:aws:iam::111122223333:role/x"\nResources: {}'],
])("refuses %s as principal", async (_what, principal) => {
  await expect(run(SETTINGS, ["--principal", principal])).rejects.toThrow(UsageError);
});

test("a session as principal is answered with the role to name", async () => {
  const session = "arn:aws:sts::111122223333:assumed-role/router/i-0abc";
  await expect(run(SETTINGS, ["--principal", session])).rejects.toThrow(
    /is a session; name its role.*arn:aws:iam::111122223333:role\/router/,
  );
});

test.each<[string, object, readonly string[], RegExp]>([
  ["settings that are no good", { lambda: "no spaces allowed" }, [], /lambda must be/],
  ["no external ID", { ...SETTINGS, externalId: "" }, [], /externalId is needed, in the settings or as --external-id/],
  ["an external ID with a wildcard", SETTINGS, ["--external-id", "*"], /externalId must be/],
  ["no account", { lambda: "orders", region: "us-east-1", externalId: "x1" }, [], /account is needed/],
  ["a wrong account", SETTINGS, ["--account", "12"], /12 digits/],
  ["another account than the role's", SETTINGS, ["--account", "999988887777"], /not the role's, which is 123456789012/],
  ["a format that there is not", SETTINGS, ["--format", "cdk"], /must be one of cloudformation, terraform, json/],
])("refuses %s", async (_what, settings, argv, message) => {
  await expect(run(settings, argv)).rejects.toThrow(message);
});

const named = (count: number) => ({
  lambda: `${ORDERS}-0-whose-name-is-long`,
  roleAddress: SETTINGS.roleAddress,
  externalId: SETTINGS.externalId,
  eventLambdas: Object.fromEntries(
    Array.from({ length: count }, (_, i) => [`Event ${i}`, `${ORDERS}-${i}-whose-name-is-long`]),
  ),
});

test("only CloudFormation's parameters are too short for 57 functions", async () => {
  await expect(run(named(57))).rejects.toThrow(
    /CloudFormation parameter, which holds 4096: print it with --format terraform or json/,
  );
  expect((await policies(named(57))).resources).toHaveLength(2 * 57);
  const { stdout } = await run(named(57), ["--format", "terraform"]);
  const { variable } = await parseHcl("role.tf", stdout);
  const [{ default: arns }] = (variable as Record<string, [{ default?: unknown }]>)["lambda_arns"] ?? [{}];
  expect(new Set(arns as string[])).toEqual(new Set(Object.values(named(57).eventLambdas)));
});

test("more functions than a role may name are refused in every format, with what to do", async () => {
  for (const format of ["cloudformation", "terraform", "json"]) {
    await expect(run(named(80), ["--format", format])).rejects.toThrow(
      /AWS allows 10240: split the work between several roles/,
    );
  }
});

test("only CloudFormation cannot hold an external ID with a comma", async () => {
  const settings = { ...SETTINGS, externalId: "a,b" };
  await expect(run(settings)).rejects.toThrow(/without a comma/);
  expect((await policies(settings)).externalIds).toEqual(["a,b"]);
  expect((await run(settings, ["--format", "terraform"])).stdout).toContain('["a,b"]');
});

test("options for filling in need settings, and settings a principal", async () => {
  const io = bufferedIo();
  await expect(iam.run(["--principal", PRINCIPAL], io)).rejects.toThrow(/--settings <file> is needed/);
  const file = join(folder, "alone.json");
  writeFileSync(file, JSON.stringify(SETTINGS));
  await expect(iam.run(["--settings", file], io)).rejects.toThrow(/--principal <ARN> is needed/);
  await expect(iam.run(["--format", "json"], io)).rejects.toThrow(/--format json needs --settings/);
});
