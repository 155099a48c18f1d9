/** Milliseconds from which a timer is remembered: a run is over before such a one strikes. */
const LONG_MS = 3000;

/** Timers that are remembered before those that were stopped are looked for. */
const MANY = 1000;

const made = new Map<NodeJS.Timeout, string>();
const real = globalThis.setTimeout;

/** Remembers who started a timer that would keep this process alive. */
export function watchLongTimers(): void {
  const start = (callback: (...args: unknown[]) => void, ms = 0, ...args: unknown[]) => {
    const timer = real(
      (...given: unknown[]) => {
        made.delete(timer);
        callback(...given);
      },
      ms,
      ...args,
    );
    if (ms >= LONG_MS) made.set(timer, new Error(`${ms} ms`).stack ?? "");
    if (made.size > MANY) forgetStopped();
    return timer;
  };
  globalThis.setTimeout = Object.assign(start, real) as unknown as typeof setTimeout;
}

/** Where those that are still waited for were started. */
export function longTimers(): string[] {
  forgetStopped();
  return [...made].filter(([timer]) => timer.hasRef()).map(([, stack]) => stack);
}

function forgetStopped(): void {
  for (const timer of made.keys()) {
    // It says so nowhere else.
    if ((timer as { _destroyed?: boolean })._destroyed) made.delete(timer);
  }
}
