// @ts-nocheck
import { Writable } from "node:stream";

/** A terminal that keeps all that is written to it. */
export function terminal(): Writable & { readonly isTTY: true; readonly columns: number; written(): string } {
  let written = "";
  const stream = new Writable({
    write(chunk: Buffer, _encoding, done) {
      written += chunk.toString();
      done();
    },
  });
  return Object.assign(stream, { isTTY: true as const, columns: 120, written: () => written });
}
