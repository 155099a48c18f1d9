import { Readable } from "node:stream";
import type { Dispatcher } from "undici";
import { BoundedMap } from "../encoding/bounded-map";
import { loadProxyFor, type ProxyFor, trustedAuthorities, withoutPassword } from "./proxies";
import {
  answeredEarly,
  encodedUnasked,
  MAX_ANSWER_BYTES,
  noRoomForAnswer,
  type TimeLimit,
  type Transport,
  TransportError,
  tooLong,
  type WireAnswer,
  type WireRequest,
} from "./transport";

/** Connections at most per host; how much goes on at once is up to the router. */
const MAX_CONNECTIONS = 5000;
/** Addresses of which the way is remembered at most: one per region. */
const MAX_ORIGINS = 1000;
/** Bytes of answers that are held at most while they are read, but for so many of each that every function's may have. */
const HELD_BYTES = 256 * 1024 * 1024;
const FREE_BYTES = 64 * 1024;
/** Milliseconds for which an idle connection is kept. AWS closes later, so that it does not close what is being used. */
const IDLE_MS = 20_000;
/** Milliseconds for a connection to be made, TLS included; mostly a delivery's own time is over before. */
const CONNECT_TIMEOUT_MS = 60_000;

type Undici = typeof import("undici");

/** How an address is reached. */
interface WayOut {
  readonly dispatcher: Dispatcher;
  /** The proxy's address without its password, where there is one. */
  readonly proxy?: string;
}

type Headers = Readonly<Record<string, string | string[]>>;
type HeaderParser = (raw: Buffer[]) => Headers;

/**
 * HTTP by undici, at half the CPU time of Node.js's own client (`npm run bench`), on connections that are kept and shared.
 * It is loaded with the first request, and an idle connection keeps no process alive.
 *
 * @param options.heldBytes of answers longer than 64 KiB that are held at most while they are read; one that does not fit in is given up
 */
export function undiciTransport({ heldBytes = HELD_BYTES } = {}): Transport {
  let loading: Promise<Undici> | undefined;
  let undici: Undici | undefined;
  let parseHeaders: HeaderParser;
  let proxyFor: ProxyFor;
  /** By origin. */
  const waysOut = new BoundedMap<string, WayOut>({ entries: MAX_ORIGINS });
  const held: Held = { bytes: 0, most: heldBytes };
  /** By the proxy's address; empty for none. */
  const dispatchers = new Map<string, Dispatcher>();

  async function load(): Promise<Undici> {
    const [loaded, lookUp] = await Promise.all([import("undici"), loadProxyFor()]);
    proxyFor = lookUp;
    parseHeaders = loaded.util.parseHeaders as HeaderParser;
    undici = loaded;
    return loaded;
  }

  /** @throws AwsError where the operator's AWS_CA_BUNDLE cannot be read */
  function dispatcherBy(proxy: string | undefined, { Agent, ProxyAgent }: Undici): Dispatcher {
    const known = dispatchers.get(proxy ?? "");
    if (known) return known;
    const ca = trustedAuthorities();
    const tls = { timeout: CONNECT_TIMEOUT_MS, ...(ca && { ca: [...ca] }) };
    const options = {
      connections: MAX_CONNECTIONS,
      // How long an answer may take is the deadline's to say.
      headersTimeout: 0,
      bodyTimeout: 0,
      keepAliveTimeout: IDLE_MS,
      keepAliveMaxTimeout: IDLE_MS,
      connect: tls,
    };
    const made =
      proxy === undefined
        ? new Agent(options)
        : new ProxyAgent({ ...options, uri: proxy, requestTls: tls, proxyTls: tls });
    dispatchers.set(proxy ?? "", made);
    return made;
  }

  function wayOut(origin: string, loaded: Undici): WayOut {
    let way = waysOut.get(origin);
    if (!way) {
      const proxy = proxyFor(origin);
      way = { dispatcher: dispatcherBy(proxy, loaded), ...(proxy !== undefined && { proxy: withoutPassword(proxy) }) };
      waysOut.set(origin, way);
    }
    return way;
  }

  async function send(loaded: Undici, { endpoint, path, headers, body }: WireRequest, limit: TimeLimit) {
    const { dispatcher, proxy } = wayOut(endpoint.origin, loaded);
    return new Promise<WireAnswer>((resolve, reject) => {
      const pieces = body.length > LARGE_LENGTH ? Buffer.from(body) : undefined;
      const exchange = new Exchange(parseHeaders, limit, resolve, reject, {
        proxy,
        watchesBody: pieces !== undefined,
        held,
      });
      const sent = pieces
        ? { headers: [...headers, "content-length", String(pieces.length)], body: Readable.from(inPieces(pieces)) }
        : { headers: headers as string[], body };
      try {
        dispatcher.dispatch({ origin: endpoint.origin, path, method: "POST", ...sent }, exchange);
      } catch (error) {
        exchange.onError(error as Error);
      }
    });
  }

  return {
    post(request, limit) {
      if (undici) return send(undici, request, limit);
      // What fails to load is tried again with the next request.
      loading ??= load().finally(() => {
        loading = undefined;
      });
      return loading.then((loaded) => send(loaded, request, limit));
    },
  };
}

/** What the system calls what undici has names of its own for. */
const SYSTEM_NAMES: Readonly<Record<string, string>> = {
  UND_ERR_SOCKET: "ECONNRESET",
  UND_ERR_CONNECT_TIMEOUT: "ETIMEDOUT",
};

/** What undici says of a proxy that gives another answer than 200. */
const REFUSED_TUNNEL = /^Proxy response \(\d+\)/;

const NONE: Buffer = Buffer.alloc(0);

/** Characters of a body from which it is sent piece by piece: the system takes what is shorter all at once, read or not. */
const LARGE_LENGTH = 256 * 1024;
const PIECE_BYTES = 64 * 1024;

function* inPieces(body: Buffer): Generator<Buffer> {
  for (let from = 0; from < body.length; from += PIECE_BYTES) yield body.subarray(from, from + PIECE_BYTES);
}

/** What all answers take that are being read, beyond {@link FREE_BYTES} each. */
interface Held {
  bytes: number;
  readonly most: number;
}

/** One request and its answer, as undici tells of it. */
class Exchange implements Dispatcher.DispatchHandlers {
  readonly #parseHeaders: HeaderParser;
  readonly #limit: TimeLimit;
  readonly #resolve: (answer: WireAnswer) => void;
  readonly #reject: (error: TransportError) => void;
  readonly #proxy: string | undefined;
  readonly #held: Held;
  #abort: ((reason?: Error) => void) | undefined;
  /** Whether the whole request has left, as far as anybody can tell. */
  #sent: boolean;
  #settled = false;
  #status = 0;
  #headers: Headers = {};
  /** Most answers come in one piece. */
  #first = NONE;
  #more: Buffer[] | undefined;
  #bytes = 0;

  constructor(
    parseHeaders: HeaderParser,
    limit: TimeLimit,
    resolve: (answer: WireAnswer) => void,
    reject: (error: TransportError) => void,
    { proxy, watchesBody, held }: { readonly proxy: string | undefined; readonly watchesBody: boolean; held: Held },
  ) {
    this.#proxy = proxy;
    this.#held = held;
    this.#sent = !watchesBody;
    this.#parseHeaders = parseHeaders;
    this.#limit = limit;
    this.#resolve = resolve;
    this.#reject = reject;
    limit.watch(() => this.#fail(new TransportError("timeout", "Timeout", "")));
  }

  /** The request goes out now. */
  onConnect(abort: (reason?: Error) => void): void {
    this.#abort = abort;
    if (this.#settled) abort();
  }

  onRequestSent(): void {
    this.#sent = true;
  }

  onHeaders(status: number, raw: Buffer[]): boolean {
    if (status < 200) return true;
    this.#status = status;
    this.#headers = this.#parseHeaders(raw);
    const encoding = this.#header("content-encoding");
    if (encoding !== undefined && encoding !== "identity") this.#fail(encodedUnasked(encoding));
    else if (Number(this.#header("content-length")) > MAX_ANSWER_BYTES) this.#fail(tooLong());
    return true;
  }

  onData(piece: Buffer): boolean {
    if (this.#settled) return true;
    const before = this.#takes;
    this.#bytes += piece.length;
    this.#held.bytes += this.#takes - before;
    if (this.#bytes > MAX_ANSWER_BYTES) this.#fail(tooLong());
    else if (this.#takes > 0 && this.#held.bytes > this.#held.most) this.#fail(noRoomForAnswer());
    else if (this.#bytes === piece.length) this.#first = piece;
    else {
      this.#more ??= [this.#first];
      this.#more.push(piece);
    }
    return true;
  }

  onComplete(): void {
    if (this.#settled) return;
    // An error may come early. Nobody can have taken what has not arrived, though.
    if (!this.#sent && this.#status < 300) {
      this.#fail(answeredEarly());
      return;
    }
    this.#settle();
    const body = (this.#more ? Buffer.concat(this.#more) : this.#first).toString("utf8");
    this.#resolve({ status: this.#status, body, header: (name) => this.#header(name) });
  }

  onError(error: Error): void {
    const { code = error.name, message } = error as NodeJS.ErrnoException;
    const known = REFUSED_TUNNEL.test(message) ? "ProxyRefused" : (SYSTEM_NAMES[code] ?? code);
    const by = this.#proxy === undefined ? "" : ` (through the proxy ${this.#proxy})`;
    this.#fail(new TransportError(this.#abort ? "broken" : "unsent", known, `${message || known}${by}`));
  }

  #header(name: string): string | undefined {
    const value = this.#headers[name];
    return Array.isArray(value) ? value[0] : value;
  }

  /** Of what all answers may take. */
  get #takes(): number {
    return Math.max(this.#bytes - FREE_BYTES, 0);
  }

  #settle(): void {
    this.#settled = true;
    this.#held.bytes -= this.#takes;
    this.#limit.unwatch();
  }

  #fail(error: TransportError): void {
    if (this.#settled) return;
    this.#settle();
    this.#more = undefined;
    this.#reject(error);
    this.#abort?.(error);
  }
}
