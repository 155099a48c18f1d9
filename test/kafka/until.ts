import { setTimeout as sleep } from "node:timers/promises";

/**
 * Waits for something that other processes bring about.
 *
 * @throws Error where it takes minutes
 */
export async function until(what: string, holds: () => boolean | Promise<boolean>, limitMs = 180_000): Promise<void> {
  const started = Date.now();
  while (!(await holds())) {
    if (Date.now() - started > limitMs) throw new Error(`Waited in vain until ${what}.`);
    await sleep(100);
  }
}
