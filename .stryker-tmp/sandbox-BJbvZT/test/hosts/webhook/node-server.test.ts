// @ts-nocheck
import { once } from "node:events";
import { connect, type Socket } from "node:net";
import { text } from "node:stream/consumers";
import { fixedConnections } from "../../../src/hosts/webhook/connection";
import { listen, type NodeServer, SERVER_BOUNDS } from "../../../src/hosts/webhook/node-server";
import { createReceiver } from "../../../src/hosts/webhook/receiver";
import { RecordingBehind } from "./recording-behind";

let server: NodeServer;

/** A receiver whose bounds strike at once, but for those that are given. */
async function open(bounds: Partial<typeof SERVER_BOUNDS>, behind = new RecordingBehind()) {
  const connection = { name: "shop", sourceId: "s", router: "generic", credentials: [], behind } as const;
  const connections = fixedConnections([connection], []);
  const receiver = createReceiver({ connections: () => connections });
  server = await listen((request, bindings) => receiver.fetch(request, bindings), {
    host: "127.0.0.1",
    port: 0,
    bounds: { ...SERVER_BOUNDS, connectionsCheckingInterval: 10, ...bounds },
  });
  return receiver;
}

function dial(): Socket {
  return connect(Number(new URL(server.url).port), "127.0.0.1");
}

afterEach(async () => {
  await server.close();
});

test("the bounds are those that are documented", () => {
  expect(SERVER_BOUNDS).toMatchObject({ headersTimeout: 10_000, requestTimeout: 30_000, maxConnections: 1_000 });
  return open({});
});

test("headers that do not come to their end are answered 408 and cut off", async () => {
  await open({ headersTimeout: 50, requestTimeout: 10_000 });
  const socket = dial();
  socket.write("POST /webhook/shop HTTP/1.1\r\nhost: a\r\n");
  expect(await text(socket)).toContain("408 Request Timeout");
});

test("a body that does not come to its end is answered 408 and cut off", async () => {
  const receiver = await open({ headersTimeout: 50, requestTimeout: 60 });
  const socket = dial();
  socket.write('POST /webhook/shop HTTP/1.1\r\nhost: a\r\ncontent-length: 100\r\n\r\n{"a":');
  expect(await text(socket)).toContain("408 Request Timeout");
  expect(receiver.inFlight).toBe(0);
  expect(receiver.heldBytes).toBe(0);
});

test("connections beyond the bound are closed, and those before it are not disturbed", async () => {
  await open({ maxConnections: 2 });
  const sockets = [dial(), dial()];
  await Promise.all(sockets.map((socket) => once(socket, "connect")));
  const third = dial();
  await once(third, "close");

  sockets[0]?.write("GET /healthz HTTP/1.1\r\nhost: a\r\nconnection: close\r\n\r\n");
  expect(await text(sockets[0] as Socket)).toContain("200 OK");
  sockets[1]?.destroy();
});

test("at its end it finishes what is in flight, refuses what is new, and keeps no connection", async () => {
  const behind = new RecordingBehind();
  let release = () => {};
  const held = new Promise<void>((resolve) => {
    release = resolve;
  });
  let arrived = () => {};
  const arrival = new Promise<void>((resolve) => {
    arrived = resolve;
  });
  const { deliver } = behind;
  behind.deliver = async (...args) => {
    arrived();
    await held;
    return deliver.apply(behind, args);
  };
  const receiver = await open({}, behind);
  const socket = dial();
  const body = '{"type":"track","event":"e","userId":"u"}';
  socket.write(`POST /webhook/shop HTTP/1.1\r\nhost: a\r\ncontent-length: ${body.length}\r\n\r\n${body}`);
  await arrival;

  const other = dial();
  await once(other, "connect");
  const drained = receiver.drain();
  const closed = server.close();
  const refused = dial();
  await once(refused, "error");
  release();

  expect(await text(socket)).toMatch(/200 OK.*connection: close.*"delivered":1/is);
  await Promise.all([drained, closed]);
  expect(behind.taken).toHaveLength(1);
  await open({});
});

test("a request that still gets through while it ends is told to come again", async () => {
  const receiver = await open({});
  await receiver.drain();
  const response = await fetch(`${server.url}/webhook/shop`, { method: "POST", body: "{}" });
  expect([response.status, response.headers.get("retry-after"), await response.json()]).toMatchObject([
    503,
    "1",
    { code: "Ending" },
  ]);
  expect((await fetch(`${server.url}/readyz`)).status).toBe(503);
  expect((await fetch(`${server.url}/healthz`)).status).toBe(200);
});
