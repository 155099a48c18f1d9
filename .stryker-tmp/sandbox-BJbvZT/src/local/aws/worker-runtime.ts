// @ts-nocheck
import { editionOf } from "./edition";
import { type EnvironmentOptions, ExecutionEnvironment, workerFile } from "./execution-environment";
import type { FunctionError, Invocation, Returned, Runtime } from "./runtime";

export interface WorkerRuntimeOptions extends EnvironmentOptions {
  /** Whose change makes environments outdated; only the file's own by default. */
  readonly folder?: string | undefined;
  /** How many environments may exist at once; further runs wait for one. */
  readonly maxEnvironments: number;
}

/**
 * Runs a handler file in worker threads: its execution environments. Warm ones are used again, each for one event at a
 * time. An environment that timed out or broke is replaced, and so are all of them when the file has changed.
 */
export class WorkerRuntime implements Runtime {
  readonly #options: WorkerRuntimeOptions;
  readonly #environments = new Set<ExecutionEnvironment>();
  readonly #idle: ExecutionEnvironment[] = [];
  readonly #waiting: (() => void)[] = [];
  /** Identifies the file's content; environments of another edition are outdated. */
  #edition = "";
  #closed = false;

  /** @throws Error if the package has not been built */
  constructor(options: WorkerRuntimeOptions) {
    this.#options = options;
    workerFile();
  }

  async run(invocation: Invocation, log: (line: string) => void): Promise<Returned> {
    const environment = await this.#acquire();
    if (!environment) return { outcome: { error: closed(invocation) }, durationMs: 0, memoryMb: 0 };
    try {
      return await environment.run(invocation, log);
    } finally {
      this.#release(environment);
    }
  }

  async close(): Promise<void> {
    this.#closed = true;
    for (const wake of this.#waiting.splice(0)) wake();
    await Promise.all([...this.#environments].map((environment) => environment.end()));
  }

  /** @returns undefined once closed */
  async #acquire(): Promise<ExecutionEnvironment | undefined> {
    const edition = await editionOf(this.#options.folder ?? this.#options.file);
    if (edition !== this.#edition) {
      this.#edition = edition;
      for (const environment of this.#idle.splice(0)) this.#discard(environment);
    }
    while (!this.#closed && this.#idle.length === 0 && this.#environments.size >= this.#options.maxEnvironments) {
      await new Promise<void>((resolve) => this.#waiting.push(resolve));
    }
    if (this.#closed) return undefined;
    for (let warm = this.#idle.pop(); warm; warm = this.#idle.pop()) {
      if (warm.usable) return warm;
      this.#discard(warm);
    }
    const environment = new ExecutionEnvironment(this.#options, this.#edition);
    this.#environments.add(environment);
    return environment;
  }

  #release(environment: ExecutionEnvironment): void {
    if (environment.usable && environment.edition === this.#edition && !this.#closed) this.#idle.push(environment);
    else this.#discard(environment);
    this.#waiting.shift()?.();
  }

  #discard(environment: ExecutionEnvironment): void {
    this.#environments.delete(environment);
    void environment.end();
  }
}

function closed({ requestId }: Invocation): FunctionError {
  const errorMessage = `RequestId: ${requestId} Error: Runtime exited: the function was removed`;
  return { errorType: "Runtime.ExitError", errorMessage };
}
