import { once } from "node:events";
import { createServer, request as httpRequest, type IncomingHttpHeaders } from "node:http";
import type { AddressInfo } from "node:net";
import { text } from "node:stream/consumers";
import type { AssumeRoleRequest, Aws, InvokeRequest, InvokeTarget } from "../../src/aws/aws";
import { AwsError, type AwsErrorDetails } from "../../src/aws/aws-error";
import { Deadline } from "../../src/aws/deadline";
import { lambdaInvoke } from "../../src/aws/lambda";
import { nodeClock } from "../../src/aws/node-clock";
import { type Transport, TransportError, type WireRequest } from "../../src/aws/transport";
import { wireAws } from "../../src/aws/wire";
import { sha256Crypto } from "../../src/encoding/sha256";
import { jitsuTransport } from "../../src/hosts/jitsu/host-fetch";
import { FakeAws, settled } from "./fake-aws";
import { sdkReference } from "./sdk-reference";

interface Received {
  readonly method: string;
  readonly url: string;
  readonly headers: IncomingHttpHeaders;
  readonly body: string;
}

interface Answer {
  readonly status: number;
  readonly headers?: Record<string, string>;
  readonly body?: string;
}

const keys = { accessKeyId: "AKIDEXAMPLE00000000", secretAccessKey: "not/a/real+secret/only+for+this+test00000" };
const session = { ...keys, accessKeyId: "AKIDEXAMPLE00000001", sessionToken: "not-a-real-token//with+signs==" };

let received: Received[] = [];
let answer: Answer = { status: 200 };
let port = 0;

const server = createServer(async (request, response) => {
  const { method = "", url = "", headers } = request;
  received.push({ method, url, headers, body: await text(request) });
  response.writeHead(answer.status, answer.headers).end(answer.body);
});

const overridden = { AWS_ENDPOINT_URL: process.env["AWS_ENDPOINT_URL"] };

beforeAll(async () => {
  await once(server.listen(0, "127.0.0.1"), "listening");
  port = (server.address() as AddressInfo).port;
  process.env["AWS_ENDPOINT_URL"] = `http://127.0.0.1:${port}`;
});

afterAll(async () => {
  if (overridden.AWS_ENDPOINT_URL === undefined) delete process.env["AWS_ENDPOINT_URL"];
  else process.env["AWS_ENDPOINT_URL"] = overridden.AWS_ENDPOINT_URL;
  server.closeAllConnections();
  await new Promise((resolve) => server.close(resolve));
});

beforeEach(() => {
  received = [];
});

/** Sends what is meant for AWS to the server here; the `host` stays what it was signed as. */
const transport: Transport = {
  post({ endpoint, path, headers, body }: WireRequest) {
    return new Promise((resolve, reject) => {
      const request = httpRequest({ port, host: "127.0.0.1", method: "POST", path });
      request.setHeader("host", endpoint.host);
      for (let i = 0; i < headers.length; i += 2) request.setHeader(headers[i] as string, headers[i + 1] as string);
      request.on("error", reject);
      request.on("response", async (response) => {
        const header = (name: string) => response.headers[name]?.toString();
        resolve({ status: response.statusCode ?? 0, header, body: await text(response) });
      });
      request.end(body);
    });
  },
};

const within = (ms = 5000) => new Deadline(nodeClock, ms);
const wire = wireAws(nodeClock, sha256Crypto, transport);
const sdk = sdkReference();

const target: InvokeTarget = {
  function: { configured: "my-function", name: "my-function" },
  region: "us-east-1",
  invocationType: "RequestResponse",
  logType: "None",
};
const invocation: InvokeRequest = { target, payload: '{"type":"track","event":"Ærø 🚀"}', credentials: session };
const invocationOf = (more: Partial<InvokeTarget>): InvokeRequest => ({
  ...invocation,
  target: { ...target, ...more },
});
const assumption: AssumeRoleRequest = {
  roleArn: "arn:aws:iam::123456789012:role/path/my-role",
  externalId: "my/source:id",
  sessionName: "amazon-lambda-destination",
  policy: '{"Version":"2012-10-17","Statement":[{"Resource":["a*","b c"]}]}',
  region: "eu-central-1",
  base: keys,
};

const outcome = (aws: Aws, call: (aws: Aws) => Promise<unknown>) =>
  call(aws).then(
    (value) => ({ value }),
    (error: unknown) => ({ error: error instanceof AwsError ? error.details : error }),
  );

const wholeArn = {
  configured: "arn:aws-cn:lambda:cn-north-1:123456789012:function:my-function:prod",
  partition: "aws-cn",
  region: "cn-north-1",
  account: "123456789012",
  name: "my-function",
  qualifier: "prod",
};

describe("a request is the AWS SDK's", () => {
  test.each<[string, (aws: Aws) => Promise<unknown>]>([
    ["Invoke by name", (aws) => aws.invoke(invocation, within())],
    ["Invoke without a session", (aws) => aws.invoke({ ...invocation, credentials: keys }, within())],
    [
      "Invoke of a partial ARN",
      (aws) => aws.invoke(invocationOf({ function: { configured: "", name: "f", account: "123456789012" } }), within()),
    ],
    [
      "Invoke of a qualified ARN with everything",
      (aws) =>
        aws.invoke(
          invocationOf({
            function: wholeArn,
            region: "cn-north-1",
            invocationType: "Event",
            logType: "Tail",
            clientContext: "eyJhIjoxfQ==",
          }),
          within(),
        ),
    ],
    [
      "Invoke of $LATEST",
      (aws) => aws.invoke(invocationOf({ function: { configured: "", name: "f", qualifier: "$LATEST" } }), within()),
    ],
    ["AssumeRole", (aws) => aws.assumeRole(assumption, within())],
  ])("%s", async (_name, call) => {
    answer = { status: 400 };
    await outcome(sdk, call);
    await outcome(wire, call);

    const [theirs, ours] = received as [Received, Received];
    expect(ours.url).toBe(theirs.url);
    expect(ours.method).toBe(theirs.method);
    expect(ours.body).toBe(theirs.body);
    // Headers in which the SDK tells AWS about itself, and the endpoint of this test.
    const own = [
      "host",
      "authorization",
      "x-amz-user-agent",
      "user-agent",
      "amz-sdk-invocation-id",
      "amz-sdk-request",
      "x-amz-date",
      "connection",
    ];
    const told = ({ headers }: Received) =>
      Object.fromEntries(Object.entries(headers).filter(([name]) => !own.includes(name)));
    expect(told(ours)).toEqual(told(theirs));
  });

  test.each([
    ["us-east-1", "amazonaws.com"],
    ["us-gov-west-1", "amazonaws.com"],
    ["cn-north-1", "amazonaws.com.cn"],
    ["us-iso-east-1", "c2s.ic.gov"],
    ["us-isob-east-1", "sc2s.sgov.gov"],
    ["eu-isoe-west-1", "cloud.adc-e.uk"],
    ["us-isof-south-1", "csp.hci.ic.gov"],
    ["eusc-de-east-1", "amazonaws.eu"],
  ])("in %s it goes to the endpoint of the partition", async (region, suffix) => {
    answer = { status: 400 };
    await outcome(wire, (aws) => aws.invoke(invocationOf({ region }), within()));
    await outcome(wire, (aws) => aws.assumeRole({ ...assumption, region }, within()));

    expect(received.map(({ headers }) => headers.host)).toEqual([
      `lambda.${region}.${suffix}`,
      `sts.${region}.${suffix}`,
    ]);
  });
});

const assumed = `<AssumeRoleResponse xmlns="https://sts.amazonaws.com/doc/2011-06-15/">
  <AssumeRoleResult>
    <AssumedRoleUser><AssumedRoleId>AROAEXAMPLE:s</AssumedRoleId><Arn>arn:aws:sts::123456789012:assumed-role/my-role/s</Arn></AssumedRoleUser>
    <Credentials>
      <AccessKeyId>AKIDEXAMPLE00000001</AccessKeyId>
      <SecretAccessKey>not/a/real+secret</SecretAccessKey>
      <SessionToken>not-a-real-token&amp;&#43;&#x2f;==</SessionToken>
      <Expiration>2026-11-22T16:00:00Z</Expiration>
    </Credentials>
    <PackedPolicySize>6</PackedPolicySize>
  </AssumeRoleResult>
  <ResponseMetadata><RequestId>11111111-2222-3333-4444-555555555555</RequestId></ResponseMetadata>
</AssumeRoleResponse>`;

const stsError = (code: string, message: string) =>
  `<ErrorResponse xmlns="https://sts.amazonaws.com/doc/2011-06-15/"><Error><Type>Sender</Type><Code>${code}</Code><Message>${message}</Message></Error><RequestId>11111111-2222-3333-4444-555555555555</RequestId></ErrorResponse>`;

const requestId = { "x-amzn-requestid": "11111111-2222-3333-4444-555555555555" };
const json = { ...requestId, "content-type": "application/json" };
const xml = { ...requestId, "content-type": "text/xml" };
const invoke = (aws: Aws) => aws.invoke(invocation, within());
const assumeRole = (aws: Aws) => aws.assumeRole(assumption, within());

describe("an answer is read as by the AWS SDK", () => {
  test.each<[string, (aws: Aws) => Promise<unknown>, Answer]>([
    [
      "a function's result with log tail",
      invoke,
      {
        status: 200,
        headers: { ...json, "x-amz-executed-version": "$LATEST", "x-amz-log-result": "U1RBUlQ=" },
        body: '{"ok":"Ærø 🚀"}',
      },
    ],
    [
      "a function that threw",
      invoke,
      {
        status: 200,
        headers: { ...json, "x-amz-function-error": "Unhandled" },
        body: '{"errorType":"Error","errorMessage":"no"}',
      },
    ],
    [
      "a queued event",
      (aws) => aws.invoke(invocationOf({ invocationType: "Event" }), within()),
      { status: 202, headers: json },
    ],
    [
      "an allowed dry run",
      (aws) => aws.invoke(invocationOf({ invocationType: "DryRun" }), within()),
      { status: 204, headers: requestId },
    ],
    ["credentials", assumeRole, { status: 200, headers: xml, body: assumed }],
    [
      "access denied by Lambda",
      invoke,
      {
        status: 403,
        headers: { ...json, "x-amzn-errortype": "AccessDeniedException" },
        body: '{"Message":"User is not authorized"}',
      },
    ],
    [
      "an error type with a namespace behind it",
      invoke,
      {
        status: 404,
        headers: {
          ...json,
          "x-amzn-errortype": "ResourceNotFoundException:http://internal.amazon.com/coral/com.amazonaws.awsgirapi/",
        },
        body: '{"Type":"User","Message":"Function not found"}',
      },
    ],
    [
      "throttling with a Retry-After",
      invoke,
      {
        status: 429,
        headers: { ...json, "x-amzn-errortype": "TooManyRequestsException", "retry-after": "1" },
        body: '{"Reason":"ReservedFunctionConcurrentInvocationLimitExceeded","Type":"User","message":"Rate Exceeded."}',
      },
    ],
    [
      "an error nobody listed",
      invoke,
      { status: 400, headers: { ...json, "x-amzn-errortype": "BrandNewException" }, body: '{"message":"surprise"}' },
    ],
    [
      "an error type in the body",
      invoke,
      { status: 400, headers: json, body: '{"__type":"com.amazonaws#InvalidParameterValueException","message":"no"}' },
    ],
    [
      "a wrong signature",
      invoke,
      {
        status: 403,
        headers: { ...json, "x-amzn-errortype": "InvalidSignatureException" },
        body: '{"message":"The request signature we calculated does not match"}',
      },
    ],
    [
      "access denied by STS",
      assumeRole,
      {
        status: 403,
        headers: xml,
        body: stsError("AccessDenied", "User &quot;x&quot; is not authorized &lt;here&gt;"),
      },
    ],
    [
      "an expired base session",
      assumeRole,
      { status: 403, headers: xml, body: stsError("ExpiredToken", "The security token is expired") },
    ],
    [
      "throttling by STS",
      assumeRole,
      { status: 400, headers: { ...xml, "retry-after": "2" }, body: stsError("Throttling", "Rate exceeded") },
    ],
    [
      "a malformed policy",
      assumeRole,
      { status: 400, headers: xml, body: stsError("MalformedPolicyDocument", "Syntax errors in policy.") },
    ],
    [
      "a policy that is too long",
      assumeRole,
      { status: 400, headers: xml, body: stsError("PackedPolicyTooLarge", "Too large") },
    ],
    ["STS that fails", assumeRole, { status: 500, headers: xml, body: stsError("InternalFailure", "Sorry") }],
    [
      "an error without a message",
      invoke,
      { status: 400, headers: { ...json, "x-amzn-errortype": "AccessDeniedException" }, body: "{}" },
    ],
  ])("%s", async (_name, call, given) => {
    answer = given;

    const theirs = await outcome(sdk, call);
    const ours = await outcome(wire, call);

    expect(ours).toEqual(theirs);
  });

  test.each<[string, (aws: Aws) => Promise<unknown>, Answer]>([
    ["a gateway's page instead of Lambda", invoke, { status: 503, body: "<html>Service Unavailable</html>" }],
    ["a gateway's page instead of STS", assumeRole, { status: 502, headers: xml, body: "<html>Bad gateway" }],
    ["nothing but a status from STS", assumeRole, { status: 500 }],
    ["nothing but a status from Lambda", invoke, { status: 500 }],
  ])("%s is a failure of the service with that status, as for the AWS SDK", async (_name, call, given) => {
    answer = given;

    const theirs = (await outcome(sdk, call)) as { error: AwsErrorDetails };
    const ours = (await outcome(wire, call)) as { error: AwsErrorDetails };

    const { service, kind, status, requestId } = theirs.error;
    expect(kind).toBe("service");
    expect(ours.error).toEqual({
      service,
      kind,
      status,
      code: "Unknown",
      message: "UnknownError",
      ...(requestId && { requestId }),
    });
  });

  test("credentials that were cut off are no credentials, and are not quoted", async () => {
    answer = { status: 200, headers: xml, body: assumed.slice(0, assumed.indexOf("</SessionToken>")) };

    const { error } = (await outcome(wire, assumeRole)) as { error: unknown };

    expect(error).toMatchObject({ service: "sts", kind: "service", code: "IncompleteAnswer" });
    expect(JSON.stringify(error)).not.toContain("not/a/real");
    expect(await outcome(sdk, assumeRole)).toHaveProperty("error");
  });
});

describe("what is no answer of Lambda's", () => {
  test.each([
    ["RequestResponse", 202],
    ["RequestResponse", 204],
    ["RequestResponse", 206],
    ["Event", 200],
    ["RequestResponse", 302],
    ["RequestResponse", 307],
  ] as const)("%s answered with %s is not taken for one", async (invocationType, status) => {
    answer = { status, headers: { ...json, location: "http://169.254.169.254/" } };
    const result = await outcome(wire, (aws) => aws.invoke(invocationOf({ invocationType }), within()));
    expect(result).toMatchObject({ error: { kind: "service", code: "UnexpectedStatus", status } });
    expect(received).toHaveLength(1);
  });

  test.each([0, 100, Number.NaN])("status %s of a host's fetch is not taken for one", async (status) => {
    const odd = wireAws(nodeClock, sha256Crypto, { post: async () => ({ status, header: () => "r-1", body: "" }) });
    expect(await outcome(odd, invoke)).toMatchObject({ error: { kind: "service", code: "UnexpectedStatus" } });
  });

  test("an answer of AWS's own endpoint without a request ID is something else's", async () => {
    answer = { status: 200, body: "{}" };
    expect(await outcome(wire, invoke)).toMatchObject({ error: { kind: "network", code: "NotFromLambda" } });
  });
});

describe("a wrong clock", () => {
  const DATE = "Fri, 02 Jan 2026 03:04:05 GMT";

  test.each([
    [20 * 60_000, true],
    [-20 * 60_000, true],
    [3 * 60_000, false],
  ])("that is %s ms off is corrected by the date of AWS's error: %s", async (offMs, corrected) => {
    const { clock } = new FakeAws();
    const off = { ...clock, wall: () => clock.wall() + offMs };
    const sandbox = wireAws(off, sha256Crypto, transport);
    const headers = { ...json, "x-amzn-errortype": "InvalidSignatureException", date: DATE };
    answer = { status: 403, headers, body: '{"message":"Signature expired"}' };
    const call = (aws: Aws) => aws.invoke(invocation, new Deadline(clock, 5000));
    const { error } = (await outcome(sandbox, call)) as { error: AwsErrorDetails };
    expect(error.clockWasOff ?? false).toBe(corrected);
    await outcome(sandbox, call);
    const signedAt = received.map(({ headers: { "x-amz-date": date } }) => date);
    expect(signedAt[1] === "20260102T030405Z").toBe(corrected);
  });
});

describe("without an answer", () => {
  const failing = (kind: "unsent" | "broken") =>
    wireAws(nodeClock, sha256Crypto, {
      post: () => Promise.reject(new TransportError(kind, "ECONNREFUSED", "Connection refused")),
    });

  test.each(["unsent", "broken"] as const)("what the transport says of it is what is thrown: %s", async (kind) => {
    const details = { kind: "network", code: "ECONNREFUSED", message: "Connection refused", unsent: kind === "unsent" };
    expect(await outcome(failing(kind), invoke)).toEqual({ error: { service: "lambda", ...details } });
    expect(await outcome(failing(kind), assumeRole)).toMatchObject({ error: { service: "sts", ...details } });
  });

  test.each(["lambda", "sts"] as const)(
    "%s that takes too long is given up where there is a timer",
    async (service) => {
      const fake = new FakeAws();
      const silent = wireAws(
        fake.clock,
        sha256Crypto,
        jitsuTransport(() => new Promise(() => {})),
      );
      const pending = outcome(silent, (aws) =>
        service === "lambda" ? aws.invoke(invocation, fake.deadline()) : aws.assumeRole(assumption, fake.deadline()),
      );
      await settled();
      fake.pass(5000);
      expect(await pending).toMatchObject({ error: { service, kind: "timeout", code: "Timeout" } });
      expect(fake.timers).toBe(0);
    },
  );

  test("without a timer, calls last as long as they last", async () => {
    const { timer: _, ...timerless } = nodeClock;
    answer = { status: 200, headers: json };
    expect(await outcome(wireAws(timerless, sha256Crypto, transport), invoke)).toMatchObject({
      value: { status: 200 },
    });
  });

  test("without credentials nothing is sent", async () => {
    const { credentials: _, ...unsigned } = invocation;

    const result = await outcome(wire, (aws) => aws.invoke(unsigned, within()));

    expect(result).toMatchObject({ error: { service: "lambda", kind: "identity" } });
    expect(received).toEqual([]);
  });
});

test("what took too long to find out who signs is not sent after its deadline", async () => {
  const fake = new FakeAws();
  const post = jest.fn();
  const late = lambdaInvoke({
    time: fake.time,
    crypto: sha256Crypto,
    transport: { post },
    endpoint: () => ({ origin: "http://127.0.0.1", host: "127.0.0.1", basePath: "", ofAws: false }),
    identity: async () => {
      fake.pass(500);
      return keys;
    },
  });
  const { credentials: _, ...unsigned } = invocation;

  await expect(late(unsigned, fake.deadline(200))).rejects.toMatchObject({ details: { kind: "timeout" } });
  expect(post).not.toHaveBeenCalled();
});

test("an STS answer with an impossible character reference is read all the same", async () => {
  const body = "<Error><Code>AccessDenied</Code><Message>&#x110000; &#65;</Message></Error>";
  const odd = wireAws(nodeClock, sha256Crypto, { post: async () => ({ status: 403, header: () => undefined, body }) });

  await expect(odd.assumeRole(assumption, within())).rejects.toMatchObject({
    details: { code: "AccessDenied", message: "&#x110000; A" },
  });
});

test("at AWS's own address, an answer without AWS's request ID is somebody else's", async () => {
  const asked: string[] = [];
  const between = wireAws(nodeClock, sha256Crypto, {
    post: async ({ endpoint }) => {
      asked.push(endpoint.origin);
      return { status: 200, header: () => undefined, body: "<html>Please log in</html>" };
    },
  });
  await expect(between.invoke(invocation, within())).rejects.toMatchObject({
    details: { kind: "network", code: "NotFromLambda" },
  });
  expect(asked).toEqual(["https://lambda.us-east-1.amazonaws.com"]);
});
