/** What decides which deliveries may share an invocation. */
export interface Batchable {
  readonly function: string;
  readonly externalId?: string | undefined;
  /** For functions in tenant isolation mode. */
  readonly tenantId?: string | undefined;
  /** The payload's bytes in UTF-8. */
  readonly bytes: number;
  /** Whose deliveries keep their order across functions too, where the batches are sent one after the other. */
  readonly user?: string | undefined;
  /** Shares an invocation with no other. */
  readonly alone?: boolean;
}

export interface BatchLimit {
  /** Deliveries per invocation. */
  readonly events: number;
  /** Bytes of the payload, a JSON array of the deliveries' payloads. */
  readonly bytes: number;
}

/** What deliveries need of an invocation. */
interface Room {
  readonly events: number;
  readonly bytes: number;
}

/** Groups deliveries into invocations: same function and external ID, in order of arrival, within both limits. */
export function batchesOf<Delivery extends Batchable>(
  deliveries: readonly Delivery[],
  limit: BatchLimit,
): Delivery[][] {
  return grouped(deliveries, limit, roomFor);
}

/**
 * The same for invocations that go side by side: each user's deliveries stand together and are not spread over more
 * invocations than they need, so that few have to wait for others.
 */
export function batchesByUser<Delivery extends Batchable>(
  deliveries: readonly Delivery[],
  limit: BatchLimit,
): Delivery[][] {
  const groups = new Map<string, Delivery[]>();
  for (const [i, delivery] of deliveries.entries()) {
    const user = delivery.user ?? `\0${i}`;
    const group = groups.get(user);
    if (group) group.push(delivery);
    else groups.set(user, [delivery]);
  }
  const rooms = new Map<string, Room>();
  for (const group of groups.values()) {
    if (group.length === 1) continue;
    for (const delivery of group) {
      const key = userKey(delivery);
      const { events, bytes } = rooms.get(key) ?? NO_ROOM;
      rooms.set(key, { events: events + 1, bytes: bytes + COMMA + delivery.bytes });
    }
  }
  return grouped([...groups.values()].flat(), limit, (delivery) => {
    const room = rooms.size === 0 ? undefined : rooms.get(userKey(delivery));
    return room && fits(EMPTY, room, limit) ? room : roomFor(delivery);
  });
}

/** @param roomOf what is to fit into the invocation in which a user's first delivery goes */
function grouped<Delivery extends Batchable>(
  deliveries: readonly Delivery[],
  limit: BatchLimit,
  roomOf: (delivery: Delivery) => Room,
): Delivery[][] {
  const batches: Delivery[][] = [];
  const open = new Map<string, OpenBatch<Delivery>>();
  /** By user: where the last batch stands that holds one of its deliveries. */
  const lastOf = new Map<string | undefined, number>();
  for (const delivery of deliveries) {
    const { alone = false, user } = delivery;
    const key = sharingKey(delivery);
    const last = lastOf.get(user);
    let current = open.get(key);
    const room = last === current?.position ? roomFor(delivery) : roomOf(delivery);
    if (!current || alone || current.alone || current.position < (last ?? 0) || !fits(current, room, limit)) {
      current = { batch: [], events: 0, bytes: EMPTY.bytes, position: batches.length, alone };
      open.set(key, current);
      batches.push(current.batch);
    }
    if (user !== undefined) lastOf.set(user, current.position);
    current.batch.push(delivery);
    current.events++;
    current.bytes += COMMA + delivery.bytes;
  }
  return batches;
}

/** Deliveries with the same key may share an invocation. */
export function sharingKey({ function: name, externalId = "", tenantId = "" }: Batchable): string {
  // The first two hold no blank.
  return `${name} ${externalId} ${tenantId}`;
}

/** The payload of an invocation. Strung together, it is copied once, when it is hashed; a join would be one copy more. */
export function payloadOf(batch: readonly { readonly json: string }[], asArray: boolean): string {
  if (!asArray) return (batch[0] as { readonly json: string }).json;
  let payload = "";
  for (const { json } of batch) payload += payload === "" ? `[${json}` : `,${json}`;
  return `${payload}]`;
}

interface OpenBatch<Delivery> {
  readonly batch: Delivery[];
  events: number;
  bytes: number;
  /** Among all batches. */
  readonly position: number;
  readonly alone: boolean;
}

const COMMA = 1;
/** Bytes that an array adds to its elements. */
export const BRACKETS = 2;

const NO_ROOM: Room = { events: 0, bytes: 0 };
const EMPTY: Room = { events: 0, bytes: BRACKETS - COMMA };

function roomFor({ bytes }: Batchable): Room {
  return { events: 1, bytes: COMMA + bytes };
}

function userKey(delivery: Batchable): string {
  return `${sharingKey(delivery)} ${delivery.user ?? ""}`;
}

function fits(batch: Room, room: Room, limit: BatchLimit): boolean {
  return batch.events + room.events <= limit.events && batch.bytes + room.bytes <= limit.bytes;
}
