import type { IncomingMessage, ServerResponse } from "node:http";

/**
 * Lets the pages of any website send events, as they do to a router.
 *
 * @returns whether the request is answered with that: it was a browser's question beforehand
 * @see https://fetch.spec.whatwg.org/#http-cors-protocol
 */
export function allowOtherOrigins({ method, headers }: IncomingMessage, response: ServerResponse): boolean {
  if (headers.origin === undefined) return false;
  response.setHeader("access-control-allow-origin", "*");
  if (method !== "OPTIONS" || headers["access-control-request-method"] === undefined) return false;
  response.writeHead(204, {
    "access-control-allow-methods": "POST",
    "access-control-allow-headers": "authorization, content-type",
    "access-control-allow-private-network": "true",
    "access-control-max-age": "600",
  });
  response.end();
  return true;
}
