import { Worker } from "node:worker_threads";
import { builtFile } from "../built-file";
import type { FunctionError } from "./runtime";
import type { Sandbox, SandboxOptions } from "./sandbox";
import type { RunMessage, WorkerMessage, WorkerSettings } from "./worker-messages";

/** Starts a worker thread for a handler in JavaScript or TypeScript. @throws Error if the package has not been built */
export function startWorkerSandbox({ environment, onMessage, onEnd, ...settings }: SandboxOptions): Sandbox {
  let outOfMemory = false;
  let error: FunctionError | undefined;
  const worker = new Worker(builtFile("worker.cjs"), {
    workerData: settings satisfies WorkerSettings,
    env: environment,
    resourceLimits: { maxOldGenerationSizeMb: settings.memoryMb },
    stdin: false,
  });
  // The connection that waits for a run keeps the process alive, not the worker.
  worker.unref();
  worker.on("message", (message: WorkerMessage) => onMessage(message));
  worker.on("error", (thrown: NodeJS.ErrnoException) => {
    outOfMemory = thrown.code === "ERR_WORKER_OUT_OF_MEMORY";
    if (!outOfMemory) error ??= { errorType: thrown.name, errorMessage: thrown.message };
  });
  worker.on("exit", (code) => onEnd({ code, outOfMemory, ...(error && { error }) }));
  return {
    run: (message: RunMessage) => worker.postMessage(message),
    async end() {
      await worker.terminate();
    },
  };
}
