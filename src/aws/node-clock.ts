import type { Clock } from "./clock";

/** Node.js's clocks and timers. */
export const nodeClock: Clock = {
  monotonic: () => performance.now(),
  wall: () => Date.now(),
  timer: { start: setTimeout, stop: (timer) => clearTimeout(timer as NodeJS.Timeout) },
};
