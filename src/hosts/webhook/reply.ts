import type { ServerResponse } from "node:http";
import type { ReceiverContext } from "./arrival";

/** An answer, before it is written. */
export interface Reply {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  /** Becomes JSON. */
  readonly body: object;
}

/** Stands for an answer that goes to Node.js by itself. */
export const ANSWERED = new Response(null);

/**
 * Answers with what comes of a request: in Node.js straight away, where a `Response` would be made and taken apart again for each event.
 *
 * @param failed hears of what is a mistake of ours; the sender's connection then breaks
 */
export function answerWith(
  c: ReceiverContext,
  reply: Promise<Reply>,
  failed: (error: unknown) => void,
): Response | Promise<Response> {
  const { outgoing } = c.env ?? {};
  if (!outgoing) return reply.then(({ status, headers, body }) => c.json(body, status as 200, { ...headers }));
  void reply
    .then((known) => write(outgoing, known))
    .catch((error) => {
      failed(error);
      outgoing.destroy();
    });
  return ANSWERED;
}

/** In one piece, head and all. */
function write(outgoing: ServerResponse, { status, headers, body }: Reply): void {
  const text = JSON.stringify(body);
  outgoing.writeHead(status, {
    "content-type": "application/json",
    "content-length": Buffer.byteLength(text),
    ...headers,
  });
  outgoing.end(text);
}
