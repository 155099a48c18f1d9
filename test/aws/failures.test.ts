import "../errors-of-any-realm";
import { readFileSync } from "node:fs";
import nock from "nock";
import type { Aws } from "../../src/aws/aws";
import { AwsTime } from "../../src/aws/clock";
import { Deadline } from "../../src/aws/deadline";
import { createNodeAws } from "../../src/aws/node";
import { nodeClock } from "../../src/aws/node-clock";
import { createSdk } from "../../src/aws/sdk";
import { wireAws } from "../../src/aws/wire";
import { createDestinationIn } from "../../src/destination/create-destination";
import { sha256Crypto } from "../../src/encoding/sha256";
import { assessedResult } from "../assess";
import { routerOn } from "../router";
import {
  FAILURE_TABLE,
  lambdaAnswer,
  lambdaError,
  stsError,
  stsSession,
  verdict,
  type WireAnswer,
} from "./failure-table";
import { environment } from "./loopback";
import { nockTransport, relayToNock } from "./through-nock";

const keys = { accessKeyId: "AKIDEXAMPLE00000000", secretAccessKey: "not/a/real+secret/only+for+this+test00000" };
const settings = {
  lambda: "arn:aws:lambda:us-east-1:123456789012:function:events",
  roleAddress: "arn:aws:iam::123456789012:role/router",
  externalId: "source-1",
  ...keys,
};
const track = { type: "track", event: "Order Completed", messageId: "m-1" };
const INVOCATION =
  "/2015-03-31/functions/arn%3Aaws%3Alambda%3Aus-east-1%3A123456789012%3Afunction%3Aevents/invocations";
const lambdaHost = "https://lambda.us-east-1.amazonaws.com";
const stsHost = "https://sts.us-east-1.amazonaws.com";

let relay: Awaited<ReturnType<typeof relayToNock>>;
let restore = () => {};

beforeAll(async () => {
  relay = await relayToNock();
  restore = environment({ AWS_ENDPOINT_URL_LAMBDA: relay.url });
  nock.disableNetConnect();
  nock.enableNetConnect("127.0.0.1");
});

afterEach(() => {
  nock.cleanAll();
});

afterAll(() => {
  restore();
  relay.close();
  nock.restore();
});

function destination(aws: Aws, more: object = {}) {
  return createDestinationIn(routerOn(aws), { ...settings, ...more });
}

function answering({ status, body, headers }: WireAnswer): [number, string, Record<string, string>] {
  return [status, body, { ...headers }];
}

const decodedPath = (path: string) => (uri: string) => decodeURIComponent(uri) === decodeURIComponent(path);

const sandboxAws = (): Aws => wireAws(nodeClock, sha256Crypto, nockTransport);

const PARTITIONS = [
  ["aws", "eu-central-1", "amazonaws.com"],
  ["aws-cn", "cn-north-1", "amazonaws.com.cn"],
  ["aws-us-gov", "us-gov-west-1", "amazonaws.com"],
  ["aws-iso", "us-iso-east-1", "c2s.ic.gov"],
  ["aws-iso-b", "us-isob-east-1", "sc2s.sgov.gov"],
  ["aws-eusc", "eusc-de-east-1", "amazonaws.eu"],
] as const;

describe.each<[where: string, make: () => Aws]>([
  ["Node.js", () => createNodeAws()],
  ["a sandbox", sandboxAws],
])("in %s", (_where, make) => {
  const aws = make();

  test.each(FAILURE_TABLE.map((row) => [row.title, row] as const))("%s", async (_title, row) => {
    const { service, answer, code, label, outcome, status, retryAfterMs, awsError, functionError } = row;
    nock(stsHost)
      .post("/")
      .times(3)
      .reply(...answering(service === "sts" ? answer : stsSession()));
    nock(lambdaHost)
      .post(decodedPath(INVOCATION))
      .times(3)
      .reply(...answering(answer));

    const result = assessedResult(await destination(aws).deliver(track));

    expect(result).toMatchObject({ outcome, status, messageId: "m-1", callType: "track", function: settings.lambda });
    expect(result.error).toMatchObject({ code, label });
    expect(result.error?.awsError).toBe(awsError);
    expect(result.error?.functionError).toEqual(functionError);
    expect(result.retryAfterMs).toBe(retryAfterMs);
    expect(result.attempts).toBe(row.attempts ?? (service === "lambda" ? 1 : 0));
    if (awsError && !["Unknown", "UnexpectedStatus"].includes(awsError)) {
      expect(result.error?.message).toContain("What AWS says of");
      expect(result.requestId).toBe("11111111-2222-4333-8444-555555555555");
    }
  });

  test("a denied role says which external ID was sent", async () => {
    nock(stsHost)
      .post("/")
      .reply(...answering(stsError("AccessDenied", 403)));
    const { error } = assessedResult(await destination(aws).deliver(track));
    expect(error?.message).toBe(
      "AWS STS, assuming the role: What AWS says of AccessDenied. (External ID sent: source-1)",
    );
  });

  test("an error of a gateway says its HTTP status", async () => {
    nock(stsHost).post("/").reply(407, "<html>");
    const { error } = assessedResult(await destination(aws).deliver(track));
    expect(error?.message).toContain("HTTP status 407");
  });

  test("a session that AWS declares expired is replaced, and the event delivered", async () => {
    const sessions = ["ASIAEXAMPLE000000001", "ASIAEXAMPLE000000002"];
    const used: string[] = [];
    for (const accessKeyId of sessions) {
      nock(stsHost)
        .post("/")
        .reply(...answering(stsSession({ accessKeyId })));
    }
    nock(lambdaHost)
      .post(decodedPath(INVOCATION))
      .times(2)
      .reply(function () {
        const [id = ""] = /ASIA\w+/.exec(String(this.req.headers["authorization"])) ?? [];
        used.push(id);
        return answering(id === sessions[0] ? lambdaError("ExpiredTokenException", 403) : lambdaAnswer("null"));
      });

    const result = assessedResult(await destination(aws).deliver(track));

    expect(result).toMatchObject({ outcome: "delivered", attempts: 2 });
    expect(used).toEqual(sessions);
  });

  test("nothing that AWS quotes of a request reaches a result", async () => {
    const { secretAccessKey, sessionToken } = { ...keys, sessionToken: "session-token-not-real//with+signs==" };
    const quoting = `The request signature we calculated does not match the signature you provided. Check your AWS Secret Access Key and signing method. Consult the service documentation for details.

The Canonical String for this request should have been
'POST
/2015-03-31/functions/events/invocations

host:lambda.us-east-1.amazonaws.com
x-amz-security-token:${sessionToken}

host;x-amz-security-token'

The String-to-Sign should have been
'AWS4-HMAC-SHA256'
`;
    nock(stsHost)
      .post("/")
      .reply(...answering(stsSession()));
    nock(lambdaHost)
      .post(decodedPath(INVOCATION))
      .reply(403, JSON.stringify({ message: quoting }), { "x-amzn-errortype": "InvalidSignatureException" });

    const result = assessedResult(await destination(aws).deliver(track));

    expect(result.error).toMatchObject({ code: "InvalidCredentials", awsError: "InvalidSignatureException" });
    expect(result.error?.message).toContain("signature we calculated does not match");
    for (const secret of [
      "host:lambda",
      secretAccessKey,
      sessionToken,
      keys.accessKeyId,
      "ASIAEXAMPLE",
      "session/secret",
    ]) {
      expect(JSON.stringify(result)).not.toContain(secret);
    }
  });

  test("nothing that STS quotes of a request reaches a result", async () => {
    const quoting = `'${keys.accessKeyId}' not a valid key=value pair in Authorization header: 'AWS4-HMAC-SHA256 Credential=${keys.accessKeyId}/20260101/us-east-1/sts/aws4_request, Signature=abc'. x-amz-security-token:base-token-not-real`;
    const body = stsError("IncompleteSignature", 400).body.replace(
      /<Message>.*<\/Message>/,
      `<Message>${quoting}</Message>`,
    );
    nock(stsHost).post("/").reply(400, body, { "content-type": "text/xml" });
    const result = assessedResult(await destination(aws).deliver(track));
    expect(result.error?.code).toBe("InvalidCredentials");
    for (const secret of [keys.accessKeyId, keys.secretAccessKey, "base-token-not-real"]) {
      expect(JSON.stringify(result)).not.toContain(secret);
    }
  });

  test("an answer of STS that breaks off is no session, and is not quoted", async () => {
    const { body, headers } = stsSession();
    for (const end of ["<SecretAccessKey>session/sec", "</AccessKeyId>", "<Credentials>"]) {
      nock(stsHost)
        .post("/")
        .reply(200, body.slice(0, body.indexOf(end) + end.length), headers);
      const result = assessedResult(await destination(aws).deliver(track));
      expect(result).toMatchObject({ outcome: "retry", attempts: 0 });
      expect(JSON.stringify(result)).not.toMatch(/session\/sec|ASIAEXAMPLE|not-real/);
    }
  });

  test("the log's end is decoded", async () => {
    const log = "START RequestId: 1\n2026-01-02 INFO Zürich 🚆\nEND RequestId: 1\n";
    nock(stsHost)
      .post("/")
      .reply(...answering(stsSession()));
    nock(lambdaHost)
      .post(decodedPath(INVOCATION))
      .matchHeader("x-amz-log-type", "Tail")
      .reply(...answering(lambdaAnswer("null", { "x-amz-log-result": Buffer.from(log).toString("base64") })));
    const result = assessedResult(await destination(aws, { logType: "Tail" }).deliver(track));
    expect(result).toMatchObject({ outcome: "delivered", status: 200, logTail: log, executedVersion: "$LATEST" });
  });

  test("a log that begins in the middle of a letter is decoded from there on", async () => {
    const cut = Buffer.from("ü then text").subarray(1).toString("base64");
    nock(stsHost)
      .post("/")
      .reply(...answering(stsSession()));
    nock(lambdaHost)
      .post(decodedPath(INVOCATION))
      .reply(...answering(lambdaAnswer("null", { "x-amz-log-result": cut })));
    expect(assessedResult(await destination(aws, { logType: "Tail" }).deliver(track)).logTail).toBe("\uFFFD then text");
  });

  test("the client context is handed over as it was filled in", async () => {
    let sent = "";
    nock(stsHost)
      .post("/")
      .reply(...answering(stsSession()));
    nock(lambdaHost)
      .post(decodedPath(INVOCATION))
      .reply(function () {
        sent = String(this.req.headers["x-amz-client-context"]);
        return answering(lambdaAnswer("null"));
      });
    await destination(aws, { clientContext: { environment: "Zürich" } }).deliver(track);
    const environment = "Zürich";
    expect(JSON.parse(Buffer.from(sent, "base64").toString())).toEqual({ environment, custom: { environment } });
  });

  test("Event is only queued, and asks for neither log nor client context", async () => {
    let headers: Record<string, unknown> = {};
    nock(stsHost)
      .post("/")
      .reply(...answering(stsSession()));
    nock(lambdaHost)
      .post(decodedPath(INVOCATION))
      .reply(function () {
        headers = this.req.headers;
        return [202, "", { "x-amzn-requestid": "r-1" }];
      });
    const more = { invocationType: "Event", logType: "Tail", clientContext: { a: 1 } };
    const result = assessedResult(await destination(aws, more).deliver(track));
    expect(result).toMatchObject({ outcome: "delivered", status: 202, requestId: "r-1" });
    expect(headers).toMatchObject({ "x-amz-invocation-type": "Event" });
    expect(headers).not.toHaveProperty("x-amz-client-context");
    expect(headers["x-amz-log-type"] ?? "None").toBe("None");
  });

  test.each([
    ["events:live", "events", "live"],
    ["events:$LATEST", "events", "$LATEST"],
    ["123456789012:function:events:7", "123456789012:function:events", "7"],
  ])("%s is invoked with its qualifier apart", async (lambda, name, qualifier) => {
    nock(stsHost)
      .post("/")
      .reply(...answering(stsSession()));
    nock(lambdaHost)
      .post((uri) => decodeURIComponent(uri) === `/2015-03-31/functions/${name}/invocations?Qualifier=${qualifier}`)
      .reply(...answering(lambdaAnswer("null")));
    const result = await destination(aws, { lambda, region: "us-east-1" }).deliver(track);
    expect(assessedResult(result)).toMatchObject({ outcome: "delivered", function: lambda });
  });
});

describe("a sandbox", () => {
  const aws = sandboxAws();

  test.each([
    ["ECONNREFUSED"],
    ["ECONNRESET"],
    ["ENOTFOUND"],
    ["CERT_HAS_EXPIRED"],
    ["EPIPE", "ECONNRESET"],
    ["ETIMEDOUT"],
  ])("no connection: %s", async (systemCode, told = systemCode) => {
    const failure = Object.assign(new Error(`connect ${systemCode}`), { code: systemCode });
    nock(stsHost)
      .post("/")
      .reply(...answering(stsSession()));
    nock(lambdaHost).post(decodedPath(INVOCATION)).times(3).replyWithError(failure);

    const result = assessedResult(await destination(aws).deliver(track));

    const { code, ...rest } = verdict("NetworkError");
    expect({ ...result, ...result.error }).toMatchObject({ ...rest, code, awsError: told });
    expect(result.attempts).toBe(["ECONNREFUSED", "ENOTFOUND"].includes(systemCode) ? 3 : 1);
  });

  test.each(PARTITIONS)("partition %s, region %s is at %s", async (partition, region, suffix) => {
    let form = "";
    nock(`https://sts.${region}.${suffix}`)
      .post("/", (body) => {
        form = new URLSearchParams(body as Record<string, string>).toString();
        return true;
      })
      .reply(...answering(stsSession()));
    nock(`https://lambda.${region}.${suffix}`)
      .post(/invocations$/)
      .reply(...answering(lambdaAnswer("null")));
    const lambda = `arn:${partition}:lambda:${region}:123456789012:function:events`;
    const roleAddress = `arn:${partition}:iam::123456789012:role/router`;

    const result = await destination(aws, { lambda, roleAddress }).deliver(track);

    expect(assessedResult(result)).toMatchObject({ outcome: "delivered" });
    const { RoleArn, ExternalId, Policy = "", Action } = Object.fromEntries(new URLSearchParams(form));
    expect({ RoleArn, ExternalId, Action }).toEqual({
      RoleArn: roleAddress,
      ExternalId: "source-1",
      Action: "AssumeRole",
    });
    expect(JSON.parse(Policy).Statement[0].Resource).toEqual([lambda]);
  });
});

test.each(PARTITIONS)(
  "in Node.js, Lambda of partition %s, region %s is at %s, too",
  async (_partition, region, suffix) => {
    const back = environment({ AWS_ENDPOINT_URL_LAMBDA: undefined });
    const deadline = new Deadline(nodeClock, 5000);
    const endpoint = await createSdk(new AwsTime(nodeClock)).lambdaEndpoint(region, deadline);
    back();
    const host = `lambda.${region}.${suffix}`;
    expect(endpoint).toEqual({ origin: `https://${host}`, host, basePath: "", ofAws: true });
  },
);

test.each([
  ["lambda", "Invoke"],
  ["sts", "AssumeRole"],
])("every error that the AWS SDK documents of %s %s is in the table", (service, command) => {
  const declaration = require
    .resolve(`@aws-sdk/client-${service}`)
    .replace(/dist-cjs.*$/, `dist-types/commands/${command}Command.d.ts`);
  const documented = [...readFileSync(declaration, "utf8").matchAll(/@throws \{@link (\w+Exception)\}/g)]
    .map(([, name]) => name)
    // The base of all others.
    .filter((name) => !/^(Lambda|STS)ServiceException$/.test(String(name)));
  const known = FAILURE_TABLE.filter((row) => row.service === service).map(({ awsError }) => awsError);
  expect(documented.length).toBeGreaterThan(3);
  expect(known).toEqual(expect.arrayContaining(documented));
});
