import { execFileSync } from "node:child_process";
import { sessionPolicies } from "../../src/aws/session-policy";
import { cloudFormationTemplate } from "../../src/iam/cloudformation";
import type { InvokerRole } from "../../src/iam/invoker-role";
import { permissionPolicy, trustPolicy } from "../../src/iam/policies";
import { terraformModule } from "../../src/iam/terraform";
import { parseFunctionReference } from "../../src/names/function-reference";
import { type Moto, python, startMoto } from "./python";

const ORDERS = "arn:aws:lambda:us-east-1:123456789012:function:orders";
const ROLE: InvokerRole = {
  principalArn: "arn:aws:iam::123456789012:role/router",
  externalIds: ["my-source-id", "my-other-source-id"],
  functionArns: [ORDERS, "arn:aws:lambda:us-east-1:123456789012:function:pages"],
  arn: "arn:aws:iam::123456789012:role/routers/router-events-invoker",
};
const COMMON = {
  externalId: "my-source-id",
  sessionPolicy: JSON.parse(
    sessionPolicies([parseFunctionReference(`${ORDERS}:live`)], {
      partition: "aws",
      region: "us-east-1",
      account: "123456789012",
    })[0].json,
  ),
};

interface Made {
  readonly arn: string;
  readonly trustPolicy: unknown;
  readonly policies: Readonly<Record<string, { readonly Statement: unknown }>>;
  readonly outputs: Readonly<Record<string, string>>;
  readonly session: string;
}

/** moto takes a list's default for one text. */
const LISTS = { ExternalIds: ROLE.externalIds.join(","), LambdaArns: ROLE.functionArns.join(",") };

let moto: Moto;

beforeAll(async () => {
  moto = await startMoto();
}, 60_000);

beforeEach(() => moto.reset());

afterAll(() => moto.stop());

const make = (asked: object) => python<Made>("roles.py", { ...COMMON, ...asked }, moto.env);

test("IAM takes both policies as they are printed for the console, and the role is assumed with the session policy", async () => {
  const made = await make({
    roleName: "router-events-invoker",
    path: "/routers/",
    trustPolicy: trustPolicy(ROLE),
    permissionPolicy: permissionPolicy(ROLE),
  });

  expect(made).toMatchObject({
    arn: ROLE.arn,
    trustPolicy: trustPolicy(ROLE),
    policies: { InvokeFunctions: permissionPolicy(ROLE) },
    session: "arn:aws:sts::123456789012:assumed-role/router-events-invoker/router-events",
  });
});

test("IAM takes the policy of 57 functions, too", async () => {
  const many = { ...ROLE, functionArns: Array.from({ length: 57 }, (_, i) => `${ORDERS}-${i}-whose-name-is-long`) };
  const made = await make({
    roleName: "router-events-invoker",
    path: "/routers/",
    trustPolicy: trustPolicy(many),
    permissionPolicy: permissionPolicy(many),
  });

  expect(made.policies["InvokeFunctions"]?.Statement).toMatchObject([{ Resource: { length: 114 } }]);
});

test("a policy that IAM would not take is refused: the referee looks", async () => {
  const spoilt = { Version: "2012-10-17", Statement: [{ Effect: "Allow", Resource: "*" }] };
  const asked = { roleName: "spoilt", trustPolicy: trustPolicy(ROLE), permissionPolicy: spoilt };

  await expect(make(asked)).rejects.toThrow(/MalformedPolicyDocument/);
});

test("CloudFormation makes the same role of the template that is filled in", async () => {
  const made = await make({ template: cloudFormationTemplate(ROLE), parameters: LISTS });

  expect(made).toMatchObject({ arn: ROLE.arn, trustPolicy: trustPolicy(ROLE), outputs: { RoleArn: ROLE.arn } });
  expect(sorted(made.policies["InvokeFunctions"])).toEqual(sorted(permissionPolicy(ROLE)));
});

test("CloudFormation makes it of the template that ships, with parameters", async () => {
  const made = await make({
    template: cloudFormationTemplate(),
    parameters: { ...LISTS, RouterPrincipalArn: ROLE.principalArn, RoleName: "router-events-invoker" },
  });

  expect(made.trustPolicy).toEqual(trustPolicy(ROLE));
  expect(sorted(made.policies["InvokeFunctions"])).toEqual(sorted(permissionPolicy(ROLE)));
});

test.each([
  ["left open", terraformModule()],
  ["filled in", terraformModule(ROLE)],
  [
    "with one function and source",
    terraformModule({ principalArn: ROLE.principalArn, externalIds: ["my-source-id"], functionArns: [ORDERS] }),
  ],
  [
    "with 57 functions",
    terraformModule({ ...ROLE, functionArns: Array.from({ length: 57 }, (_, i) => `${ORDERS}-${i}`) }),
  ],
])("Terraform would not format the module otherwise, %s", (_what, input) => {
  expect(execFileSync("terraform", ["fmt", "-"], { input, encoding: "utf8", stdio: "pipe" })).toBe(input);
});

/** A template's list has an order of its own. */
function sorted(policy: unknown): unknown {
  const { Statement } = policy as { Statement: { Resource: string[] } | [{ Resource: string[] }] };
  const [statement] = Array.isArray(Statement) ? Statement : [Statement];
  return { ...statement, Resource: [...(statement?.Resource ?? [])].sort() };
}
