/** The senders whose answers are known, or `generic`; a connection's `router`. */
// @ts-nocheck

export type RouterName =
  | "generic"
  | "rudderstack"
  | "jitsu"
  | "jitsu-batch"
  | "jitsu-reverse-etl"
  | "segment"
  | "posthog"
  | "outpost"
  | "snowbridge"
  | "per-event";

/** What a sender makes of an answer, and so what it is answered. */
export interface Router {
  /** HTTP status where an event has to be sent again. */
  readonly retryStatus: 200 | 429 | 500 | 503;
  /**
   * HTTP status where an event was rejected for good and none has to be sent again: what makes the sender keep the event and not repeat it. 200
   * only once the event is kept here; see {@link KEPT_NOWHERE}.
   */
  readonly rejectedStatus: 200 | 400;
  /** Milliseconds from the request's arrival until which it has to be answered, a little less than the sender waits. */
  readonly deadlineMs: number;
  /** Why. */
  readonly reason: string;
}

/** In place of a `rejectedStatus` of 200 where neither a Failure Lambda nor a dead-letter file has the event. */
export const KEPT_NOWHERE = 400;

/** A row per sender. */
export const ROUTERS: Readonly<Record<RouterName, Router>> = {
  generic: {
    retryStatus: 503,
    rejectedStatus: 400,
    deadlineMs: 9_000,
    reason: "Most senders repeat a 5xx, give a 4xx up and wait for 10 s or longer.",
  },
  rudderstack: {
    retryStatus: 503,
    rejectedStatus: 400,
    deadlineMs: 9_000,
    reason: "Repeats 408, 429, 5xx for three hours, aborts other 4xx and shows them as failed; waits 10 s.",
  },
  jitsu: {
    retryStatus: 503,
    rejectedStatus: 200,
    deadlineMs: 1_800,
    reason: "Repeats whatever is not 2xx after 10, 100 and 1000 minutes, then dead-letters it; waits 2 s.",
  },
  "jitsu-batch": {
    retryStatus: 500,
    rejectedStatus: 200,
    deadlineMs: 4_500,
    reason: "Takes 200 only for success and repeats the whole batch; 502 and 503 at once, without a pause; waits 5 s.",
  },
  "jitsu-reverse-etl": {
    retryStatus: 429,
    rejectedStatus: 400,
    deadlineMs: 28_000,
    reason: "Repeats 408, 429, 5xx, honours Retry-After up to 30 s, counts other 4xx as rejected; waits 30 s.",
  },
  segment: {
    retryStatus: 503,
    rejectedStatus: 400,
    deadlineMs: 9_000,
    reason: "Repeats 408, 423, 429 and 5xx but 501, gives other 4xx up and shows them; waits 10 s.",
  },
  posthog: {
    retryStatus: 503,
    rejectedStatus: 400,
    deadlineMs: 9_000,
    reason: "Repeats 408, 429, 500 and 502 to 504 three times; other answers from 300 on are failures in its log.",
  },
  outpost: {
    retryStatus: 503,
    rejectedStatus: 200,
    deadlineMs: 4_500,
    reason: "Repeats everything from 400 on ten times; waits 5 s.",
  },
  snowbridge: {
    retryStatus: 503,
    rejectedStatus: 200,
    deadlineMs: 4_500,
    reason: "Repeats whatever is not 2xx, and stops at it; waits 5 s.",
  },
  "per-event": {
    retryStatus: 200,
    rejectedStatus: 200,
    deadlineMs: 28_000,
    reason: "A sender of one's own that reads `results`, an entry per event, and acts on each.",
  },
};

/** Segment's, RudderStack's and Jitsu's libraries, on the tracking API. */
export const LIBRARY: Router = {
  retryStatus: 429,
  rejectedStatus: 400,
  deadlineMs: 9_000,
  reason:
    "Retry-After counts with 429 only; other 4xx drop the batch and call the library's error handler; waits 10 s.",
};
