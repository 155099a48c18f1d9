import type { Readable } from "node:stream";
import { pipeline } from "node:stream/promises";
import { createGunzip } from "node:zlib";

/** Compressed input that cannot be read to its end. */
export class DamagedGzip extends Error {
  override readonly name = "DamagedGzip";
}

/** How gzip begins. */
export function isGzip(head: Uint8Array): boolean {
  return head[0] === 0x1f && head[1] === 0x8b;
}

/**
 * What is in a stream, unpacked where it is gzip; chunk by chunk, whatever the length.
 *
 * @throws DamagedGzip where it is cut off or broken, after everything before that place
 */
export async function* gunzipped(input: Readable): AsyncGenerator<Buffer> {
  const chunks = (input as AsyncIterable<Buffer | string>)[Symbol.asyncIterator]();
  let head = Buffer.alloc(0);
  while (head.length < 2) {
    const next = await chunks.next();
    if (next.done) break;
    head = Buffer.concat([head, Buffer.from(next.value)]);
  }
  async function* whole(): AsyncGenerator<Buffer> {
    if (head.length > 0) yield head;
    for (let next = await chunks.next(); !next.done; next = await chunks.next()) yield Buffer.from(next.value);
  }
  if (!isGzip(head)) return yield* whole();
  const gunzip = createGunzip();
  const fed = pipeline(whole, gunzip);
  // Told below, by way of what is read.
  fed.catch(() => {});
  try {
    yield* gunzip as AsyncIterable<Buffer>;
  } catch (error) {
    const { code = "", message } = error as NodeJS.ErrnoException;
    throw code.startsWith("Z_") ? new DamagedGzip(message) : (input.errored ?? error);
  }
}
