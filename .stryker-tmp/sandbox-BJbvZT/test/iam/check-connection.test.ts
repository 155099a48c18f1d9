// @ts-nocheck
import { type AddressInfo, createServer } from "node:net";
import { AssumeRoleCommand, STSClient } from "@aws-sdk/client-sts";
import type { CheckOptions } from "../../src/iam/check-connection";
import { grant, permit, trust } from "../local/aws/policies";
import { check, EXTERNAL_ID, failures, pointEnvironmentAt, type Scene, startScene } from "./scene";

const environment = { ...process.env };
let scene: Scene;

beforeEach(async () => {
  scene = await startScene({ regions: ["eu-west-1"] });
});

afterEach(async () => {
  await scene.aws.close();
  process.env = { ...environment };
});

/** Something set up wrongly, and what the check has to say about it. */
interface Misconfiguration {
  readonly what: string;
  /** Spoils the scene; returns other settings and options for the check. */
  readonly spoil: (
    scene: Scene,
  ) =>
    | { settings?: Readonly<Record<string, unknown>>; options?: CheckOptions }
    | Promise<{ settings?: Readonly<Record<string, unknown>>; options?: CheckOptions }>;
  readonly step: string;
  readonly name: string;
  readonly advice: RegExp;
}

const NO_KEYS = { accessKeyId: "", secretAccessKey: "" };
const OTHER_ACCOUNT = "999988887777";

const MISCONFIGURATIONS: readonly Misconfiguration[] = [
  {
    what: "no base identity",
    spoil: () => ({ settings: NO_KEYS }),
    step: "identity",
    name: "NoBaseIdentity",
    advice: /AWS_ACCESS_KEY_ID.*fill in Access Key ID/,
  },
  {
    what: "an access key that was deleted",
    spoil({ aws, router }) {
      aws.removeUser(router.accessKeyId);
      return {};
    },
    step: "identity",
    name: "UnknownAccessKey",
    advice: /Correct Access Key ID and Secret Access Key in the settings/,
  },
  {
    what: "a wrong secret key",
    spoil: () => ({ settings: { secretAccessKey: "not-the-secret/EXAMPLE".replace(/-/g, "+") } }),
    step: "identity",
    name: "WrongSecretKey",
    advice: /does not belong to the access key/,
  },
  {
    what: "an endpoint of another region",
    spoil: () => ({ settings: { lambda: "orders", region: "ap-south-1" } }),
    step: "identity",
    name: "EndpointOfAnotherRegion",
    advice: /is not sts in ap-south-1\. Correct AWS_ENDPOINT_URL .*Region/,
  },
  {
    what: "an expired base session",
    async spoil({ aws, router }) {
      const session = await sessionOf(aws.addRole(routerRole(router.arn)).arn, router);
      aws.expireSessions();
      pointEnvironmentAt(aws.url, session);
      return { settings: NO_KEYS };
    },
    step: "identity",
    name: "ExpiredBaseSession",
    advice: /have expired\. Renew them/,
  },
  {
    what: "a clock that is late",
    spoil({ aws }) {
      aws.clock.advance(20 * 60_000);
      return {};
    },
    step: "identity",
    name: "ClockSkew",
    advice: /clock of this machine.*timedatectl/,
  },
  {
    what: "a clock that is early",
    spoil({ aws }) {
      aws.clock.advance(-20 * 60_000);
      return {};
    },
    step: "identity",
    name: "ClockSkew",
    advice: /clock of this machine/,
  },
  {
    what: "no route to AWS",
    async spoil() {
      pointEnvironmentAt(await refusingUrl());
      return {};
    },
    step: "identity",
    name: "NoRouteToAws",
    advice: /sts\.us-east-1.*firewall.*com\.amazonaws\.us-east-1\.sts/,
  },
  {
    what: "STS throttling",
    spoil({ aws }) {
      aws.misbehave({ service: "sts", action: "AssumeRole", error: { code: "Throttling", status: 400 } });
      return {};
    },
    step: "role",
    name: "Throttled",
    advice: /Wait a minute/,
  },
  {
    what: "Lambda throttling",
    spoil({ aws }) {
      const error = { code: "TooManyRequestsException", status: 429 };
      aws.misbehave({ service: "lambda", function: "orders", times: 2, error });
      return {};
    },
    step: "function",
    name: "Throttled",
    advice: /Wait a minute/,
  },
  {
    what: "AWS out of order",
    spoil({ aws }) {
      aws.misbehave({
        service: "lambda",
        function: "orders",
        times: 2,
        error: { code: "ServiceException", status: 500 },
      });
      return {};
    },
    step: "function",
    name: "UnexpectedError",
    advice: /AWS itself failed/,
  },
  {
    what: "a connection that breaks",
    spoil({ aws }) {
      aws.misbehave({ service: "lambda", function: "orders", times: 2, fault: "drop" });
      return {};
    },
    step: "function",
    name: "NoRouteToAws",
    advice: /lambda\.us-east-1/,
  },
  {
    what: "a region where STS is not activated",
    spoil({ aws }) {
      aws.misbehave({ service: "sts", action: "AssumeRole", error: { code: "RegionDisabledException", status: 403 } });
      return {};
    },
    step: "role",
    name: "RegionDisabled",
    advice: /Activate STS for us-east-1/,
  },
  {
    what: "something in AWS's place that heeds no session policy",
    spoil({ aws }) {
      aws.misbehave({ service: "lambda", error: { code: "ResourceNotFoundException", status: 404 } });
      return {};
    },
    step: "session",
    name: "SessionNotScoped",
    advice: /does not enforce session policies/,
  },
  {
    what: "a trust policy that names somebody else, who is known",
    spoil({ changeRole, aws }) {
      const { arn } = aws.addUser({ name: "somebody-else" });
      changeRole({ trust: trust(arn, EXTERNAL_ID) });
      return { options: { principalArn: arn } };
    },
    step: "role",
    name: "WrongTrustPrincipal",
    advice:
      /If the role trusts .*user\/somebody-else, that is why: the router runs as .*user\/router.*set Principal to/,
  },
  {
    what: "a trust policy that names somebody else, who is not known",
    spoil({ changeRole, aws }) {
      changeRole({ trust: trust(aws.addUser({ name: "somebody-else" }).arn, EXTERNAL_ID) });
      return {};
    },
    step: "role",
    name: "RoleRefused",
    advice: /Is .*role\/invoker deployed\?.*"AWS":"arn:aws:iam::123456789012:user\/router".*--principal/,
  },
  {
    what: "a wrong external ID, the right one being the source's",
    spoil: () => ({ settings: { externalId: "mistyped" }, options: { sourceId: EXTERNAL_ID } }),
    step: "role",
    name: "WrongExternalId",
    advice: /assumed with "source-1", but "mistyped" is sent/,
  },
  {
    what: "a wrong external ID, the right one being among those to try",
    spoil: () => ({ settings: { externalId: "mistyped" }, options: { externalIds: ["no", EXTERNAL_ID] } }),
    step: "role",
    name: "WrongExternalId",
    advice: /Set External ID to "source-1", or add "mistyped" to sts:ExternalId/,
  },
  {
    what: "a wrong external ID, the principal being right: that could be a missing role",
    spoil: ({ router }) => ({ settings: { externalId: "mistyped" }, options: { principalArn: router.arn } }),
    step: "role",
    name: "RoleRefused",
    advice: /Is .*role\/invoker deployed\? .*"mistyped" as sts:ExternalId.*aws iam get-role --role-name invoker /,
  },
  {
    what: "a role that does not exist, the principal that it is to have being known",
    spoil: ({ router, roleArn }) => ({
      settings: { roleAddress: roleArn.replace("role/", "role/not-there/") },
      options: { principalArn: router.arn },
    }),
    step: "role",
    name: "RoleRefused",
    advice: /Is .*role\/not-there\/invoker deployed\?/,
  },
  {
    what: "a base identity that may not assume roles",
    spoil({ aws, router }) {
      const { accessKeyId, secretAccessKey } = aws.addUser({ name: "weak", policy: permit("s3:*", "*") });
      aws.addRole({
        name: "invoker",
        trustPolicy: trust("arn:aws:iam::123456789012:root", EXTERNAL_ID),
        permissionPolicies: [],
      });
      expect(accessKeyId).not.toBe(router.accessKeyId);
      return { settings: { accessKeyId, secretAccessKey } };
    },
    step: "role",
    name: "MayNotAssumeRole",
    advice: /Attach to .*user\/weak: \{"Effect":"Allow","Action":"sts:AssumeRole","Resource":".*role\/invoker"\}/,
  },
  {
    what: "a base identity that is denied to assume roles",
    spoil({ aws }) {
      const { arn, ...keys } = aws.addUser({ name: "denied", policy: permit("sts:AssumeRole", "*", "Deny") });
      return { settings: { ...keys } };
    },
    step: "role",
    name: "ExplicitDeny",
    advice: /An identity-based policy denies sts:AssumeRole to .*user\/denied/,
  },
  {
    what: "a permission policy without lambda:InvokeFunction",
    spoil({ changeRole }) {
      changeRole({ permission: permit("lambda:GetFunction", "*") });
      return {};
    },
    step: "function",
    name: "MissingInvokePermission",
    advice: /"Action":"lambda:InvokeFunction","Resource":\["arn:.*:orders","arn:.*:orders:\*"\]/,
  },
  {
    what: "a permission policy without :* for an alias",
    spoil({ changeRole, functionArn }) {
      changeRole({ permission: permit("lambda:InvokeFunction", functionArn) });
      return { settings: { lambda: `${functionArn}:live` } };
    },
    step: "function",
    name: "MissingQualifierPermission",
    advice: /Add to Resource: "arn:.*:orders:\*"/,
  },
  {
    what: "a permission policy with :* alone, for a function without alias",
    spoil({ changeRole, functionArn }) {
      changeRole({ permission: permit("lambda:InvokeFunction", `${functionArn}:*`) });
      return {};
    },
    step: "function",
    name: "MissingInvokePermission",
    advice: /"Resource":\["arn:.*:orders","arn:.*:orders:\*"\]/,
  },
  {
    what: "an explicit deny in the role's policies",
    spoil({ changeRole }) {
      const statement = (effect: string) => ({ Effect: effect, Action: "lambda:InvokeFunction", Resource: "*" });
      changeRole({ permission: { Version: "2012-10-17", Statement: [statement("Allow"), statement("Deny")] } });
      return {};
    },
    step: "function",
    name: "ExplicitDeny",
    advice: /An identity-based policy denies lambda:InvokeFunction.*take the Deny out/,
  },
  {
    what: "an explicit deny in the function's policy",
    spoil({ aws, roleArn, changeRole }) {
      const arn = "arn:aws:lambda:us-east-1:123456789012:function:closed";
      aws.addFunction({ name: "closed", handler: () => null, resourcePolicy: grant(roleArn, arn, "Deny") });
      changeRole({ permission: permit("lambda:InvokeFunction", arn) });
      return { settings: { lambda: arn } };
    },
    step: "function",
    name: "ExplicitDeny",
    advice: /A resource-based policy denies lambda:InvokeFunction/,
  },
  {
    what: "a function in another region",
    spoil({ aws, changeRole }) {
      const { arn } = aws.addFunction({ name: "far-away", region: "eu-west-1", handler: () => null });
      changeRole({ permission: permit("lambda:InvokeFunction", [arn, `${arn}:*`]) });
      return { settings: { lambda: "far-away", region: "us-east-1" } };
    },
    step: "function",
    name: "FunctionInAnotherRegion",
    advice: /is in eu-west-1, not in us-east-1\. Set Region to eu-west-1/,
  },
  {
    what: "a function in another account without permission",
    spoil({ aws, changeRole }) {
      const { arn } = aws.addFunction({ name: "theirs", account: OTHER_ACCOUNT, handler: () => null });
      changeRole({ permission: permit("lambda:InvokeFunction", [arn, `${arn}:*`]) });
      return { settings: { lambda: arn } };
    },
    step: "function",
    name: "OtherAccountWithoutPermission",
    advice:
      /aws lambda add-permission .*--function-name arn:.*:999988887777:function:theirs .*--principal arn:.*role\/invoker/,
  },
  {
    what: "a function in another account that agrees, while the role lacks the permission",
    spoil({ aws, roleArn }) {
      const arn = `arn:aws:lambda:us-east-1:${OTHER_ACCOUNT}:function:theirs`;
      aws.addFunction({
        name: "theirs",
        account: OTHER_ACCOUNT,
        handler: () => null,
        resourcePolicy: grant(roleArn, arn),
      });
      return { settings: { lambda: arn } };
    },
    step: "function",
    name: "MissingInvokePermission",
    advice:
      /permission policy of .*role\/invoker does not allow .*:theirs\. If the name is right, add:.*otherwise correct it/,
  },
  {
    what: "a deleted function",
    async spoil({ aws }) {
      await aws.removeFunction("orders");
      return {};
    },
    step: "function",
    name: "DeletedFunction",
    advice: /There is no arn:.*:orders\. It was deleted/,
  },
  {
    what: "a deleted alias",
    spoil({ aws, functionArn }) {
      aws.removeAlias("orders", "live");
      return { settings: { lambda: `${functionArn}:live` } };
    },
    step: "function",
    name: "DeletedAlias",
    advice: /its alias "live" is not\. Create it: aws lambda create-alias .*--name live/,
  },
  {
    what: "a deleted version",
    spoil: ({ functionArn }) => ({ settings: { lambda: `${functionArn}:7` } }),
    step: "function",
    name: "DeletedVersion",
    advice: /its version 7 is not/,
  },
  {
    what: "settings that are none",
    spoil: () => ({ settings: { lambda: "", timeoutMs: "soon" } }),
    step: "settings",
    name: "InvalidSettings",
    advice: /Correct what the message names/,
  },
  {
    what: "no external ID at all",
    spoil: () => ({ settings: { externalId: "" } }),
    step: "settings",
    name: "InvalidSettings",
    advice: /--source-id/,
  },
  {
    what: "a function that fails",
    spoil({ aws, changeRole }) {
      const { arn } = aws.addFunction({
        name: "broken",
        handler: () => {
          throw new Error("out of order");
        },
      });
      changeRole({ permission: permit("lambda:InvokeFunction", arn) });
      return { settings: { lambda: "", trackLambda: arn }, options: { send: true } };
    },
    step: "send",
    name: "DeliveryFailed",
    advice: /threw an error for this event/,
  },
];

test.each(MISCONFIGURATIONS)("$what: $name", async ({ spoil, step, name, advice }) => {
  const { settings, options } = await spoil(scene);
  const report = await check(scene, settings, options);
  const [first] = failures(report);
  expect(first).toMatchObject({ step, diagnosis: { name } });
  expect(first?.diagnosis?.advice).toMatch(advice);
});

test("a role that is refused for no known reason is first of all one that may be missing", async () => {
  const report = await check(scene, { externalId: "mistyped" }, { principalArn: scene.router.arn });
  expect(failures(report)[0]?.diagnosis?.label).toBe("Role missing, or wrong external ID");
});

test("a connection that is right passes every step", async () => {
  const seen: string[] = [];
  const report = await check(scene, {}, { onStep: ({ step }) => seen.push(step) });
  expect(failures(report)).toEqual([]);
  expect(report.steps.map(({ step, subject }) => [step, subject])).toEqual([
    ["settings", undefined],
    ["identity", undefined],
    ["role", undefined],
    ["trust", "without external ID"],
    ["trust", "with a wrong external ID"],
    ["session", undefined],
    ["function", scene.functionArn],
  ]);
  expect(seen).toEqual(report.steps.map(({ step }) => step));
  expect(scene.aws.invocations).toEqual([]);
});

test("each function is tested once, with its version or alias", async () => {
  const { functionArn } = scene;
  const report = await check(scene, { trackLambda: `${functionArn}:live`, pageLambda: functionArn });
  const functions = report.steps.filter(({ step }) => step === "function").map(({ subject }) => subject);
  expect(functions).toEqual([`${functionArn}:live`, functionArn]);
  expect(failures(report)).toEqual([]);
});

test.each([
  ["without any condition", (router: string) => trust(router)],
  ["with any external ID", (router: string) => trustLike(router, "*")],
])("a role that can be assumed %s is a hole, named for each way in", async (_what, policy) => {
  scene.changeRole({ trust: policy(scene.router.arn) });
  const report = await check(scene);
  const holes = failures(report);
  expect(holes.length).toBeGreaterThan(0);
  for (const { step, diagnosis } of holes) {
    expect(step).toBe("trust");
    expect(diagnosis?.name).toBe("ConfusedDeputy");
    expect(diagnosis?.advice).toContain('"sts:ExternalId":["source-1"]');
  }
});

test("a session that was granted by a hole is good for nothing", async () => {
  scene.changeRole({ trust: trust(scene.router.arn), permission: permit("lambda:*", "*") });
  await check(scene);
  expect(scene.aws.calls.filter(({ action }) => action === "AssumeRole")).toHaveLength(3);
  expect(scene.aws.invocations).toEqual([]);
});

test("a session is limited to the functions in the settings, whatever the role allows", async () => {
  scene.changeRole({ permission: permit("lambda:InvokeFunction", "*") });
  const report = await check(scene);
  const session = report.steps.find(({ step }) => step === "session");
  expect(session).toMatchObject({ ok: true, found: "limited to the functions in the settings" });
});

test("where there are too many functions for a session policy, the check says so", async () => {
  const eventLambdas = Object.fromEntries(
    Array.from({ length: 30 }, (_, i) => {
      const name = `orders-${i}-${"x".repeat(40)}`;
      scene.aws.addFunction({ name, handler: () => null });
      return [`Event ${i}`, name];
    }),
  );
  scene.changeRole({ permission: permit("lambda:InvokeFunction", "*") });
  const report = await check(scene, { eventLambdas });
  const session = report.steps.find(({ step }) => step === "session");
  expect(failures(report)).toEqual([]);
  expect(session?.found).toMatch(/all functions of the account in us-east-1: there are too many/);
  expect(session?.note).toMatch(/permission policy of .*role\/invoker allows functions that are not in the settings/);
});

test("a function of another account that agrees is right, and mentioned", async () => {
  const arn = `arn:aws:lambda:us-east-1:${OTHER_ACCOUNT}:function:theirs`;
  const resourcePolicy = grant(scene.roleArn, arn);
  scene.aws.addFunction({ name: "theirs", account: OTHER_ACCOUNT, handler: () => null, resourcePolicy });
  scene.changeRole({ permission: permit("lambda:InvokeFunction", arn) });
  const report = await check(scene, { lambda: arn });
  expect(failures(report)).toEqual([]);
  expect(report.steps.at(-1)?.note).toMatch(/another account/);
});

test("with send, each configured call type and event gets a sample through its function", async () => {
  const { aws, changeRole } = scene;
  const { arn } = aws.addFunction({
    name: "talkative",
    source: 'export const handler = async (event) => console.log("got", event.type);',
  });
  changeRole({ permission: permit("lambda:InvokeFunction", [arn, `${arn}:*`]) });
  const report = await check(
    scene,
    { lambda: "", identifyLambda: arn, aliasLambda: arn, eventLambdas: { "Order Completed": arn } },
    { send: true, sourceId: "src" },
  );
  const sent = report.steps.filter(({ step }) => step === "send");
  expect(failures(report)).toEqual([]);
  expect(sent.map(({ subject }) => subject)).toEqual(["identify", "alias", 'track "Order Completed"']);
  for (const { found, result } of sent) {
    expect(found).toMatch(/^delivered to arn:.*:talkative in \d+ of 5000 ms$/);
    expect(result).toMatchObject({ outcome: "delivered", status: 200 });
    expect(result?.logTail).toMatch(/got (identify|alias|track)[\s\S]*REPORT RequestId/);
  }
  expect(aws.invocations.map(({ payload }) => payload)).toMatchObject([
    { type: "identify", traits: { connectionCheck: true }, projectId: "src" },
    { type: "alias", previousId: "connection-check-before" },
    { type: "track", event: "Order Completed" },
  ]);
});

test("without a role, the functions are tested as the base identity", async () => {
  const { functionArn, aws } = scene;
  const { arn, ...keys } = aws.addUser({
    name: "direct",
    policy: permit("lambda:InvokeFunction", [functionArn, `${functionArn}:*`]),
  });
  const report = await check(scene, { ...keys, roleAddress: "" });
  expect(failures(report)).toEqual([]);
  expect(report.steps.map(({ step }) => step)).toEqual(["settings", "identity", "function"]);
  expect(report.steps[1]?.found).toContain(arn);
});

describe("the operator's policy", () => {
  test("ambient credentials are not used where the operator does not allow them", async () => {
    const report = await check(scene, { ...NO_KEYS, roleAddress: "" });
    expect(failures(report)).toMatchObject([{ step: "settings", diagnosis: { name: "InvalidSettings" } }]);
    expect(report.steps[0]?.found).toMatch(/its operator does not allow/);
    expect(scene.aws.calls).toEqual([]);
  });

  test("a pinned external ID is the one that is sent, and the report says whose it is", async () => {
    const operator = { externalIdFrom: "source", allowAmbientCredentials: false } as const;
    const report = await check(scene, { externalId: "typed" }, { operator, sourceId: EXTERNAL_ID });
    expect(failures(report)).toEqual([]);
    expect(report.steps[0]?.found).toMatch(
      /external ID "source-1" \(the source's ID, as the operator demands; the one in the settings does not count\)/,
    );
  });

  test("where it is pinned, no other external ID is tried", async () => {
    const operator = { externalIdFrom: "workspace", allowAmbientCredentials: false } as const;
    const origin = { workspaceId: "workspace-b", sourceId: EXTERNAL_ID, externalIds: [EXTERNAL_ID] };
    const report = await check(scene, { externalId: EXTERNAL_ID }, { operator, ...origin });
    expect(failures(report)).toMatchObject([{ step: "role", diagnosis: { name: "RoleRefused" } }]);
    expect(scene.aws.calls.filter(({ action }) => action === "AssumeRole")).toHaveLength(1);
  });

  test("where it is pinned and the ID is not known, the check asks for it", async () => {
    const operator = { externalIdFrom: "workspace", allowAmbientCredentials: false } as const;
    const report = await check(scene, {}, { operator });
    expect(failures(report)).toMatchObject([{ step: "settings" }]);
    expect(report.steps[0]?.diagnosis?.advice).toMatch(/--workspace-id/);
  });
});

function trustLike(principal: string, pattern: string): object {
  const [statement] = (trust(principal) as { Statement: object[] }).Statement;
  const Condition = { StringLike: { "sts:ExternalId": pattern } };
  return { Version: "2012-10-17", Statement: [{ ...statement, Condition }] };
}

function routerRole(trusted: string) {
  return { name: "router", trustPolicy: trust(trusted), permissionPolicies: [permit("sts:AssumeRole", "*")] };
}

/** Environment variables of a session, as an operator would have them. */
async function sessionOf(roleArn: string, { accessKeyId, secretAccessKey }: Scene["router"]) {
  const client = new STSClient({ region: "us-east-1", credentials: { accessKeyId, secretAccessKey } });
  const { Credentials } = await client.send(new AssumeRoleCommand({ RoleArn: roleArn, RoleSessionName: "router" }));
  client.destroy();
  return {
    AWS_ACCESS_KEY_ID: Credentials?.AccessKeyId ?? "",
    AWS_SECRET_ACCESS_KEY: Credentials?.SecretAccessKey ?? "",
    AWS_SESSION_TOKEN: Credentials?.SessionToken ?? "",
  };
}

/** A place on the loopback where nobody listens any more. */
async function refusingUrl(): Promise<string> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address() as AddressInfo;
  await new Promise((resolve) => server.close(resolve));
  return `http://127.0.0.1:${port}`;
}
