import "../errors-of-any-realm";
import { once } from "node:events";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createNodeAws } from "../../src/aws/node";
import { createDestinationIn } from "../../src/destination/create-destination";
import { checkConnectionIn } from "../../src/iam/check-connection";
import { type EmbeddedAws, startEmbeddedAws } from "../../src/local/aws/embedded-aws";
import { DEFAULT_OPERATOR_POLICY } from "../../src/settings/operator-policy";
import { pointEnvironmentAt } from "../iam/scene";
import { permit, trust } from "../local/aws/policies";
import { addRouter } from "../local/aws/router-account";
import { routerOn } from "../router";
import { type Authority, createAuthority, startTls } from "./authority";
import { forgetProxies, startProxy, type Tunnels } from "./proxy";

const environment = { ...process.env };
const ORDER = { type: "track", event: "Order Completed", userId: "u-1", messageId: "m-1" };
/** All of AWS's names that a test uses; a star stands for one label. */
const NAMES = ["amazonaws.com", "us-east-1.amazonaws.com", "us-east-1.api.aws", "us-east-1.vpce.amazonaws.com"];

let folder: string;
let authority: Authority;
let certificate: ReturnType<Authority["issue"]>;
let aws: EmbeddedAws;
let tls: Awaited<ReturnType<typeof startTls>>;
let proxy: Tunnels;
let settings: Readonly<Record<string, unknown>>;

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), "networks-"));
  authority = createAuthority();
  certificate = authority.issue([...NAMES.map((name) => `*.${name}`), "*.lambda.us-east-1.vpce.amazonaws.com"]);
  writeFileSync(file("authority.pem"), authority.certificate);
});

afterAll(() => rmSync(folder, { recursive: true }));

beforeEach(async () => {
  aws = await startEmbeddedAws();
  tls = await startTls(certificate, Number(new URL(aws.url).port));
  proxy = await startProxy(tls.port);
  forgetProxies();
  pointEnvironmentAt("", { HTTPS_PROXY: proxy.url, AWS_CA_BUNDLE: file("authority.pem") });
  const { roleAddress, accessKeyId, secretAccessKey } = addRouter(aws);
  const { arn: lambda } = aws.addFunction({ name: "router-events", handler: () => null });
  settings = { lambda, roleAddress, externalId: "my-source-id", accessKeyId, secretAccessKey };
});

afterEach(async () => {
  proxy.close();
  tls.close();
  await aws.close();
  process.env = { ...environment };
});

function file(name: string, text?: string): string {
  const path = join(folder, name);
  if (text !== undefined) writeFileSync(path, text);
  return path;
}

function deliver() {
  const own = createNodeAws();
  const surroundings = routerOn(own);
  return createDestinationIn(surroundings, settings).deliver(ORDER, { sourceId: "my-source-id" });
}

const check = () => checkConnectionIn({ aws: createNodeAws(), operator: () => DEFAULT_OPERATOR_POLICY }, settings);

test.each<[what: string, variables: () => Readonly<Record<string, string>>, sts: string, lambda: string]>([
  ["nothing set", () => ({}), "sts.us-east-1.amazonaws.com", "lambda.us-east-1.amazonaws.com"],
  [
    "FIPS",
    () => ({ AWS_USE_FIPS_ENDPOINT: "true" }),
    "sts-fips.us-east-1.amazonaws.com",
    "lambda-fips.us-east-1.amazonaws.com",
  ],
  ["dual stack", () => ({ AWS_USE_DUALSTACK_ENDPOINT: "true" }), "sts.us-east-1.api.aws", "lambda.us-east-1.api.aws"],
  [
    "FIPS and dual stack",
    () => ({ AWS_USE_FIPS_ENDPOINT: "true", AWS_USE_DUALSTACK_ENDPOINT: "true" }),
    "sts-fips.us-east-1.api.aws",
    "lambda-fips.us-east-1.api.aws",
  ],
  [
    "FIPS in the shared configuration file",
    () => ({ AWS_CONFIG_FILE: file("fips", "[default]\nuse_fips_endpoint = true\n") }),
    "sts-fips.us-east-1.amazonaws.com",
    "lambda-fips.us-east-1.amazonaws.com",
  ],
  [
    "dual stack in a profile of it",
    () => ({
      AWS_CONFIG_FILE: file("dual", "[profile router]\nuse_dualstack_endpoint = true\n"),
      AWS_PROFILE: "router",
    }),
    "sts.us-east-1.api.aws",
    "lambda.us-east-1.api.aws",
  ],
  [
    "VPC endpoints in it",
    () => ({
      AWS_CONFIG_FILE: file(
        "vpc",
        "[default]\nservices = vpc\n\n[services vpc]\nlambda =\n  endpoint_url = https://vpce-1.lambda.us-east-1.vpce.amazonaws.com\n",
      ),
    }),
    "sts.us-east-1.amazonaws.com",
    "vpce-1.lambda.us-east-1.vpce.amazonaws.com",
  ],
])("with %s, STS and Lambda are reached by TLS, through the proxy", async (_what, variables, sts, lambda) => {
  Object.assign(process.env, variables());

  expect(await deliver()).toMatchObject({ outcome: "delivered", requestId: expect.any(String) });
  expect(proxy.tunnels).toEqual([`${sts}:443`, `${lambda}:443`]);
  expect(aws.invocations).toHaveLength(1);
});

describe("an authority of one's own", () => {
  test("that nobody named is a retry that says so, and the check says what to name", async () => {
    delete process.env["AWS_CA_BUNDLE"];
    const result = await deliver();
    const { steps } = await check();

    expect(result).toMatchObject({
      outcome: "retry",
      attempts: 0,
      error: { code: "NetworkError", awsError: "UNABLE_TO_VERIFY_LEAF_SIGNATURE" },
    });
    expect(steps.at(-1)).toMatchObject({ step: "identity", diagnosis: { name: "UntrustedCertificate" } });
    expect(steps.at(-1)?.diagnosis?.advice).toContain(
      `The certificate that is shown at https://sts.us-east-1.amazonaws.com through the proxy ${proxy.url}`,
    );
  });

  test("is trusted without a proxy, too", async () => {
    delete process.env["HTTPS_PROXY"];
    const own = await startTls(authority.issue(["localhost"]), Number(new URL(aws.url).port));
    process.env["AWS_ENDPOINT_URL"] = `https://localhost:${own.port}`;
    const trusted = await deliver();
    delete process.env["AWS_CA_BUNDLE"];
    const untrusted = await deliver();
    own.close();

    expect(trusted).toMatchObject({ outcome: "delivered" });
    expect(untrusted).toMatchObject({ outcome: "retry", error: { awsError: "UNABLE_TO_VERIFY_LEAF_SIGNATURE" } });
  });

  test("is the proxy's own, where that is reached by TLS", async () => {
    const own = await startTls(authority.issue(["localhost"]), Number(new URL(proxy.url).port));
    process.env["HTTPS_PROXY"] = `https://localhost:${own.port}`;
    const result = await deliver();
    own.close();

    expect(result).toMatchObject({ outcome: "delivered" });
    expect(proxy.tunnels).toHaveLength(2);
  });
});

test("the identity of an ECS or EKS container is asked for directly, the calls with it go through the proxy", async () => {
  const { arn } = aws.addRole({ name: "router", trustPolicy: trust("*"), permissionPolicies: [] });
  const { accessKeyId, secretAccessKey, sessionToken } = aws.startTaggedSession(arn, {});
  const container = createServer((_request, response) => {
    response.end(
      JSON.stringify({
        AccessKeyId: accessKeyId,
        SecretAccessKey: secretAccessKey,
        Token: sessionToken,
        Expiration: "2099-01-01T00:00:00Z",
      }),
    );
  });
  await once(container.listen(0, "127.0.0.1"), "listening");
  Object.assign(process.env, {
    HTTP_PROXY: proxy.url,
    AWS_CONTAINER_CREDENTIALS_FULL_URI: `http://127.0.0.1:${(container.address() as AddressInfo).port}/role`,
  });
  settings = {
    ...settings,
    accessKeyId: "",
    secretAccessKey: "",
    roleAddress: aws.addRole({
      name: "router-events-invoker",
      trustPolicy: trust(arn, "my-source-id"),
      permissionPolicies: [permit("lambda:InvokeFunction", "*")],
    }).arn,
  };
  const result = await deliver();
  container.closeAllConnections();
  container.close();

  expect(result).toMatchObject({ outcome: "delivered" });
  expect(proxy.tunnels).toEqual(["sts.us-east-1.amazonaws.com:443", "lambda.us-east-1.amazonaws.com:443"]);
  expect(proxy.others).toEqual([]);
});

test("STS is asked through the proxy for the session of a service account, too", async () => {
  Object.assign(process.env, {
    AWS_WEB_IDENTITY_TOKEN_FILE: file("token", "not-a-real-token"),
    AWS_ROLE_ARN: "arn:aws:iam::123456789012:role/router",
  });
  settings = { ...settings, accessKeyId: "", secretAccessKey: "" };
  await deliver();

  expect(proxy.tunnels).toEqual(["sts.us-east-1.amazonaws.com:443"]);
  expect(aws.calls).toEqual([expect.objectContaining({ action: "AssumeRoleWithWebIdentity" })]);
});
