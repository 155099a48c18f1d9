import { closeSync, openSync, readSync } from "node:fs";
import { numberOf } from "./events";

/** A dead-letter file, as whoever has to act on it reads it: what is in it now. */
export class DeadLetterReader {
  /** By event: how many lines it has. */
  readonly lines = new Map<number, number>();
  /** Lines that are no JSON: of a process that was killed while it wrote. */
  torn = 0;
  #read = 0;
  #rest = "";

  constructor(private readonly path: string) {}

  has(n: number): boolean {
    if (!this.lines.has(n)) this.readOn();
    return this.lines.has(n);
  }

  readOn(): void {
    const file = openSync(this.path, "r");
    const buffer = Buffer.alloc(0x10_0000);
    for (let bytes = -1; bytes !== 0; ) {
      bytes = readSync(file, buffer, 0, buffer.length, this.#read);
      this.#read += bytes;
      this.#rest += buffer.toString("latin1", 0, bytes);
    }
    closeSync(file);
    const lines = this.#rest.split("\n");
    this.#rest = lines.pop() ?? "";
    for (const line of lines) this.#take(line);
  }

  #take(line: string): void {
    try {
      const n = numberOf((JSON.parse(line) as { messageId?: unknown }).messageId);
      this.lines.set(n, (this.lines.get(n) ?? 0) + 1);
    } catch {
      this.torn++;
    }
  }
}
