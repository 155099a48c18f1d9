// @ts-nocheck
import { createHash, createHmac } from "node:crypto";
import { once } from "node:events";
import { createServer, type IncomingMessage } from "node:http";
import type { AddressInfo } from "node:net";
import { text } from "node:stream/consumers";
import { InvokeCommand, LambdaClient } from "@aws-sdk/client-lambda";
import { AssumeRoleCommand, STSClient } from "@aws-sdk/client-sts";
import { SignatureV4 } from "@smithy/signature-v4";
import fc from "fast-check";
import { type SignableRequest, signedHeaders } from "../../src/aws/sigv4";
import { sha256 as pureSha256 } from "../../src/encoding/sha256";

const credentials = {
  accessKeyId: "AKIDEXAMPLE00000000",
  secretAccessKey: "not/a/real+secret/only+for+this+test00000",
  sessionToken: "not-a-real-token//with+signs==",
};

/** The AWS SDK's own signer, over Node's SHA-256. */
class NodeSha256 {
  readonly #hash;
  constructor(secret?: string | ArrayBuffer | ArrayBufferView) {
    const key = secret instanceof ArrayBuffer ? new Uint8Array(secret) : (secret as string | NodeJS.ArrayBufferView);
    this.#hash = secret === undefined ? createHash("sha256") : createHmac("sha256", key);
  }
  update(data: string | ArrayBuffer | ArrayBufferView) {
    this.#hash.update(data instanceof ArrayBuffer ? new Uint8Array(data) : (data as string | NodeJS.ArrayBufferView));
  }
  async digest() {
    return new Uint8Array(this.#hash.digest());
  }
  reset() {}
}

/** The reference loses a query key of this name. */
const queryKey = fc
  .oneof(fc.string({ unit: "grapheme", minLength: 1, maxLength: 10 }), fc.stringMatching(/^a[-=.a]{0,3}$/))
  .filter((key) => key !== "__proto__");
const unicode = fc.string({ unit: "grapheme", maxLength: 30 });
const headerName = fc.stringMatching(/^[Xx]-[A-Za-z][A-Za-z-]{0,12}$/);
const headerValue = fc.stringMatching(/^[ -~\t]{0,30}$/);
const segment = fc.stringMatching(/^[a-zA-Z0-9_$:~!'()*-]{1,20}$/).map(encodeURIComponent);

const anyRequest: fc.Arbitrary<SignableRequest> = fc.record({
  method: fc.constantFrom("GET", "POST", "PUT"),
  path: fc.array(segment, { maxLength: 5 }).map((segments) => `/${segments.join("/")}`),
  query: fc.dictionary(queryKey, unicode, { maxKeys: 5 }),
  headers: fc
    // A header has one name, however it is written.
    .uniqueArray(fc.tuple(headerName, headerValue), { maxLength: 5, selector: ([name]) => name.toLowerCase() })
    .map((extra): Record<string, string> => ({ ...Object.fromEntries(extra), host: "lambda.us-east-1.amazonaws.com" })),
  body: unicode,
});

test("any request gets the signature that the AWS SDK makes of it", async () => {
  await fc.assert(
    fc.asyncProperty(
      anyRequest,
      fc.date({ min: new Date("2000-01-01"), max: new Date("2099-12-31"), noInvalidDate: true }),
      fc.record({
        ...mapValues(credentials, fc.constant),
        secretAccessKey: fc.string({ minLength: 1, maxLength: 90 }),
      }),
      fc.constantFrom("us-east-1", "cn-north-1", "us-gov-west-1"),
      fc.constantFrom("lambda", "sts"),
      async (request, now, signer, region, service) => {
        const reference = await new SignatureV4({
          credentials: signer,
          region,
          service,
          sha256: NodeSha256,
        }).sign(
          { ...request, hostname: "unused", protocol: "https:", headers: { ...request.headers } },
          { signingDate: now },
        );

        const headers = signedHeaders(request, { credentials: signer, region, service, now: +now, sha256: pureSha256 });

        expect(headers["authorization"]).toBe(reference.headers["authorization"]);
        expect(headers["x-amz-date"]).toBe(reference.headers["x-amz-date"]);
        expect(headers["x-amz-security-token"]).toBe(reference.headers["x-amz-security-token"]);
        expect(headers["x-amz-content-sha256"]).toBe(reference.headers["x-amz-content-sha256"]);
      },
    ),
    { numRuns: 200 },
  );
});

test("keys without a session sign without a token", () => {
  const { sessionToken: _, ...keys } = credentials;

  const headers = signedHeaders(
    { method: "POST", path: "/", query: {}, headers: { host: "sts.us-east-1.amazonaws.com" }, body: "" },
    { credentials: keys, region: "us-east-1", service: "sts", now: 0, sha256: pureSha256 },
  );

  expect(Object.keys(headers)).toEqual(["host", "x-amz-content-sha256", "x-amz-date", "authorization"]);
  expect(headers["x-amz-date"]).toBe("19700101T000000Z");
});

describe("requests that the AWS SDK has sent", () => {
  const received: { request: IncomingMessage; body: string }[] = [];
  const server = createServer(async (request, response) => {
    received.push({ request, body: await text(request) });
    response.writeHead(500).end();
  });
  let endpoint = "";

  beforeAll(async () => {
    await once(server.listen(0, "127.0.0.1"), "listening");
    endpoint = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  });

  afterAll(() => server.close());

  const config = () => ({ endpoint, region: "eu-central-1", credentials, maxAttempts: 1 });

  test.each<[string, () => Promise<unknown>, "lambda" | "sts"]>([
    [
      "Invoke of a qualified ARN with a client context",
      () =>
        new LambdaClient({ ...config(), systemClockOffset: 86_400_000 }).send(
          new InvokeCommand({
            FunctionName: "arn:aws:lambda:eu-central-1:123456789012:function:my-function",
            Qualifier: "$LATEST",
            LogType: "Tail",
            ClientContext: "e30=",
            Payload: '{"name":"Ærø 🚀"}',
          }),
        ),
      "lambda",
    ],
    [
      "AssumeRole with a session policy",
      () =>
        new STSClient({ ...config(), systemClockOffset: -86_400_000 }).send(
          new AssumeRoleCommand({
            RoleArn: "arn:aws:iam::123456789012:role/path/my-role",
            RoleSessionName: "my-session",
            ExternalId: "my/source:id",
            Policy: '{"Version":"2012-10-17","Statement":[{"Resource":["a*","b c"]}]}',
          }),
        ),
      "sts",
    ],
  ])("%s: the same signature", async (_name, send, service) => {
    await send().catch(() => {});
    const { request, body } = received.pop() as (typeof received)[number];
    const url = new URL(request.url ?? "", endpoint);
    const time = String(request.headers["x-amz-date"]);
    const signedNames = /SignedHeaders=([^,]+)/.exec(String(request.headers.authorization))?.[1]?.split(";") ?? [];

    const headers = signedHeaders(
      {
        method: "POST",
        path: url.pathname,
        query: Object.fromEntries(url.searchParams),
        headers: Object.fromEntries(signedNames.map((name) => [name, String(request.headers[name])])),
        body,
      },
      {
        credentials,
        region: "eu-central-1",
        service,
        now: Date.parse(time.replace(/^(....)(..)(..T..)(..)/, "$1-$2-$3:$4:")),
        sha256: pureSha256,
      },
    );

    expect(headers["authorization"]).toBe(request.headers.authorization);
  });
});

function mapValues<T extends object, U>(values: T, map: (value: T[keyof T]) => U): Record<keyof T, U> {
  return Object.fromEntries(Object.entries(values).map(([key, value]) => [key, map(value)])) as Record<keyof T, U>;
}
