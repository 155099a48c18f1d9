import { chance } from "./chance";

/** Something that is wrong for a while, for everybody. */
export interface Episode {
  readonly name: EpisodeName;
  /** Begins once this share of the events has ended. */
  readonly at: number;
  readonly lastsMs: number;
}

export type EpisodeName =
  | "sessions expire"
  | "sessions are revoked"
  | "STS is down for longer than a session lives"
  | "crash"
  | "told to end"
  | "clock 10 minutes fast"
  | "clock 10 minutes slow"
  | "DNS fails"
  | "function throttled"
  | "role denied"
  | "function gone";

const DURATIONS: Readonly<Record<EpisodeName, number>> = {
  "sessions expire": 0,
  "sessions are revoked": 1000,
  "STS is down for longer than a session lives": 1500,
  crash: 0,
  "told to end": 0,
  "clock 10 minutes fast": 1000,
  "clock 10 minutes slow": 1000,
  "DNS fails": 700,
  "function throttled": 1500,
  "role denied": 1500,
  "function gone": 1500,
};

/**
 * All of them, in an order that the seed decides, and what else ends the destination's process.
 *
 * @param endings besides one crash
 */
export function episodes(seed: number, endings: readonly EpisodeName[]): Episode[] {
  const always = (Object.keys(DURATIONS) as EpisodeName[]).filter((name) => name !== "told to end");
  const names = [...always, ...endings];
  const order = names.map((name, i) => ({ name, key: chance(seed, "episode", name, i) })).sort((a, b) => a.key - b.key);
  return order.map(({ name }, i) => ({ name, at: (i + 1) / (order.length + 2), lastsMs: DURATIONS[name] }));
}
