import type { Writable } from "node:stream";
import { Presets, SingleBar } from "cli-progress";
import type { Tally } from "./summary";

/** Tells how far a long run is. */
export interface Progress {
  /** @param bytes of input that are done with */
  update(tally: Tally, bytes: number): void;
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
  const bar = new SingleBar(
    {
      stream: stream as NodeJS.WriteStream,
      format: totalBytes
        ? "{bar} {percentage}% | {events} events | {rate}/s | {eta_formatted} left {failures}"
        : "{events} events | {rate}/s | {duration_formatted} {failures}",
      hideCursor: true,
      clearOnComplete: true,
      gracefulExit: false,
    },
    Presets.shades_classic,
  );
  bar.start(totalBytes ?? 1, 0, { events: 0, rate: 0, failures: "" });
  let done = 0;
  return {
    update(tally, bytes) {
      done = Math.max(done, bytes);
      const events = tally.delivered + tally.skipped + tally.retry + tally.rejected;
      const failures = [...tally.failures].map(([code, { count }]) => `${code} ${count}`).join(", ");
      bar.update(totalBytes ? done : 0, {
        events,
        rate: Math.round((events * 1000) / Math.max(Date.now() - startedAt, 1)),
        failures: failures && `| ${failures}`,
      });
    },
    stop: () => bar.stop(),
  };
}
