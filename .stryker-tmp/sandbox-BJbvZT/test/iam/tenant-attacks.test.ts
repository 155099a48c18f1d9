// @ts-nocheck
import type { FullContext } from "@jitsu/protocols/functions";
import { jitsuFunction } from "../../src/hosts/jitsu/destination-function";
import type { RouterResponse } from "../../src/hosts/rudderstack/contract";
import { createNetworkHandler } from "../../src/hosts/rudderstack/delivery";
import { Destinations } from "../../src/hosts/rudderstack/destinations";
import { createTransformation } from "../../src/hosts/rudderstack/transformation";
import { checkConnection, createDestination, type DestinationOptions, type Settings } from "../../src/index";
import { type EmbeddedAws, startEmbeddedAws } from "../../src/local/aws/embedded-aws";
import { DEFAULT_OPERATOR_POLICY } from "../../src/settings/operator-policy";
import { permit, trust } from "../local/aws/policies";
import { pointEnvironmentAt } from "./scene";

type JsonObject = Record<string, unknown>;

/** A user of the shared host, with what the host knows about their events. */
interface Tenant {
  readonly account: string;
  readonly sourceId: string;
  readonly workspaceId: string;
  readonly settings: JsonObject & {
    readonly lambda: string;
    readonly roleAddress: string;
    readonly externalId: string;
  };
  readonly keys: { readonly accessKeyId: string; readonly secretAccessKey: string };
}

const PINNED = ["source", "workspace"] as const;
const OPERATORS_OWN = "operators-own";
const environment = { ...process.env };

let aws: EmbeddedAws;
let operator: { readonly arn: string };
let a: Tenant;
let b: Tenant;

beforeAll(async () => {
  aws = await startEmbeddedAws({ account: "000000000000" });
  const { arn, accessKeyId, secretAccessKey } = aws.addUser({ name: "router" });
  operator = { arn };
  pointEnvironmentAt(aws.url, { AWS_ACCESS_KEY_ID: accessKeyId, AWS_SECRET_ACCESS_KEY: secretAccessKey });
  aws.addFunction({ name: OPERATORS_OWN, handler: () => null });
  a = tenant("a", "111111111111");
  b = tenant("b", "222222222222");
});

afterAll(async () => {
  await aws.close();
  process.env = { ...environment };
});

/** An account with a function, a role as the template makes it, and a user with keys. */
function tenant(name: string, account: string): Tenant {
  const ids = { sourceId: `source-${name}`, workspaceId: `workspace-${name}` };
  const { arn: lambda } = aws.addFunction({ name: `function-of-${name}`, account, handler: () => null });
  const { arn: roleAddress } = aws.addRole({
    name: `role-of-${name}`,
    account,
    trustPolicy: trust(operator.arn, Object.values(ids)),
    permissionPolicies: [permit("lambda:InvokeFunction", [lambda, `${lambda}:*`])],
  });
  const { arn: _, ...keys } = aws.addUser({ name: `user-of-${name}`, account });
  return { account, ...ids, keys, settings: { lambda, roleAddress, externalId: ids.sourceId } };
}

/** What tenant B can type into the form, knowing all of A's settings but no secret. */
const ATTACKS: Readonly<Record<string, () => JsonObject>> = {
  "all of A's settings": () => ({ ...a.settings }),
  "A's settings with A's workspace as external ID": () => ({ ...a.settings, externalId: a.workspaceId }),
  "A's settings without external ID": () => ({ lambda: a.settings.lambda, roleAddress: a.settings.roleAddress }),
  "A's settings with B's external ID": () => ({ ...a.settings, externalId: b.sourceId }),
  "A's settings with B's keys": () => ({ ...a.settings, ...b.keys }),
  "A's settings with A's access key ID and B's secret": () => ({
    ...a.settings,
    ...b.keys,
    accessKeyId: a.keys.accessKeyId,
  }),
  "A's function with B's role": () => ({ ...b.settings, lambda: a.settings.lambda }),
  "A's function beside B's own": () => ({ ...b.settings, eventLambdas: { "Order Completed": a.settings.lambda } }),
  "A's function with B's keys and no role": () => ({ lambda: a.settings.lambda, ...b.keys }),
  "A's function without role and keys": () => ({ lambda: a.settings.lambda }),
  "the operator's own function without role and keys": () => ({ lambda: OPERATORS_OWN, region: "us-east-1" }),
  "an external ID that is a list": () => ({ ...a.settings, externalId: [a.sourceId, a.workspaceId] }),
  "A's settings under the names of RudderStack's native destination": () => ({
    lambda: a.settings.lambda,
    region: "us-east-1",
    roleBasedAuth: true,
    iamRoleARN: a.settings.roleAddress,
    externalId: a.sourceId,
  }),
  "settings that reach for the prototype": () =>
    JSON.parse(JSON.stringify({ ...a.settings, PROTO: { externalId: a.sourceId } }).replace("PROTO", "__proto__")),
};

/** An event that claims to be A's wherever it can. */
function event(): JsonObject {
  return {
    type: "track",
    event: "Order Completed",
    userId: "u",
    messageId: "m",
    projectId: a.sourceId,
    sourceId: a.sourceId,
    workspaceId: a.workspaceId,
    externalId: a.sourceId,
    context: { sourceId: a.sourceId, workspaceId: a.workspaceId, source: { id: a.sourceId } },
  };
}

type Face = (settings: JsonObject, tenant: Tenant) => Promise<unknown>;

const hostContext = ({ sourceId, workspaceId }: Tenant) => ({ sourceId, workspaceId });

/** Every way from a form and an event to AWS. */
const FACES: Readonly<Record<string, Face>> = {
  "deliver()": (settings, who) => createDestination(settings).deliver(event(), hostContext(who)),
  "deliverBatch()": (settings, who) =>
    createDestination({ ...settings, maxBatchSize: 10 }).deliverBatch([event(), event()], hostContext(who)),
  "prepare() and send()": async (settings, who) => {
    const destination = createDestination(settings);
    const prepared = destination.prepare(event(), hostContext(who));
    return "json" in prepared ? destination.send([prepared]) : prepared;
  },
  "Jitsu's destination function": async (settings, { sourceId, workspaceId }) => {
    const deliver = jitsuFunction((given) => createDestination(given));
    const silent = { info() {}, warn() {}, debug() {}, error() {} };
    const ctx = {
      props: settings as Settings,
      source: { id: sourceId },
      workspace: { id: workspaceId },
      log: silent,
    } as unknown as FullContext<Settings>;
    try {
      return await deliver(event() as never, ctx);
    } catch (error) {
      return (error as Error).message;
    }
  },
  "RudderStack's transformation and delivery": (settings, who) => throughRudderStack(settings, who),
  "RudderStack's delivery of what was transformed where nothing is pinned": (settings, who) =>
    throughRudderStack(settings, who, { operator: DEFAULT_OPERATOR_POLICY }),
  "the connection check": (settings, who) =>
    checkConnection(settings, {
      ...hostContext(who),
      send: true,
      externalIds: [a.sourceId, a.workspaceId],
      principalArn: operator.arn,
    }),
};

async function throughRudderStack(
  settings: JsonObject,
  { sourceId, workspaceId }: Tenant,
  whereTransformed?: DestinationOptions,
): Promise<unknown> {
  const metadata = { jobId: 1, sourceId, workspaceId };
  const inputs = [{ message: event(), metadata, destination: { ID: "d", Config: settings } }];
  const transformation = createTransformation(new Destinations((given) => createDestination(given, whereTransformed)));
  const overTheServer: RouterResponse[] = JSON.parse(JSON.stringify(transformation.processRouterDest(inputs)));
  const delivery = createNetworkHandler(new Destinations((given) => createDestination(given)));
  return Promise.all(
    overTheServer.map(({ batchedRequest, metadata: jobs }) =>
      delivery.proxy({ ...batchedRequest, metadata: jobs, destinationConfig: settings }),
    ),
  );
}

function functionsReached(): string[] {
  return [...new Set(aws.invocations.map(({ function: name }) => name))];
}

describe.each(PINNED)("where the operator pins the external ID to the %s", (origin) => {
  beforeEach(() => {
    process.env["AMAZON_LAMBDA_EXTERNAL_ID"] = origin;
    aws.clearRecords();
  });

  describe.each(Object.entries(FACES))("through %s", (_face, send) => {
    test("tenant A's own events reach A's function, and B's reach B's", async () => {
      await send(a.settings, a);
      await send(b.settings, b);
      expect(functionsReached()).toEqual(["function-of-a", "function-of-b"]);
    });

    test.each(Object.entries(ATTACKS))("tenant B reaches no function of others with %s", async (_attack, settings) => {
      // A's sessions are in the cache that all tenants of a process share.
      await send(a.settings, a);
      aws.clearRecords();
      await send(settings(), b);
      expect(functionsReached().filter((name) => name !== "function-of-b")).toEqual([]);
    });
  });

  test("jobs in one request to RudderStack's delivery are sent as whom each of them is from, whatever it says", async () => {
    const destinationConfig = { ...a.settings, maxBatchSize: 10 };
    const unpinned = createDestination(destinationConfig, { operator: DEFAULT_OPERATOR_POLICY });
    const deliveries = Array.from({ length: 4 }, () => unpinned.prepare(event(), hostContext(a)));
    const metadata = [hostContext(a), hostContext(b), {}, hostContext(a)];
    const delivery = createNetworkHandler(new Destinations((given) => createDestination(given)));

    const results = await delivery.proxy({ body: { JSON: { deliveries } }, metadata, destinationConfig });

    expect(results.map(({ statusCode, result }) => [statusCode, result.error?.code])).toEqual([
      [200, undefined],
      [500, "AccessDenied"],
      [500, "InvalidSettings"],
      [200, undefined],
    ]);
    expect(aws.invocations.map(({ payload }) => payload)).toEqual([[expect.anything(), expect.anything()]]);
  });
});

test("where users choose the external ID, the same attack succeeds: a shared host has to pin it", async () => {
  process.env["AMAZON_LAMBDA_EXTERNAL_ID"] = "settings";
  aws.clearRecords();
  await createDestination(a.settings).deliver(event(), hostContext(b));
  expect(functionsReached()).toEqual(["function-of-a"]);
});

test("a connection check of B learns nothing about A's role but that it is refused", async () => {
  process.env["AMAZON_LAMBDA_EXTERNAL_ID"] = "source";
  const { steps } = await checkConnection(a.settings, {
    ...hostContext(b),
    externalIds: [a.sourceId],
    principalArn: operator.arn,
  });
  expect(steps.filter(({ ok }) => !ok).map(({ diagnosis }) => diagnosis?.name)).toEqual(["RoleRefused"]);
  expect(steps.at(-1)?.diagnosis?.advice).not.toContain(a.sourceId);
});

test("a policy of the operator that is mistyped stops everything", async () => {
  process.env["AMAZON_LAMBDA_EXTERNAL_ID"] = "sources";
  aws.clearRecords();
  const result = await createDestination(a.settings).deliver(event(), hostContext(a));
  expect(result).toMatchObject({ outcome: "retry", error: { code: "InvalidSettings" } });
  const { ok, steps } = await checkConnection(a.settings, hostContext(a));
  expect({ ok, steps: steps.map(({ step }) => step) }).toEqual({ ok: false, steps: ["settings"] });
  expect(aws.calls).toEqual([]);
});
