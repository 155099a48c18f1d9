import { SENDERS } from "./senders";
import { TIMEOUT_MS } from "./settings";

/** Milliseconds by which a deadline may be missed. */
export const LATE_MS = 50;

/** Milliseconds that a request to this address may take: its sender's, and an event by itself has its Timeout (ms) besides. */
export function limitOf(path: string): number {
  const sender = SENDERS.find((each) => each.path === path);
  if (!sender) return Number.POSITIVE_INFINITY;
  return sender.batch === 1 ? Math.min(sender.deadlineMs, TIMEOUT_MS) : sender.deadlineMs;
}
