// @ts-nocheck
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

const SILENT: Progress = { update() {}, stop() {} };

/**
 * A bar with rate, remaining time and failures by code on a terminal; nothing elsewhere.
 *
 * @param totalBytes of input, where that is known
 */
export function showProgress(stream: Writable & { readonly isTTY?: boolean }, totalBytes?: number): Progress {
  if (!stream.isTTY) return SILENT;
  const startedAt = Date.now();
  /** Where the first event ended: what --from-line leaves out says nothing about the speed. */
  let first: number | undefined;
  let done = 0;
  let events = 0;
  let failures: readonly string[] = [];

  const bar = new SingleBar(
    {
      stream: stream as NodeJS.WriteStream,
      hideCursor: true,
      clearOnComplete: true,
      gracefulExit: false,
      format(options, { progress }) {
        const elapsedMs = Math.max(Date.now() - startedAt, 1);
        const counts = [`${events} events`, `${Math.round((events * 1000) / elapsedMs)}/s`];
        if (!totalBytes) return [...counts, duration(elapsedMs), ...failures].join(" | ");
        const bytes = done - (first ?? done);
        const left = bytes > 0 ? [`${duration((elapsedMs * (totalBytes - done)) / bytes)} left`] : [];
        const percentage = `${Format.BarFormat(progress, options)} ${Math.floor(progress * 100)}%`;
        return [percentage, ...counts, ...left, ...failures].join(" | ");
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
