// @ts-nocheck
import type { FetchType } from "@jitsu/protocols/functions";
import { TransportError } from "../../aws/transport-error";
import type { WireAnswer, WireRequest } from "../../aws/wire";

/**
 * Sends a request through the `fetch` that Jitsu hands to functions, and asks it to keep the request and the answer,
 * which may hold credentials, out of its live-events log.
 *
 * @throws TransportError where no answer came
 */
export async function sendThroughJitsu(fetch: FetchType, request: WireRequest): Promise<WireAnswer> {
  const { method, url, headers, body } = request;
  try {
    const answer = await fetch(url, { method, headers, body }, { log: false });
    const text = await answer.text();
    return { status: answer.status, header: (name) => headerOf(answer.headers, name), body: text };
  } catch (error) {
    throw transportError(error);
  }
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

/** What stands in Jitsu's error where its own limit on a request struck. */
const TIMED_OUT = /timeout|timed out|TimeoutError|AbortError/i;

function transportError(error: unknown): TransportError {
  const {
    name = "",
    message = "",
    cause,
  } = (error ?? {}) as { name?: string; message?: string; cause?: { code?: string; message?: string } };
  if (TIMED_OUT.test(`${name} ${message}`)) {
    return new TransportError(
      "timeout",
      "FetchTimeout",
      `Jitsu gave up waiting for AWS (${message || name}). It gives a function's requests 2 seconds each, unless its operator sets FETCH_TIMEOUT_MS, and the function as a whole 5 seconds (UDF_TIMEOUT_MS).`,
    );
  }
  const said = [message, cause?.code, cause?.message].filter(Boolean).join(": ") || String(error);
  const code = CAUSES.find(([words]) => words.test(said))?.[1] ?? cause?.code ?? "FetchFailed";
  return new TransportError("network", code, `AWS could not be reached through Jitsu's fetch: ${said}`);
}
