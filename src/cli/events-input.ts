import { type BigIntStats, fstatSync } from "node:fs";
import { open } from "node:fs/promises";
import type { Readable } from "node:stream";
import { type Io, UsageError } from "./command";
import { fileProblem } from "./file-problem";
import { isGzip } from "./gunzipped";

/** The events that are sent, opened. */
export interface EventsInput {
  /** As messages call it. */
  readonly name: string;
  readonly stream: Readable;
  /** Bytes in all, where that is known: not of what is packed. */
  readonly bytes?: number;
  /** Of the file or pipe behind it, where there is one. */
  readonly stats?: BigIntStats;
}

/**
 * Opens a file of events, or standard input where none is named.
 *
 * @throws UsageError where it cannot be read
 */
export async function openEvents(path: string | undefined, io: Io): Promise<EventsInput> {
  return path === undefined || path === "-" ? standardInput(io) : openFile(path);
}

function standardInput({ stdin }: Io): EventsInput {
  const name = "standard input";
  if (stdin.isTTY) throw new UsageError("Name a file of events, or pipe events into standard input.");
  if (stdin.fd === undefined) return { name, stream: stdin };
  const stats = fstatSync(stdin.fd, { bigint: true });
  if (stats.isDirectory()) throw fileProblem("read", name, { code: "EISDIR" });
  return { name, stream: stdin, stats };
}

async function openFile(path: string): Promise<EventsInput> {
  try {
    const file = await open(path);
    const stats = await file.stat({ bigint: true });
    const bytes = Number(stats.size);
    const { buffer: head } = stats.isFile() ? await file.read(Buffer.alloc(2), 0, 2, 0) : { buffer: Buffer.alloc(0) };
    // What is appended from now on is not read: a file that grows would never end. Pipes and devices have no size.
    const stream = file.createReadStream(bytes > 0 ? { end: bytes - 1 } : {});
    if (!stats.isDirectory()) return { name: path, stream, stats, ...(bytes > 0 && !isGzip(head) && { bytes }) };
    stream.destroy();
  } catch (error) {
    throw fileProblem("read", path, error);
  }
  throw fileProblem("read", path, { code: "EISDIR" });
}
