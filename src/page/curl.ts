/** What the router adds to an event when it takes it in. */
const ADDED: readonly string[] = ["writeKey", "requestIp", "request_ip", "receivedAt"];

/** The event as somebody sends it who wants the same to happen. */
export function sendable(event: unknown): Record<string, unknown> {
  const entries = Object.entries(Object(event) as Record<string, unknown>);
  return Object.fromEntries(entries.filter(([key]) => !ADDED.includes(key)));
}

/** A line for a shell that sends an event to the router. */
export function curlLine(origin: string, writeKey: string, endpoint: string, body: unknown): string {
  const json = JSON.stringify(body).replaceAll("'", "'\\''");
  return `curl -u ${writeKey}: -H 'content-type: application/json' -d '${json}' ${origin}/v1/${endpoint}`;
}
