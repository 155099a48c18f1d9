// @ts-nocheck
import { createHash, createHmac, timingSafeEqual } from "node:crypto";
import { header, type RawRequest } from "./http-message";
import type { Identities, Identity } from "./identities";
import { type Service, ServiceError } from "./service-error";

type Failure = "missing" | "incomplete" | "mismatch" | "unknownKey" | "badToken" | "expiredToken";

/** What each way of not being authenticated is called: error code and HTTP status. */
const failures: Readonly<Record<Service, Readonly<Record<Failure, readonly [code: string, status: number]>>>> = {
  sts: {
    missing: ["MissingAuthenticationToken", 403],
    incomplete: ["IncompleteSignature", 400],
    mismatch: ["SignatureDoesNotMatch", 403],
    unknownKey: ["InvalidClientTokenId", 403],
    badToken: ["InvalidClientTokenId", 403],
    expiredToken: ["ExpiredToken", 403],
  },
  lambda: {
    missing: ["MissingAuthenticationTokenException", 403],
    incomplete: ["IncompleteSignatureException", 403],
    mismatch: ["InvalidSignatureException", 403],
    unknownKey: ["UnrecognizedClientException", 403],
    badToken: ["UnrecognizedClientException", 403],
    expiredToken: ["ExpiredTokenException", 403],
  },
};

/** How far, in minutes, a request's date may be from ours. */
const skewMinutes: Readonly<Record<Service, number>> = { sts: 15, lambda: 5 };

const tokenIsInvalid = "The security token included in the request is invalid.";
const doesNotMatch =
  "The request signature we calculated does not match the signature you provided. Check your AWS Secret Access Key and signing method. Consult the service documentation for details.";

export interface Caller {
  readonly identity: Identity;
  readonly accessKeyId: string;
  /** Region of the credential scope. */
  readonly region: string;
}

/**
 * Verifies AWS Signature Version 4 in the `Authorization` header, independently of any signer: the canonical request is
 * rebuilt from the bytes that came. Signatures in the query (presigned URLs) are not supported and answered as incomplete.
 * @see https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_sigv-create-signed-request.html
 */
export class SignatureVerifier {
  readonly #signingKeys = new Map<string, Buffer>();

  constructor(
    private readonly identities: Identities,
    private readonly now: () => number,
    private readonly isRegion: (region: string) => boolean,
  ) {}

  /** @throws ServiceError if the request is not authentic */
  verify(request: RawRequest, service: Service): Caller {
    const fail = (failure: Failure, message: string): ServiceError => {
      const [code, status] = failures[service][failure];
      return new ServiceError(code, status, message);
    };

    const authorization = header(request, "authorization");
    if (authorization === undefined) {
      throw /(^|&)X-Amz-Signature=/i.test(request.query)
        ? fail("incomplete", "Signatures in the query (presigned URLs) are not supported by the embedded AWS.")
        : fail(
            "missing",
            service === "sts" ? "Request is missing Authentication Token" : "Missing Authentication Token",
          );
    }
    const { credential, signedHeaders, signature } = parseAuthorization(authorization);
    const date = header(request, "x-amz-date");
    const gaps = [
      credential === undefined && "Authorization header requires 'Credential' parameter.",
      signature === undefined && "Authorization header requires 'Signature' parameter.",
      signedHeaders === undefined && "Authorization header requires 'SignedHeaders' parameter.",
      date === undefined && "Authorization header requires existence of either a 'X-Amz-Date' or a 'Date' header.",
    ].filter((gap) => gap !== false);
    if (credential === undefined || signature === undefined || signedHeaders === undefined || date === undefined) {
      throw fail(
        "incomplete",
        `${gaps.join(" ")} (Hashed with SHA-256 and encoded with Base64) Authorization=${createHash("sha256").update(authorization).digest("base64")}`,
      );
    }
    const requestTime = parseDate(date);
    if (requestTime === undefined) {
      throw fail("incomplete", `Date must be in ISO-8601 'basic format'. Got '${date}'.`);
    }
    const [accessKeyId, day, region, scopedService, terminator, ...rest] = credential.split("/");
    if (
      !accessKeyId ||
      day === undefined ||
      region === undefined ||
      scopedService === undefined ||
      terminator === undefined ||
      rest.length > 0
    ) {
      throw fail(
        "incomplete",
        `Credential must have exactly 5 slash-delimited elements, e.g. keyid/date/region/service/term, got '${credential}'`,
      );
    }

    const signed = signedHeaders.split(";");
    const unsigned = [...request.headers.keys()].filter((name) => name.startsWith("x-amz-") && !signed.includes(name));
    if (!signed.includes("host")) unsigned.unshift("host");
    if (unsigned.length > 0) {
      throw fail(
        "mismatch",
        unsigned.map((name) => `'${name}' must be a 'SignedHeader' in the AWS Authorization.`).join(" "),
      );
    }
    const scopeProblems = [
      terminator !== "aws4_request" &&
        `Credential should be scoped with a valid terminator: 'aws4_request', not '${terminator}'. `,
      scopedService !== service && `Credential should be scoped to correct service: '${service}'. `,
      !this.isRegion(region) && `Credential should be scoped to a valid region, not '${region}'. `,
      day !== date.slice(0, 8) &&
        `Date in Credential scope does not match YYYYMMDD from ISO-8601 version of date from HTTP: '${day}' != '${date.slice(0, 8)}', from '${date}'.`,
    ].filter((problem) => problem !== false);
    if (scopeProblems.length > 0) throw fail("mismatch", scopeProblems.join(""));

    const skewProblem = this.#skewProblem(requestTime, date, skewMinutes[service]);
    if (skewProblem) throw fail("mismatch", skewProblem);

    const owner = this.identities.ownerOf(accessKeyId);
    if (!owner) throw fail("unknownKey", tokenIsInvalid);
    if (owner.sessionToken !== header(request, "x-amz-security-token")) throw fail("badToken", tokenIsInvalid);
    if (owner.expiresAt !== undefined && this.now() >= owner.expiresAt) {
      throw fail("expiredToken", "The security token included in the request is expired");
    }

    const bodyHash = createHash("sha256").update(request.body).digest("hex");
    const declaredHash = header(request, "x-amz-content-sha256") ?? bodyHash;
    const scope = `${day}/${region}/${service}/aws4_request`;
    const stringToSign = [
      "AWS4-HMAC-SHA256",
      date,
      scope,
      createHash("sha256")
        .update(canonicalRequest(request, signed, declaredHash))
        .digest("hex"),
    ].join("\n");
    const expected = createHmac("sha256", this.#signingKey(accessKeyId, owner.secretAccessKey, scope))
      .update(stringToSign)
      .digest("hex");
    if (declaredHash !== bodyHash || !sameText(expected, signature)) {
      throw fail("mismatch", doesNotMatch);
    }
    return { identity: owner.identity, accessKeyId, region };
  }

  #skewProblem(requestTime: number, date: string, minutes: number): string | undefined {
    const now = this.now();
    const limit = minutes * 60_000;
    if (requestTime < now - limit) {
      return `Signature expired: ${date} is now earlier than ${basicDate(now - limit)} (${basicDate(now)} - ${minutes} min.)`;
    }
    if (requestTime > now + limit) {
      return `Signature not yet current: ${date} is still later than ${basicDate(now + limit)} (${basicDate(now)} + ${minutes} min.)`;
    }
    return undefined;
  }

  /** The key derived for a scope is the same all day; deriving it takes four HMACs. */
  #signingKey(accessKeyId: string, secretAccessKey: string, scope: string): Buffer {
    const id = `${accessKeyId}/${secretAccessKey}/${scope}`;
    const cached = this.#signingKeys.get(id);
    if (cached) return cached;
    if (this.#signingKeys.size >= 1000) this.#signingKeys.clear();
    let key: Buffer = Buffer.from(`AWS4${secretAccessKey}`);
    for (const part of scope.split("/")) key = createHmac("sha256", key).update(part).digest();
    this.#signingKeys.set(id, key);
    return key;
  }
}

function parseAuthorization(authorization: string): {
  readonly credential?: string | undefined;
  readonly signedHeaders?: string | undefined;
  readonly signature?: string | undefined;
} {
  const [, parameters] = /^AWS4-HMAC-SHA256\s+(.*)$/s.exec(authorization) ?? [];
  if (parameters === undefined) return {};
  const named = new Map(
    parameters.split(",").map((parameter) => {
      const [name = "", ...value] = parameter.trim().split("=");
      return [name, value.join("=")];
    }),
  );
  return {
    credential: named.get("Credential") || undefined,
    signedHeaders: named.get("SignedHeaders") || undefined,
    signature: named.get("Signature") || undefined,
  };
}

/** `20261122T150405Z` to milliseconds since 1970. */
function parseDate(date: string): number | undefined {
  const [, ...parts] = /^(\d{4})(\d\d)(\d\d)T(\d\d)(\d\d)(\d\d)Z$/.exec(date) ?? [];
  if (parts.length === 0) return undefined;
  const [year, month, day, hour, minute, second] = parts.map(Number) as [
    number,
    number,
    number,
    number,
    number,
    number,
  ];
  const time = Date.UTC(year, month - 1, day, hour, minute, second);
  return basicDate(time) === date ? time : undefined;
}

function basicDate(time: number): string {
  return new Date(time).toISOString().replace(/[-:]|\.\d+/g, "");
}

function canonicalRequest(request: RawRequest, signed: readonly string[], payloadHash: string): string {
  const headers = signed.map((name) => {
    const values = request.headers.get(name) ?? [];
    return `${name}:${values.map((value) => value.trim().replace(/\s+/g, " ")).join(",")}\n`;
  });
  return [
    request.method,
    canonicalPath(request.path),
    canonicalQuery(request.query),
    headers.join(""),
    signed.join(";"),
    payloadHash,
  ].join("\n");
}

/** Dot segments and doubled slashes removed, each segment of what came encoded once more (every service but S3). */
function canonicalPath(path: string): string {
  const segments: string[] = [];
  for (const segment of path.split("/")) {
    if (segment === "..") segments.pop();
    else if (segment !== "" && segment !== ".") segments.push(encode(Buffer.from(segment, "latin1")));
  }
  const slash = segments.length > 0 && /\/\.{0,2}$/.test(path) ? "/" : "";
  return `/${segments.join("/")}${slash}`;
}

function canonicalQuery(query: string): string {
  return query
    .split("&")
    .filter((pair) => pair !== "")
    .map((pair) => {
      const mark = pair.indexOf("=");
      const [name, value] = mark < 0 ? [pair, ""] : [pair.slice(0, mark), pair.slice(mark + 1)];
      return [encode(decode(name)), encode(decode(value))] as const;
    })
    .sort(([a, x], [b, y]) => compare(a, b) || compare(x, y))
    .map(([name, value]) => `${name}=${value}`)
    .join("&");
}

function compare(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}

/** Percent-decodes to bytes; what is no valid escape stays as it is. */
function decode(text: string): Buffer {
  const bytes = text.replace(/%([0-9A-Fa-f]{2})/g, (_, hex: string) => String.fromCharCode(Number.parseInt(hex, 16)));
  return Buffer.from(bytes, "latin1");
}

const encodings = Array.from({ length: 256 }, (_, byte) => {
  const char = String.fromCharCode(byte);
  return /[A-Za-z0-9\-._~]/.test(char) ? char : `%${byte.toString(16).toUpperCase().padStart(2, "0")}`;
});

function encode(bytes: Buffer): string {
  let text = "";
  for (const byte of bytes) text += encodings[byte];
  return text;
}

function sameText(a: string, b: string): boolean {
  const [x, y] = [Buffer.from(a), Buffer.from(b)];
  return x.length === y.length && timingSafeEqual(x, y);
}
