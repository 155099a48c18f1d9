// @ts-nocheck
import { createHash } from "node:crypto";
import { Agent as HttpAgent, request as httpRequest, type IncomingMessage } from "node:http";
import { Agent as HttpsAgent, request as httpsRequest } from "node:https";
import { TransportError } from "./transport-error";
import type { WireAnswer, WireRequest } from "./wire";

/** Connections at most per host; how much goes on at once is up to the router. */
const MAX_SOCKETS = 5000;
/** Milliseconds for which an idle connection is kept. AWS closes later, so that it does not close what is being used. */
const IDLE_MS = 20_000;

const OPTIONS = { keepAlive: true, maxSockets: MAX_SOCKETS, maxFreeSockets: MAX_SOCKETS, timeout: IDLE_MS };

/** How a URL's scheme is spoken. */
const SCHEMES = {
  "http:": { send: httpRequest, agent: new HttpAgent(OPTIONS) },
  "https:": { send: httpsRequest, agent: new HttpsAgent(OPTIONS) },
} as const;

/**
 * Sends a request over Node.js's own HTTP client, on connections that are kept and shared.
 *
 * @param timeoutMs after which the connection is cut
 * @throws TransportError where no whole answer came
 */
export function sendOverHttp({ method, url, headers, body }: WireRequest, timeoutMs: number): Promise<WireAnswer> {
  const { send, agent } = SCHEMES[url.startsWith("http:") ? "http:" : "https:"];
  const bytes = Buffer.from(body, "utf8");
  const answer = new Promise<WireAnswer>((resolve, reject) => {
    const request = send(
      url,
      { method, agent, headers: { ...headers, "content-length": bytes.length } },
      (response) => {
        wholeBody(response).then(
          (text) =>
            resolve({ status: response.statusCode ?? 0, header: (name) => headerOf(response, name), body: text }),
          reject,
        );
      },
    );
    const timer = setTimeout(() => {
      request.destroy(new TransportError("timeout", "Timeout", ""));
    }, timeoutMs);
    request.on("error", reject);
    request.on("close", () => clearTimeout(timer));
    request.end(bytes);
  });
  // What Node.js refuses to send at all (a URL, a header) is thrown, and arrives here too.
  return answer.catch((error: NodeJS.ErrnoException) => {
    if (error instanceof TransportError) throw error;
    throw new TransportError("network", error.code ?? error.name, error.message || String(error.code));
  });
}

/** SHA-256 as `wire.ts` wants it, by Node.js's own crypto. */
export function nodeSha256(data: Uint8Array | string): Uint8Array {
  return createHash("sha256").update(data).digest();
}

function wholeBody(response: IncomingMessage): Promise<string> {
  return new Promise((resolve, reject) => {
    const chunks: Buffer[] = [];
    response.on("data", (chunk: Buffer) => chunks.push(chunk));
    response.on("end", () => resolve(Buffer.concat(chunks).toString("utf8")));
    response.on("error", reject);
  });
}

function headerOf(response: IncomingMessage, name: string): string | undefined {
  const value = response.headers[name];
  return typeof value === "string" ? value : undefined;
}
