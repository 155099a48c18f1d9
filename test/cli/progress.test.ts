import { showProgress } from "../../src/cli/progress";
import type { Tally } from "../../src/cli/summary";
import { terminal } from "./terminal";

const FRAME_MS = 1000;

beforeEach(() => {
  jest.useFakeTimers();
});

afterEach(() => {
  jest.useRealTimers();
});

const tally = (delivered: number, failures: Tally["failures"] = new Map()): Tally => ({
  delivered,
  skipped: 0,
  retry: 0,
  rejected: 0,
  failures,
});

/** All that was drawn on the screen after these updates, each so many ms after the one before. */
function screenAfter(updates: readonly (readonly [afterMs: number, bytes: number])[], totalBytes?: number): string {
  const screen = terminal();
  const progress = showProgress(screen, totalBytes);
  for (const [i, [afterMs, bytes]] of updates.entries()) {
    jest.advanceTimersByTime(afterMs);
    progress.update(tally(i + 1), bytes);
  }
  jest.advanceTimersByTime(FRAME_MS);
  const drawn = screen.written();
  progress.stop();
  return drawn;
}

describe("the remaining time follows from the bytes that are done and the time they took", () => {
  test.each([
    [
      "a quarter in 100 s",
      [
        [0, 0],
        [99_000, 2500],
      ],
      "25% | 2 events | 0/s | 5m 0s left",
    ],
    [
      "all but the last byte",
      [
        [0, 0],
        [9_000, 9999],
      ],
      "99% | 2 events | 0/s | 1s left",
    ],
    [
      "half left out by --from-line, 1% done since",
      [
        [0, 5000],
        [9_000, 5100],
      ],
      "51% | 2 events | 0/s | 8m 10s left",
    ],
    [
      "hours",
      [
        [0, 0],
        [99_000, 100],
      ],
      "1% | 2 events | 0/s | 2h 45m left",
    ],
  ] as const)("%s", (_name, updates, expected) => {
    expect(screenAfter(updates, 10_000)).toContain(expected);
  });
});

test("before anything tells the speed, no time is told", () => {
  expect(screenAfter([[0, 0]], 10_000)).toContain("0% | 1 events | 1/s\u001b");
});

test("input of unknown length shows how long it takes already", () => {
  expect(
    screenAfter([
      [0, 10],
      [64_000, 20],
    ]),
  ).toContain("2 events | 0/s | 1m 5s\u001b");
});

test("failures are counted by code", () => {
  const screen = terminal();
  const progress = showProgress(screen, 10);

  progress.update(tally(1, new Map([["AccessDenied", { count: 3, example: "", hint: "" }]])), 5);
  jest.advanceTimersByTime(FRAME_MS);
  progress.stop();

  expect(screen.written()).toContain("| AccessDenied 3");
});

test("once stopped, the line is cleared and nothing more is drawn", () => {
  const screen = terminal();
  const progress = showProgress(screen, 10);

  progress.stop();
  const written = screen.written();
  progress.update(tally(1), 5);
  jest.advanceTimersByTime(FRAME_MS);
  progress.stop();

  expect(written.endsWith("\u001b[1G\u001b[2K")).toBe(true);
  expect(screen.written()).toBe(written);
});

test.each([80, 120])("the bar keeps to %i columns and says that events failed", (columns) => {
  const screen = Object.assign(terminal(), { columns });
  const progress = showProgress(screen, 10_000);
  progress.update(tally(0), 0);
  const failures = new Map(
    ["AccessDenied", "OperationTimedOut", "ExecutionError", "Throttled"].map((code) => [
      code,
      { count: 12_345, example: "", hint: "" },
    ]),
  );
  jest.advanceTimersByTime(9000);
  progress.update({ ...tally(1_234_567, failures), retry: 49_380 }, 5000);
  jest.advanceTimersByTime(FRAME_MS);
  const drawn = screen.written();
  progress.stop();

  // biome-ignore lint/suspicious/noControlCharactersInRegex: a terminal's own.
  const frames = drawn.split(/\u001b\[\d*[A-Za-z]|\u001b\[\?\d+[a-z]|\r/).filter((frame) => frame.includes("events"));
  expect(frames.length).toBeGreaterThan(0);
  for (const frame of frames) expect(frame.length).toBeLessThanOrEqual(columns);
  expect(frames.at(-1)).toMatch(/failed|AccessDenied 12345/);
});
