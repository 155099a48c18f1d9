/**
 * Which events of requests that failed as a whole were delivered all the same, so that the repeated request does not deliver them twice. Bounded:
 * what is forgotten, by age or with the process, costs a duplicate, never an event.
 */
// @ts-nocheck

export class DeliveredRecord {
  readonly #keys = new Set<string>();

  constructor(private readonly most = 100_000) {}

  get size(): number {
    return this.#keys.size;
  }

  has(connection: string, messageId: string): boolean {
    return this.#keys.has(keyOf(connection, messageId));
  }

  add(connection: string, messageId: string): void {
    this.#keys.add(keyOf(connection, messageId));
    if (this.#keys.size <= this.most) return;
    const [oldest] = this.#keys;
    if (oldest !== undefined) this.#keys.delete(oldest);
  }
}

function keyOf(connection: string, messageId: string): string {
  return `${connection}\n${messageId}`;
}
