// @ts-nocheck
import { type DestinationStream, type Logger, pino } from "pino";
import type { Answered } from "./receiver";

export const LOG_LEVELS = ["debug", "info", "warn", "error", "silent"] as const;
export type LogLevel = (typeof LOG_LEVELS)[number];

/** What a function says may quote the event. */
const SAID_BY_FUNCTIONS: readonly string[] = ["ExecutionError", "RejectedByFunction"];

/** The receiver's log: JSON, a line each. Requests that went well are of level debug. */
export function receiverLog(level: LogLevel, stream: DestinationStream): Logger {
  return pino(
    {
      level,
      base: null,
      timestamp: pino.stdTimeFunctions.isoTime,
      formatters: { level: (label) => ({ level: label }) },
    },
    stream,
  );
}

/** Logs a request: by its route, never by its address, and nothing that it holds. */
export function logAnswered(log: Logger, answered: Answered): void {
  const { code, message, durationMs, ...rest } = answered;
  if (code === undefined) {
    if (log.isLevelEnabled("debug")) log.debug({ ...rest, durationMs: Math.round(durationMs) }, "answered");
    return;
  }
  const why = message !== undefined && !SAID_BY_FUNCTIONS.includes(code) ? { reason: message } : {};
  log.warn({ ...rest, durationMs: Math.round(durationMs), code, ...why }, rest.events === 0 ? "refused" : "failed");
}
