import type { Writable } from "node:stream";

/** Writes to a stream no faster than its reader reads, however many write at once, so that nothing piles up in memory. */
export class PacedWriter {
  readonly #stream: Writable;
  #drained: Promise<void> | undefined;

  constructor(stream: Writable) {
    this.#stream = stream;
  }

  /** Resolves when there is room for more, or nobody reads any more. */
  async write(text: string): Promise<void> {
    if (this.#stream.write(text) || this.#stream.destroyed) return;
    this.#drained ??= new Promise<void>((resolve) => {
      this.#stream.once("drain", resolve);
      this.#stream.once("close", resolve);
    }).finally(() => {
      this.#drained = undefined;
    });
    await this.#drained;
  }
}
