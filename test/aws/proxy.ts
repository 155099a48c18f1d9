import { once } from "node:events";
import { createServer } from "node:http";
import { type AddressInfo, connect, type Socket } from "node:net";

/** A proxy that tunnels, and remembers where to. */
export interface Tunnels {
  readonly url: string;
  /** Host and port of each tunnel that was asked for. */
  readonly tunnels: string[];
  /** What it was asked for otherwise, without a tunnel. */
  readonly others: string[];
  readonly authorizations: (string | undefined)[];
  /** What it answers in place of a tunnel. */
  refusal: number | undefined;
  close(): void;
}

/** @param leadTo the port of 127.0.0.1 where all tunnels lead to; without it, each leads where it says */
export async function startProxy(leadTo?: number): Promise<Tunnels> {
  const sockets = new Set<Socket>();
  const server = createServer((request, response) => {
    proxy.others.push(`${request.method} ${request.url}`);
    response.writeHead(501).end();
  });
  server.on("connection", (socket: Socket) => sockets.add(socket));
  server.on("connect", (request, socket: Socket) => {
    const { url = "" } = request;
    proxy.tunnels.push(url);
    proxy.authorizations.push(request.headers["proxy-authorization"]);
    if (proxy.refusal) return void socket.end(`HTTP/1.1 ${proxy.refusal} Refused\r\ncontent-length: 0\r\n\r\n`);
    const [host = "", port = ""] = leadTo === undefined ? url.split(":") : ["127.0.0.1", String(leadTo)];
    const target = connect(Number(port), host, () => {
      socket.write("HTTP/1.1 200 Connection established\r\n\r\n");
      target.pipe(socket).pipe(target);
    });
    target.on("error", () => socket.destroy());
    socket.on("error", () => target.destroy());
  });
  await once(server.listen(0, "127.0.0.1"), "listening");
  const proxy: Tunnels = {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    tunnels: [],
    others: [],
    authorizations: [],
    refusal: undefined,
    close() {
      for (const socket of sockets) socket.destroy();
      server.close();
    },
  };
  return proxy;
}

const PROXY_VARIABLES = /^(https?|all|no)_proxy$/i;

/** Takes the proxies of the machine that the tests run on out of this process. */
export function forgetProxies(): void {
  for (const name of Object.keys(process.env).filter((each) => PROXY_VARIABLES.test(each))) delete process.env[name];
}
