import { Worker } from "node:worker_threads";
import type { JsonObject } from "../../events/segment-event";
import { builtFile } from "../built-file";
import type { CheckLine } from "./protocol";

/** What the worker of a connection check is given. */
export interface CheckOrder {
  readonly settings: JsonObject;
  readonly sourceId: string;
  readonly send: boolean;
}

/**
 * Runs the connection check in a thread with an environment of its own, so that it can go to another AWS than the
 * deliveries of this process.
 *
 * @param env decides which AWS it is, as everywhere
 * @param signal ends it
 */
export function runCheck(
  order: CheckOrder,
  env: NodeJS.ProcessEnv,
  onLine: (line: CheckLine) => void,
  signal: AbortSignal,
): Promise<void> {
  const worker = new Worker(builtFile("check-worker.cjs"), { env, workerData: order });
  signal.addEventListener("abort", () => void worker.terminate(), { once: true });
  return new Promise((resolve) => {
    worker.on("message", onLine);
    worker.on("error", (error) => onLine({ broken: error.message }));
    worker.on("exit", () => resolve());
  });
}
