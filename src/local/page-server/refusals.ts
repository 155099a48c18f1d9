import type { IncomingMessage, ServerResponse } from "node:http";

/** A request that the router did not take. */
export interface Refusal {
  readonly method: string;
  /** Without the query. */
  readonly path: string;
  readonly status: number;
  readonly message: string;
  /** As it was sent, where it was. */
  readonly writeKey?: string;
}

/** Bytes of an answer that are kept to find the reason in. */
const MAX_ANSWER_BYTES = 4096;

/** Watches how a request is answered, by whatever front answers it, and tells if it is refused. */
export function watchForRefusal(
  request: IncomingMessage,
  response: ServerResponse,
  onRefusal: (refusal: Refusal) => void,
): void {
  const chunks: Buffer[] = [];
  let bytes = 0;
  const keep = (chunk: unknown): void => {
    if (response.statusCode < 400 || bytes > MAX_ANSWER_BYTES) return;
    if (typeof chunk !== "string" && !(chunk instanceof Uint8Array)) return;
    const buffer = Buffer.from(chunk as string);
    bytes += buffer.length;
    chunks.push(buffer);
  };
  const { write, end } = response;
  response.write = ((...args: Parameters<typeof write>) => {
    keep(args[0]);
    return write.apply(response, args);
  }) as typeof write;
  response.end = ((...args: Parameters<typeof end>) => {
    keep(args[0]);
    return end.apply(response, args);
  }) as typeof end;
  response.once("finish", () => {
    const { statusCode: status } = response;
    if (status < 400) return;
    const writeKey = userOf(request.headers.authorization);
    onRefusal({
      method: request.method ?? "",
      path: (request.url ?? "").split("?")[0] ?? "",
      status,
      message: reasonIn(Buffer.concat(chunks).toString()),
      ...(writeKey && { writeKey }),
    });
  });
}

function reasonIn(answer: string): string {
  try {
    const { message, error } = JSON.parse(answer) as { message?: unknown; error?: unknown };
    const reason = [message, error].find((each) => typeof each === "string");
    if (reason !== undefined) return reason as string;
  } catch {
    // Not JSON: shown as it is.
  }
  return answer.slice(0, 500);
}

function userOf(authorization = ""): string | undefined {
  const [, credentials] = /^Basic (.+)$/i.exec(authorization) ?? [];
  return credentials === undefined ? undefined : Buffer.from(credentials, "base64").toString("utf8").split(":")[0];
}
