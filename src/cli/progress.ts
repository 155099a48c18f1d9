import type { Writable } from "node:stream";
import { Format, Presets, SingleBar } from "cli-progress";
import type { Tally } from "./summary";

/** Tells how far a long run is. */
export interface Progress {
  /** @param bytes of input that are done with */
  update(tally: Tally, bytes: number): void;
  /** Takes the bar off the screen; nothing is shown any more. */
  stop(): void;
}

const DEFAULT_COLUMNS = 80;
const LARGEST_BAR = 40;
/** Characters of the smallest bar with its percentage. */
const SMALLEST_BAR = 18;

const SILENT: Progress = { update() {}, stop() {} };

/**
 * A bar with rate, remaining time and failures by code on a terminal; nothing elsewhere.
 *
 * @param totalBytes of input, where that is known
 */
export function showProgress(
  stream: Writable & { readonly isTTY?: boolean; readonly columns?: number },
  totalBytes?: number,
): Progress {
  if (!stream.isTTY) return SILENT;
  const startedAt = Date.now();
  /** Where the first event ended: what --from-line leaves out says nothing about the speed. */
  let first: number | undefined;
  let done = 0;
  let events = 0;
  let failures: readonly string[] = [];
  let failed = 0;
  /** A bar and its text, as wide as there is room: fewer words for the failures, then a shorter bar. */
  const fitted = (bar: (size: number) => string, parts: readonly string[]): string => {
    const columns = (stream.columns ?? DEFAULT_COLUMNS) - 1;
    const counted = failed > 0 ? [`${failed} failed`] : [];
    const rest = [
      [...parts, ...failures],
      [...parts, ...counted],
    ]
      .map((each) => each.join(" | "))
      .find((text) => text.length + SMALLEST_BAR <= columns);
    const text = rest ?? [...counted, ...parts].join(" | ").slice(0, Math.max(columns - SMALLEST_BAR, 0));
    return bar(Math.min(LARGEST_BAR, Math.max(0, columns - text.length - "100% | ".length - 1))) + text;
  };

  const bar = new SingleBar(
    {
      stream: stream as NodeJS.WriteStream,
      hideCursor: true,
      clearOnComplete: true,
      gracefulExit: false,
      format(options, { progress }) {
        const elapsedMs = Math.max(Date.now() - startedAt, 1);
        const counts = [`${events} events`, `${Math.round((events * 1000) / elapsedMs)}/s`];
        if (!totalBytes) return fitted(() => "", [...counts, duration(elapsedMs)]);
        const bytes = done - (first ?? done);
        const left = bytes > 0 ? [`${duration((elapsedMs * (totalBytes - done)) / bytes)} left`] : [];
        const bar = (barsize: number) =>
          `${Format.BarFormat(progress, { ...options, barsize })} ${Math.floor(progress * 100)}% | `;
        return fitted(bar, [...counts, ...left]);
      },
    },
    Presets.shades_classic,
  );
  bar.start(totalBytes ?? 1, 0);
  return {
    update(tally, bytes) {
      first ??= bytes;
      done = Math.max(done, bytes);
      events = tally.delivered + tally.skipped + tally.retry + tally.rejected;
      const codes = [...tally.failures].map(([code, { count }]) => `${code} ${count}`);
      failed = tally.retry + tally.rejected;
      failures = codes.length > 0 ? [codes.join(", ")] : [];
      bar.update(totalBytes ? done : 0);
    },
    stop: () => bar.stop(),
  };
}

/** `8s`, `3m 20s`, `2h 5m` */
function duration(ms: number): string {
  const seconds = Math.ceil(ms / 1000);
  const minutes = Math.floor(seconds / 60);
  if (minutes === 0) return `${seconds}s`;
  return minutes < 60 ? `${minutes}m ${seconds % 60}s` : `${Math.floor(minutes / 60)}h ${minutes % 60}m`;
}
