/**
 * Who may send to a connection's webhook. Each credential by itself opens it, but for Segment's signature, which covers no more than the first
 * item of a batch. Compared in constant time; secrets are held as digests where that is enough.
 */
import * as crypto from "node:crypto";
import { createHash, createHmac, type KeyObject, timingSafeEqual, verify } from "node:crypto";
import { Refusal } from "./refusal";

/** A request, as far as it says who sent it. */
export interface Claim {
  header(name: string): string | undefined;
  /** As it came, but inflated. */
  readonly body: Buffer;
  /** Of this machine's clock, in milliseconds since 1970. */
  readonly now: number;
  /** Parses the body, once. */
  parsed(): unknown;
}

/** @returns whether the request proves that its sender knows a secret of this credential; `"first"` where of a batch only the first item is proven */
export type Credential = (claim: Claim) => boolean | "first";

/** Seconds that a signed timestamp may be off. */
const MAX_AGE_SECONDS = 300;

/** @throws Refusal (401) */
export function authenticate(credentials: readonly Credential[], claim: Claim): void {
  let first = false;
  for (const credential of credentials) {
    const proven = credential(claim);
    if (proven === true) return;
    first ||= proven === "first";
  }
  if (first) {
    throw new Refusal(
      401,
      "BatchNotSigned",
      "Segment signs the first item of a batch only: give this connection a second secret (bearer, basic or header), or turn batching off.",
    );
  }
  throw new Refusal(
    401,
    "Unauthorized",
    "The request has none of the secrets or signatures that this connection asks for.",
  );
}

export function bearer(secrets: readonly string[]): Credential {
  const known = secrets.map(digest);
  return ({ header }) => isAny(/^Bearer +(.+)$/i.exec(header("authorization") ?? "")?.[1], known);
}

export function basic(user: string, secrets: readonly string[]): Credential {
  const known = secrets.map((secret) => digest(`${user}:${secret}`));
  return ({ header }) => isAny(basicCredentials(header("authorization")), known);
}

export function inHeader(name: string, secrets: readonly string[]): Credential {
  const known = secrets.map(digest);
  return ({ header }) => isAny(header(name), known);
}

/** `user:password` of HTTP Basic auth. */
export function basicCredentials(authorization: string | undefined): string | undefined {
  const [, encoded] = /^Basic +(.+)$/i.exec(authorization ?? "") ?? [];
  return encoded === undefined ? undefined : Buffer.from(encoded, "base64").toString("utf8");
}

/** What of a request Jitsu's signature covers. */
export type JitsuSigned = "timestamp.body" | "body";

/** Jitsu: lower-case hex of HMAC-SHA256, over the time and the body or the body alone. */
export function jitsuHmac(name: string, signed: JitsuSigned, secrets: readonly string[]): Credential {
  return jitsu(name, signed, (text, signature) =>
    secrets.map((secret) => equalHex(signature, hmac("sha256", secret, text))).includes(true),
  );
}

/** Jitsu: Ed25519, as hex or base64. */
export function jitsuEd25519(name: string, signed: JitsuSigned, publicKeys: readonly KeyObject[]): Credential {
  return jitsu(name, signed, (text, signature) => {
    const bytes = Buffer.from(signature, /^[0-9a-f]{128}$/i.test(signature) ? "hex" : "base64");
    return bytes.length === 64 && publicKeys.some((key) => verify(null, text, key, bytes));
  });
}

function jitsu(name: string, signed: JitsuSigned, isRight: (text: Buffer, signature: string) => boolean): Credential {
  return ({ header, body, now }) => {
    const signature = header(name);
    if (signature === undefined) return false;
    if (signed === "body") return isRight(body, signature);
    const timestamp = header(`${name}-Timestamp`) ?? "";
    if (!/^\d{1,12}$/.test(timestamp) || Math.abs(now / 1000 - Number(timestamp)) > MAX_AGE_SECONDS) return false;
    return isRight(Buffer.concat([Buffer.from(`${timestamp}.`), body]), signature);
  };
}

/**
 * Segment: hex of HMAC-SHA1 over the event. Of a batch it signs the first item, as JSON of its own, and of Extensible Webhook's wrapped items what is
 * in the wrapping.
 */
export function segmentSignature(secrets: readonly string[]): Credential {
  const isSigned = (text: Buffer | string, signature: string) =>
    secrets.map((secret) => equalHex(signature, hmac("sha1", secret, text))).includes(true);
  return ({ header, body, parsed }) => {
    const signature = header("x-signature");
    if (signature === undefined) return false;
    const isArray = body.subarray(0, 64).toString("latin1").trimStart().startsWith("[");
    if (!isArray) return isSigned(body, signature);
    const items = parsed();
    const [item] = Array.isArray(items) ? (items as unknown[]) : [];
    const { json = item } = Object(item) as { json?: unknown };
    if (!isSigned(JSON.stringify(json) ?? "", signature)) return false;
    return Array.isArray(items) && items.length === 1 ? true : "first";
  };
}

/** Outpost: `v0=` and hex of HMAC-SHA256 over the body, one for each secret that is in use while they are rotated. */
export function outpostSignature(secrets: readonly string[]): Credential {
  return ({ header, body }) => {
    const [, list] = /^v0=([0-9a-f,]+)$/i.exec(header("x-outpost-signature") ?? "") ?? [];
    if (list === undefined) return false;
    const right = secrets.map((secret) => hmac("sha256", secret, body));
    return list
      .split(",", 10)
      .flatMap((signature) => right.map((expected) => equalHex(signature, expected)))
      .includes(true);
  };
}

function hmac(algorithm: "sha1" | "sha256", secret: string, text: Buffer | string): Buffer {
  return createHmac(algorithm, secret).update(text).digest();
}

function equalHex(given: string, expected: Buffer): boolean {
  const bytes = Buffer.from(given, "hex");
  return bytes.length === expected.length && timingSafeEqual(bytes, expected);
}

/** Stands for a secret: comparing digests tells nothing of what they are of, not even its length. */
export function digest(secret: string): Buffer {
  // The one-shot came with Node.js 20.12; it writes a text in a third of the time that it takes for a buffer.
  return typeof crypto.hash === "function"
    ? Buffer.from(crypto.hash("sha256", secret, "base64"), "base64")
    : createHash("sha256").update(secret).digest();
}

function isAny(given: string | undefined, known: readonly Buffer[]): boolean {
  if (given === undefined) return false;
  const claimed = digest(given);
  return known.map((each) => timingSafeEqual(each, claimed)).includes(true);
}
