// @ts-nocheck
import type { Connection, WriteKey } from "../../../src/hosts/webhook/connection";
import { fixedConnections } from "../../../src/hosts/webhook/connection";
import { listen, type NodeServer } from "../../../src/hosts/webhook/node-server";
import { createReceiver, type Receiver, type ReceiverOptions } from "../../../src/hosts/webhook/receiver";
import { RecordingBehind } from "./recording-behind";

export interface Serving {
  readonly url: string;
  readonly behind: RecordingBehind;
  readonly receiver: Receiver;
  post(path: string, body: unknown, headers?: Readonly<Record<string, string>>): Promise<Response>;
  close(): Promise<void>;
}

/** A receiver with one connection, `shop`, on a port of its own. Bodies that are no texts or bytes are sent as JSON. */
export async function startServing(
  connection: Partial<Connection> = {},
  keys: readonly Partial<WriteKey>[] = [{}],
  options: Partial<ReceiverOptions> = {},
): Promise<Serving> {
  const behind = new RecordingBehind();
  const shop: Connection = {
    name: "shop",
    sourceId: "my-source-id",
    router: "generic",
    credentials: [],
    behind,
    ...connection,
  };
  const connections = fixedConnections(
    [shop],
    keys.map((key) => ({ id: "key", origins: [], connection: shop, ...key })),
  );
  const receiver = createReceiver({ connections: () => connections, ...options });
  const server: NodeServer = await listen((request, bindings) => receiver.fetch(request, bindings), {
    host: "127.0.0.1",
    port: 0,
  });
  return {
    url: server.url,
    behind,
    receiver,
    post: (path, body, headers = {}) =>
      fetch(server.url + path, {
        method: "POST",
        headers: { "content-type": "application/json", ...headers },
        body: typeof body === "string" || body instanceof Uint8Array ? (body as BodyInit) : JSON.stringify(body),
      }),
    close: () => server.close(),
  };
}
