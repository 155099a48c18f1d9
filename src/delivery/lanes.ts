/** Something of which each user's come one after the other. */
interface Ordered {
  readonly function: string;
  readonly user?: string | undefined;
}

/** Invocations of one function under way at once by one call, at most. */
const MAX_IN_FLIGHT = 50;

/**
 * Runs batches side by side, but for those that share a user: they keep their order, whatever their functions are.
 *
 * @param batches in an order that is right for each user
 * @param run never throws
 */
export async function inLanes<Delivery extends Ordered>(
  batches: readonly (readonly Delivery[])[],
  run: (batch: readonly Delivery[]) => Promise<void>,
): Promise<void> {
  const lastOf = new Map<string | undefined, Promise<void>>();
  const places = new Map<string, Places>();
  const all = batches.map((batch) => {
    const { function: name } = batch[0] as Delivery;
    const ofFunction = places.get(name) ?? new Places(MAX_IN_FLIGHT);
    places.set(name, ofFunction);
    const before = new Set(batch.map(({ user }) => lastOf.get(user)));
    const done = Promise.all(before).then(() => ofFunction.taken(() => run(batch)));
    for (const { user } of batch) if (user !== undefined) lastOf.set(user, done);
    return done;
  });
  await Promise.all(all);
}

/** So many places, which are taken in the order in which they are asked for. */
export class Places {
  #free: number;
  readonly #waiting: (() => void)[] = [];

  constructor(places: number) {
    this.#free = places;
  }

  async taken(run: () => Promise<unknown>): Promise<void> {
    if (this.#free > 0) this.#free--;
    else await new Promise<void>((resolve) => this.#waiting.push(resolve));
    try {
      await run();
    } finally {
      const next = this.#waiting.shift();
      if (next) next();
      else this.#free++;
    }
  }
}
