import type { RouterName } from "../../src/hosts/webhook/routers";
import { LIBRARY, ROUTERS } from "../../src/hosts/webhook/routers";

/** What a sender makes of an answer: it has its events delivered, sends them again, gives them up, or looks at each. */
export type Made = "done" | "again" | "given up" | "each";

/** Somebody who posts events to the receiver, and knows of their end what the answer says. */
export interface Sender {
  /** Its connection. */
  readonly name: string;
  /** Events of a request. */
  readonly batch: number;
  readonly path: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: (events: readonly object[]) => object;
  readonly gzip: boolean;
  readonly makesOf: (status: number) => Made;
  readonly honoursRetryAfter: boolean;
  /** Whether what is rejected for good is answered 200, and stands in the dead-letter file by then. */
  readonly kept: boolean;
  /** Milliseconds after which the receiver has to have answered. */
  readonly deadlineMs: number;
  /** In `connections.json`, besides the settings. */
  readonly connection: object;
  /** Whether its functions take several events at once. */
  readonly batched: boolean;
}

const SECRET = "chaos-secret-of-the-webhook";
const WRITE_KEY = "chaos-write-key";
const repeats = (status: number): boolean => status === 408 || status === 429 || status >= 500;

function webhook(
  router: RouterName,
  more: Pick<Sender, "batch" | "batched" | "makesOf"> & Partial<Pick<Sender, "kept">>,
): Sender {
  return {
    name: router,
    path: `/webhook/${router}`,
    headers: { authorization: `Bearer ${SECRET}`, "content-type": "application/json" },
    body: (events) => (more.batch === 1 ? (events[0] as object) : events),
    gzip: false,
    honoursRetryAfter: false,
    kept: false,
    deadlineMs: ROUTERS[router].deadlineMs,
    connection: { router, webhook: [{ type: "bearer", secrets: [SECRET] }] },
    ...more,
  };
}

/** What is too large is no use to repeat, whoever sends it. */
const TOO_LARGE = 413;

/** In turn, a request of each. */
export const SENDERS: readonly Sender[] = [
  webhook("rudderstack", {
    batch: 1,
    batched: false,
    makesOf: (status) => (status < 300 ? "done" : repeats(status) ? "again" : "given up"),
  }),
  webhook("jitsu", {
    batch: 1,
    batched: false,
    kept: true,
    makesOf: (status) => (status < 300 ? "done" : status === TOO_LARGE ? "given up" : "again"),
  }),
  webhook("jitsu-batch", {
    batch: 20,
    batched: true,
    kept: true,
    makesOf: (status) => (status === 200 ? "done" : status === TOO_LARGE ? "given up" : "again"),
  }),
  {
    name: "library",
    batch: 10,
    batched: false,
    path: "/v1/batch",
    headers: { authorization: `Basic ${Buffer.from(`${WRITE_KEY}:`).toString("base64")}` },
    body: (batch) => ({ batch, sentAt: new Date().toISOString() }),
    gzip: true,
    makesOf: (status) => (status === 200 ? "done" : repeats(status) ? "again" : "given up"),
    honoursRetryAfter: true,
    kept: false,
    deadlineMs: LIBRARY.deadlineMs,
    connection: { writeKeys: [{ key: WRITE_KEY }] },
  },
  webhook("per-event", {
    batch: 20,
    batched: true,
    makesOf: (status) => (status === 200 ? "each" : status === TOO_LARGE ? "given up" : "again"),
  }),
];
