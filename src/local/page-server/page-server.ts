import { randomBytes, timingSafeEqual } from "node:crypto";
import type { IncomingMessage, ServerResponse } from "node:http";
import type { JsonObject } from "../../events/segment-event";
import type { OperatorPolicy } from "../../settings/operator-policy";
import type { Source } from "../local-host";
import { runCheck } from "./check-runner";
import type { Journal } from "./journal";
import type { Applied, CheckTarget, Imported, PageState, StreamMessage } from "./protocol";
import { watchForRefusal } from "./refusals";
import { exported, isExportFormat, masked, problemsOf, settingsForm, unmasked } from "./settings-desk";
import { isPageFile, pageFile } from "./static-files";

/** What the page shows and does that is not its server's own. */
export interface PageOptions {
  readonly journal: Journal;
  /** The built page. */
  readonly folder: string;
  /** As it is now. */
  about(): Omit<PageState, "sources" | "form" | "checks">;
  /** Is waited for before anything is answered that depends on the functions' folder. */
  catchUp?(): Promise<void>;
  /** The router's sources, as they are now. */
  sources(): readonly Source[];
  /**
   * Replaces the settings of a source, which can be used.
   * @returns what the local account could not follow
   */
  apply(source: string, settings: JsonObject): Promise<readonly string[]>;
  /** Delivers an event that the router took in before once more. */
  redeliver(event: unknown, source: Source, replayOf: number): number;
  importSettings(text: string): Imported;
  readonly operator: OperatorPolicy;
  /** Which AWS a connection check goes to, by the environment that leads there. */
  readonly checks: Readonly<Partial<Record<CheckTarget, NodeJS.ProcessEnv>>>;
}

/** Answers requests for the page; `false` where a request is somebody else's. */
export type PageHandler = (request: IncomingMessage, response: ServerResponse) => boolean;

/** Bytes of a request of the page at most. */
const MAX_REQUEST_BYTES = 16 * 1024 * 1024;

/** So that what stands between does not end a stream that has nothing to tell. */
const HEARTBEAT_MS = 15_000;

const SECURITY_HEADERS: Readonly<Record<string, string>> = {
  "content-security-policy":
    "default-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'; object-src 'none'",
  "x-content-type-options": "nosniff",
  "referrer-policy": "no-referrer",
  "cross-origin-opener-policy": "same-origin",
  "cross-origin-resource-policy": "same-origin",
  "cache-control": "no-store",
};

/**
 * The page's part of a local router: put before the router's own front, it takes what is the page's and lets everything
 * else through, of which it notes what the front refuses.
 *
 * The page and its API answer only where they are called by a name of this machine itself (a name of somebody else's
 * that leads here could be an attack by DNS), and the API only to who has read the token out of the page. Other
 * websites may send events, which is what browsers do with a router, but not read anything.
 */
export function createPageHandler(options: PageOptions): PageHandler {
  const token = randomBytes(24).toString("base64url");
  return (request, response) => {
    const path = pathOf(request);
    // `/api/s/` is where Jitsu's libraries send.
    if (!isPageFile(path) && (!path.startsWith("/api/") || path.startsWith("/api/s/"))) {
      // Browsers ask for icons and the like that nobody has promised them.
      if (path.startsWith("/v1/") || request.method === "POST")
        watchForRefusal(request, response, (refusal) => options.journal.refused(refusal));
      return false;
    }
    answer(options, token, request, response).catch((error: unknown) => {
      const { status, message } = error instanceof Refused ? error : new Refused(500, String(error));
      if (response.headersSent) return void response.destroy();
      send(response, status, "application/json", JSON.stringify({ error: message }));
    });
    return true;
  };
}

/** A request of the page that is not answered. */
class Refused extends Error {
  constructor(
    readonly status: number,
    message: string,
  ) {
    super(message);
  }
}

async function answer(
  options: PageOptions,
  token: string,
  request: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  if (!isAddressedHere(request)) throw new Refused(421, "Call the page by the address that start prints.");
  const path = pathOf(request);
  if (isPageFile(path)) {
    if (request.method !== "GET" && request.method !== "HEAD") throw new Refused(405, "The page answers GET only.");
    const { type, body } = await pageFile(options.folder, path, token);
    return send(response, 200, type, request.method === "HEAD" ? "" : body);
  }
  const url = new URL(request.url ?? "/", "http://localhost");
  // An event stream of the browser's own cannot have a header.
  const given = request.headers["x-page-token"] ?? url.searchParams.get("token") ?? "";
  if (!isSame(String(given), token)) throw new Refused(401, "Reload the page: it belongs to an earlier start.");

  const stream = Object.hasOwn(STREAMS, path) ? STREAMS[path] : undefined;
  const call = `${request.method} ${path}`;
  const action = Object.hasOwn(ACTIONS, call) ? ACTIONS[call] : undefined;
  await options.catchUp?.();
  if (stream) return stream(options, request, response);
  if (!action) throw new Refused(404, `There is no ${call}.`);
  const body = request.method === "POST" ? await readJson(request) : Object.fromEntries(url.searchParams);
  send(response, 200, "application/json", JSON.stringify(await action(options, body)));
}

type Action = (options: PageOptions, body: JsonObject) => unknown;

const ACTIONS: Readonly<Record<string, Action>> = {
  "GET /api/state": ({ about, sources, checks }): PageState => ({
    ...about(),
    sources: sources().map(({ id, settings }) => ({ id, settings: masked(settings) })),
    checks: (Object.keys(checks) as CheckTarget[]).filter((target) => checks[target]),
    form: settingsForm(),
  }),
  "GET /api/entry": ({ journal }, { id }) => journal.detail(Number(id)) ?? notFound("That is no longer remembered."),
  "POST /api/clear": ({ journal }) => {
    journal.clear();
    return {};
  },
  "POST /api/replay": ({ journal, sources, redeliver }, { id, event }) => {
    const entry = journal.detail(Number(id)) ?? notFound("That is no longer remembered.");
    const source = sources().find((each) => each.id === entry.source) ?? notFound("Its source is no longer there.");
    return { id: redeliver(event ?? entry.event, source, entry.id) };
  },
  "POST /api/problems": (options, body) => {
    const { settings } = settingsIn(options, body);
    return { problems: problemsOf(settings, options.operator) };
  },
  "POST /api/apply": async (options, body): Promise<Applied> => {
    const { source, settings } = settingsIn(options, body);
    const problems = problemsOf(settings, options.operator);
    if (problems.length > 0) return { problems, notes: [] };
    return { problems, notes: await options.apply(source.id, settings), settings: masked(settings) };
  },
  "POST /api/export": (options, body) => {
    const { source, settings } = settingsIn(options, body);
    const { format, principal } = body;
    if (!isExportFormat(format)) throw new Refused(400, "There is no such format.");
    const request = { source: source.id, settings, format, ...(typeof principal === "string" && { principal }) };
    return exported(settings, request, options.operator);
  },
  "POST /api/import": ({ importSettings }, { text }) => importSettings(String(text)),
};

type Stream = (options: PageOptions, request: IncomingMessage, response: ServerResponse) => Promise<void>;

const STREAMS: Readonly<Record<string, Stream>> = {
  "/api/stream": async ({ journal }, _request, response) => {
    response.writeHead(200, { ...SECURITY_HEADERS, "content-type": "text/event-stream" });
    const tell = (message: StreamMessage): void => void response.write(`data: ${JSON.stringify(message)}\n\n`);
    tell({ type: "entries", entries: journal.summaries() });
    const stop = journal.listen((entry) => tell(entry ? { type: "entry", entry } : { type: "cleared" }));
    const heartbeat = setInterval(() => response.write(":\n\n"), HEARTBEAT_MS);
    heartbeat.unref();
    response.once("close", () => {
      stop();
      clearInterval(heartbeat);
    });
  },
  "/api/check": async (options, request, response) => {
    if (request.method !== "POST") throw new Refused(405, "Run a check with POST.");
    const body = await readJson(request);
    const { source, settings } = settingsIn(options, body);
    const env = options.checks[body["target"] as CheckTarget];
    if (!env) throw new Refused(400, "There is no such AWS to check against.");
    response.writeHead(200, { ...SECURITY_HEADERS, "content-type": "application/x-ndjson" });
    const gone = new AbortController();
    response.once("close", () => gone.abort());
    const order = { settings, sourceId: source.id, send: body["send"] === true };
    await runCheck(order, env, (line) => response.write(`${JSON.stringify(line)}\n`), gone.signal);
    response.end();
  },
};

/** The source and the settings that a request is about, with the secrets that the page does not know. */
function settingsIn({ sources }: PageOptions, { source: id, settings }: JsonObject) {
  const source = sources().find((each) => each.id === id) ?? notFound("There is no such source.");
  if (settings === null || typeof settings !== "object" || Array.isArray(settings))
    throw new Refused(400, "Settings must be a JSON object.");
  return { source, settings: unmasked(settings as JsonObject, source.settings) };
}

function notFound(message: string): never {
  throw new Refused(404, message);
}

function pathOf({ url = "/" }: IncomingMessage): string {
  return url.split("?")[0] ?? "/";
}

function isAddressedHere({ headers, socket }: IncomingMessage): boolean {
  const port = socket.localPort;
  return ["127.0.0.1", "localhost", "[::1]"].some((name) => headers.host === `${name}:${port}`);
}

function isSame(given: string, token: string): boolean {
  const [a, b] = [Buffer.from(given), Buffer.from(token)];
  return a.length === b.length && timingSafeEqual(a, b);
}

async function readJson(request: IncomingMessage): Promise<JsonObject> {
  const chunks: Buffer[] = [];
  let length = 0;
  for await (const chunk of request as AsyncIterable<Buffer>) {
    length += chunk.length;
    if (length > MAX_REQUEST_BYTES) throw new Refused(413, `A request may have ${MAX_REQUEST_BYTES} bytes.`);
    chunks.push(chunk);
  }
  try {
    const body: unknown = JSON.parse(Buffer.concat(chunks).toString("utf8") || "{}");
    if (body !== null && typeof body === "object" && !Array.isArray(body)) return body as JsonObject;
  } catch {
    // Told below.
  }
  throw new Refused(400, "The body must be a JSON object.");
}

function send(response: ServerResponse, status: number, type: string, body: string): void {
  response.writeHead(status, { ...SECURITY_HEADERS, "content-type": type, "content-length": Buffer.byteLength(body) });
  response.end(body);
}
