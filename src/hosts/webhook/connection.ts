import type { Behind } from "./behind";
import type { Credential } from "./credentials";
import type { RouterName } from "./routers";

/** One source to one destination. */
export interface Connection {
  /** In the webhook's address, and what logs and metrics call it. */
  readonly name: string;
  /** The events' `projectId` and, unless the settings say otherwise, the external ID. */
  readonly sourceId: string;
  readonly workspaceId?: string;
  readonly router: RouterName;
  /** What opens the webhook; none where it is open to everybody, nothing where there is no webhook. */
  readonly credentials?: readonly Credential[];
  readonly behind: Behind;
  /** Keeps an event that was rejected. Resolves once it is kept for good. */
  readonly keep?: (event: unknown, why: Rejection) => Promise<void>;
}

/** Why an event was given up. */
export interface Rejection {
  readonly messageId: string;
  readonly code: string;
  readonly message: string;
  /** As it stands in the settings; absent where it came to none. */
  readonly function?: string;
}

/** A key of the tracking API. Those of browsers and apps are public: they open nothing else. */
export interface WriteKey {
  /** Up to the colon, where it has one. */
  readonly id: string;
  /** What has to follow after the colon; nothing where anything may. */
  readonly secretDigest?: Buffer;
  /** Web pages that may send with it, `*` for all. */
  readonly origins: readonly string[];
  /** At most, in the mean of some seconds. */
  readonly eventsPerSecond?: number;
  readonly connection: Connection;
}

/** The connections there are at present. */
export interface Connections {
  named(name: string): Connection | undefined;
  /** @param id up to the colon */
  writeKeys(id: string): readonly WriteKey[];
  /** Whether a page of this origin may send with any key: a browser asks before it says with which. */
  allowsOrigin(origin: string): boolean;
}

/** Connections that do not change. */
export function fixedConnections(connections: readonly Connection[], writeKeys: readonly WriteKey[]): Connections {
  const byName = new Map(connections.map((connection) => [connection.name, connection]));
  const byId = new Map<string, WriteKey[]>();
  for (const key of writeKeys) byId.set(key.id, [...(byId.get(key.id) ?? []), key]);
  const origins = new Set(writeKeys.flatMap((key) => key.origins));
  return {
    named: (name) => byName.get(name),
    writeKeys: (id) => byId.get(id) ?? [],
    allowsOrigin: (origin) => origins.has("*") || origins.has(origin),
  };
}
