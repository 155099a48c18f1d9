import type { EntryDetail } from "../local/page-server/protocol";
import { clockMs, duration, STATES } from "./format";
import { classOf } from "./state-badge";

interface Bar {
  readonly label: string;
  readonly note: string;
  readonly from: number;
  readonly to: number;
  readonly className: string;
}

/** Each try of the router, and each run of the function, where it lies in time. */
export function TimeLine({ detail }: { readonly detail: EntryDetail }) {
  const bars = barsOf(detail);
  const begin = Math.min(detail.at, ...bars.map(({ from }) => from));
  const end = Math.max(begin + 1, ...bars.map(({ to }) => to));
  const percent = (time: number) => ((time - begin) / (end - begin)) * 100;
  return (
    <ol className="time-line">
      {bars.map(({ label, note, from, to, className }) => (
        <li key={`${label} ${from}`}>
          <span className="label">{label}</span>
          <span className="track" aria-hidden="true">
            <span
              className={className}
              style={{ left: `${percent(from)}%`, width: `${Math.max(0.6, percent(to) - percent(from))}%` }}
            />
          </span>
          <span className="note">
            {clockMs(from)} · {duration(to - from)} · {note}
          </span>
        </li>
      ))}
    </ol>
  );
}

function barsOf({ trail, runs }: EntryDetail): Bar[] {
  const tries = trail.map((attempt, i): Bar => {
    const { startedAt: from, durationMs, outcome, error, next, status } = attempt;
    const state = next === "dead letter" ? "given up" : outcome;
    return {
      label: `Try ${i + 1}`,
      note: `${STATES[state].label.toLowerCase()} (${status})${error ? `: ${error.label}` : ""}`,
      from,
      to: from + durationMs,
      className: classOf(state),
    };
  });
  const invoked = runs.map((run): Bar => {
    const asynchronous = run.invocationType === "Event";
    return {
      label: asynchronous ? `Queued run ${run.attempt}` : "Function",
      note: run.failed ? "failed" : "returned",
      from: run.startedAt,
      to: run.startedAt + run.durationMs,
      className: run.failed ? "run bad" : "run",
    };
  });
  return [...tries, ...invoked].sort((a, b) => a.from - b.from);
}
