import type { Writable } from "node:stream";

/** Writes to a stream no faster than its reader reads, however many write at once, so that nothing piles up in memory. */
export class PacedWriter {
  readonly #stream: Writable;
  #drained: Promise<void> | undefined;
  #closed = false;

  constructor(stream: Writable) {
    this.#stream = stream;
    // Standard output comes back to life after each error, and would fail with each write.
    stream.once("close", () => {
      this.#closed = true;
    });
  }

  /** Resolves when there is room for more, or nobody reads any more. */
  async write(text: string | Uint8Array): Promise<void> {
    if (this.#closed || this.#stream.write(text) || this.#stream.destroyed) return;
    this.#drained ??= this.#untilDrained();
    await this.#drained;
  }

  async #untilDrained(): Promise<void> {
    await new Promise<void>((resolve) => {
      const proceed = () => {
        this.#stream.off("drain", proceed).off("close", proceed);
        resolve();
      };
      this.#stream.on("drain", proceed).on("close", proceed);
    });
    this.#drained = undefined;
  }
}
