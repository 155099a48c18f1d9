import { randomBytes } from "node:crypto";
import { dirname, extname } from "node:path";
import { performance } from "node:perf_hooks";
import { startPythonSandbox } from "./python-sandbox";
import {
  type FunctionError,
  type FunctionSettings,
  type Invocation,
  logGroupName,
  type Returned,
  timedOut,
} from "./runtime";
import type { Ending, Sandbox } from "./sandbox";
import type { RunMessage, WorkerMessage, WorkerSettings } from "./worker-messages";
import { startWorkerSandbox } from "./worker-sandbox";

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

/** A worker thread or, for Python, a process that has loaded a handler file, or is about to, and runs one event at a time. */
export class ExecutionEnvironment {
  /** False once it must not be used again. */
  usable = true;
  readonly #sandbox: Sandbox;
  readonly #timeoutMs: number;
  readonly #startedAt = performance.now();
  #initMs: number | undefined;
  #ending: Ending | undefined;
  #onMessage: ((message: WorkerMessage) => void) | undefined;
  #onEnd: (() => void) | undefined;

  constructor(
    options: EnvironmentOptions,
    readonly edition: string,
  ) {
    this.#timeoutMs = options.timeoutMs;
    const stream = randomBytes(16).toString("hex");
    const day = new Date().toISOString().slice(0, 10).replaceAll("-", "/");
    const settings: WorkerSettings = {
      functionName: options.functionName,
      functionVersion: options.functionVersion,
      memoryMb: options.memoryMb,
      timeoutMs: options.timeoutMs,
      file: options.file,
      handler: options.handler,
      logGroupName: logGroupName(options),
      logStreamName: `${day}/[${options.functionVersion}]${stream}`,
    };
    const start = isPython(options.file) ? startPythonSandbox : startWorkerSandbox;
    this.#sandbox = start({
      ...settings,
      environment: environmentVariables(options, settings),
      onMessage: (message) => {
        if (message.type === "initError") this.usable = false;
        this.#onMessage?.(message);
      },
      onEnd: (ending) => {
        this.#ending = ending;
        this.usable = false;
        this.#onEnd?.();
      },
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
        this.#sandbox.run(run);
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
    await this.#sandbox.end();
  }

  async #init(invocation: Invocation, log: (line: string) => void): Promise<FunctionError | undefined> {
    const ended = await this.#until(invocation, initTimeoutMs, log, (message) => {
      if (message.type === "ready") return "ready";
      return message.type === "initError" ? message.error : undefined;
    });
    this.#initMs = performance.now() - this.#startedAt;
    return ended === "ready" ? undefined : ended;
  }

  /** Waits for the message that `pick` wants, for the sandbox's end, or for the timeout, whichever comes first. */
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
        this.#onEnd = undefined;
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
      this.#onEnd = () => finish(this.#exitError(invocation));
      if (this.#ending) this.#onEnd();
      else begin?.();
    });
  }

  #exitError({ requestId }: Invocation): FunctionError {
    const { code, signal, outOfMemory, error } = this.#ending ?? { code: null };
    if (error) return error;
    const how = outOfMemory
      ? "Runtime exited with error: signal: killed"
      : signal
        ? `Runtime exited with error: signal: ${signal}`
        : code === 0
          ? "Runtime exited without providing a reason"
          : `Runtime exited with error: exit status ${code}`;
    return {
      errorType: outOfMemory ? "Runtime.OutOfMemory" : "Runtime.ExitError",
      errorMessage: `RequestId: ${requestId} Error: ${how}`,
    };
  }
}

function isPython(file: string): boolean {
  return extname(file) === ".py";
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
    AWS_EXECUTION_ENV: isPython(options.file)
      ? "AWS_Lambda_python3"
      : `AWS_Lambda_nodejs${process.versions.node.split(".")[0]}.x`,
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
