// @ts-nocheck
import { chance } from "./chance";

/**
 * What an event is made to do. `plain` and `identify` go to a function each; `flaky` fails twice before the function takes it; `drop` makes the function
 * throw `DropEvent`; `page` has no function; `invalid` is no event; `large` and `huge` are 300 KB and 5.5 MB, `oversize` is more than Lambda takes.
 */
export type EventKind = "plain" | "identify" | "flaky" | "drop" | "page" | "invalid" | "large" | "huge" | "oversize";

const SHARES: readonly (readonly [EventKind, number])[] = [
  ["oversize", 0.0002],
  ["huge", 0.0004],
  ["large", 0.002],
  ["invalid", 0.005],
  ["page", 0.005],
  ["drop", 0.01],
  ["flaky", 0.01],
  ["identify", 0.1],
];

const BYTES: Partial<Readonly<Record<EventKind, number>>> = { large: 300_000, huge: 5_500_000, oversize: 6_400_000 };

/** How often a function fails for a `flaky` event before it takes it. */
export const FLAKY_FAILURES = 2;

export function kindOf(seed: number, n: number): EventKind {
  let left = chance(seed, "kind", n);
  for (const [kind, share] of SHARES) {
    left -= share;
    if (left < 0) return kind;
  }
  return "plain";
}

/** What has to become of an event in the end. */
export const ENDS: Readonly<Record<EventKind, "delivered" | "skipped" | "rejected">> = {
  plain: "delivered",
  identify: "delivered",
  flaky: "delivered",
  large: "delivered",
  huge: "delivered",
  page: "skipped",
  drop: "rejected",
  invalid: "rejected",
  oversize: "rejected",
};

const TYPES: Partial<Readonly<Record<EventKind, string>>> = {
  identify: "identify",
  page: "page",
  invalid: "purchase",
};

/** The n-th event, in a shape that every host hands over. */
export function eventOf(seed: number, n: number): Record<string, unknown> {
  const kind = kindOf(seed, n);
  const bytes = BYTES[kind];
  return {
    type: TYPES[kind] ?? "track",
    ...(TYPES[kind] === undefined && { event: "Chaos" }),
    messageId: messageIdOf(n),
    userId: `u-${n % 500}`,
    timestamp: "2026-01-01T00:00:00.000Z",
    properties: { n, ...(bytes !== undefined && { filler: "x".repeat(bytes) }) },
  };
}

export function messageIdOf(n: number): string {
  return `event-${n}`;
}

export function numberOf(messageId: unknown): number {
  return Number(/^event-(\d+)$/.exec(String(messageId))?.[1] ?? Number.NaN);
}
