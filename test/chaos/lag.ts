const EVERY_MS = 10;

/** Remembers when this process was held up, by itself or by others on the machine: what it did then is not the product's doing. */
export class Lag {
  readonly #spells: { readonly at: number; readonly ms: number }[] = [];
  readonly #timer: NodeJS.Timeout;
  #last = performance.now();

  constructor() {
    this.#timer = setInterval(() => {
      const now = performance.now();
      const ms = now - this.#last - EVERY_MS;
      this.#last = now;
      if (ms > 1) this.#spells.push({ at: now, ms });
      if (this.#spells.length > 5000) this.#spells.splice(0, 2500);
    }, EVERY_MS).unref();
  }

  /** Milliseconds that were lost between two times of `performance.now()`, the spell that may be going on included. */
  between(from: number, to: number): number {
    const going = Math.max(0, performance.now() - this.#last - EVERY_MS);
    return this.#spells.filter(({ at }) => at >= from && at <= to).reduce((sum, { ms }) => sum + ms, going);
  }

  stop(): void {
    clearInterval(this.#timer);
  }
}
