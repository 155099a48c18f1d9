import type { AwsCredentials } from "./aws";

/** SHA-256 and HMAC by whatever the surroundings have. */
export interface Crypto {
  /** SHA-256 of a text in UTF-8, as lower-case hexadecimal digits. */
  sha256(text: string): string;
  /** HMAC-SHA256 of a text in UTF-8. */
  hmac(key: string | Uint8Array, text: string): Uint8Array;
  /** The same as lower-case hexadecimal digits. */
  hmacHex(key: Uint8Array, text: string): string;
}

/** What AWS leaves out of a signature, because proxies and HTTP clients change or add it on the way. */
const UNSIGNED: readonly string[] = [
  "authorization",
  "connection",
  "expect",
  "transfer-encoding",
  "user-agent",
  "x-amzn-trace-id",
];

/**
 * One caller's signatures (AWS Signature Version 4) for one service in one region. What does not change from request to
 * request is worked out once: the key once a day here, the text around hash and time once a request's kind in
 * {@link SignedRequest}.
 *
 * @see https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_sigv-create-signed-request.html
 */
export class Signer {
  readonly credentials: AwsCredentials;
  readonly #crypto: Crypto;
  readonly #region: string;
  readonly #service: string;
  #day = "";
  #scope = "";
  #key: Uint8Array = new Uint8Array();

  /** @param service its signing name, e.g. `lambda` */
  constructor(crypto: Crypto, credentials: AwsCredentials, region: string, service: string) {
    this.#crypto = crypto;
    this.credentials = credentials;
    this.#region = region;
    this.#service = service;
  }

  hash(text: string): string {
    return this.#crypto.sha256(text);
  }

  /** The `authorization` of a request at a {@link signingTime}. */
  authorization(time: string, signedHeaders: string, canonicalRequest: string): string {
    const day = time.slice(0, 8);
    if (day !== this.#day) this.#beginDay(day);
    const toSign = `AWS4-HMAC-SHA256\n${time}\n${this.#scope}\n${this.#crypto.sha256(canonicalRequest)}`;
    const signature = this.#crypto.hmacHex(this.#key, toSign);
    return `AWS4-HMAC-SHA256 Credential=${this.credentials.accessKeyId}/${this.#scope}, SignedHeaders=${signedHeaders}, Signature=${signature}`;
  }

  #beginDay(day: string): void {
    const parts = [day, this.#region, this.#service, "aws4_request"];
    this.#day = day;
    this.#scope = parts.join("/");
    this.#key = parts.reduce<string | Uint8Array>(
      (key, part) => this.#crypto.hmac(key, part),
      `AWS4${this.credentials.secretAccessKey}`,
    ) as Uint8Array;
  }
}

/** A request as it will be sent, but for its body. */
export interface SignableRequest {
  readonly host: string;
  /** Starts with a slash, is percent-encoded and has no `.` or `..` in it. */
  readonly path: string;
  /** Not encoded. */
  readonly query?: Readonly<Record<string, string>>;
  /** Names in lower case. */
  readonly headers: Readonly<Record<string, string>>;
}

/**
 * Requests of one kind, of which only body and time change. The signature is the one that the AWS SDK makes of the
 * same request.
 */
export class SignedRequest {
  /** As it goes out, with the query. */
  readonly path: string;
  readonly #signer: Signer;
  /** Names and values by turns. */
  readonly #headers: readonly string[];
  readonly #names: string;
  /** The canonical request in pieces: `before`, hash, `between`, time, `after`, hash. */
  readonly #before: string;
  readonly #between: string;
  readonly #after: string;

  constructor(signer: Signer, { host, path, query = {}, headers }: SignableRequest) {
    const { sessionToken } = signer.credentials;
    const sent = { ...headers, ...(sessionToken && { "x-amz-security-token": sessionToken }) };
    const signed: Record<string, string> = { host, ...sent, "x-amz-content-sha256": "", "x-amz-date": "" };
    const names = Object.keys(signed)
      .filter((name) => !UNSIGNED.includes(name))
      .sort();
    const line = (name: string) => `${name}:${(signed[name] ?? "").trim().replace(/\s+/g, " ")}\n`;
    const lines = (from: number, to?: number) => names.slice(from, to).map(line).join("");
    const hashAt = names.indexOf("x-amz-content-sha256");
    const dateAt = names.indexOf("x-amz-date");
    const canonicalPath = path.split("/").map(uriEncode).join("/");
    const canonicalQuery = queryString(query);
    this.path = canonicalQuery ? `${path}?${canonicalQuery}` : path;
    this.#signer = signer;
    this.#headers = Object.entries(sent).flat();
    this.#names = names.join(";");
    this.#before = `POST\n${canonicalPath}\n${canonicalQuery}\n${lines(0, hashAt)}x-amz-content-sha256:`;
    this.#between = `\n${lines(hashAt + 1, dateAt)}x-amz-date:`;
    this.#after = `\n${lines(dateAt + 1)}\n${this.#names}\n`;
  }

  /**
   * The headers for a body at a moment, names and values by turns.
   *
   * @param now milliseconds since 1970, AWS's time
   */
  headers(body: string, now: number): string[] {
    const hash = this.#signer.hash(body);
    const time = signingTime(now);
    const canonicalRequest = this.#before + hash + this.#between + time + this.#after + hash;
    const authorization = this.#signer.authorization(time, this.#names, canonicalRequest);
    return [...this.#headers, "x-amz-content-sha256", hash, "x-amz-date", time, "authorization", authorization];
  }
}

let lastSecond = Number.NaN;
let lastTime = "";

/** `20261125T003642Z`, written once a second. */
export function signingTime(now: number): string {
  const second = Math.floor(now / 1000);
  if (second !== lastSecond) {
    lastTime = `${new Date(second * 1000).toISOString().slice(0, 19).replace(/[-:]/g, "")}Z`;
    lastSecond = second;
  }
  return lastTime;
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
