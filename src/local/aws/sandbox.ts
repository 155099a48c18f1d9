import type { FunctionError } from "./runtime";
import type { RunMessage, WorkerMessage, WorkerSettings } from "./worker-messages";

/** How a sandbox ended. */
export interface Ending {
  /** Exit code; null where a signal ended it. */
  readonly code: number | null;
  readonly signal?: string | null;
  readonly outOfMemory?: boolean;
  /** What kept it from doing its work, where that is known. */
  readonly error?: FunctionError;
}

export interface SandboxOptions extends WorkerSettings {
  /** All of the environment variables. */
  readonly environment: Readonly<Record<string, string>>;
  onMessage(message: WorkerMessage): void;
  /** Called once, after the last message. */
  onEnd(ending: Ending): void;
}

/** A thread or process that has loaded a handler, or is about to, and runs one event at a time. Keeps this process not alive. */
export interface Sandbox {
  run(message: RunMessage): void;
  /** Ends it, whatever it does. */
  end(): Promise<void>;
}
