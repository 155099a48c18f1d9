import { once } from "node:events";
import { type AddressInfo, createServer, type Server, type Socket } from "node:net";
import { endpointAt, MAX_ANSWER_BYTES, type TimeLimit, type TransportError } from "../../src/aws/transport";
import { undiciTransport } from "../../src/aws/undici";

/** What is written to a connection once a whole request has come in by it. */
type Reply = (socket: Socket) => void;

let server: Server;
let reply: Reply = () => {};
/** Request lines. */
let asked: string[] = [];
const sockets = new Set<Socket>();

beforeAll(async () => {
  server = createServer((socket) => {
    let pending = "";
    sockets.add(socket);
    socket.on("error", () => {});
    socket.on("data", (piece) => {
      pending += piece.toString("latin1");
      const [head = "", ...rest] = pending.split("\r\n\r\n");
      const length = Number(/content-length: (\d+)/i.exec(head)?.[1] ?? 0);
      if (rest.length === 0 || rest.join("\r\n\r\n").length < length) return;
      asked.push(head.split("\r\n")[0] ?? "");
      pending = "";
      reply(socket);
    });
  });
  await once(server.listen(0, "127.0.0.1"), "listening");
});

beforeEach(() => {
  asked = [];
});

afterAll(() => {
  for (const socket of sockets) socket.destroy();
  server.close();
});

const transport = undiciTransport();

/** No time limit but the one that a test strikes itself. */
class Limit implements TimeLimit {
  strike = () => {};
  watch(onOver: () => void): void {
    this.strike = onOver;
  }
  unwatch(): void {
    this.strike = () => {};
  }
}

const says = (...lines: string[]) => lines.join("\r\n");
const writes =
  (text: string): Reply =>
  (socket) =>
    void socket.write(text);

async function post(answer: Reply, { limit = new Limit(), body = "{}", by = transport } = {}) {
  reply = answer;
  const { port } = server.address() as AddressInfo;
  const endpoint = endpointAt(`http://127.0.0.1:${port}`, false);
  try {
    const { status, body: text } = await by.post({ endpoint, path: "/invoke", headers: [], body }, limit);
    return { status, body: text };
  } catch (error) {
    const { kind, code } = error as TransportError;
    return { kind, code };
  }
}

test("interim answers are not the answer", async () => {
  const interim = ["HTTP/1.1 103 Early Hints", "content-encoding: gzip", ""];
  const answer = says(...interim, "HTTP/1.1 200 OK", "content-length: 4", "", "null");
  expect(await post(writes(answer))).toEqual({ status: 200, body: "null" });
});

test.each(["301 Moved Permanently", "302 Found", "307 Temporary Redirect", "308 Permanent Redirect"])(
  "a redirect is an answer, and is not followed: %s",
  async (status) => {
    const answer = says(`HTTP/1.1 ${status}`, "location: /elsewhere", "content-length: 0", "", "");
    expect(await post(writes(answer))).toEqual({ status: Number(status.slice(0, 3)), body: "" });
    expect(asked).toEqual(["POST /invoke HTTP/1.1"]);
  },
);

test("an answer that is said to be too long is not waited for", async () => {
  expect(
    await post(writes(says("HTTP/1.1 200 OK", `content-length: ${MAX_ANSWER_BYTES + 1}`, "", "the beginning"))),
  ).toEqual({ kind: "broken", code: "AnswerTooLong" });
});

test.each([200, 500])("an answer without end, of status %s, is not read to it", async (status) => {
  const chunk = `10000\r\n${"x".repeat(0x10000)}\r\n`;
  let over = () => {};
  const hungUp = new Promise<void>((resolve) => {
    over = resolve;
  });
  const flood: Reply = (socket) => {
    socket.write(says(`HTTP/1.1 ${status} Whatever`, "transfer-encoding: chunked", "", ""));
    const more = () => {
      while (!socket.destroyed && socket.write(chunk));
    };
    socket.on("drain", more).on("close", over);
    more();
  };
  expect(await post(flood)).toEqual({ kind: "broken", code: "AnswerTooLong" });
  await hungUp;
});

test("an answer as long as Lambda's longest is read whole", async () => {
  const body = "x".repeat(MAX_ANSWER_BYTES);
  const answer = await post(writes(says("HTTP/1.1 200 OK", `content-length: ${body.length}`, "", body)));
  expect(answer).toEqual({ status: 200, body });
});

describe("long answers that are read at the same time", () => {
  const LONG = 600_000;
  const long = says("HTTP/1.1 200 OK", `content-length: ${LONG}`, "", "x".repeat(LONG));
  const by = undiciTransport({ heldBytes: 1_000_000 });

  test("are given up where there is no memory for one more, and short ones are not", async () => {
    const ends: (() => void)[] = [];
    const allButTheLastByte: Reply = (socket) => {
      socket.write(long.slice(0, -1));
      ends.push(() => socket.write("x"));
    };
    const both = [post(allButTheLastByte, { by }), post(allButTheLastByte, { by })];

    expect(await Promise.race(both)).toEqual({ kind: "broken", code: "NoRoomForAnswer" });
    const short = says("HTTP/1.1 200 OK", "content-length: 4", "", "null");
    expect(await post(writes(short), { by })).toEqual({ status: 200, body: "null" });
    for (const end of ends) end();
    expect(await Promise.all(both)).toContainEqual({ status: 200, body: "x".repeat(LONG) });
  });

  test("take no memory once they are over, however they ended", async () => {
    for (let i = 0; i < 5; i++) {
      const cut = await post((socket) => void socket.end(long.slice(0, -1)), { by });
      expect(cut).toEqual({ kind: "broken", code: "ECONNRESET" });
      expect(await post(writes(long), { by })).toMatchObject({ status: 200 });
    }
  });
});

test.each(["gzip", "br", "x-unheard-of"])("an encoding that nobody asked for is refused: %s", async (encoding) => {
  const answer = says("HTTP/1.1 200 OK", `content-encoding: ${encoding}`, "content-length: 4", "", "null");
  expect(await post(writes(answer))).toEqual({ kind: "broken", code: "EncodedAnswer" });
});

test("no encoding may be called so", async () => {
  const answer = says("HTTP/1.1 200 OK", "content-encoding: identity", "content-length: 4", "", "null");
  expect(await post(writes(answer))).toEqual({ status: 200, body: "null" });
});

test.each<[string, Reply]>([
  ["less than was promised", (socket) => socket.end(says("HTTP/1.1 200 OK", "content-length: 5", "", "null"))],
  ["a chunk cut off", (socket) => socket.end(says("HTTP/1.1 200 OK", "transfer-encoding: chunked", "", "8\r\nnull"))],
  ["no answer, but the end of the connection", (socket) => socket.end()],
  ["a reset", (socket) => socket.resetAndDestroy()],
  ["a leave to go on that nobody asked for", writes(says("HTTP/1.1 100 Continue", "", ""))],
  ["no HTTP", writes("SSH-2.0-OpenSSH_9.6\r\n\r\n")],
])("may have run: %s", async (_what, answer) => {
  expect(await post(answer)).toMatchObject({ kind: "broken" });
  expect(asked).toHaveLength(1);
});

test("a success that comes before the request has left is not believed; an error is", async () => {
  const body = JSON.stringify("x".repeat(5_500_000));
  const early = (status: string) => (socket: Socket) => {
    socket.pause();
    socket.write(says(`HTTP/1.1 ${status}`, "content-length: 4", "", "null"));
  };
  const onConnection = (answer: Reply) =>
    server.once("connection", (socket) => socket.once("data", () => answer(socket)));

  onConnection(early("200 OK"));
  closeIdle();
  expect(await post(() => {}, { body })).toEqual({ kind: "broken", code: "AnsweredEarly" });
  onConnection(early("413 Too Large"));
  closeIdle();
  expect(await post(() => {}, { body })).toEqual({ status: 413, body: "null" });
});

test("when the time is over, the connection is, too", async () => {
  const limit = new Limit();
  let hungUp = () => {};
  const over = new Promise<void>((resolve) => {
    hungUp = resolve;
  });
  const hangs: Reply = (socket) => {
    socket.on("close", hungUp);
    limit.strike();
  };
  expect(await post(hangs, { limit })).toEqual({ kind: "timeout", code: "Timeout" });
  await over;
});

test("without a listener nothing was sent", async () => {
  const other = createServer();
  await once(other.listen(0, "127.0.0.1"), "listening");
  const endpoint = endpointAt(`http://127.0.0.1:${(other.address() as AddressInfo).port}`, false);
  await new Promise((resolve) => other.close(resolve));
  await expect(transport.post({ endpoint, path: "/", headers: [], body: "{}" }, new Limit())).rejects.toMatchObject({
    kind: "unsent",
    code: "ECONNREFUSED",
  });
});

/** So that the next request makes a connection of its own. */
function closeIdle(): void {
  for (const socket of sockets) socket.destroy();
  sockets.clear();
}
