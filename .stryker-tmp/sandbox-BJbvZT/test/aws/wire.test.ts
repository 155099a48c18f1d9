// @ts-nocheck
import { once } from "node:events";
import { createServer, request as httpRequest, type IncomingHttpHeaders } from "node:http";
import type { AddressInfo } from "node:net";
import { text } from "node:stream/consumers";
import type { AssumeRoleRequest, Aws, InvokeRequest } from "../../src/aws/aws";
import { AwsError, type AwsErrorDetails } from "../../src/aws/aws-error";
import { TransportError } from "../../src/aws/transport-error";
import { type WireAnswer, type WirePorts, type WireRequest, wireAws } from "../../src/aws/wire";
import { sha256 } from "../../src/encoding/sha256";
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
function send({ method, url, headers, body }: WireRequest): Promise<WireAnswer> {
  const { host, pathname, search } = new URL(url);
  return new Promise((resolve, reject) => {
    const request = httpRequest({
      port,
      host: "127.0.0.1",
      method,
      path: pathname + search,
      headers: { ...headers, host },
    });
    request.on("error", reject);
    request.on("response", async (response) => {
      const header = (name: string) => response.headers[name]?.toString();
      resolve({ status: response.statusCode ?? 0, header, body: await text(response) });
    });
    request.end(body);
  });
}

const timer: NonNullable<WirePorts["timer"]> = {
  start: (callback, ms) => setTimeout(callback, ms),
  stop: (handle) => clearTimeout(handle as NodeJS.Timeout),
};
const wire = wireAws({ now: Date.now, timer, send, sha256 });
const sdk = sdkReference();

const invocation: InvokeRequest = {
  function: { configured: "my-function", name: "my-function" },
  region: "us-east-1",
  payload: '{"type":"track","event":"Ærø 🚀"}',
  invocationType: "RequestResponse",
  logType: "None",
  credentials: session,
};
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
    ["Invoke by name", (aws) => aws.invoke(invocation, 5000)],
    ["Invoke without a session", (aws) => aws.invoke({ ...invocation, credentials: keys }, 5000)],
    [
      "Invoke of a partial ARN",
      (aws) => aws.invoke({ ...invocation, function: { configured: "", name: "f", account: "123456789012" } }, 5000),
    ],
    [
      "Invoke of a qualified ARN with everything",
      (aws) =>
        aws.invoke(
          {
            ...invocation,
            function: wholeArn,
            region: "cn-north-1",
            invocationType: "Event",
            logType: "Tail",
            clientContext: "eyJhIjoxfQ==",
          },
          5000,
        ),
    ],
    [
      "Invoke of $LATEST",
      (aws) => aws.invoke({ ...invocation, function: { configured: "", name: "f", qualifier: "$LATEST" } }, 5000),
    ],
    ["AssumeRole", (aws) => aws.assumeRole(assumption, 5000)],
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
    await outcome(wire, (aws) => aws.invoke({ ...invocation, region }, 5000));
    await outcome(wire, (aws) => aws.assumeRole({ ...assumption, region }, 5000));

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
const invoke = (aws: Aws) => aws.invoke(invocation, 5000);
const assumeRole = (aws: Aws) => aws.assumeRole(assumption, 5000);

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
    ["a queued event", invoke, { status: 202, headers: json }],
    ["an allowed dry run", invoke, { status: 204, headers: requestId }],
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

describe("without an answer", () => {
  const failing = (kind: "network" | "timeout") =>
    wireAws({
      now: Date.now,
      sha256,
      send: () => Promise.reject(new TransportError(kind, "ECONNREFUSED", "Connection refused")),
    });

  test.each(["network", "timeout"] as const)(
    "what the transport says of a %s failure is what is thrown",
    async (kind) => {
      expect(await outcome(failing(kind), invoke)).toEqual({
        error: { service: "lambda", kind, code: "ECONNREFUSED", message: "Connection refused" },
      });
      expect(await outcome(failing(kind), assumeRole)).toMatchObject({ error: { service: "sts", kind } });
    },
  );

  test.each([
    ["lambda", invoke],
    ["sts", assumeRole],
  ] as const)("%s that takes too long is given up where there is a timer", async (service, call) => {
    let elapse = () => {};
    const stopped = jest.fn();
    const silent = wireAws({
      now: Date.now,
      sha256,
      send: () => new Promise(() => {}),
      timer: {
        start: (callback) => {
          elapse = callback;
          return "timer";
        },
        stop: stopped,
      },
    });

    const pending = outcome(silent, call);
    elapse();

    expect(await pending).toMatchObject({ error: { service, kind: "timeout", code: "Timeout" } });
    expect(stopped).toHaveBeenCalledWith("timer");
  });

  test("without a timer there is no sleep to retry after, and calls last as long as they last", async () => {
    const timerless = wireAws({ now: Date.now, sha256, send });
    answer = { status: 204 };

    expect(timerless.sleep).toBeUndefined();
    expect(await timerless.within(Promise.resolve("done"), 0)).toBe("done");
    expect(await outcome(timerless, invoke)).toMatchObject({ value: { status: 204 } });
  });

  test("without credentials nothing is sent", async () => {
    const { credentials: _, ...unsigned } = invocation;

    const result = await outcome(wire, (aws) => aws.invoke(unsigned, 5000));

    expect(result).toMatchObject({ error: { service: "lambda", kind: "identity" } });
    expect(received).toEqual([]);
  });
});

test("what took too long to find out who signs is not sent after its deadline", async () => {
  let now = 0;
  const sent = jest.fn();
  const late = wireAws({
    now: () => now,
    sha256,
    send: sent,
    identity: async () => {
      now += 500;
      return keys;
    },
  });
  const { credentials: _, ...unsigned } = invocation;

  await expect(late.invoke(unsigned, 200)).rejects.toMatchObject({ details: { kind: "timeout" } });
  expect(sent).not.toHaveBeenCalled();
});

test("an STS answer with an impossible character reference is read all the same", async () => {
  const body = "<Error><Code>AccessDenied</Code><Message>&#x110000; &#65;</Message></Error>";
  const odd = wireAws({ now: Date.now, sha256, send: async () => ({ status: 403, header: () => undefined, body }) });

  await expect(odd.assumeRole(assumption, 1000)).rejects.toMatchObject({
    details: { code: "AccessDenied", message: "&#x110000; A" },
  });
});
