import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createNodeAws } from "../../src/aws/node";
import { createDestinationIn } from "../../src/destination/create-destination";
import { checkConnectionIn } from "../../src/iam/check-connection";
import { type EmbeddedAws, startEmbeddedAws } from "../../src/local/aws/embedded-aws";
import { DEFAULT_OPERATOR_POLICY } from "../../src/settings/operator-policy";
import { pointEnvironmentAt } from "../iam/scene";
import { addRouter } from "../local/aws/router-account";
import { routerOn } from "../router";
import { forgetProxies, startProxy, type Tunnels } from "./proxy";

const environment = { ...process.env };
const PASSWORD = "not-a-real-password";
const ORDER = { type: "track", event: "Order Completed", userId: "u-1", messageId: "m-1" };

let aws: EmbeddedAws;
let proxy: Tunnels;
let settings: Readonly<Record<string, unknown>>;

beforeEach(async () => {
  aws = await startEmbeddedAws();
  proxy = await startProxy();
  forgetProxies();
  pointEnvironmentAt(aws.url);
  const { roleAddress, accessKeyId, secretAccessKey } = addRouter(aws);
  const { arn: lambda } = aws.addFunction({ name: "router-events", handler: () => null });
  settings = { lambda, roleAddress, externalId: "my-source-id", accessKeyId, secretAccessKey };
});

afterEach(async () => {
  proxy.close();
  await aws.close();
  process.env = { ...environment };
});

function deliver() {
  const own = createNodeAws();
  const surroundings = routerOn(own);
  return createDestinationIn(surroundings, settings).deliver(ORDER, { sourceId: "my-source-id" });
}

const check = () => checkConnectionIn({ aws: createNodeAws(), operator: () => DEFAULT_OPERATOR_POLICY }, settings);
const withPassword = () => proxy.url.replace("//", `//router:${PASSWORD}@`);

test.each(["HTTP_PROXY", "http_proxy", "ALL_PROXY"])(
  "STS and Lambda are reached through the proxy in %s, with its password",
  async (variable) => {
    process.env[variable] = withPassword();
    const result = await deliver();

    expect(result).toMatchObject({ outcome: "delivered" });
    const target = new URL(aws.url).host;
    expect(proxy.tunnels).toEqual([target, target]);
    const basic = `Basic ${Buffer.from(`router:${PASSWORD}`).toString("base64")}`;
    expect(proxy.authorizations).toEqual([basic, basic]);
  },
);

test.each(["127.0.0.1", "localhost,127.0.0.1", "*"])("NO_PROXY=%s leaves it out", async (noProxy) => {
  Object.assign(process.env, { HTTP_PROXY: proxy.url, NO_PROXY: noProxy });

  expect(await deliver()).toMatchObject({ outcome: "delivered" });
  expect(proxy.tunnels).toEqual([]);
});

test("no proxy for HTTPS is taken for HTTP", async () => {
  process.env["HTTPS_PROXY"] = proxy.url;

  expect(await deliver()).toMatchObject({ outcome: "delivered" });
  expect(proxy.tunnels).toEqual([]);
});

test.each([407, 403])("a proxy that answers %i is a retry, and is named without its password", async (status) => {
  process.env["HTTP_PROXY"] = withPassword();
  proxy.refusal = status;
  const result = await deliver();

  expect(result).toMatchObject({
    outcome: "retry",
    error: { code: "NetworkError", message: expect.stringContaining(`through the proxy ${proxy.url}`) },
  });
  expect(result.error?.message).toContain(String(status));
  expect(JSON.stringify(result)).not.toContain(PASSWORD);
});

test("a proxy that lets STS through and Lambda not is named by the check", async () => {
  process.env["HTTP_PROXY"] = withPassword();
  const refusing = createNodeAws();
  const invoke: typeof refusing.invoke = (...call) => {
    proxy.refusal = 407;
    return refusing.invoke(...call);
  };
  const surroundings = { aws: { ...refusing, invoke }, operator: () => DEFAULT_OPERATOR_POLICY };
  const { steps } = await checkConnectionIn(surroundings, settings);

  expect(steps.at(-1)).toMatchObject({ step: "function", diagnosis: { name: "ProxyRefused" } });
  expect(steps.at(-1)?.found).toContain("407");
  expect(steps.at(-1)?.diagnosis?.advice).toContain(`through to ${aws.url} through the proxy ${proxy.url}`);
  expect(JSON.stringify(steps)).not.toContain(PASSWORD);
});

test("a proxy that is not there is a retry, and is named", async () => {
  process.env["HTTP_PROXY"] = withPassword();
  proxy.close();
  const result = await deliver();

  expect(result).toMatchObject({
    outcome: "retry",
    attempts: 0,
    error: { code: "NetworkError" },
  });
  expect(result.error?.message).toContain(`through the proxy ${proxy.url}`);
  expect(JSON.stringify(result)).not.toContain(PASSWORD);
});

test("the check names the proxy that it went through", async () => {
  process.env["HTTP_PROXY"] = withPassword();
  const report = await check();

  expect(report.ok).toBe(true);
  expect(report.steps.find(({ step }) => step === "identity")?.found).toContain(`through the proxy ${proxy.url}`);
  expect(JSON.stringify(report)).not.toContain(PASSWORD);
});

test("the check names the proxy that refuses", async () => {
  process.env["HTTP_PROXY"] = withPassword();
  proxy.refusal = 407;
  const { steps } = await check();

  expect(steps.at(-1)).toMatchObject({
    step: "identity",
    found: expect.stringContaining("HTTP status 407"),
    diagnosis: { name: "ProxyRefused", advice: expect.stringContaining(`through the proxy ${proxy.url}`) },
  });
  expect(JSON.stringify(steps)).not.toContain(PASSWORD);
});

test("the check names the address and the proxy where nothing answers", async () => {
  process.env["HTTP_PROXY"] = withPassword();
  proxy.close();
  const { steps } = await check();

  expect(steps.at(-1)).toMatchObject({ step: "identity", diagnosis: { name: "NoRouteToAws" } });
  expect(steps.at(-1)?.diagnosis?.advice).toContain(`Nothing answers at ${aws.url} through the proxy ${proxy.url}`);
  expect(JSON.stringify(steps)).not.toContain(PASSWORD);
});

test("a bundle of authorities that cannot be read is a retry that says so", async () => {
  const folder = mkdtempSync(join(tmpdir(), "authorities-"));
  writeFileSync(join(folder, "bundle.pem"), "");
  process.env["AWS_CA_BUNDLE"] = join(folder, "bundle.pem");
  const readable = await deliver();
  rmSync(folder, { recursive: true });
  const gone = await deliver();

  expect(readable).toMatchObject({ outcome: "delivered" });
  expect(gone).toMatchObject({
    outcome: "retry",
    error: { message: expect.stringContaining("AWS_CA_BUNDLE names a file that cannot be read (ENOENT)") },
  });
});
