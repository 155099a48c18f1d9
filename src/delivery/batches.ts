/** What decides which deliveries may share an invocation. */
export interface Batchable {
  readonly function: string;
  readonly externalId?: string;
  /** The payload's bytes in UTF-8. */
  readonly bytes: number;
}

/**
 * Groups deliveries into invocations: same function and external ID, in order of arrival, within both limits.
 *
 * @param limit.events per invocation
 * @param limit.bytes of the payload, a JSON array of the deliveries' payloads
 */
export function batchesOf<Delivery extends Batchable>(
  deliveries: readonly Delivery[],
  limit: { readonly events: number; readonly bytes: number },
): Delivery[][] {
  const batches: Delivery[][] = [];
  const open = new Map<string, { batch: Delivery[]; bytes: number }>();
  for (const delivery of deliveries) {
    const key = JSON.stringify([delivery.function, delivery.externalId]);
    let current = open.get(key);
    if (!current || current.batch.length >= limit.events || current.bytes + delivery.bytes + COMMA > limit.bytes) {
      current = { batch: [], bytes: BRACKETS };
      open.set(key, current);
      batches.push(current.batch);
    }
    current.batch.push(delivery);
    current.bytes += delivery.bytes + COMMA;
  }
  return batches;
}

const COMMA = 1;
/** Bytes that an array adds to its elements. */
export const BRACKETS = 2;
