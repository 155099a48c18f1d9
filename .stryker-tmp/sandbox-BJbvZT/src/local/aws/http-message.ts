// @ts-nocheck
import type { IncomingMessage } from "node:http";

/** A request exactly as it came over the wire: what was signed has to be rebuilt from it byte by byte. */
export interface RawRequest {
  readonly method: string;
  /** Undecoded, from `/` up to `?`. */
  readonly path: string;
  /** Undecoded, without the `?`. */
  readonly query: string;
  /** By lower-case name, values in the order of arrival. */
  readonly headers: ReadonlyMap<string, readonly string[]>;
  readonly body: Buffer;
}

export interface Answer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
}

/** Beyond this many bytes a body is read no further and the connection is cut. */
const cutAt = 64 * 1024 * 1024;

export function header(request: RawRequest, name: string): string | undefined {
  return request.headers.get(name)?.[0];
}

/** Reads a request; bytes of the body beyond `maxBodyBytes` are counted and thrown away. */
export async function readRequest(
  message: IncomingMessage,
  maxBodyBytes: number,
): Promise<RawRequest & { readonly bodyBytes: number }> {
  const chunks: Buffer[] = [];
  let bodyBytes = 0;
  for await (const chunk of message as AsyncIterable<Buffer>) {
    bodyBytes += chunk.length;
    if (bodyBytes <= maxBodyBytes) chunks.push(chunk);
    if (bodyBytes > cutAt) throw new Error("body without end");
  }
  const headers = new Map<string, string[]>();
  for (let i = 0; i + 1 < message.rawHeaders.length; i += 2) {
    const name = (message.rawHeaders[i] as string).toLowerCase();
    const value = message.rawHeaders[i + 1] as string;
    const values = headers.get(name);
    if (values) values.push(value);
    else headers.set(name, [value]);
  }
  const target = message.url ?? "/";
  const mark = target.indexOf("?");
  return {
    method: message.method ?? "GET",
    path: mark < 0 ? target : target.slice(0, mark),
    query: mark < 0 ? "" : target.slice(mark + 1),
    headers,
    body:
      bodyBytes <= maxBodyBytes
        ? chunks.length === 1
          ? (chunks[0] as Buffer)
          : Buffer.concat(chunks)
        : Buffer.alloc(0),
    bodyBytes,
  };
}
