/** Time that passes as fast as there is something to do: what happens is the same in every run. */
// @ts-nocheck

export class Simulation {
  #now = 0;
  #due: { readonly at: number; readonly nth: number; readonly happen: () => void }[] = [];
  #scheduled = 0;

  /** Milliseconds since the beginning. */
  get now(): number {
    return this.#now;
  }

  in(ms: number, happen: () => void): void {
    const event = { at: this.#now + ms, nth: this.#scheduled++, happen };
    let [from, to] = [0, this.#due.length];
    while (from < to) {
      const middle = (from + to) >> 1;
      if ((this.#due[middle]?.at ?? 0) <= event.at) from = middle + 1;
      else to = middle;
    }
    this.#due.splice(from, 0, event);
  }

  /** Lets so many milliseconds pass. */
  run(ms: number): void {
    const end = this.#now + ms;
    for (let next = this.#due[0]; next && next.at <= end; next = this.#due[0]) {
      this.#due.shift();
      this.#now = next.at;
      next.happen();
    }
    this.#now = end;
  }
}
