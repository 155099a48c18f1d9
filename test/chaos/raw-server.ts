import { createServer, type Server, type Socket } from "node:net";

/** A request, read to its end. */
export interface RawRequest {
  readonly method: string;
  readonly path: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: Buffer;
  /** Whether it was answered before it was read. */
  readonly answered: boolean;
}

/** What of a request is there before its body. */
export type RequestHead = Omit<RawRequest, "body" | "answered">;

/** One connection, and what can be done to it that no HTTP library would do. */
export class Connection {
  #closeBeforeNext = false;
  #poisoned = false;

  constructor(
    readonly socket: Socket,
    /** Where nobody may be sent: the server counts who comes. */
    readonly trapUrl: string,
  ) {}

  write(data: string | Buffer): void {
    if (!this.socket.destroyed) this.socket.write(data);
  }

  /** Writes and closes. */
  end(data?: string | Buffer): void {
    if (data === undefined) this.socket.end();
    else this.socket.end(data);
  }

  /** RST in place of FIN. */
  reset(): void {
    this.socket.resetAndDestroy();
  }

  /** Leaves the client waiting. */
  never(): void {}

  /** An answer is on its way that has begun and has not ended. */
  dripping = false;

  /** A few bytes at a time. */
  drip(data: string, bytes: number, everyMs: number): void {
    const text = Buffer.from(data);
    this.dripping = true;
    const next = (from: number): void => {
      if (from >= text.length) this.dripping = false;
      if (this.socket.destroyed || from >= text.length) return;
      this.socket.write(text.subarray(from, from + bytes));
      if (everyMs > 0) setTimeout(next, everyMs, from + bytes).unref();
      else setImmediate(next, from + bytes);
    };
    next(0);
  }

  /** One chunk after the other, as fast as they are taken. */
  flood(beginning: string, most: number): void {
    const block = `4000\r\n${"a".repeat(0x4000)}\r\n`;
    this.socket.write(beginning);
    let written = 0;
    const go = (): void => {
      while (!this.socket.destroyed && written < most) {
        written += block.length;
        if (!this.socket.write(block)) {
          this.socket.once("drain", go);
          return;
        }
      }
    };
    go();
  }

  /** The connection looks alive until the next request is on it. */
  closeBeforeNext(): void {
    this.#closeBeforeNext = true;
  }

  /** No request that comes now is served: its client should not have used this connection. */
  poison(): void {
    this.#poisoned = true;
  }

  /** Whether a request that just came must not be served. */
  get unusable(): boolean {
    return this.#closeBeforeNext || this.#poisoned;
  }
}

export interface RawServerOptions {
  readonly trapUrl: string;
  readonly handle: (request: RawRequest, connection: Connection) => void | Promise<void>;
  /** Called once the head is there; `true` if that was answered. The rest is left to the system for a moment. */
  readonly early: (head: RequestHead, connection: Connection) => boolean;
}

/** Milliseconds for which nothing is read of a request that was answered early: its client notices, or has sent it all. */
const UNREAD_MS = 50;

/** An HTTP server that leaves everything to its user but to read requests. */
export function createRawServer({ trapUrl, handle, early }: RawServerOptions): Server {
  return createServer({ noDelay: true }, (socket) => {
    const connection = new Connection(socket, trapUrl);
    let chunks: Buffer[] = [];
    let bytes = 0;
    let head: (RequestHead & { readonly length: number; readonly bodyAt: number }) | undefined;
    let answered = false;
    let over = false;
    // A client that goes away is none of our business.
    socket.on("error", () => {});
    socket.on("data", (chunk: Buffer) => {
      // What is left of a request that is not served is no request either.
      if (over) return;
      chunks.push(chunk);
      bytes += chunk.length;
      for (;;) {
        if (!head) {
          const all = Buffer.concat(chunks);
          chunks = [all];
          head = readHead(all);
          if (!head) return;
          if (connection.unusable) {
            over = true;
            connection.end();
            return;
          }
          answered = early(head, connection);
          if (answered) {
            socket.pause();
            setTimeout(() => socket.resume(), UNREAD_MS);
            return;
          }
        }
        const end = head.bodyAt + head.length;
        if (bytes < end) return;
        const all = Buffer.concat(chunks);
        const request = { ...head, body: all.subarray(head.bodyAt, end), answered };
        const rest = all.subarray(end);
        head = undefined;
        chunks = [rest];
        bytes = rest.length;
        void handle(request, connection);
        if (bytes === 0) return;
      }
    });
  });
}

function readHead(data: Buffer) {
  const end = data.indexOf("\r\n\r\n");
  if (end < 0) return undefined;
  const [first = "", ...lines] = data.toString("latin1", 0, end).split("\r\n");
  const [method = "", path = ""] = first.split(" ");
  const headers = Object.fromEntries(
    lines.map((line) => {
      const colon = line.indexOf(":");
      return [line.slice(0, colon).toLowerCase(), line.slice(colon + 1).trim()];
    }),
  );
  return { method, path, headers, length: Number(headers["content-length"] ?? 0), bodyAt: end + 4 };
}
