import { type FileHandle, open } from "node:fs/promises";
import type { Writable } from "node:stream";
import { UsageError } from "./command";
import type { EventsInput } from "./events-input";
import { fileProblem } from "./file-problem";

/** Where the reason for each line of a dead-letter file is: a file beside it, with a line for each. */
export function reasonsPath(path: string): string {
  return `${path}.reasons.ndjson`;
}

/**
 * Opens the file that lines which are not delivered are appended to.
 *
 * @param resuming whether it may hold lines of an earlier run already
 * @throws UsageError where it cannot be written, is what is sent, or holds lines that it should not
 */
export async function openDeadLetterFile(path: string, events: EventsInput, resuming: boolean): Promise<Writable> {
  // Events hold what people would not have others read; who made a file before has decided that already.
  const file = await open(path, "a", 0o600).catch((error) => {
    throw fileProblem("write", path, error);
  });
  try {
    await assertFit(file, path, events, resuming);
  } catch (error) {
    await file.close();
    throw error;
  }
  return file.createWriteStream();
}

async function assertFit(file: FileHandle, path: string, events: EventsInput, resuming: boolean): Promise<void> {
  const stats = await file.stat({ bigint: true });
  if (!stats.isFile()) return;
  if (stats.dev === events.stats?.dev && stats.ino === events.stats.ino)
    throw new UsageError("The dead-letter file must not be the file that is sent: name another.");
  if (stats.size > 0n && !resuming) {
    throw new UsageError(
      `${path} is not empty: it would be appended to. Name another dead-letter file, or say with --from-line where to go on.`,
    );
  }
}
