/** Replaces the wall clock of this process, before anybody remembers the real one. */
// @ts-nocheck

const real = Date.now;
let offset = 0;
Date.now = () => real() + offset;

/** @param ms that the clock is fast; negative where it is slow */
export function setWallClock(ms: number): void {
  offset = ms;
}
