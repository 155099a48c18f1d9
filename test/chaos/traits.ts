/** What is special about a way into the destination. */
export interface Traits {
  /** Its functions are durable, and events are named: each may be taken once, whatever happens on the way. The embedded AWS only. */
  readonly once?: true;
  /** The host's own HTTP client hides an answer that comes before the request has left. */
  readonly hidesEarlyAnswers?: true;
}

/** The ways into the destination, by name. */
export const TRAITS: Readonly<Record<string, Traits>> = {
  "own-router": {},
  batches: {},
  jitsu: {},
  rudderstack: {},
  "micro-batches": {},
  durable: { once: true },
  "jitsu-deployed": { hidesEarlyAnswers: true },
  receiver: {},
};
