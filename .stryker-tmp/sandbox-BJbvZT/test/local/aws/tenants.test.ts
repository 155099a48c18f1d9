// @ts-nocheck
import { InvokeCommand, LambdaClient } from "@aws-sdk/client-lambda";
import { type EmbeddedAws, startEmbeddedAws } from "../../../src/local/aws/embedded-aws";

let aws: EmbeddedAws;
let client: LambdaClient;

beforeEach(async () => {
  aws = await startEmbeddedAws();
  const credentials = aws.addUser({ name: "router" });
  client = new LambdaClient({ endpoint: aws.url, region: aws.region, credentials, maxAttempts: 1 });
});

afterEach(async () => {
  client.destroy();
  await aws.close();
});

async function invoke(FunctionName: string, TenantId?: string) {
  const { Payload } = await client.send(new InvokeCommand({ FunctionName, TenantId, Payload: "{}" }));
  return JSON.parse(Payload?.transformToString() ?? "null");
}

test("no tenant sees what another one left behind, and each is told who it runs for", async () => {
  const source = `let seen = 0; export const handler = (_event, context) => Promise.resolve([context.tenantId, ++seen]);`;
  aws.addFunction({ name: "isolated", tenantIsolation: true, source });

  expect(await invoke("isolated", "acme")).toEqual(["acme", 1]);
  expect(await invoke("isolated", "acme")).toEqual(["acme", 2]);
  expect(await invoke("isolated", "umbrella corp")).toEqual(["umbrella corp", 1]);
  expect(aws.invocations.map(({ tenantId }) => tenantId)).toEqual(["acme", "acme", "umbrella corp"]);
});

test("tenants beyond what is kept warm are served by environments of their own", async () => {
  aws.addFunction({ name: "isolated", tenantIsolation: true, handler: (_event, { tenantId }) => tenantId });
  for (let i = 0; i < 40; i++) expect(await invoke("isolated", `t${i}`)).toBe(`t${i}`);
});

test.each([
  ["a function in tenant isolation mode without a tenant", "isolated", undefined, "InvalidParameterValueException"],
  ["a tenant for a function without the mode", "plain", "acme", "InvalidParameterValueException"],
  ["a tenant ID that is none", "isolated", "acme#1", "ValidationException"],
])("%s is refused", async (_what, name, tenant, error) => {
  aws.addFunction({ name: "isolated", tenantIsolation: true, handler: () => 1 });
  aws.addFunction({ name: "plain", handler: () => 1 });

  await expect(invoke(name, tenant)).rejects.toMatchObject({ name: error });
  expect(aws.invocations).toEqual([]);
});
