import "../errors-of-any-realm";
import { once } from "node:events";
import { createServer, type IncomingMessage } from "node:http";
import type { AddressInfo, Socket } from "node:net";
import { text } from "node:stream/consumers";
import type { AssumeRoleRequest, InvokeRequest } from "../../src/aws/aws";
import { AwsError } from "../../src/aws/aws-error";
import { Deadline } from "../../src/aws/deadline";
import { createNodeAws } from "../../src/aws/node";
import { nodeClock } from "../../src/aws/node-clock";
import { createDestinationIn } from "../../src/destination/create-destination";
import { DEFAULT_OPERATOR_POLICY } from "../../src/settings/operator-policy";
import { assessedResult } from "../assess";
import { routerOn } from "../router";
import { stsSession } from "./failure-table";
import { settled } from "./fake-aws";
import { environment, type Loopback, loopback, refusedPort } from "./loopback";

const base = { accessKeyId: "AKIDEXAMPLE00000000", secretAccessKey: "not/a/real+secret/only+for+this+test00000" };
const invocation: InvokeRequest = {
  target: {
    function: { configured: "events", name: "events" },
    region: "us-east-1",
    invocationType: "RequestResponse",
    logType: "None",
  },
  payload: "{}",
  credentials: base,
};

const within = (ms = 5000) => new Deadline(nodeClock, ms);
const assumption: AssumeRoleRequest = {
  roleArn: "arn:aws:iam::123456789012:role/router",
  externalId: "source-1",
  sessionName: "router-source-1",
  policy: "{}",
  region: "us-east-1",
  base,
};

/** Nobody's identity: no variables, no files, no metadata service. */
const NOBODY = {
  AWS_ACCESS_KEY_ID: undefined,
  AWS_SECRET_ACCESS_KEY: undefined,
  AWS_SESSION_TOKEN: undefined,
  AWS_PROFILE: undefined,
  AWS_CONTAINER_CREDENTIALS_RELATIVE_URI: undefined,
  AWS_CONTAINER_CREDENTIALS_FULL_URI: undefined,
  AWS_WEB_IDENTITY_TOKEN_FILE: undefined,
  AWS_EC2_METADATA_DISABLED: "true",
  AWS_SHARED_CREDENTIALS_FILE: "/nonexistent/credentials",
  AWS_CONFIG_FILE: "/nonexistent/config",
};

let server: Loopback | undefined;
let restore = environment({});

async function answer(onRequest: Parameters<typeof loopback>[0]): Promise<void> {
  server = await loopback(onRequest);
  restore = environment({ ...NOBODY, AWS_ENDPOINT_URL: server.url });
}

afterEach(async () => {
  restore();
  await server?.close();
  server = undefined;
});

const SERVICES = ["lambda", "sts"] as const;

/** How the call to the service failed. */
async function failureOf(service: (typeof SERVICES)[number], timeoutMs = 5000): Promise<AwsError["details"]> {
  const aws = createNodeAws();
  const call =
    service === "lambda" ? aws.invoke(invocation, within(timeoutMs)) : aws.assumeRole(assumption, within(timeoutMs));
  const error = await call.then(
    () => undefined,
    (thrown: unknown) => thrown,
  );
  expect(error).toBeInstanceOf(AwsError);
  return (error as AwsError).details;
}

const write = (bytes: string, then: (socket: Socket) => void) => (socket: Socket) => {
  socket.write(bytes, () => then(socket));
};
const destroy = (socket: Socket) => socket.destroy();
const HALF = "HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n<AssumeRoleResponse><SecretAccessKey>half-a-sec";
const CHUNK = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n";

describe.each(SERVICES)("%s over a network that fails", (service) => {
  test.each<[what: string, onRequest: (socket: Socket) => void, code: string]>([
    ["a reset connection", (socket) => socket.resetAndDestroy(), "ECONNRESET"],
    ["a connection that is closed without an answer", destroy, "ECONNRESET"],
    ["half a header", write("HTTP/1.1 200 OK\r\nContent-Le", destroy), "ECONNRESET"],
    ["an answer that breaks off", write(HALF, destroy), "ECONNRESET"],
    ["a chunked answer that breaks off", write(CHUNK, destroy), "ECONNRESET"],
    ["what is no HTTP", write("220 mail.example.com ESMTP\r\n", destroy), "HPE_INVALID_CONSTANT"],
  ])("%s", async (_what, onRequest, code) => {
    await answer(onRequest);
    const details = await failureOf(service);
    expect(details).toMatchObject({ service, kind: "network", code });
    expect(details.message).not.toContain("half-a-sec");
  });

  test("a port on which nobody listens", async () => {
    restore = environment({ ...NOBODY, AWS_ENDPOINT_URL: `http://127.0.0.1:${await refusedPort()}` });
    expect(await failureOf(service)).toMatchObject({ service, kind: "network", code: "ECONNREFUSED" });
  });

  test("an endpoint that is no URL", async () => {
    restore = environment({ ...NOBODY, AWS_ENDPOINT_URL: "not a URL" });
    expect(await failureOf(service)).toMatchObject({ service, kind: "network" });
  });

  test("an endpoint of another scheme", async () => {
    restore = environment({ ...NOBODY, AWS_ENDPOINT_URL: `ftp://127.0.0.1:${await refusedPort()}` });
    expect(await failureOf(service)).toMatchObject({ service, kind: "network" });
  });

  test.each<[what: string, onRequest: (socket: Socket) => void]>([
    ["no answer", () => {}],
    ["an answer that stops in the middle", write(HALF, () => {})],
  ])("%s is given up in time, and its connection closed", async (_what, onRequest) => {
    await answer(onRequest);
    expect(await failureOf(service, 50)).toMatchObject({
      service,
      kind: "timeout",
      message: expect.stringMatching("50 ms"),
    });
    // What the client opens in its place is no matter.
    const [used] = server?.sockets ?? [];
    if (used && !used.destroyed) await once(used, "close");
    expect(used?.destroyed).not.toBe(false);
  });

  test("an error whose parts have other types than promised", async () => {
    const body = '{"Message":{"deep":1},"message":7}';
    await answer(
      write(
        `HTTP/1.1 403 No\r\nx-amzn-errortype: AccessDeniedException\r\nContent-Length: ${body.length}\r\n\r\n${body}`,
        destroy,
      ),
    );
    expect(await failureOf(service)).toMatchObject({ service, kind: "service", status: 403 });
  });
});

test("an answer of STS that cannot be read is no session, and is not quoted", async () => {
  await answer(write("HTTP/1.1 200 OK\r\nContent-Length: 20\r\n\r\nhalf-a-secret<Answer", destroy));
  expect(await failureOf("sts")).toEqual({
    service: "sts",
    kind: "network",
    code: "UnreadableAnswer",
    message: "The answer broke off or cannot be read.",
  });
});

test("an answer of STS without credentials is no session", async () => {
  await answer(write("HTTP/1.1 200 OK\r\nContent-Length: 39\r\n\r\n<AssumeRoleResponse/><!--  nothing  -->", destroy));
  expect(await failureOf("sts")).toMatchObject({ service: "sts" });
});

test("without any identity, nothing is sent and the error says so", async () => {
  await answer(() => {
    throw new Error("Nothing should arrive here.");
  });
  const aws = createNodeAws();
  const { credentials: _, ...ambientInvocation } = invocation;
  const { base: __, ...ambientAssumption } = assumption;
  for (const call of [aws.invoke(ambientInvocation, within()), aws.assumeRole(ambientAssumption, within())]) {
    await expect(call).rejects.toMatchObject({ details: { kind: "identity", code: "NoIdentity" } });
  }
  expect(server?.connections()).toBe(0);
});

describe("the operator's own identity", () => {
  const { credentials: _, ...ambientInvocation } = invocation;

  test("signs where no other is named", async () => {
    let signed: IncomingMessage["headers"] = {};
    const aws = await httpServer(async (request) => {
      signed = request.headers;
      return "null";
    });
    restore = environment({
      ...NOBODY,
      AWS_ENDPOINT_URL: aws.url,
      AWS_ACCESS_KEY_ID: "AKIDOPERATOR0000000",
      AWS_SECRET_ACCESS_KEY: "not/a/real+secret",
      AWS_SESSION_TOKEN: "token-of-the-operator",
    });
    await createNodeAws().invoke(ambientInvocation, within());
    expect(signed["authorization"]).toMatch(/Credential=AKIDOPERATOR0000000\/\d{8}\/us-east-1\/lambda\/aws4_request/);
    expect(signed["x-amz-security-token"]).toBe("token-of-the-operator");
    await aws.close();
  });

  test("that does not come in time is not waited for, to invoke or to assume a role", async () => {
    let silent = true;
    const body = JSON.stringify({
      AccessKeyId: "AKIDOPERATOR0000000",
      SecretAccessKey: "not/a/real+secret",
      Token: "t",
      Expiration: "2099-01-01T00:00:00Z",
    });
    const come = (socket: Socket) => {
      socket.end(`HTTP/1.1 200 OK\r\nContent-Length: ${body.length}\r\nConnection: close\r\n\r\n${body}`);
    };
    await answer((socket) => silent || come(socket));
    restore();
    restore = environment({
      ...NOBODY,
      AWS_CONTAINER_CREDENTIALS_FULL_URI: server?.url,
      AWS_ENDPOINT_URL: server?.url,
    });
    const aws = createNodeAws();
    const operator = () => ({ ...DEFAULT_OPERATOR_POLICY, allowAmbientCredentials: true });
    for (const role of [{}, { roleAddress: assumption.roleArn }]) {
      const settings = { lambda: "events", region: "us-east-1", timeoutMs: 100, ...role };
      const slow = createDestinationIn(routerOn(aws, operator), settings);
      const result = await slow.deliver({ type: "track", messageId: "m-1" }, { sourceId: "source-1" });
      expect(assessedResult(result)).toMatchObject({ outcome: "retry", error: { code: "OperationTimedOut" } });
    }
    silent = false;
    for (const socket of server?.sockets ?? []) come(socket);
    await expect(aws.invoke(ambientInvocation, within(60_000))).resolves.toMatchObject({ status: 200 });
  });
});

describe("200 deliveries of 200 tenants at once", () => {
  test("bring no warning of the SDK, share connections, and leave each with its own session", async () => {
    const warnings: string[] = [];
    const onWarning = ({ message }: Error) => warnings.push(message);
    process.on("warning", onWarning);
    const consoles = (["warn", "error", "log", "info"] as const).map((method) =>
      jest.spyOn(console, method).mockImplementation((...said: unknown[]) => {
        warnings.push(said.join(" "));
      }),
    );
    const signers = new Map<string, string>();
    const aws = await httpServer(async (request) => {
      if (request.url === "/") {
        const form = new URLSearchParams(await text(request));
        const tenant = String(form.get("ExternalId"));
        return stsSession({ accessKeyId: `ASIA${tenant.toUpperCase()}`, sessionToken: `token-of-${tenant}` }).body;
      }
      const { source } = JSON.parse(await text(request)).properties as { source: string };
      signers.set(source, String(request.headers["x-amz-security-token"]));
      return "null";
    });
    restore = environment({ ...NOBODY, AWS_ENDPOINT_URL: aws.url });
    const node = createNodeAws();
    const destination = createDestinationIn(routerOn(node), {
      lambda: "events",
      region: "us-east-1",
      roleAddress: assumption.roleArn,
      timeoutMs: 60_000,
      ...base,
    });
    const sources = Array.from({ length: 200 }, (_, i) => `tenant${String(i).padStart(12, "0")}`);

    const deliver = () =>
      Promise.all(
        sources.map((source) =>
          destination.deliver({ type: "track", messageId: source, properties: { source } }, { sourceId: source }),
        ),
      );
    const results = await deliver();

    expect(results.map((result) => assessedResult(result).outcome)).toEqual(sources.map(() => "delivered"));
    expect(Object.fromEntries(signers)).toEqual(
      Object.fromEntries(sources.map((source) => [source, `token-of-${source}`])),
    );
    // The last connection is free again.
    await settled();
    const opened = aws.connections();
    await deliver();
    expect(aws.connections()).toBe(opened);
    // What the SDK says of old versions of Node.js is for the operator.
    expect(warnings.filter((warning) => !warning.includes("NodeVersionSupportWarning"))).toEqual([]);
    process.off("warning", onWarning);
    for (const spy of consoles) spy.mockRestore();
    await aws.close();
  });
});

test("tenants with keys of their own share the connection to STS, and so does the operator's identity", async () => {
  const sts = await httpServer(async () => stsSession().body);
  restore = environment({
    ...NOBODY,
    AWS_ENDPOINT_URL: sts.url,
    AWS_ACCESS_KEY_ID: "AKIDOPERATOR0000000",
    AWS_SECRET_ACCESS_KEY: "not/a/real+secret",
  });
  const aws = createNodeAws();
  const { base: _, ...ambient } = assumption;
  const other = { ...base, accessKeyId: "AKIDEXAMPLE00000001" };
  for (const request of [assumption, { ...assumption, base: other }, ambient]) {
    await aws.assumeRole(request, within());
    // The connection is free again.
    await settled();
  }
  expect(sts.connections()).toBe(1);
  await sts.close();
});

async function httpServer(respond: (request: IncomingMessage) => Promise<string>) {
  let connections = 0;
  const http = createServer(async (request, response) => {
    response.end(await respond(request));
  });
  http.on("connection", () => connections++);
  await once(http.listen(0, "127.0.0.1"), "listening");
  return {
    url: `http://127.0.0.1:${(http.address() as AddressInfo).port}`,
    connections: () => connections,
    async close() {
      http.closeAllConnections();
      await new Promise((resolve) => http.close(resolve));
    },
  };
}
