import type { EntryDetail, RunDetail } from "../local/page-server/protocol";
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

/** By how much the clocks of the router's tries and of the runs may be apart, in milliseconds. */
const TOLERANCE = 50;

/** Each try, and after it the runs that it led to. */
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
  const ofTry = (run: RunDetail) =>
    Math.max(
      0,
      trail.findLastIndex((each) => each.startedAt <= run.startedAt + TOLERANCE),
    );
  const others = runs.filter(() => trail.length === 0).map(barOf);
  return [...tries.flatMap((bar, i) => [bar, ...runs.filter((run) => ofTry(run) === i).map(barOf)]), ...others];
}

function barOf({ invocationType, attempt, failed, startedAt, durationMs }: RunDetail): Bar {
  return {
    label: invocationType === "Event" ? `Queued run ${attempt}` : "Function",
    note: failed ? "failed" : "returned",
    from: startedAt,
    to: startedAt + durationMs,
    className: failed ? "run bad" : "run",
  };
}
