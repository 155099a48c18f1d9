import type { Dispatcher } from "undici";
import {
  encodedUnasked,
  MAX_ANSWER_BYTES,
  type TimeLimit,
  type Transport,
  TransportError,
  tooLong,
  type WireAnswer,
  type WireRequest,
} from "./transport";

/** Connections at most per host; how much goes on at once is up to the router. */
const MAX_CONNECTIONS = 5000;
/** Milliseconds for which an idle connection is kept. AWS closes later, so that it does not close what is being used. */
const IDLE_MS = 20_000;
/** Milliseconds for a connection to be made, TLS included; mostly a delivery's own time is over before. */
const CONNECT_TIMEOUT_MS = 60_000;

type Headers = Readonly<Record<string, string | string[]>>;
type HeaderParser = (raw: Buffer[]) => Headers;

/**
 * HTTP by undici, at half the CPU time of Node.js's own client (`npm run bench`), on connections that are kept and shared.
 * It is loaded with the first request, and an idle connection keeps no process alive.
 */
export function undiciTransport(): Transport {
  let loading: Promise<Dispatcher> | undefined;
  let dispatcher: Dispatcher | undefined;
  let parseHeaders: HeaderParser;

  async function load(): Promise<Dispatcher> {
    const { Agent, util } = await import("undici");
    parseHeaders = util.parseHeaders as HeaderParser;
    dispatcher = new Agent({
      connections: MAX_CONNECTIONS,
      // How long an answer may take is the deadline's to say.
      headersTimeout: 0,
      bodyTimeout: 0,
      keepAliveTimeout: IDLE_MS,
      keepAliveMaxTimeout: IDLE_MS,
      connect: { timeout: CONNECT_TIMEOUT_MS },
    });
    return dispatcher;
  }

  function send(agent: Dispatcher, { endpoint, path, headers, body }: WireRequest, limit: TimeLimit) {
    return new Promise<WireAnswer>((resolve, reject) => {
      const exchange = new Exchange(parseHeaders, limit, resolve, reject);
      try {
        agent.dispatch({ origin: endpoint.origin, path, method: "POST", headers: headers as string[], body }, exchange);
      } catch (error) {
        exchange.onError(error as Error);
      }
    });
  }

  return {
    post(request, limit) {
      if (dispatcher) return send(dispatcher, request, limit);
      // What fails to load is tried again with the next request.
      loading ??= load().finally(() => {
        loading = undefined;
      });
      return loading.then((agent) => send(agent, request, limit));
    },
  };
}

/** What the system calls what undici has names of its own for. */
const SYSTEM_NAMES: Readonly<Record<string, string>> = {
  UND_ERR_SOCKET: "ECONNRESET",
  UND_ERR_CONNECT_TIMEOUT: "ETIMEDOUT",
};

const NONE: Buffer = Buffer.alloc(0);

/** One request and its answer, as undici tells of it. */
class Exchange implements Dispatcher.DispatchHandlers {
  readonly #parseHeaders: HeaderParser;
  readonly #limit: TimeLimit;
  readonly #resolve: (answer: WireAnswer) => void;
  readonly #reject: (error: TransportError) => void;
  #abort: ((reason?: Error) => void) | undefined;
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
  ) {
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
    this.#bytes += piece.length;
    if (this.#bytes > MAX_ANSWER_BYTES) this.#fail(tooLong());
    else if (this.#bytes === piece.length) this.#first = piece;
    else {
      this.#more ??= [this.#first];
      this.#more.push(piece);
    }
    return true;
  }

  onComplete(): void {
    if (this.#settled) return;
    this.#settled = true;
    this.#limit.unwatch();
    const body = (this.#more ? Buffer.concat(this.#more) : this.#first).toString("utf8");
    this.#resolve({ status: this.#status, body, header: (name) => this.#header(name) });
  }

  onError(error: Error): void {
    const { code = error.name, message } = error as NodeJS.ErrnoException;
    const known = SYSTEM_NAMES[code] ?? code;
    this.#fail(new TransportError(this.#abort ? "broken" : "unsent", known, message || known));
  }

  #header(name: string): string | undefined {
    const value = this.#headers[name];
    return Array.isArray(value) ? value[0] : value;
  }

  #fail(error: TransportError): void {
    if (this.#settled) return;
    this.#settled = true;
    this.#limit.unwatch();
    this.#more = undefined;
    this.#reject(error);
    this.#abort?.(error);
  }
}
