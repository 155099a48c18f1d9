// @ts-nocheck
import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import { CALL_TYPES, type JsonObject } from "../events/segment-event";

/** An event as a router takes it in: from whom, and with what the router adds to it. */
export interface TrackedEvent {
  /** The source's write key. */
  readonly writeKey: string;
  readonly event: JsonObject;
}

/** Bytes of a request at most. */
const MAX_REQUEST_BYTES = 16 * 1024 * 1024;

/**
 * Segment's tracking HTTP API: `POST /v1/track|identify|page|screen|group|alias|batch` (and `/v1/b`, as some libraries
 * call the last), with the write key as the user name of Basic auth or in the body. Takes what Segment's libraries send.
 *
 * @param isWriteKey which sources there are
 * @param onEvent is given each event, before the request is answered
 */
export function trackingApi(isWriteKey: (key: string) => boolean, onEvent: (tracked: TrackedEvent) => void): Server {
  return createServer((request, response) => {
    take(request, isWriteKey)
      .then((events) => {
        for (const event of events) onEvent(event);
        answer(response, 200, { success: true });
      })
      .catch((error: unknown) => {
        const { status, message } = error instanceof Refusal ? error : new Refusal(500, String(error));
        answer(response, status, { success: false, message });
      });
  });
}

class Refusal extends Error {
  constructor(
    readonly status: number,
    message: string,
  ) {
    super(message);
  }
}

const ENDPOINTS = new Map<string, string>([
  ...CALL_TYPES.map((type) => [type, type] as const),
  ["batch", "batch"],
  ["b", "batch"],
]);
/** As analytics libraries in browsers abbreviate them. */
const SHORT_ENDPOINTS = new Map<string, string>([
  ["t", "track"],
  ["i", "identify"],
  ["p", "page"],
  ["s", "screen"],
  ["g", "group"],
  ["a", "alias"],
]);

async function take(request: IncomingMessage, isWriteKey: (key: string) => boolean): Promise<TrackedEvent[]> {
  const { pathname } = new URL(request.url ?? "/", "http://localhost");
  const [, name = ""] = /^\/v1\/(\w+)\/?$/.exec(pathname) ?? [];
  const endpoint = ENDPOINTS.get(name) ?? SHORT_ENDPOINTS.get(name);
  if (!endpoint) throw new Refusal(404, `There is POST /v1/${CALL_TYPES.join("|")}|batch.`);
  if (request.method !== "POST") throw new Refusal(405, "Send events with POST.");

  const body = parse(await read(request));
  const writeKey =
    userOf(request.headers.authorization) ?? (typeof body["writeKey"] === "string" ? body["writeKey"] : "");
  if (!isWriteKey(writeKey))
    throw new Refusal(401, "Send a source's write key as the user name of Basic auth, with an empty password.");

  const { batch, ...shared } = body;
  if (endpoint === "batch" && !Array.isArray(batch))
    throw new Refusal(400, "A batch must have an array of events in `batch`.");
  const messages: unknown[] = endpoint === "batch" ? (batch as unknown[]) : [{ ...body, type: endpoint }];
  return messages.map((message) => ({ writeKey, event: stamped(message, shared, writeKey, request) }));
}

/** What a router knows beyond the event itself, under the names that Jitsu uses. */
function stamped(
  message: unknown,
  { sentAt, context }: JsonObject,
  writeKey: string,
  request: IncomingMessage,
): JsonObject {
  if (message === null || typeof message !== "object" || Array.isArray(message)) return message as JsonObject;
  const event = message as JsonObject;
  return {
    ...(sentAt !== undefined && { sentAt }),
    ...(context !== undefined && { context }),
    ...event,
    writeKey,
    requestIp: request.socket.remoteAddress,
    receivedAt: new Date().toISOString(),
  };
}

async function read(request: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = [];
  let length = 0;
  for await (const chunk of request as AsyncIterable<Buffer>) {
    length += chunk.length;
    if (length > MAX_REQUEST_BYTES) throw new Refusal(413, `A request may have ${MAX_REQUEST_BYTES} bytes.`);
    chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString("utf8");
}

function parse(text: string): JsonObject {
  try {
    const body: unknown = JSON.parse(text);
    if (body !== null && typeof body === "object" && !Array.isArray(body)) return body as JsonObject;
  } catch {
    // Told below.
  }
  throw new Refusal(400, "The body must be a JSON object.");
}

function userOf(authorization: string | undefined): string | undefined {
  const [, credentials] = /^Basic (.+)$/i.exec(authorization ?? "") ?? [];
  return credentials === undefined ? undefined : Buffer.from(credentials, "base64").toString("utf8").split(":")[0];
}

function answer(response: ServerResponse, status: number, body: JsonObject): void {
  response.writeHead(status, { "content-type": "application/json" }).end(JSON.stringify(body));
}
