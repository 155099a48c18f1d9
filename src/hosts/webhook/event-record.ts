/**
 * What has to be known of events when their request is repeated: which of them were delivered although it failed as a whole, so that they are not
 * delivered twice. Bounded: what is forgotten, by age or with the process, costs a duplicate, never an event.
 */
export class EventRecord {
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
