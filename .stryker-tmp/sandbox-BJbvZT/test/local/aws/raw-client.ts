// @ts-nocheck
import { createHash, createHmac } from "node:crypto";
import { request } from "node:http";
import { SignatureV4 } from "@smithy/signature-v4";

export interface Credentials {
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
  readonly sessionToken?: string;
}

export interface RawAnswer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string | string[] | undefined>>;
  readonly body: string;
}

export interface WireRequest {
  method: string;
  /** As it goes over the wire, with the query. */
  target: string;
  headers: Record<string, string>;
  body: string | Buffer;
}

/** One request over a connection of its own. Rejects if the connection breaks before the answer is complete. */
export function send(url: string, wire: WireRequest): Promise<RawAnswer> {
  const { hostname, port } = new URL(url);
  return new Promise((resolve, reject) => {
    const outgoing = request(
      { hostname, port, method: wire.method, path: wire.target, headers: wire.headers, agent: false },
      (incoming) => {
        const chunks: Buffer[] = [];
        incoming.on("data", (chunk: Buffer) => chunks.push(chunk));
        incoming.on("error", reject);
        incoming.on("end", () =>
          resolve({
            status: incoming.statusCode ?? 0,
            headers: incoming.headers,
            body: Buffer.concat(chunks).toString("utf8"),
          }),
        );
      },
    );
    outgoing.on("error", reject);
    outgoing.end(wire.body);
  });
}

export interface ToSign {
  readonly service: "sts" | "lambda";
  readonly credentials: Credentials;
  readonly method?: string;
  /** Encoded as it goes over the wire. */
  readonly path?: string;
  readonly query?: Record<string, string | string[]>;
  readonly headers?: Record<string, string>;
  readonly body?: string | Buffer;
  readonly region?: string;
  readonly scopedService?: string;
  readonly at?: Date;
}

/** Signs with the AWS SDK's own signer. */
export async function sign(url: string, what: ToSign): Promise<WireRequest> {
  const { hostname, port, host } = new URL(url);
  const { path = "/", query = {}, method = "POST", body = "" } = what;
  const signer = new SignatureV4({
    service: what.scopedService ?? what.service,
    region: what.region ?? "us-east-1",
    credentials: what.credentials,
    sha256: Sha256,
    applyChecksum: false,
  });
  const signed = await signer.sign(
    { method, protocol: "http:", hostname, port: Number(port), path, query, headers: { host, ...what.headers }, body },
    { signingDate: what.at ?? new Date() },
  );
  const pairs = Object.entries(query).flatMap(([name, values]) =>
    [values].flat().map((value) => `${encode(name)}=${encode(value)}`),
  );
  return {
    method,
    target: pairs.length > 0 ? `${path}?${pairs.join("&")}` : path,
    headers: { ...signed.headers },
    body,
  };
}

/** Signs an STS request of the query protocol. */
export function signForm(
  url: string,
  credentials: Credentials,
  form: Readonly<Record<string, string>>,
  more: Partial<ToSign> = {},
): Promise<WireRequest> {
  return sign(url, {
    service: "sts",
    credentials,
    body: new URLSearchParams({ Version: "2011-06-15", ...form }).toString(),
    headers: { "content-type": "application/x-www-form-urlencoded" },
    ...more,
  });
}

/** Signs an Invoke request. */
export function signInvoke(
  url: string,
  credentials: Credentials,
  functionName: string,
  more: Partial<ToSign> = {},
): Promise<WireRequest> {
  return sign(url, {
    service: "lambda",
    credentials,
    path: `/2015-03-31/functions/${encode(functionName)}/invocations`,
    body: "{}",
    ...more,
  });
}

export const errorType = (answer: RawAnswer): string =>
  String(answer.headers["x-amzn-errortype"] ?? /<Code>(.*?)<\/Code>/.exec(answer.body)?.[1]);

export const errorMessage = (answer: RawAnswer): string => {
  if (answer.body.startsWith("<")) return /<Message>(.*?)<\/Message>/s.exec(answer.body)?.[1] ?? "";
  const { message, Message } = JSON.parse(answer.body) as { message?: string; Message?: string };
  return message ?? Message ?? "";
};

function encode(text: string): string {
  return encodeURIComponent(text).replace(/[!'()*]/g, (char) => `%${char.charCodeAt(0).toString(16).toUpperCase()}`);
}

class Sha256 {
  #chunks: Buffer[] = [];

  constructor(private readonly secret?: string | ArrayBuffer | ArrayBufferView) {}

  update(chunk: string | ArrayBuffer | ArrayBufferView): void {
    this.#chunks.push(bytes(chunk));
  }

  async digest(): Promise<Uint8Array> {
    const hash = this.secret === undefined ? createHash("sha256") : createHmac("sha256", bytes(this.secret));
    return hash.update(Buffer.concat(this.#chunks)).digest();
  }

  reset(): void {
    this.#chunks = [];
  }
}

function bytes(data: string | ArrayBuffer | ArrayBufferView): Buffer {
  if (typeof data === "string") return Buffer.from(data);
  return ArrayBuffer.isView(data) ? Buffer.from(data.buffer, data.byteOffset, data.byteLength) : Buffer.from(data);
}
