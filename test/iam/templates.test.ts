import { execFileSync, spawnSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { RegoEngine, TemplateFile } from "@aws/cloudformation-validate";
import { parse as parseHcl } from "@cdktf/hcl2json";
import { createNodeAws } from "../../src/aws/node";
import { checkConnectionIn } from "../../src/iam/check-connection";
import { cloudFormationTemplate } from "../../src/iam/cloudformation";
import type { InvokerRole } from "../../src/iam/invoker-role";
import { permissionPolicy, trustPolicy } from "../../src/iam/policies";
import { invokerRole } from "../../src/iam/role";
import { terraformModule } from "../../src/iam/terraform";
import { type EmbeddedAws, startEmbeddedAws } from "../../src/local/aws/embedded-aws";
import { PRINCIPAL_ARN } from "../../src/names/grammar";
import { DEFAULT_OPERATOR_POLICY } from "../../src/settings/operator-policy";
import { pointEnvironmentAt } from "./scene";
import { createStack, type Stack } from "./stack";

const ORDERS = "arn:aws:lambda:us-east-1:123456789012:function:orders";
const PAGES = "arn:aws:lambda:us-east-1:123456789012:function:pages";
const PRINCIPAL = "arn:aws:iam::123456789012:user/router";
const ROLE: InvokerRole = {
  principalArn: PRINCIPAL,
  externalIds: ["source-1", "source-2"],
  functionArns: [ORDERS, PAGES],
  arn: "arn:aws:iam::123456789012:role/routers/invoker",
};
const EXAMPLE = readFileSync("examples/functions/deploy.cloudformation.yaml", "utf8");
const RECEIVER = readFileSync("templates/receiver.cloudformation.yaml", "utf8");
const SHIPPED = readFileSync("templates/amazon-lambda-destination.cloudformation.yaml", "utf8");

let aws: EmbeddedAws;
const environment = { ...process.env };

beforeEach(async () => {
  aws = await startEmbeddedAws();
  pointEnvironmentAt(aws.url);
});

afterEach(async () => {
  await aws.close();
  process.env = { ...environment };
});

test("the template that ships is the one that the iam command prints", () => {
  expect(SHIPPED).toBe(cloudFormationTemplate());
});

test("the example asks for the same principals as the template", () => {
  expect(EXAMPLE).toContain(`AllowedPattern: "^${PRINCIPAL_ARN}$"`);
  expect(SHIPPED).toContain(`AllowedPattern: "^${PRINCIPAL_ARN}$"`);
});

describe("AWS's own CloudFormation validator", () => {
  const folder = mkdtempSync(join(tmpdir(), "templates-"));
  const engine = new RegoEngine();

  afterAll(() => {
    engine.free();
    rmSync(folder, { recursive: true });
  });

  // The validator looks at both branches of an `!If` with the parameters' defaults, so the optional ones need a value.
  const OPTIONAL = {
    RoleName: "invoker",
    PermissionsBoundaryArn: "arn:aws:iam::123456789012:policy/boundary",
  };
  const ACCEPTED_INFO = ["I9001", "I9040", "I3011"];

  function complaints(template: string, parameterOverrides: Readonly<Record<string, string>> = {}): string[] {
    const file = join(folder, "template.yaml");
    writeFileSync(file, template);
    const { status, diagnostics } = engine.validateStandard(new TemplateFile(file), { parameterOverrides });
    expect(status).toBe("OK");
    return diagnostics
      .filter(({ ruleId }) => !ACCEPTED_INFO.includes(ruleId))
      .map(({ ruleId, message, startLine }) => `${ruleId} ${message} (line ${startLine})`);
  }

  test.each([
    ["the template that ships", SHIPPED, OPTIONAL],
    ["a template that is filled in", cloudFormationTemplate(ROLE), OPTIONAL],
    [
      "the receiver's template",
      RECEIVER,
      {
        CodeBucket: "my-bucket",
        CodeKey: "receiver.zip",
        RoleArns: "arn:aws:iam::123456789012:role/router-events-invoker",
        AlarmTopicArn: "arn:aws:sns:us-east-1:123456789012:alarms",
      },
    ],
    ["the example in JavaScript", EXAMPLE, { Language: "JavaScript" }],
    ["the example in Python", EXAMPLE, { Language: "Python" }],
  ])("finds nothing in %s", (_what, template, parameters) => {
    expect(complaints(template, parameters)).toEqual([]);
  });

  test.each([
    ["a property that there is not", "AssumeRolePolicyDocument:", "AssumeRolePolicy:"],
    ["a resource type that there is not", "AWS::IAM::Role", "AWS::IAM::Rolle"],
    ["a reference to nothing", "!Ref ExternalIds", "!Ref ExternalId"],
  ])("would find %s", (_what, right, wrong) => {
    expect(complaints(SHIPPED.replace(right, wrong), OPTIONAL)).not.toEqual([]);
  });
});

describe("the CloudFormation template", () => {
  test("makes exactly the role of the two policies, under the name and path of the Role Address", () => {
    const { resources, outputs } = createStack(aws, cloudFormationTemplate(ROLE));
    const properties = propertiesOf(resources, "Role");
    expect(properties).toMatchObject({ RoleName: "invoker", Path: "/routers/" });
    expect(properties).not.toHaveProperty("PermissionsBoundary");
    expect(properties["AssumeRolePolicyDocument"]).toEqual(trustPolicy(ROLE));
    const [{ PolicyDocument }] = properties["Policies"] as [
      { PolicyDocument: { Statement: { Resource: string[] }[] } },
    ];
    expect(sorted(PolicyDocument)).toEqual(sorted(permissionPolicy(ROLE)));
    expect(outputs).toEqual({ RoleArn: ROLE.arn });
  });

  test("takes parameters where nothing is filled in", () => {
    const boundary = "arn:aws:iam::123456789012:policy/boundary";
    const { resources } = createStack(aws, cloudFormationTemplate(), {
      RouterPrincipalArn: PRINCIPAL,
      ExternalIds: "source-1, source-2",
      LambdaArns: `${ORDERS},${PAGES}`,
      PermissionsBoundaryArn: boundary,
    });
    const properties = propertiesOf(resources, "Role");
    expect(properties["AssumeRolePolicyDocument"]).toEqual(trustPolicy(ROLE));
    expect(properties["PermissionsBoundary"]).toBe(boundary);
    expect(properties).not.toHaveProperty("RoleName");
  });

  test.each([
    ["RouterPrincipalArn", "*"],
    ["RouterPrincipalArn", "arn:aws:iam::123456789012:role/*"],
    ["ExternalIds", "*"],
    ["LambdaArns", "*"],
    ["LambdaArns", `${ORDERS}:*`],
    ["LambdaArns", "arn:aws:lambda:us-east-1:123456789012:function:*"],
    ["PermissionsBoundaryArn", "none"],
  ])("refuses %s %s", (parameter, value) => {
    expect(() => createStack(aws, cloudFormationTemplate(ROLE), { [parameter]: value })).toThrow(parameter);
  });

  test("makes a role that a router on EKS can assume, whose identity has session tags", async () => {
    const router = "arn:aws:iam::123456789012:role/router";
    const anybody = { Effect: "Allow", Principal: "*", Action: "sts:AssumeRole" };
    aws.addRole({
      name: "router",
      trustPolicy: { Version: "2012-10-17", Statement: anybody },
      permissionPolicies: [],
    });
    aws.addFunction({ name: "orders", handler: () => null });
    aws.addFunction({ name: "pages", handler: () => null });
    createStack(aws, cloudFormationTemplate({ ...ROLE, principalArn: router }));
    const { accessKeyId, secretAccessKey, sessionToken } = aws.startTaggedSession(router, {
      "eks-cluster-name": "events",
      "kubernetes-namespace": "routers",
    });
    pointEnvironmentAt(aws.url, {
      AWS_ACCESS_KEY_ID: accessKeyId,
      AWS_SECRET_ACCESS_KEY: secretAccessKey,
      AWS_SESSION_TOKEN: sessionToken,
    });
    const settings = { lambda: ORDERS, roleAddress: ROLE.arn, externalId: "source-1" };
    const surroundings = { aws: createNodeAws(), operator: () => DEFAULT_OPERATOR_POLICY };
    const { steps } = await checkConnectionIn(surroundings, settings, { send: true });
    expect(steps.filter(({ ok }) => !ok)).toEqual([]);
  });

  test("makes a role with which the connection check is content", async () => {
    const { arn, ...keys } = aws.addUser({ name: "router" });
    aws.addFunction({
      name: "orders",
      handler: () => null,
      versions: { "1": { handler: () => 1 } },
      aliases: { live: "1" },
    });
    aws.addFunction({ name: "pages", handler: () => null });
    const settings = {
      lambda: `${ORDERS}:live`,
      trackLambda: ORDERS,
      pageLambda: "pages",
      roleAddress: ROLE.arn,
      externalId: "source-1",
      ...keys,
    };
    createStack(aws, cloudFormationTemplate(invokerRole(settings, { principalArn: arn })));
    const surroundings = { aws: createNodeAws(), operator: () => DEFAULT_OPERATOR_POLICY };
    const { steps } = await checkConnectionIn(surroundings, settings, { send: true });
    expect(steps.filter(({ ok }) => !ok)).toEqual([]);
    expect(steps.filter(({ step }) => step === "send")).toHaveLength(6);
  });
});

describe("least privilege", () => {
  test("the policies name what is needed, one principal, the external IDs, and no wildcard but the qualifier's", () => {
    expect(trustPolicy(ROLE)).toEqual({
      Version: "2012-10-17",
      Statement: [
        {
          Effect: "Allow",
          Principal: { AWS: PRINCIPAL },
          Action: "sts:AssumeRole",
          Condition: { StringEquals: { "sts:ExternalId": ["source-1", "source-2"] } },
        },
        { Effect: "Allow", Principal: { AWS: PRINCIPAL }, Action: "sts:TagSession" },
      ],
    });
    expect(permissionPolicy(ROLE)).toEqual({
      Version: "2012-10-17",
      Statement: [
        {
          Effect: "Allow",
          Action: "lambda:InvokeFunction",
          Resource: [ORDERS, `${ORDERS}:*`, PAGES, `${PAGES}:*`],
        },
      ],
    });
  });
});

describe("the Terraform module", () => {
  test("is HCL that says the same as the template", async () => {
    const module = await parseHcl("role.tf", terraformModule(ROLE));
    const defaults = Object.fromEntries(
      Object.entries(module["variable"] as Record<string, [{ default?: unknown }]>).map(([name, [variable]]) => [
        name,
        variable.default,
      ]),
    );
    expect(defaults).toEqual({
      router_principal_arn: PRINCIPAL,
      external_ids: ROLE.externalIds,
      lambda_arns: ROLE.functionArns,
      role_name: "invoker",
      permissions_boundary_arn: null,
    });
    expect(module["data"]).toEqual({
      aws_iam_policy_document: {
        trust: [
          {
            statement: [
              {
                actions: ["sts:AssumeRole"],
                // biome-ignore lint/suspicious/noTemplateCurlyInString: Terraform's own.
                principals: [{ type: "AWS", identifiers: ["${var.router_principal_arn}"] }],
                condition: [
                  // biome-ignore lint/suspicious/noTemplateCurlyInString: Terraform's own.
                  { test: "StringEquals", variable: "sts:ExternalId", values: "${var.external_ids}" },
                ],
              },
              {
                actions: ["sts:TagSession"],
                // biome-ignore lint/suspicious/noTemplateCurlyInString: Terraform's own.
                principals: [{ type: "AWS", identifiers: ["${var.router_principal_arn}"] }],
              },
            ],
          },
        ],
        invoke: [
          {
            statement: [
              {
                actions: ["lambda:InvokeFunction"],
                // biome-ignore lint/suspicious/noTemplateCurlyInString: Terraform's own.
                resources: '${flatten([for arn in var.lambda_arns : [arn, "${arn}:*"]])}',
              },
            ],
          },
        ],
      },
    });
    expect(module["resource"]).toMatchObject({ aws_iam_role: { invoker: [{ path: "/routers/" }] } });
  });

  const hasTerraform = spawnSync("terraform", ["version"]).status === 0;
  (hasTerraform ? test : test.skip)("is formatted as `terraform fmt` would format it", () => {
    for (const input of [terraformModule(), terraformModule(ROLE)]) {
      expect(execFileSync("terraform", ["fmt", "-"], { input, encoding: "utf8", stdio: "pipe" })).toBe(input);
    }
  });

  test("asks for everything where nothing is filled in", async () => {
    const { variable } = await parseHcl("role.tf", terraformModule());
    const open = Object.entries(variable as Record<string, [object]>).filter(([, [each]]) => !("default" in each));
    expect(open.map(([name]) => name).sort()).toEqual(["external_ids", "lambda_arns", "router_principal_arn"]);
  });
});

describe("the example to deploy", () => {
  const PARAMETERS = { RouterPrincipalArn: PRINCIPAL, ExternalIds: "source-1" };

  test("its function takes events, one by one and in batches, through its role", async () => {
    const { arn, ...keys } = aws.addUser({ name: "router" });
    const { FunctionArn = "", RoleArn = "" } = createStack(aws, EXAMPLE, {
      ...PARAMETERS,
      RouterPrincipalArn: arn,
    }).outputs;
    const settings = { lambda: FunctionArn, roleAddress: RoleArn, externalId: "source-1", ...keys };
    const surroundings = { aws: createNodeAws(), operator: () => DEFAULT_OPERATOR_POLICY };
    for (const maxBatchSize of [1, 10]) {
      const { steps } = await checkConnectionIn(surroundings, { ...settings, maxBatchSize }, { send: true });
      expect(steps.filter(({ ok }) => !ok)).toEqual([]);
      expect(steps.at(-1)?.result?.logTail).toContain("connection-check: alias");
    }
  });

  test("in Python, it has the code of the example in Python", () => {
    const { resources } = createStack(aws, EXAMPLE, { ...PARAMETERS, Language: "Python" });
    const properties = propertiesOf(resources, "Function");
    expect(properties).toMatchObject({
      Runtime: expect.stringMatching(/^python3/),
      Code: { ZipFile: readFileSync("examples/functions/python/index.py", "utf8") },
    });
  });

  const hasPython = spawnSync("python3", ["--version"]).status === 0;
  (hasPython ? test : test.skip)("the code in Python reports the failures of a batch and drops what is no use", () => {
    const script = [
      "import json, sys, index",
      "real = index.receive",
      "def receive(event):",
      "    if event.get('event') == 'boom': raise RuntimeError('out of order')",
      "    real(event)",
      "index.receive = receive",
      "print(json.dumps(index.handler(json.load(sys.stdin), None)))",
    ].join("\n");
    const events = [
      { type: "track", event: "ok", userId: "u", messageId: "1" },
      { type: "track", event: "boom", userId: "u", messageId: "2" },
      { type: "track", event: "nobody", messageId: "3" },
    ];
    const output = execFileSync("python3", ["-B", "-c", script], {
      cwd: "examples/functions/python",
      input: JSON.stringify(events),
      encoding: "utf8",
    });
    expect(JSON.parse(output.trim().split("\n").at(-1) ?? "")).toEqual({
      batchItemFailures: [{ itemIdentifier: "2" }],
    });
  });
});

function propertiesOf(resources: Stack["resources"], id: string): Readonly<Record<string, unknown>> {
  return resources[id]?.properties ?? {};
}

function sorted({ Statement: [statement], ...rest }: { Statement: readonly object[] }): object {
  const { Resource = [] } = (statement ?? {}) as { Resource?: string[] };
  return { ...rest, statement: { ...statement, Resource: [...Resource].sort() } };
}
