import { once } from "node:events";
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { getRequestListener } from "@hono/node-server";
import type { RuntimeBindings } from "./arrival";

/** What a connection may take of the server's time and places. Milliseconds. */
const SERVER_BOUNDS = {
  /** Until a request's headers are there. */
  headersTimeout: 10_000,
  /** Until the whole request is there. */
  requestTimeout: 30_000,
  /** Longer than load balancers keep a connection that is not used. */
  keepAliveTimeout: 65_000,
  connectionsCheckingInterval: 1_000,
} as const;
const MAX_CONNECTIONS = 1_000;

export interface NodeServer {
  /** `http://host:port`. */
  readonly url: string;
  /** Takes no new connections and closes those that are not used; resolves once all are closed. */
  close(): Promise<void>;
}

type Fetch = (request: Request, bindings: RuntimeBindings) => Response | Promise<Response>;

/**
 * Serves an app on Node.js's own HTTP server. TLS is the business of the proxy before it.
 *
 * @throws NodeJS.ErrnoException where the address cannot be had
 */
export async function listen(fetch: Fetch, { host, port }: { host: string; port: number }): Promise<NodeServer> {
  const listener = getRequestListener((request, env) => fetch(request, env as RuntimeBindings));
  const server = createServer(SERVER_BOUNDS, (incoming, outgoing) => void listener(incoming, outgoing));
  server.maxConnections = MAX_CONNECTIONS;
  server.listen(port, host);
  await once(server, "listening");
  return { url: urlOf(server), close: () => close(server) };
}

function urlOf(server: Server): string {
  const { address, port, family } = server.address() as AddressInfo;
  return `http://${family === "IPv6" ? `[${address}]` : address}:${port}`;
}

async function close(server: Server): Promise<void> {
  const closed = once(server, "close");
  server.close();
  server.closeIdleConnections();
  await closed;
}
