// @ts-nocheck
import { type FileHandle, open } from "node:fs/promises";
import type { Rejection } from "./connection";

/** Bytes that wait to be written, at most: a disk that hangs must not fill the memory. */
const MAX_WAITING_BYTES = 64 * 1024 * 1024;

interface Waiting {
  readonly line: string;
  readonly written: () => void;
  readonly failed: (error: unknown) => void;
}

/**
 * A file that keeps events which were rejected, a line of JSON each: `{"event": …, "connection": …, "code": …, …}`. What waits is written together
 * and counts once it is on the disk. The file is opened for each write, so that it may be moved away at any time.
 */
export class DeadLetterFile {
  #waiting: Waiting[] = [];
  #bytes = 0;
  #writing: Promise<void> | undefined;

  constructor(private readonly path: string) {}

  /**
   * @returns once the line is on the disk
   * @throws where it cannot be written: the event is not kept
   */
  keep(event: unknown, why: Rejection & { readonly connection: string; readonly rejectedAt: string }): Promise<void> {
    const line = `${JSON.stringify({ ...why, event })}\n`;
    if (this.#bytes + line.length > MAX_WAITING_BYTES)
      return Promise.reject(new Error(`More waits to be written to ${this.path} than may.`));
    this.#bytes += line.length;
    return new Promise((written, failed) => {
      this.#waiting.push({ line, written, failed });
      this.#writing ??= this.#write();
    });
  }

  /** @throws NodeJS.ErrnoException where it cannot be written */
  async check(): Promise<void> {
    await (await open(this.path, "a", 0o600)).close();
  }

  async #write(): Promise<void> {
    while (this.#waiting.length > 0) {
      const batch = this.#waiting;
      this.#waiting = [];
      try {
        await append(this.path, batch.map(({ line }) => line).join(""));
        for (const { written } of batch) written();
      } catch (error) {
        for (const { failed } of batch) failed(error);
      }
      this.#bytes -= batch.reduce((sum, { line }) => sum + line.length, 0);
    }
    this.#writing = undefined;
  }
}

async function append(path: string, text: string): Promise<void> {
  const file = await open(path, "a+", 0o600);
  try {
    await file.appendFile((await endsInLine(file)) ? text : `\n${text}`);
    await file.datasync();
  } finally {
    await file.close();
  }
}

/** A process that was killed while it wrote leaves half a line. */
async function endsInLine(file: FileHandle): Promise<boolean> {
  const { size } = await file.stat();
  if (size === 0) return true;
  const { buffer } = await file.read({ buffer: Buffer.alloc(1), position: size - 1 });
  return buffer[0] === 0x0a;
}
