import { createHash, createHmac } from "node:crypto";
import { once } from "node:events";
import { createServer, type IncomingMessage } from "node:http";
import type { AddressInfo } from "node:net";
import { text } from "node:stream/consumers";
import { InvokeCommand, LambdaClient } from "@aws-sdk/client-lambda";
import { AssumeRoleCommand, STSClient } from "@aws-sdk/client-sts";
import { SignatureV4 } from "@smithy/signature-v4";
import fc from "fast-check";
import { nodeCrypto } from "../../src/aws/node-crypto";
import { type Crypto, type SignableRequest, SignedRequest, Signer } from "../../src/aws/signature";
import { sha256Crypto } from "../../src/encoding/sha256";

const credentials = {
  accessKeyId: "AKIDEXAMPLE00000000",
  secretAccessKey: "not/a/real+secret/only+for+this+test00000",
  sessionToken: "not-a-real-token//with+signs==",
};

interface Signing {
  readonly credentials: typeof credentials | Omit<typeof credentials, "sessionToken">;
  readonly region: string;
  readonly service: string;
  readonly now: number;
  readonly crypto?: Crypto;
}

function signedHeaders(
  { body, ...request }: SignableRequest & { body: string },
  signing: Signing,
): Record<string, string> {
  const { credentials: signer, region, service, now, crypto = sha256Crypto } = signing;
  const flat = new SignedRequest(new Signer(crypto, signer, region, service), request).headers(body, now);
  return Object.fromEntries(flat.flatMap((name, i) => (i % 2 === 0 ? [[name, flat[i + 1] as string]] : [])));
}

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

const anyRequest: fc.Arbitrary<SignableRequest & { body: string }> = fc.record({
  host: fc.constant("lambda.us-east-1.amazonaws.com"),
  path: fc.array(segment, { maxLength: 5 }).map((segments) => `/${segments.join("/")}`),
  query: fc.dictionary(queryKey, unicode, { maxKeys: 5 }),
  headers: fc
    // A header has one name, however it is written.
    .uniqueArray(fc.tuple(headerName, headerValue), { maxLength: 5, selector: ([name]) => name.toLowerCase() })
    .map(
      (extra): Record<string, string> => Object.fromEntries(extra.map(([name, value]) => [name.toLowerCase(), value])),
    ),
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
      fc.constantFrom(nodeCrypto, sha256Crypto),
      async (request, now, signer, region, service, crypto) => {
        const reference = await new SignatureV4({
          credentials: signer,
          region,
          service,
          sha256: NodeSha256,
        }).sign(
          {
            ...request,
            method: "POST",
            hostname: "unused",
            protocol: "https:",
            query: { ...request.query },
            headers: { ...request.headers, host: request.host },
          },
          { signingDate: now },
        );

        const headers = signedHeaders(request, { credentials: signer, region, service, now: +now, crypto });

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
    { host: "sts.us-east-1.amazonaws.com", path: "/", headers: {}, body: "" },
    { credentials: keys, region: "us-east-1", service: "sts", now: 0 },
  );

  expect(Object.keys(headers)).toEqual(["x-amz-content-sha256", "x-amz-date", "authorization"]);
  expect(headers["x-amz-date"]).toBe("19700101T000000Z");
});

const MADE_BY_THE_SIGNATURE = ["host", "x-amz-content-sha256", "x-amz-date", "x-amz-security-token"];

test("one request signs any body at any moment, as if it were made for it", () => {
  const request = { host: "lambda.us-east-1.amazonaws.com", path: "/", headers: { "x-amz-log-type": "Tail" } };
  const signing = { credentials, region: "us-east-1", service: "lambda" };
  const kept = new SignedRequest(new Signer(nodeCrypto, credentials, "us-east-1", "lambda"), request);
  const midnight = Date.parse("2026-01-02T00:00:00Z");
  for (const [body, now] of [
    ["{}", midnight - 1],
    ["[]", midnight - 1],
    ["{}", midnight],
    ["{}", midnight - 86_400_000],
  ] as const) {
    const headers = kept.headers(body, now);
    expect(headers[headers.indexOf("authorization") + 1]).toBe(
      signedHeaders({ ...request, body }, { ...signing, now })["authorization"],
    );
  }
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
        host: url.host,
        path: url.pathname,
        query: Object.fromEntries(url.searchParams),
        headers: Object.fromEntries(
          signedNames
            .filter((name) => !MADE_BY_THE_SIGNATURE.includes(name))
            .map((name) => [name, String(request.headers[name])]),
        ),
        body,
      },
      {
        credentials,
        region: "eu-central-1",
        service,
        now: Date.parse(time.replace(/^(....)(..)(..T..)(..)/, "$1-$2-$3:$4:")),
      },
    );

    expect(headers["authorization"]).toBe(request.headers.authorization);
  });
});

function mapValues<T extends object, U>(values: T, map: (value: T[keyof T]) => U): Record<keyof T, U> {
  return Object.fromEntries(Object.entries(values).map(([key, value]) => [key, map(value)])) as Record<keyof T, U>;
}
