/** What decides which deliveries may share an invocation. */
// @ts-nocheck

export interface Batchable {
  readonly function: string;
  readonly externalId?: string;
  /** The payload's bytes in UTF-8. */
  readonly bytes: number;
  /** Whose deliveries keep their order across functions too, where the batches are sent one after the other. */
  readonly orderKey?: string;
  /** Shares an invocation with no other. */
  readonly alone?: boolean;
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
  const open = new Map<string, OpenBatch<Delivery>>();
  /** By order key: where the last batch stands that holds one of its deliveries. */
  const lastOf = new Map<string, number>();
  for (const delivery of deliveries) {
    const { alone = false, orderKey } = delivery;
    const key = JSON.stringify([delivery.function, delivery.externalId]);
    const notBefore = (orderKey !== undefined && lastOf.get(orderKey)) || 0;
    let current = open.get(key);
    if (!current || alone || current.alone || current.position < notBefore || isFull(current, delivery, limit)) {
      current = { batch: [], bytes: BRACKETS - COMMA, position: batches.length, alone };
      open.set(key, current);
      batches.push(current.batch);
    }
    if (orderKey !== undefined) lastOf.set(orderKey, current.position);
    current.batch.push(delivery);
    current.bytes += COMMA + delivery.bytes;
  }
  return batches;
}

interface OpenBatch<Delivery> {
  readonly batch: Delivery[];
  bytes: number;
  /** Among all batches. */
  readonly position: number;
  readonly alone: boolean;
}

function isFull(
  { batch, bytes }: OpenBatch<unknown>,
  delivery: Batchable,
  limit: { readonly events: number; readonly bytes: number },
): boolean {
  return batch.length >= limit.events || bytes + COMMA + delivery.bytes > limit.bytes;
}

const COMMA = 1;
/** Bytes that an array adds to its elements. */
export const BRACKETS = 2;
