// @ts-nocheck
import { utf8 } from "../encoding/utf8";
import type { AwsCredentials } from "./aws";

/** SHA-256 of bytes, or of a text in UTF-8: 32 bytes. */
export type Sha256 = (data: Uint8Array | string) => Uint8Array;

/** A request as it will be sent. */
export interface SignableRequest {
  readonly method: string;
  /** Starts with a slash, is percent-encoded and has no `.` or `..` in it. */
  readonly path: string;
  /** Not encoded. */
  readonly query: Readonly<Record<string, string>>;
  /** With `host`, the name in lower case. */
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
}

export interface SigningContext {
  readonly credentials: AwsCredentials;
  readonly region: string;
  /** The service's signing name, e.g. `lambda`. */
  readonly service: string;
  /** Milliseconds since 1970. */
  readonly now: number;
  readonly sha256: Sha256;
}

/** What proxies and HTTP clients change or add on the way, and what AWS therefore leaves out of a signature. */
const UNSIGNED: readonly string[] = [
  "authorization",
  "connection",
  "expect",
  "transfer-encoding",
  "user-agent",
  "x-amzn-trace-id",
];

/**
 * The request's headers with AWS Signature Version 4 added to them: names in lower case, `authorization` last. Its
 * signature is the one that the AWS SDK makes of the same request.
 *
 * @see https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_sigv-create-signed-request.html
 */
export function signedHeaders(request: SignableRequest, context: SigningContext): Record<string, string> {
  const { credentials, region, service, now, sha256 } = context;
  const hashOf = (text: string) => hex(sha256(text));
  const time = `${new Date(now).toISOString().slice(0, 19).replace(/[-:]/g, "")}Z`;
  const date = time.slice(0, 8);
  const payloadHash = hashOf(request.body);
  const headers: Record<string, string> = {
    ...lowerCase(request.headers),
    "x-amz-content-sha256": payloadHash,
    "x-amz-date": time,
    ...(credentials.sessionToken && { "x-amz-security-token": credentials.sessionToken }),
  };

  const names = Object.keys(headers)
    .filter((name) => !UNSIGNED.includes(name))
    .sort();
  const canonicalRequest = [
    request.method,
    request.path.split("/").map(uriEncode).join("/"),
    queryString(request.query),
    ...names.map((name) => `${name}:${(headers[name] ?? "").trim().replace(/\s+/g, " ")}`),
    "",
    names.join(";"),
    payloadHash,
  ].join("\n");

  const scope = `${date}/${region}/${service}/aws4_request`;
  const stringToSign = ["AWS4-HMAC-SHA256", time, scope, hashOf(canonicalRequest)].join("\n");
  const key = signingKey(sha256, credentials.secretAccessKey, [date, region, service, "aws4_request"]);
  const signature = hex(hmac(sha256, key, utf8(stringToSign)));

  return {
    ...headers,
    authorization: `AWS4-HMAC-SHA256 Credential=${credentials.accessKeyId}/${scope}, SignedHeaders=${names.join(";")}, Signature=${signature}`,
  };
}

/** A query as AWS signs it, and as it can be sent: sorted, everything but RFC 3986's unreserved characters encoded. */
export function queryString(query: Readonly<Record<string, string>>): string {
  return Object.entries(query)
    .map(([key, value]) => [uriEncode(key), uriEncode(value)] as const)
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map((pair) => pair.join("="))
    .join("&");
}

/** Percent-encodes everything but RFC 3986's unreserved characters. */
export function uriEncode(text: string): string {
  return encodeURIComponent(text).replace(
    /[!'()*]/g,
    (letter) => `%${letter.charCodeAt(0).toString(16).toUpperCase()}`,
  );
}

/** Signing keys kept at most; one lasts a day per secret, region and service. */
const MAX_SIGNING_KEYS = 1000;
const signingKeys = new Map<string, Uint8Array>();

/** Derived from the secret step by step; derived once, because that is most of a signature's work. */
function signingKey(sha256: Sha256, secret: string, scope: readonly string[]): Uint8Array {
  const name = [secret, ...scope].join("/");
  const known = signingKeys.get(name);
  if (known) return known;
  const key = scope.reduce<Uint8Array>((outer, part) => hmac(sha256, outer, utf8(part)), utf8(`AWS4${secret}`));
  if (signingKeys.size >= MAX_SIGNING_KEYS) signingKeys.clear();
  signingKeys.set(name, key);
  return key;
}

/** Bytes that SHA-256 takes at a time. */
const BLOCK = 64;

function hmac(sha256: Sha256, key: Uint8Array, message: Uint8Array): Uint8Array {
  const block = new Uint8Array(BLOCK);
  block.set(key.length > BLOCK ? sha256(key) : key);
  const keyed = (mask: number, bytes: Uint8Array) =>
    sha256(
      joined(
        block.map((byte) => byte ^ mask),
        bytes,
      ),
    );
  return keyed(0x5c, keyed(0x36, message));
}

function joined(head: Uint8Array, tail: Uint8Array): Uint8Array {
  const all = new Uint8Array(head.length + tail.length);
  all.set(head);
  all.set(tail, head.length);
  return all;
}

function hex(bytes: Uint8Array): string {
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
}

function lowerCase(headers: Readonly<Record<string, string>>): Record<string, string> {
  return Object.fromEntries(Object.entries(headers).map(([name, value]) => [name.toLowerCase(), value]));
}
