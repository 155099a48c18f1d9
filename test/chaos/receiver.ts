// `amazon-lambda-destination serve` as it is, in a process that can be killed, with a clock and a DNS that can be set.
import { subscribe } from "node:diagnostics_channel";
import type { IncomingMessage, ServerResponse } from "node:http";
import { setDnsFailing } from "./failing-dns";
import { heapUsed } from "./heap-used";
import { Lag } from "./lag";
import type { FromReceiver, ReceiverOrder } from "./receiver-process";
import { LATE_MS, limitOf } from "./request-limits";
import { setWallClock } from "./wall-clock";

/** What it ends with where a request that it had begun was not answered. */
const UNANSWERED = 3;

const [, , surroundings = "[]", ...args] = process.argv;
const say = (message: FromReceiver) => void process.send?.(message);

const obey: { readonly [Do in ReceiverOrder["do"]]: (order: Extract<ReceiverOrder, { do: Do }>) => void } = {
  clock: ({ ms }) => setWallClock(ms),
  dns: ({ failing }) => setDnsFailing(failing),
  heap: () => say({ heap: heapUsed() }),
};
const onOrder = (order: ReceiverOrder) => (obey[order.do] as (order: ReceiverOrder) => void)(order);
for (const order of JSON.parse(surroundings) as ReceiverOrder[]) onOrder(order);
process.on("message", onOrder);
process.on("disconnect", () => process.exit());
// It has to end by itself.
process.channel?.unref();

const lag = new Lag();
let unanswered = 0;
subscribe("http.server.request.start", (message) => {
  const { request, response } = message as { request: IncomingMessage; response: ServerResponse };
  const begunAt = performance.now();
  const limitMs = limitOf(request.url ?? "");
  unanswered++;
  response.on("close", () => {
    unanswered--;
    const now = performance.now();
    const ms = Math.round(now - begunAt - lag.between(begunAt, now));
    if (ms > limitMs + LATE_MS) say({ late: `${request.url} took ${ms} ms` });
  });
});
process.on("exit", () => {
  if (unanswered > 0) process.exitCode = UNANSWERED;
});

process.argv = [process.execPath, "amazon-lambda-destination", ...args];
// Not before the clock is set.
void import("../../src/cli/main");
