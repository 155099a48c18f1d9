// @ts-nocheck
import { randomBytes } from "node:crypto";
import { existsSync } from "node:fs";
import { dirname, join } from "node:path";
import { performance } from "node:perf_hooks";
import { Worker } from "node:worker_threads";
import {
  type FunctionError,
  type FunctionSettings,
  type Invocation,
  logGroupName,
  type Returned,
  timedOut,
} from "./runtime";
import type { RunMessage, WorkerMessage, WorkerSettings } from "./worker-messages";

export interface EnvironmentOptions extends FunctionSettings {
  /** Absolute path of the handler file. */
  readonly file: string;
  /** Name of the export. */
  readonly handler: string;
  readonly region: string;
  /** Variables beside those that Lambda sets. */
  readonly environment: Readonly<Record<string, string>>;
}

/** Loading a module may take this long, as at AWS. */
const initTimeoutMs = 10_000;

/** A worker thread that has loaded a handler file, or is about to, and runs one event at a time. */
export class ExecutionEnvironment {
  /** False once it must not be used again. */
  usable = true;
  readonly #worker: Worker;
  readonly #timeoutMs: number;
  readonly #startedAt = performance.now();
  #initMs: number | undefined;
  #failed: FunctionError | undefined;
  #exitCode: number | undefined;
  #outOfMemory = false;
  #onMessage: ((message: WorkerMessage) => void) | undefined;
  #onExit: (() => void) | undefined;

  constructor(
    options: EnvironmentOptions,
    readonly edition: string,
  ) {
    this.#timeoutMs = options.timeoutMs;
    const stream = randomBytes(16).toString("hex");
    const day = new Date().toISOString().slice(0, 10).replaceAll("-", "/");
    const workerData: WorkerSettings = {
      functionName: options.functionName,
      functionVersion: options.functionVersion,
      memoryMb: options.memoryMb,
      timeoutMs: options.timeoutMs,
      file: options.file,
      handler: options.handler,
      logGroupName: logGroupName(options),
      logStreamName: `${day}/[${options.functionVersion}]${stream}`,
    };
    this.#worker = new Worker(workerFile(), {
      workerData,
      env: environmentVariables(options, workerData),
      resourceLimits: { maxOldGenerationSizeMb: options.memoryMb },
      stdin: false,
    });
    // The connection that waits for a run keeps the process alive, not the worker.
    this.#worker.unref();
    this.#worker.on("message", (message: WorkerMessage) => {
      if (message.type === "initError") this.usable = false;
      this.#onMessage?.(message);
    });
    this.#worker.on("error", (error: NodeJS.ErrnoException) => {
      this.#outOfMemory = error.code === "ERR_WORKER_OUT_OF_MEMORY";
      if (!this.#outOfMemory) this.#failed ??= { errorType: error.name, errorMessage: error.message };
    });
    this.#worker.on("exit", (code) => {
      this.#exitCode = code;
      this.usable = false;
      this.#onExit?.();
    });
  }

  async run(invocation: Invocation, log: (line: string) => void): Promise<Returned> {
    const cold = this.#initMs === undefined;
    const initError = cold ? await this.#init(invocation, log) : undefined;
    const init = cold && this.#initMs !== undefined ? { initMs: this.#initMs } : {};
    if (initError) {
      return { outcome: { error: initError }, durationMs: 0, memoryMb: 0, ...init };
    }
    const start = performance.now();
    const ended = await this.#until(
      invocation,
      this.#timeoutMs,
      log,
      (message) => {
        if (message.type === "result") return { outcome: { payload: message.payload }, memoryMb: message.memoryMb };
        if (message.type !== "error") return undefined;
        if (message.fatal) this.usable = false;
        return { outcome: { error: message.error }, memoryMb: message.memoryMb };
      },
      () => {
        const run: RunMessage = { invocation, deadline: Date.now() + this.#timeoutMs };
        this.#worker.postMessage(run);
      },
    );
    return {
      outcome: "outcome" in ended ? ended.outcome : { error: ended },
      durationMs: performance.now() - start,
      memoryMb: "outcome" in ended ? ended.memoryMb : 0,
      ...init,
    };
  }

  async end(): Promise<void> {
    this.usable = false;
    await this.#worker.terminate();
  }

  async #init(invocation: Invocation, log: (line: string) => void): Promise<FunctionError | undefined> {
    const ended = await this.#until(invocation, initTimeoutMs, log, (message) => {
      if (message.type === "ready") return "ready";
      return message.type === "initError" ? message.error : undefined;
    });
    this.#initMs = performance.now() - this.#startedAt;
    return ended === "ready" ? undefined : ended;
  }

  /** Waits for the message that `pick` wants, for the thread's end, or for the timeout, whichever comes first. */
  #until<T>(
    invocation: Invocation,
    timeoutMs: number,
    log: (line: string) => void,
    pick: (message: WorkerMessage) => T | undefined,
    begin?: () => void,
  ): Promise<T | FunctionError> {
    return new Promise((resolve) => {
      const finish = (value: T | FunctionError): void => {
        clearTimeout(timer);
        this.#onMessage = undefined;
        this.#onExit = undefined;
        resolve(value);
      };
      const timer = setTimeout(() => {
        const error = timedOut(invocation.requestId, timeoutMs);
        log(`${new Date().toISOString()} ${invocation.requestId} ${error.errorMessage.replace(/^.*Error: /, "")}`);
        finish(error);
        void this.end();
      }, timeoutMs);
      this.#onMessage = (message) => {
        if (message.type === "log") return log(message.line);
        const picked = pick(message);
        if (picked !== undefined) finish(picked);
      };
      this.#onExit = () => finish(this.#exitError(invocation));
      if (this.#exitCode !== undefined) this.#onExit();
      else begin?.();
    });
  }

  #exitError({ requestId }: Invocation): FunctionError {
    if (this.#failed) return this.#failed;
    const how = this.#outOfMemory
      ? "Runtime exited with error: signal: killed"
      : this.#exitCode === 0
        ? "Runtime exited without providing a reason"
        : `Runtime exited with error: exit status ${this.#exitCode}`;
    return {
      errorType: this.#outOfMemory ? "Runtime.OutOfMemory" : "Runtime.ExitError",
      errorMessage: `RequestId: ${requestId} Error: ${how}`,
    };
  }
}

/** What a function finds in `process.env`: none of this process's secrets. */
function environmentVariables(options: EnvironmentOptions, settings: WorkerSettings): Record<string, string> {
  const kept = ["PATH", "HOME", "LANG", "TMPDIR", "TEMP", "SystemRoot"].flatMap((name) => {
    const value = process.env[name];
    return value === undefined ? [] : [[name, value] as const];
  });
  return {
    ...Object.fromEntries(kept),
    TZ: ":UTC",
    AWS_REGION: options.region,
    AWS_DEFAULT_REGION: options.region,
    AWS_EXECUTION_ENV: `AWS_Lambda_nodejs${process.versions.node.split(".")[0]}.x`,
    AWS_LAMBDA_FUNCTION_NAME: options.functionName,
    AWS_LAMBDA_FUNCTION_VERSION: options.functionVersion,
    AWS_LAMBDA_FUNCTION_MEMORY_SIZE: String(options.memoryMb),
    AWS_LAMBDA_LOG_GROUP_NAME: settings.logGroupName,
    AWS_LAMBDA_LOG_STREAM_NAME: settings.logStreamName,
    LAMBDA_TASK_ROOT: dirname(options.file),
    _HANDLER: `index.${options.handler}`,
    ...options.environment,
  };
}

let located: string | undefined;

/**
 * `dist/local/worker.cjs` of this package, wherever this module itself was bundled to.
 * @throws Error if the package has not been built
 */
export function workerFile(): string {
  for (let folder = __dirname; located === undefined; folder = dirname(folder)) {
    const candidate = join(folder, "dist", "local", "worker.cjs");
    if (existsSync(candidate)) located = candidate;
    else if (dirname(folder) === folder) throw new Error(`No dist/local/worker.cjs above ${__dirname}: build first.`);
  }
  return located;
}
