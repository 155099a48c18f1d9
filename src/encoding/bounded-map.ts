/**
 * A map that holds so much at most and forgets what was not used for longest.
 *
 * @example
 * const destinations = new BoundedMap<string, Destination>({ entries: 1000 });
 */
export class BoundedMap<Key, Value> {
  readonly #entries = new Map<Key, Value>();
  readonly #limit: number;
  readonly #maxWeight: number;
  readonly #weigh: ((value: Value, key: Key) => number) | undefined;
  #weight = 0;
  /** Used last; mostly it is so again, and its place is right already. */
  #latest: Key | undefined;

  /**
   * @param limits.entries kept at most
   * @param limits.weight of all entries together at most, in the unit of `weigh`; the newest entry is kept whatever it weighs
   * @param limits.weigh an entry's weight, which must not change while it is kept
   */
  constructor(limits: {
    readonly entries: number;
    readonly weight?: number;
    readonly weigh?: (value: Value, key: Key) => number;
  }) {
    this.#limit = limits.entries;
    this.#maxWeight = limits.weight ?? Number.POSITIVE_INFINITY;
    this.#weigh = limits.weigh;
  }

  get size(): number {
    return this.#entries.size;
  }

  /** Weight of all entries. */
  get weight(): number {
    return this.#weight;
  }

  /** The key's value, which counts as used now. */
  get(key: Key): Value | undefined {
    const value = this.#entries.get(key);
    if (value !== undefined && key !== this.#latest) {
      this.#entries.delete(key);
      this.#entries.set(key, value);
      this.#latest = key;
    }
    return value;
  }

  set(key: Key, value: Value): void {
    this.delete(key);
    this.#entries.set(key, value);
    this.#latest = key;
    if (this.#weigh) this.#weight += this.#weigh(value, key);
    while (this.#entries.size > this.#limit || (this.#weight > this.#maxWeight && this.#entries.size > 1)) {
      const [oldest] = this.#entries.keys();
      this.delete(oldest as Key);
    }
  }

  delete(key: Key): void {
    const value = this.#entries.get(key);
    if (value === undefined) return;
    this.#entries.delete(key);
    if (this.#weigh) this.#weight -= this.#weigh(value, key);
  }

  values(): IterableIterator<Value> {
    return this.#entries.values();
  }
}
