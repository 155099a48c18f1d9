import { ENDS, kindOf } from "./events";
import type { Outcomes } from "./model-host";
import type { Ledger } from "./server";
import type { Traits } from "./traits";

/** What a run came to: the counts that have to be 0, and the figures behind them. */
export interface Report {
  readonly face: string;
  readonly backend: string;
  readonly seed: number;
  readonly events: number;
  readonly lost: number;
  readonly falselyDelivered: number;
  readonly falselyRejected: number;
  readonly unexplained: number;
  readonly late: number;
  readonly trapped: number;
  readonly broken: readonly string[];
  readonly leaks: readonly string[];
  readonly delivered: number;
  readonly rejected: number;
  readonly skipped: number;
  readonly retries: number;
  readonly retriesByCode: Readonly<Record<string, number>>;
  readonly deadLettered: number;
  /** Events that a function took more than once, all reasons. */
  readonly repeated: number;
  readonly requests: number;
  readonly strikes: Readonly<Record<string, number>>;
  readonly again: Readonly<Record<string, number>>;
  readonly heapMb: readonly [number, number];
  readonly seconds: number;
}

const DELIVERED = 1;
const SKIPPED = 2;
const REJECTED = 3;
/** Events of which a report tells everything. */
const STORIES = 5;
const MB = 1024 * 1024;
/** Megabytes by which the heap may grow from a third of the events to their end. */
const HEAP_GROWTH_MB = 32;

type Run = Pick<Report, "face" | "backend" | "seed" | "events" | "seconds" | "leaks"> & { readonly traits: Traits };

/** Holds what the host believes against what the functions really took. */
export function verdict({ traits, ...run }: Run, outcomes: Outcomes, ledger: Ledger): Report {
  const { ended, crashes, timeouts } = outcomes;
  const { taken, spoiled } = ledger;
  const count = (is: (n: number) => boolean) => {
    let found = 0;
    for (let n = 0; n < run.events; n++) if (is(n)) found++;
    return found;
  };
  const at = (array: Uint8Array, n: number) => array[n] ?? 0;
  // Taken once is right; once more for each answer that did not arrive or came too late, and for each crash of the host.
  const reasons = (n: number) => (traits.once ? 0 : at(spoiled, n) + at(crashes, n) + at(timeouts, n));
  const unexplained = (n: number) => at(taken, n) > 1 + reasons(n);
  const isLost = (n: number) => at(ended, n) === 0;
  const falselyDelivered = (n: number) => at(ended, n) === DELIVERED && at(taken, n) === 0;
  const falselyRejected = (n: number) =>
    ENDS[kindOf(run.seed, n)] === "delivered" && (at(ended, n) > DELIVERED || outcomes.keptLines.has(n));
  const keptTooOften = [...outcomes.keptLines].filter(([n, lines]) => lines > 1 + at(crashes, n));
  const stories = Array.from({ length: run.events }, (_, n) => n)
    .filter((n) => unexplained(n) || isLost(n) || falselyDelivered(n))
    .slice(0, STORIES)
    .map(
      (n) =>
        `event ${n} (${kindOf(run.seed, n)}) was taken ${at(taken, n)} times, ${at(spoiled, n)} answers were spoiled, ${at(crashes, n)} crashes; ` +
        `done to it: ${ledger.history.get(n)?.join(", ") ?? "nothing"}; told: ${outcomes.history.get(n)?.join(", ") ?? "nothing"}; in the end: ${outcomes.lastSaid.get(n) ?? "nothing"}`,
    );
  const heapMb: [number, number] = [Math.round(outcomes.heap[0] / MB), Math.round(outcomes.heap[1] / MB)];
  const grown = heapMb[1] - heapMb[0];
  return {
    ...run,
    lost: count(isLost),
    falselyDelivered: count(falselyDelivered),
    falselyRejected: count(falselyRejected),
    unexplained: count(unexplained),
    late: outcomes.late,
    trapped: ledger.trapped,
    broken: [
      ...outcomes.broken,
      ...stories,
      ...keptTooOften.map(([n, lines]) => `event ${n} was kept ${lines} times as rejected`),
    ],
    leaks: [...run.leaks, ...(grown > HEAP_GROWTH_MB ? [`the heap grew by ${grown} MB`] : [])],
    delivered: count((n) => at(ended, n) === DELIVERED),
    skipped: count((n) => at(ended, n) === SKIPPED),
    rejected: count((n) => at(ended, n) === REJECTED),
    retries: outcomes.retries,
    retriesByCode: outcomes.retriesByCode,
    deadLettered: outcomes.deadLettered,
    repeated: count((n) => at(taken, n) > 1),
    requests: ledger.requests,
    strikes: ledger.strikes,
    again: ledger.again,
    heapMb,
  };
}

/** Everything in a report that must not be. */
export function problemsOf(report: Report): string[] {
  const counts = {
    lost: report.lost,
    "falsely delivered": report.falselyDelivered,
    "falsely rejected": report.falselyRejected,
    "unexplained duplicates": report.unexplained,
    "past their deadline": report.late,
    "connections to an address that nobody configured": report.trapped,
  };
  return [
    ...Object.entries(counts)
      .filter(([, n]) => n > 0)
      .map(([what, n]) => `${n} ${what}`),
    ...report.broken,
    ...report.leaks,
  ];
}
