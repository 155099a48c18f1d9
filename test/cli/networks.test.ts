import { once } from "node:events";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type EmbeddedAws, startEmbeddedAws } from "../../src/local/aws/embedded-aws";
import { createAuthority, startTls } from "../aws/authority";
import { startProxy, type Tunnels } from "../aws/proxy";
import { permit, trust } from "../local/aws/policies";
import { runCli } from "./run-cli";

const AWS_HOSTS = ["sts.us-east-1.amazonaws.com", "lambda.us-east-1.amazonaws.com"];
const PRINCIPAL = "arn:aws:iam::123456789012:role/router";
const NO_FILES = { AWS_CONFIG_FILE: "/nonexistent/config", AWS_SHARED_CREDENTIALS_FILE: "/nonexistent/credentials" };

let folder: string;
let aws: EmbeddedAws;
let tls: Awaited<ReturnType<typeof startTls>>;
let proxy: Tunnels;
let settings: string;
let session: { readonly accessKeyId: string; readonly secretAccessKey: string; readonly sessionToken: string };

beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), "networks-"));
  const authority = createAuthority();
  writeFileSync(join(folder, "authority.pem"), authority.certificate);
  aws = await startEmbeddedAws();
  tls = await startTls(authority.issue(AWS_HOSTS), Number(new URL(aws.url).port));
  proxy = await startProxy(tls.port);
  aws.addRole({ name: "router", trustPolicy: trust("*"), permissionPolicies: [] });
  session = aws.startTaggedSession(PRINCIPAL, {});
  const { arn: roleAddress } = aws.addRole({
    name: "router-events-invoker",
    trustPolicy: trust(PRINCIPAL, "my-source-id"),
    permissionPolicies: [permit("lambda:InvokeFunction", "*")],
  });
  const { arn: lambda } = aws.addFunction({ name: "router-events", handler: () => null });
  settings = join(folder, "settings.json");
  writeFileSync(settings, JSON.stringify({ lambda, roleAddress, externalId: "my-source-id" }));
});

afterEach(async () => {
  proxy.close();
  tls.close();
  await aws.close();
  rmSync(folder, { recursive: true });
});

/** The EC2 metadata service of an instance that has the router's role. */
async function startMetadata(asked: string[]): Promise<Server> {
  const answers: Readonly<Record<string, string>> = {
    "PUT /latest/api/token": "token",
    "GET /latest/meta-data/iam/security-credentials/": "router",
    "GET /latest/meta-data/iam/security-credentials/router": JSON.stringify({
      AccessKeyId: session.accessKeyId,
      SecretAccessKey: session.secretAccessKey,
      Token: session.sessionToken,
      Expiration: "2099-01-01T00:00:00Z",
    }),
  };
  const server = createServer(({ method, url }, response) => {
    asked.push(`${method} ${url}`);
    response.end(answers[`${method} ${url}`]);
  });
  await once(server.listen(0, "127.0.0.1"), "listening");
  return server;
}

test("a router behind a proxy, whose authority is in NODE_EXTRA_CA_CERTS, delivers by TLS and ends", async () => {
  const env = {
    ...NO_FILES,
    HTTPS_PROXY: proxy.url,
    NODE_EXTRA_CA_CERTS: join(folder, "authority.pem"),
    AWS_ACCESS_KEY_ID: session.accessKeyId,
    AWS_SECRET_ACCESS_KEY: session.secretAccessKey,
    AWS_SESSION_TOKEN: session.sessionToken,
  };
  const { code, out, err } = await runCli(["send", "--settings", settings], {
    env,
    input: '{"type":"track","event":"Order Completed","userId":"u-1","messageId":"m-1"}\n',
  });

  expect({ code, err }).toEqual({ code: 0, err: expect.not.stringMatching(/warning/i) });
  expect(JSON.parse(out.split("\n")[0] ?? "")).toMatchObject({ outcome: "delivered" });
  expect(proxy.tunnels).toEqual(AWS_HOSTS.map((host) => `${host}:443`));
});

test.each([
  ["nothing", {}],
  ["other hosts", { NO_PROXY: "example.com" }],
])(
  "EC2's metadata service is never asked through a proxy, even where Node.js itself uses one for all but %s",
  async (_what, noProxy) => {
    const asked: string[] = [];
    const metadata = await startMetadata(asked);
    const env = {
      ...NO_FILES,
      ...noProxy,
      NODE_USE_ENV_PROXY: "1",
      HTTP_PROXY: proxy.url,
      HTTPS_PROXY: proxy.url,
      AWS_CA_BUNDLE: join(folder, "authority.pem"),
      AWS_EC2_METADATA_SERVICE_ENDPOINT: `http://127.0.0.1:${(metadata.address() as AddressInfo).port}`,
    };
    const { code, out } = await runCli(["check", "--settings", settings, "--principal", PRINCIPAL], { env });
    metadata.closeAllConnections();
    metadata.close();

    expect({ code, out }).toEqual({ code: 0, out: expect.stringContaining(`through the proxy ${proxy.url}`) });
    expect(asked).toContain("GET /latest/meta-data/iam/security-credentials/router");
    expect(proxy.others).toEqual([]);
    expect(new Set(proxy.tunnels)).toEqual(new Set(AWS_HOSTS.map((host) => `${host}:443`)));
  },
);
