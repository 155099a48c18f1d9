// @ts-nocheck
import { createHash } from "node:crypto";
import fc from "fast-check";
import { type EmbeddedAws, startEmbeddedAws } from "../../../src/local/aws/embedded-aws";
import {
  type Credentials,
  errorMessage,
  errorType,
  send,
  sign,
  signForm,
  signInvoke,
  type WireRequest,
} from "./raw-client";

const keys = { accessKeyId: "AKIDEXAMPLE", secretAccessKey: "not-a-secret-EXAMPLEKEY" };
let aws: EmbeddedAws;

beforeAll(async () => {
  aws = await startEmbeddedAws();
  aws.addUser({ name: "router", ...keys });
  aws.addFunction({ name: "echo", handler: (event) => event });
});

afterAll(() => aws.close());

afterEach(() => aws.clock.set(Date.now()));

const whoAmI = { Action: "GetCallerIdentity" };

describe("a request signed by the AWS SDK's signer", () => {
  test.each([
    ["a space and a plus", "/2015-03-31/functions/a%20b%2Bc/other"],
    ["an ARN", "/2015-03-31/functions/arn%3Aaws%3Alambda%3Aus-east-1%3A123456789012%3Afunction%3Aecho/other"],
    ["a character beyond ASCII", "/2015-03-31/%C3%BC/%E2%82%AC"],
    ["escapes of escapes", "/2015-03-31/a%2520b/%252F"],
    ["an encoded slash", "/2015-03-31/a%2Fb"],
    ["dot segments", "/2015-03-31/a/./b/../c"],
    ["doubled slashes", "/2015-03-31//a///b"],
    ["a slash at the end", "/2015-03-31/a/"],
    ["unreserved and reserved characters", "/2015-03-31/-._~/!$&'()*,;=:@"],
    ["lower-case escapes", "/2015-03-31/%3a%c3%bc"],
  ])("is authentic with %s in its path", async (_, path) => {
    const answer = await send(aws.url, await sign(aws.url, { service: "lambda", credentials: keys, path }));
    expect(errorType(answer)).toBe("UnknownOperationException");
  });

  test.each([
    ["names out of order", { b: "2", a: "1", B: "3", "a-b": "4" }],
    ["one name several times", { x: ["2", "1", "10", ""] }],
    ["reserved characters", { "a b": "c+d", "e=f": "g&h/i?j", "~-._": "'()*!" }],
    ["characters beyond ASCII", { ü: "€", "\u{1f600}": "%20" }],
    ["empty values", { empty: "", Action: "" }],
  ])("is authentic with %s in its query", async (_, query: Record<string, string | string[]>) => {
    const path = "/2015-03-31/anything";
    const answer = await send(aws.url, await sign(aws.url, { service: "lambda", credentials: keys, path, query }));
    expect(errorType(answer)).toBe("UnknownOperationException");
  });

  test("is authentic if its query is written another way than it was signed", async () => {
    const query = { b: "x:y/z", "a@": "é" };
    const wire = await sign(aws.url, { service: "lambda", credentials: keys, path: "/2015-03-31/x", query });
    const answer = await send(aws.url, { ...wire, target: "/2015-03-31/x?&b=x:y%2fz&a@=%c3%a9" });
    expect(errorType(answer)).toBe("UnknownOperationException");
  });

  test("is authentic whatever its path, query, headers and body", async () => {
    const text = fc.string({ unit: "grapheme", maxLength: 12 });
    const segment = text.map((part) => encodeURIComponent(part));
    // The signer itself loses this one.
    const name = text.filter((part) => part !== "__proto__");
    const value = fc.string({ unit: fc.constantFrom(..." \tabz019=,;\"'"), maxLength: 20 });
    await fc.assert(
      fc.asyncProperty(
        fc.array(segment, { maxLength: 4 }),
        fc.dictionary(name, fc.oneof(text, fc.array(text, { minLength: 1, maxLength: 3 })), { maxKeys: 4 }),
        value,
        text,
        async (segments, query, headerValue, body) => {
          const path = `/2015-03-31/${segments.join("/")}`;
          const headers = { "x-amz-odd": headerValue };
          const wire = await sign(aws.url, { service: "lambda", credentials: keys, path, query, headers, body });
          const answer = await send(aws.url, wire);
          expect([errorType(answer), path, query]).toEqual(["UnknownOperationException", path, query]);
        },
      ),
      { numRuns: 100 },
    );
  });
});

describe("a request that was changed after it was signed is refused", () => {
  const changes: [string, (wire: WireRequest) => void][] = [
    [
      "body",
      (wire) => {
        wire.body = '{"a":2}';
      },
    ],
    [
      "method",
      (wire) => {
        wire.method = "PUT";
      },
    ],
    [
      "path",
      (wire) => {
        wire.target = wire.target.replace("echo", "ecco");
      },
    ],
    [
      "query",
      (wire) => {
        wire.target = wire.target.replace("Qualifier=1", "Qualifier=2");
      },
    ],
    [
      "signed header",
      (wire) => {
        wire.headers["x-amz-invocation-type"] = "Event";
      },
    ],
    [
      "host",
      (wire) => {
        wire.headers["host"] = "lambda.us-east-1.amazonaws.com";
      },
    ],
    [
      "signature",
      (wire) => {
        wire.headers["authorization"] = (wire.headers["authorization"] ?? "").replace(/.$/, (last) =>
          last === "0" ? "1" : "0",
        );
      },
    ],
    [
      "signature's length",
      (wire) => {
        wire.headers["authorization"] += "00";
      },
    ],
    [
      "signature, which is not hex",
      (wire) => {
        wire.headers["authorization"] = (wire.headers["authorization"] ?? "").replace(/Signature=.*/, "Signature=é");
      },
    ],
    [
      "declared hash of the body",
      (wire) => {
        wire.headers["x-amz-content-sha256"] = "0".repeat(64);
      },
    ],
  ];

  test.each(changes)("(%s)", async (_, change) => {
    const wire = await signInvoke(aws.url, keys, "echo", {
      query: { Qualifier: "1" },
      headers: { "x-amz-invocation-type": "RequestResponse", "x-amz-content-sha256": hashOf("{}") },
    });
    change(wire);
    const answer = await send(aws.url, wire);
    expect([answer.status, errorType(answer)]).toEqual([403, "InvalidSignatureException"]);
    expect(errorMessage(answer)).toMatch(/^The request signature we calculated does not match/);
  });

  test("at STS too", async () => {
    const wire = await signForm(aws.url, keys, whoAmI);
    wire.body += "&x=1";
    const answer = await send(aws.url, wire);
    expect([answer.status, errorType(answer)]).toEqual([403, "SignatureDoesNotMatch"]);
  });
});

test("a declared hash that belongs to another body is refused, although it was signed", async () => {
  const headers = { "x-amz-content-sha256": hashOf("{}") };
  const wire = await signInvoke(aws.url, keys, "echo", { headers, body: "{}" });
  wire.body = "[]";
  const answer = await send(aws.url, wire);
  expect(errorType(answer)).toBe("InvalidSignatureException");
});

test("another secret is refused", async () => {
  const answer = await send(aws.url, await signForm(aws.url, { ...keys, secretAccessKey: "wrong" }, whoAmI));
  expect([answer.status, errorType(answer)]).toEqual([403, "SignatureDoesNotMatch"]);
});

test.each([
  ["sts", 403, "InvalidClientTokenId"],
  ["lambda", 403, "UnrecognizedClientException"],
] as const)("an unknown key is refused by %s", async (service, status, code) => {
  const stranger = { ...keys, accessKeyId: "AKIDSTRANGER" };
  const wire =
    service === "sts" ? await signForm(aws.url, stranger, whoAmI) : await signInvoke(aws.url, stranger, "echo");
  const answer = await send(aws.url, wire);
  expect([answer.status, errorType(answer)]).toEqual([status, code]);
  expect(errorMessage(answer)).toBe("The security token included in the request is invalid.");
});

describe("the credential scope", () => {
  test.each([
    ["another region", { region: "eu-west-1" }, "Credential should be scoped to a valid region, not 'eu-west-1'. "],
    ["another service", { scopedService: "s3" }, "Credential should be scoped to correct service: 'lambda'. "],
  ])("of %s is refused", async (_, scope, message) => {
    const answer = await send(aws.url, await signInvoke(aws.url, keys, "echo", scope));
    expect([answer.status, errorType(answer), errorMessage(answer)]).toEqual([
      403,
      "InvalidSignatureException",
      message,
    ]);
  });

  test.each([
    ["another day", /\/\d{8}\//, "/20200101/", /^Date in Credential scope does not match YYYYMMDD/],
    ["another ending", /aws4_request/, "aws5_request", /^Credential should be scoped with a valid terminator/],
  ])("of %s is refused", async (_, part, replacement, message) => {
    const wire = await signInvoke(aws.url, keys, "echo");
    wire.headers["authorization"] = (wire.headers["authorization"] ?? "").replace(part, replacement);
    const answer = await send(aws.url, wire);
    expect(errorType(answer)).toBe("InvalidSignatureException");
    expect(errorMessage(answer)).toMatch(message);
  });

  test("may be of any region that was declared", async () => {
    const wide = await startEmbeddedAws({ regions: ["eu-west-1"] });
    wide.addUser({ name: "router", ...keys });
    const answer = await send(wide.url, await signForm(wide.url, keys, whoAmI, { region: "eu-west-1" }));
    await wide.close();
    expect(answer.status).toBe(200);
  });
});

describe("the clock skew that is tolerated", () => {
  const noon = new Date("2026-11-22T12:00:00Z");
  const minutes = (count: number): Date => new Date(noon.getTime() + count * 60_000);

  test.each([
    ["lambda", 4.9],
    ["lambda", -4.9],
    ["sts", 14.9],
    ["sts", -14.9],
  ] as const)("of %s includes %d minutes", async (service, skew) => {
    aws.clock.set(noon.getTime());
    const at = minutes(skew);
    const answer = await send(
      aws.url,
      service === "sts"
        ? await signForm(aws.url, keys, whoAmI, { at })
        : await signInvoke(aws.url, keys, "echo", { at }),
    );
    expect(answer.status).toBe(200);
  });

  test.each([
    [
      "lambda",
      -6,
      "InvalidSignatureException",
      "Signature expired: 20261122T115400Z is now earlier than 20261122T115500Z (20261122T120000Z - 5 min.)",
    ],
    [
      "lambda",
      6,
      "InvalidSignatureException",
      "Signature not yet current: 20261122T120600Z is still later than 20261122T120500Z (20261122T120000Z + 5 min.)",
    ],
    [
      "sts",
      -16,
      "SignatureDoesNotMatch",
      "Signature expired: 20261122T114400Z is now earlier than 20261122T114500Z (20261122T120000Z - 15 min.)",
    ],
    [
      "sts",
      16,
      "SignatureDoesNotMatch",
      "Signature not yet current: 20261122T121600Z is still later than 20261122T121500Z (20261122T120000Z + 15 min.)",
    ],
  ] as const)("of %s does not include %d minutes", async (service, skew, code, message) => {
    aws.clock.set(noon.getTime());
    const at = minutes(skew);
    const answer = await send(
      aws.url,
      service === "sts"
        ? await signForm(aws.url, keys, whoAmI, { at })
        : await signInvoke(aws.url, keys, "echo", { at }),
    );
    expect([answer.status, errorType(answer), errorMessage(answer)]).toEqual([403, code, message]);
  });

  test("can be found out from the answer's date", async () => {
    aws.clock.set(noon.getTime());
    const answer = await send(aws.url, await signForm(aws.url, keys, whoAmI, { at: minutes(60) }));
    expect(answer.headers["date"]).toBe("Sun, 22 Nov 2026 12:00:00 GMT");
  });
});

describe("what a signature lacks is named", () => {
  const credential = "Credential=AKIDEXAMPLE/20261122/us-east-1/sts/aws4_request";
  test.each([
    ["everything", "Bearer abc", ["Credential", "Signature", "SignedHeaders", "X-Amz-Date"]],
    ["Signature", `AWS4-HMAC-SHA256 ${credential}, SignedHeaders=host`, ["'Signature'", "X-Amz-Date"]],
    ["SignedHeaders", `AWS4-HMAC-SHA256 ${credential}, Signature=00`, ["'SignedHeaders'", "X-Amz-Date"]],
    ["Credential", "AWS4-HMAC-SHA256 SignedHeaders=host, Signature=00", ["'Credential'", "X-Amz-Date"]],
  ])("(%s)", async (_, authorization, named) => {
    const answer = await send(aws.url, {
      method: "POST",
      target: "/",
      headers: { authorization },
      body: "Action=GetCallerIdentity",
    });
    expect([answer.status, errorType(answer)]).toEqual([400, "IncompleteSignature"]);
    for (const name of named) expect(errorMessage(answer)).toContain(name);
    expect(errorMessage(answer)).not.toContain("abc");
  });

  test.each([
    [
      "a date that is none",
      "20261322T250000Z",
      `AWS4-HMAC-SHA256 ${credential}, SignedHeaders=host;x-amz-date, Signature=00`,
      "ISO-8601",
    ],
    [
      "a scope of four parts",
      "20261122T120000Z",
      "AWS4-HMAC-SHA256 Credential=A/20261122/us-east-1/sts, SignedHeaders=host;x-amz-date, Signature=00",
      "5 slash-delimited",
    ],
  ])("(%s)", async (_, date, authorization, named) => {
    const headers = { authorization, "x-amz-date": date };
    const answer = await send(aws.url, { method: "POST", target: "/", headers, body: "" });
    expect([answer.status, errorType(answer)]).toEqual([400, "IncompleteSignature"]);
    expect(errorMessage(answer)).toContain(named);
  });

  test.each([
    ["sts", "/", "MissingAuthenticationToken"],
    ["lambda", "/2015-03-31/functions/echo/invocations", "MissingAuthenticationTokenException"],
  ])("(no signature at all, %s)", async (_, target, code) => {
    const answer = await send(aws.url, { method: "POST", target, headers: {}, body: "" });
    expect([answer.status, errorType(answer)]).toEqual([403, code]);
  });

  test("(a presigned URL)", async () => {
    const target = "/?Action=GetCallerIdentity&X-Amz-Signature=00";
    const answer = await send(aws.url, { method: "GET", target, headers: {}, body: "" });
    expect([answer.status, errorType(answer)]).toEqual([400, "IncompleteSignature"]);
    expect(errorMessage(answer)).toContain("presigned");
  });

  test.each(["host", "x-amz-date"])("(%s is not signed)", async (name) => {
    const wire = await signInvoke(aws.url, keys, "echo");
    wire.headers["authorization"] = (wire.headers["authorization"] ?? "").replace(
      /SignedHeaders=([^,]*)/,
      (_, names: string) =>
        `SignedHeaders=${names
          .split(";")
          .filter((other) => other !== name)
          .join(";")}`,
    );
    const answer = await send(aws.url, wire);
    expect(errorType(answer)).toBe("InvalidSignatureException");
    expect(errorMessage(answer)).toBe(`'${name}' must be a 'SignedHeader' in the AWS Authorization.`);
  });
});

describe("a session", () => {
  let session: Required<Credentials>;

  beforeEach(async () => {
    const { arn } = aws.addRole({
      name: "reader",
      trustPolicy: { Statement: { Effect: "Allow", Principal: "*", Action: "sts:AssumeRole" } },
      permissionPolicies: [{ Statement: { Effect: "Allow", Action: "*", Resource: "*" } }],
    });
    const form = { Action: "AssumeRole", RoleArn: arn, RoleSessionName: "test", DurationSeconds: "900" };
    const { body } = await send(aws.url, await signForm(aws.url, keys, form, { at: new Date(aws.clock.now()) }));
    const element = (name: string): string => new RegExp(`<${name}>(.*?)</${name}>`).exec(body)?.[1] ?? "";
    session = {
      accessKeyId: element("AccessKeyId"),
      secretAccessKey: element("SecretAccessKey"),
      sessionToken: element("SessionToken"),
    };
  });

  const call = async (service: "sts" | "lambda", credentials: Credentials) => {
    const at = new Date(aws.clock.now());
    return send(
      aws.url,
      service === "sts"
        ? await signForm(aws.url, credentials, whoAmI, { at })
        : await signInvoke(aws.url, credentials, "echo", { at }),
    );
  };

  test.each(["sts", "lambda"] as const)("is good at %s until its last second", async (service) => {
    aws.clock.advance(898_000);
    expect((await call(service, session)).status).toBe(200);
  });

  test.each([
    ["sts", "ExpiredToken"],
    ["lambda", "ExpiredTokenException"],
  ] as const)("is over for %s when its time is over", async (service, code) => {
    aws.clock.advance(901_000);
    const answer = await call(service, session);
    expect([answer.status, errorType(answer)]).toEqual([403, code]);
    expect(errorMessage(answer)).toBe("The security token included in the request is expired");
  });

  test("is over when all are made to expire, the clock unmoved", async () => {
    aws.expireSessions();
    expect(errorType(await call("lambda", session))).toBe("ExpiredTokenException");
  });

  test.each([
    ["sts", "InvalidClientTokenId"],
    ["lambda", "UnrecognizedClientException"],
  ] as const)("is invalid for %s with another token or none", async (service, code) => {
    const { sessionToken, ...bare } = session;
    const without = await call(service, bare);
    const tampered = await call(service, { ...bare, sessionToken: `${sessionToken}x` });
    expect([without, tampered].map((answer) => [answer.status, errorType(answer)])).toEqual([
      [403, code],
      [403, code],
    ]);
  });

  test("long-lived keys with a token are invalid", async () => {
    expect(errorType(await call("sts", { ...keys, sessionToken: session.sessionToken }))).toBe("InvalidClientTokenId");
  });
});

function hashOf(text: string): string {
  return createHash("sha256").update(text).digest("hex");
}
