import { once } from "node:events";
import { createServer, type IncomingMessage, type RequestListener, type Server, type ServerResponse } from "node:http";
import type { AddressInfo, Socket } from "node:net";
import type { RuntimeBindings } from "./arrival";
import { ANSWERED } from "./reply";

/** What a connection may take of the server's time and places. Milliseconds. */
export const SERVER_BOUNDS = {
  /** Until a request's headers are there. */
  headersTimeout: 10_000,
  /** Until the whole request is there. */
  requestTimeout: 30_000,
  /** Longer than load balancers keep a connection that is not used. */
  keepAliveTimeout: 65_000,
  connectionsCheckingInterval: 1_000,
  /** At once; further ones are closed. */
  maxConnections: 1_000,
};

export interface NodeServer {
  /** `http://host:port`. */
  readonly url: string;
  /** Takes no new connections and closes those that are not used; resolves once all are closed. */
  close(): Promise<void>;
}

type Fetch = (request: Request, bindings: RuntimeBindings) => Response | Promise<Response>;

/** What answers the requests of a Node.js server with an app, for a server that has other things to answer as well. */
export function requestListener(fetch: Fetch): RequestListener {
  return (incoming, outgoing) => {
    const response = fetch(new IncomingRequest(incoming) as unknown as Request, { incoming, outgoing });
    if (response !== ANSWERED) void write(outgoing, response);
  };
}

/** As much of a `Request` as Hono and our routes look at. A body is read where Node.js has it. */
class IncomingRequest {
  readonly method: string;
  readonly url: string;
  readonly #incoming: IncomingMessage;

  constructor(incoming: IncomingMessage) {
    const { method = "GET", url = "" } = incoming;
    // To a HEAD Node.js gives the head of a GET's answer by itself.
    this.method = method === "HEAD" ? "GET" : method;
    this.url = url.startsWith("/") ? `http://localhost${url}` : url;
    this.#incoming = incoming;
  }

  get headers(): Headers {
    const all = Object.entries(this.#incoming.headers);
    return new Headers(all.map(([name, value]): [string, string] => [name, String(value)]));
  }
}

async function write(outgoing: ServerResponse, response: Response | Promise<Response>): Promise<void> {
  const known = await response;
  if (known === ANSWERED) return;
  outgoing.statusCode = known.status;
  known.headers.forEach((value, name) => void outgoing.setHeader(name, value));
  outgoing.end(Buffer.from(await known.arrayBuffer()));
}

/**
 * Serves an app on Node.js's own HTTP server. TLS is the business of the proxy before it.
 *
 * @throws NodeJS.ErrnoException where the address cannot be had
 */
export async function listen(
  fetch: Fetch,
  { host, port, bounds = SERVER_BOUNDS }: { host: string; port: number; bounds?: typeof SERVER_BOUNDS },
): Promise<NodeServer> {
  const { maxConnections, ...timeouts } = bounds;
  const answer = requestListener(fetch);
  /** With the last answer of each. */
  const sockets = new Map<Socket, ServerResponse | undefined>();
  const server = createServer(timeouts, (incoming, outgoing) => {
    sockets.set(incoming.socket, outgoing);
    answer(incoming, outgoing);
  });
  server.on("connection", (socket: Socket) => {
    sockets.set(socket, undefined);
    socket.on("close", () => sockets.delete(socket));
  });
  server.maxConnections = maxConnections;
  server.listen(port, host);
  await once(server, "listening");
  return {
    url: urlOf(server),
    async close() {
      const closed = once(server, "close");
      server.close();
      // What is in flight is answered, and its connection not kept for another request.
      for (const [socket, outgoing] of sockets) {
        if (outgoing && !outgoing.writableFinished) outgoing.shouldKeepAlive = false;
        else socket.destroy();
      }
      await closed;
    },
  };
}

function urlOf(server: Server): string {
  const { address, port, family } = server.address() as AddressInfo;
  return `http://${family === "IPv6" ? `[${address}]` : address}:${port}`;
}
