// @ts-nocheck
import { Readable, Writable } from "node:stream";
import type { Io } from "../../src/cli/command";

/** A terminal's streams for a command under test: `input` to read, everything written kept. */
export function bufferedIo(input = ""): Io & { out(): string; err(): string } {
  const [stdout, out] = buffer();
  const [stderr, err] = buffer();
  return { stdin: Readable.from([input]), stdout, stderr, env: {}, onInterrupt: () => () => {}, out, err };
}

function buffer(): [Writable, () => string] {
  const chunks: Buffer[] = [];
  const stream = new Writable({
    write(chunk: Buffer, _encoding, done) {
      chunks.push(Buffer.from(chunk));
      done();
    },
  });
  return [stream, () => Buffer.concat(chunks).toString("utf8")];
}
