import { headerOf, type ReceiverContext } from "./arrival";
import type { Connections, WriteKey } from "./connection";
import { Refusal } from "./refusal";

/** Seconds for which a browser need not ask again. */
const MAX_AGE = 600;

/** A browser's question whether a page may send: answered for all write keys together, because it does not say which. */
export function preflight(c: ReceiverContext, connections: Connections): Response {
  const origin = headerOf(c, "origin");
  if (origin !== undefined && isOpen(c.req.path) && connections.allowsOrigin(origin)) {
    for (const [name, value] of Object.entries(allowing(origin))) c.header(name, value);
    c.header("access-control-allow-methods", "GET, POST");
    c.header("access-control-allow-headers", c.req.header("access-control-request-headers") ?? "content-type");
    c.header("access-control-max-age", String(MAX_AGE));
    // A page of the internet that sends to a machine in the same network as its reader.
    if (c.req.header("access-control-request-private-network"))
      c.header("access-control-allow-private-network", "true");
  }
  return c.body(null, 204);
}

/**
 * Lets the page read the answer, where it may send.
 *
 * @param key absent where the request names none
 * @returns headers of the answer
 * @throws Refusal (403) where the page may not
 */
export function allowOrigin(
  c: ReceiverContext,
  connections: Connections,
  key?: WriteKey,
): Readonly<Record<string, string>> | undefined {
  const origin = headerOf(c, "origin");
  if (origin === undefined) return undefined;
  const allowed = key ? key.origins.includes("*") || key.origins.includes(origin) : connections.allowsOrigin(origin);
  if (!allowed) throw new Refusal(403, "OriginNotAllowed", "This write key is not for pages of this origin.");
  return allowing(origin);
}

function allowing(origin: string): Readonly<Record<string, string>> {
  return {
    "access-control-allow-origin": origin,
    "access-control-allow-credentials": "true",
    vary: "Origin",
  };
}

/** Pages have nothing to do with webhooks. */
function isOpen(path: string): boolean {
  return !path.startsWith("/webhook/");
}
