import type { FetchType } from "@jitsu/protocols/functions";
import { MAX_ANSWER_BYTES, type Transport, TransportError, tooLong, type WireRequest } from "../../aws/transport";

/** Whether AWS's answer holds credentials. */
export function holdsCredentials({ endpoint }: WireRequest): boolean {
  return endpoint.host.startsWith("sts.");
}

/**
 * The way out through the `fetch` that Jitsu hands to functions. What goes to STS is kept out of its live-events log,
 * because the answer holds credentials; a call to Lambda is there for the user to see.
 */
export function jitsuTransport(fetch: FetchType): Transport {
  return {
    async post(request, limit) {
      const { endpoint, path, headers, body } = request;
      const options = { method: "POST", headers: headerObject(headers), body, redirect: "manual" };
      try {
        return await new Promise((resolve, reject) => {
          limit.watch(() => reject(new TransportError("timeout", "Timeout", "")));
          const log = holdsCredentials(request) ? { log: false } : undefined;
          exchange(fetch(`${endpoint.origin}${path}`, options, log)).then(resolve, reject);
        });
      } catch (error) {
        throw error instanceof TransportError ? error : transportError(error);
      } finally {
        limit.unwatch();
      }
    },
  };
}

async function exchange(answering: ReturnType<FetchType>) {
  const answer = await answering;
  const header = (name: string) => headerOf(answer.headers, name);
  if (Number(header("content-length")) > MAX_ANSWER_BYTES) throw tooLong();
  const body = await answer.text();
  // The engine has decoded what it has a decoder for.
  if (body.length > MAX_ANSWER_BYTES) throw tooLong();
  return { status: answer.status, header, body };
}

/** @param headers names and values by turns */
function headerObject(headers: readonly string[]): Record<string, string> {
  const object: Record<string, string> = {};
  for (let i = 0; i < headers.length; i += 2) object[headers[i] as string] = headers[i + 1] as string;
  return object;
}

/**
 * Whether Jitsu writes what AWS answers into its live-events log although it was asked not to. Versions that run
 * functions in an isolate do: their `fetch` has no third parameter. The one of a Deno worker has none either, but logs no answers.
 */
export function logsAnswers(fetch: FetchType): boolean {
  return fetch.length < 3 && !("Deno" in globalThis);
}

/** A plain object in some versions, a `Headers` in others. */
function headerOf(headers: Headers | Readonly<Record<string, string>>, name: string): string | undefined {
  if (typeof headers.get === "function") return (headers as Headers).get(name) ?? undefined;
  return Object.entries(headers).find(([key]) => key.toLowerCase() === name)?.[1];
}

/** What is known of the engines' errors: some sandboxes let nothing but the message through. */
const CAUSES: readonly (readonly [RegExp, string])[] = [
  [/ECONNREFUSED|connection refused/i, "ECONNREFUSED"],
  [/ENOTFOUND|EAI_AGAIN|dns error|failed to lookup|name or service not known/i, "ENOTFOUND"],
  [/ECONNRESET|EPIPE|connection reset|socket hang up|other side closed|connection closed/i, "ECONNRESET"],
  [/certificate|TLS|SSL/i, "ERR_TLS"],
];

/** Causes before which nothing was sent. */
const UNSENT: readonly string[] = ["ECONNREFUSED", "ENOTFOUND"];

/** What stands in Jitsu's error where its own limit on a request struck. */
const TIMED_OUT = /timeout|timed out|TimeoutError|AbortError/i;

function transportError(error: unknown): TransportError {
  const {
    name = "",
    message = "",
    code: own,
    cause,
  } = (error ?? {}) as {
    name?: string;
    message?: string;
    code?: string;
    cause?: { code?: string; message?: string };
  };
  if (TIMED_OUT.test(`${name} ${message}`)) {
    return new TransportError(
      "timeout",
      "FetchTimeout",
      `Jitsu gave up waiting for AWS (${message || name}). It gives a function's requests 2 seconds each, unless its operator sets FETCH_TIMEOUT_MS, and the function as a whole 5 seconds (UDF_TIMEOUT_MS).`,
    );
  }
  const said = [message, cause?.code, cause?.message].filter(Boolean).join(": ") || String(error);
  const code = CAUSES.find(([words]) => words.test(said))?.[1] ?? cause?.code ?? own ?? "FetchFailed";
  return new TransportError(
    UNSENT.includes(code) ? "unsent" : "broken",
    code,
    `AWS could not be reached through Jitsu's fetch: ${said}`,
  );
}
