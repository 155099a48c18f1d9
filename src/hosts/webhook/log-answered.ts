import type { Answered } from "./receiver";

/** As much of pino's logger as it takes. */
export interface RequestLog {
  debug(facts: object, message: string): void;
  warn(facts: object, message: string): void;
  isLevelEnabled(level: "debug"): boolean;
}

/** What a function says may quote the event. */
const SAID_BY_FUNCTIONS: readonly string[] = ["ExecutionError", "RejectedByFunction"];

/** Logs a request: by its route, never by its address, and nothing that it holds. */
export function logAnswered(log: RequestLog, answered: Answered): void {
  const { code, message, durationMs, ...rest } = answered;
  if (code === undefined) {
    if (log.isLevelEnabled("debug")) log.debug({ ...rest, durationMs: Math.round(durationMs) }, "answered");
    return;
  }
  const why = message !== undefined && !SAID_BY_FUNCTIONS.includes(code) ? { reason: message } : {};
  log.warn({ ...rest, durationMs: Math.round(durationMs), code, ...why }, rest.events === 0 ? "refused" : "failed");
}
