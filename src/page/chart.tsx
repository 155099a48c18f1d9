import { useEffect, useState } from "react";
import type { EntryState, EntrySummary } from "../local/page-server/protocol";
import { duration } from "./format";

/** What the chart spans, and how wide one of its bars is, in milliseconds. */
const SPAN = 5 * 60_000;
const BAR = 5000;
const BARS = SPAN / BAR;

/** From the bottom of a bar to its top. */
const LAYERS: readonly { readonly className: string; readonly states: readonly EntryState[] }[] = [
  { className: "good", states: ["delivered", "invoked"] },
  { className: "plain", states: ["skipped", "under way"] },
  { className: "warn", states: ["retry"] },
  { className: "bad", states: ["rejected", "given up", "refused", "failed"] },
];

/** How many events there were in the last minutes and how long their deliveries took. */
export function Chart({ entries }: { readonly entries: readonly EntrySummary[] }) {
  const [now, setNow] = useState(() => Date.now());
  useEffect(() => {
    const timer = setInterval(() => setNow(Date.now()), 1000);
    return () => clearInterval(timer);
  }, []);
  // Bars stand still while time goes on: each is a fixed piece of it.
  const end = Math.ceil(Math.max(now, entries[0]?.at ?? 0) / BAR) * BAR;
  const recent = entries.filter(({ at }) => at > end - SPAN);
  const bars = Array.from({ length: BARS }, (_, i) => {
    const from = end - SPAN + i * BAR;
    return recent.filter(({ at }) => at >= from && at < from + BAR);
  });
  const times = bars.map((bar) => median(bar.flatMap(({ durationMs }) => durationMs ?? [])));
  const most = Math.max(1, ...bars.map((bar) => bar.length));
  const slowest = Math.max(1, ...times.map((time) => time ?? 0));
  const all = recent.flatMap(({ durationMs }) => durationMs ?? []).sort((a, b) => a - b);
  const lastMinute = recent.filter(({ at }) => at > now - 60_000).length;
  const [p50, p95] = [quantile(all, 0.5), quantile(all, 0.95)];

  return (
    <section className="chart" aria-label="Rate and latency of the last five minutes">
      <dl>
        <div>
          <dt>Last minute</dt>
          <dd>{lastMinute}</dd>
        </div>
        <div>
          <dt>Median</dt>
          <dd>{duration(p50) || "–"}</dd>
        </div>
        <div>
          <dt>95 %</dt>
          <dd>{duration(p95) || "–"}</dd>
        </div>
      </dl>
      <svg viewBox={`0 0 ${BARS} 20`} preserveAspectRatio="none" role="img">
        <title>{`${recent.length} events in five minutes, at most ${most} in five seconds; the line is the median latency`}</title>
        {bars.map((bar, i) => {
          let height = 0;
          return LAYERS.map(({ className, states }) => {
            const part = (bar.filter(({ state }) => states.includes(state)).length / most) * 18;
            height += part;
            return (
              part > 0 && (
                <rect
                  // biome-ignore lint/suspicious/noArrayIndexKey: a bar is its place in time.
                  key={`${i} ${className}`}
                  className={className}
                  x={i + 0.12}
                  y={20 - height}
                  width="0.76"
                  height={part}
                />
              )
            );
          });
        })}
        <path
          className="latency"
          d={times
            .map((time, i) => (time === undefined ? "" : `M${i} ${(19 - (time / slowest) * 17).toFixed(2)}h1`))
            .join("")}
        />
      </svg>
      <p className="axis" aria-hidden="true">
        <span>5 min ago</span>
        <span className="key">
          <i className="good" /> events <i className="latency" /> median latency
        </span>
        <span>now</span>
      </p>
    </section>
  );
}

function quantile(sorted: readonly number[], share: number): number | undefined {
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))];
}

function median(values: readonly number[]): number | undefined {
  return quantile(
    [...values].sort((a, b) => a - b),
    0.5,
  );
}
