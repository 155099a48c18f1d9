/**
 * Entry of the worker thread in which the embedded AWS runs a function: a Lambda execution environment. It loads the
 * handler file once, then runs one event at a time; module state survives from one to the next, as in a warm Lambda.
 */
// @ts-nocheck

import { existsSync } from "node:fs";
import { pathToFileURL } from "node:url";
import { format } from "node:util";
import { getHeapStatistics } from "node:v8";
import { parentPort, workerData } from "node:worker_threads";
import { functionError, serialize } from "./aws/function-error";
import { type Handler, handlerContext } from "./aws/handler-context";
import type { FunctionError } from "./aws/runtime";
import type { RunMessage, WorkerMessage, WorkerSettings } from "./aws/worker-messages";

if (!parentPort) throw new Error("This file is the worker of the embedded AWS and does not run on its own.");
const port = parentPort;
const settings = workerData as WorkerSettings;

/** The run under way. Ending it a second time is without effect. */
let current: { readonly requestId: string; end(message: WorkerMessage): void } | undefined;
/** Called when nothing is left to do in this thread while a run is under way. */
let onEmptyLoop: (() => void) | undefined;

function send(message: WorkerMessage): void {
  port.postMessage(message);
}

function log(level: string, ...values: unknown[]): void {
  const line = `${new Date().toISOString()}\t${current?.requestId ?? "undefined"}\t${level}\t${format(...values)}`;
  send({ type: "log", line: line.replace(/\n/g, "\r") });
}

/** Lambda's console: time, request ID, level and text, separated by tabs. */
function captureOutput(): void {
  const levels = { trace: "TRACE", debug: "DEBUG", log: "INFO", info: "INFO", warn: "WARN", error: "ERROR" } as const;
  for (const [method, level] of Object.entries(levels)) {
    console[method as keyof typeof levels] = (...values: unknown[]) => log(level, ...values);
  }
  const write = (chunk: string | Uint8Array, ...more: unknown[]): boolean => {
    send({ type: "log", line: (typeof chunk === "string" ? chunk : Buffer.from(chunk).toString()).replace(/\n$/, "") });
    const written = more.at(-1);
    if (typeof written === "function") process.nextTick(written as () => void);
    return true;
  };
  process.stdout.write = write;
  process.stderr.write = write;
}

function memoryMb(): number {
  return Math.ceil(getHeapStatistics().used_heap_size / 1024 / 1024);
}

function runtimeError(errorType: string, errorMessage: string, trace: readonly string[]): FunctionError {
  return {
    errorType: `Runtime.${errorType}`,
    errorMessage,
    trace: [`Runtime.${errorType}: ${errorMessage}`, ...trace],
  };
}

async function load(): Promise<Handler> {
  if (!existsSync(settings.file)) {
    throw runtimeError("ImportModuleError", `Error: Cannot find module '${settings.file}'`, []);
  }
  let exports: Record<string, unknown>;
  try {
    exports = (await import(pathToFileURL(settings.file).href)) as Record<string, unknown>;
  } catch (thrown) {
    throw importError(thrown);
  }
  // A CommonJS module's exports are not always recognised as named ones, but always as the default.
  const fallback = exports["default"] as Record<string, unknown> | undefined;
  const handler = exports[settings.handler] ?? fallback?.[settings.handler];
  const name = `index.${settings.handler}`;
  if (handler === undefined) throw runtimeError("HandlerNotFound", `${name} is undefined or not exported`, []);
  if (typeof handler !== "function") throw runtimeError("HandlerNotFound", `${name} is not a function`, []);
  return handler as Handler;
}

function importError(thrown: unknown): FunctionError {
  const error = functionError(thrown);
  const code = (thrown as { code?: unknown } | null)?.code;
  if (code === "MODULE_NOT_FOUND" || code === "ERR_MODULE_NOT_FOUND") {
    return runtimeError("ImportModuleError", `Error: ${error.errorMessage}`, error.trace ?? []);
  }
  if (thrown instanceof SyntaxError) {
    return runtimeError("UserCodeSyntaxError", `SyntaxError: ${error.errorMessage}`, error.trace ?? []);
  }
  return error;
}

async function run(handler: Handler, { invocation, deadline }: RunMessage): Promise<void> {
  const context = handlerContext({ ...settings, ...invocation, deadline });
  current = {
    requestId: invocation.requestId,
    end(message) {
      current = undefined;
      onEmptyLoop = undefined;
      port.ref();
      send(message);
    },
  };
  const mine = current;
  const end = (message: WorkerMessage): void => {
    if (current === mine) mine.end(message);
  };
  const succeed = (result: unknown): void => {
    try {
      end({ type: "result", payload: serialize(result), memoryMb: memoryMb() });
    } catch (thrown) {
      fail(thrown);
    }
  };
  const fail = (thrown: unknown): void => {
    if (current !== mine) return;
    const error = functionError(thrown);
    log("ERROR", "Invoke Error", `\t${JSON.stringify({ ...error, trace: undefined, stack: error.trace })}`);
    end({ type: "error", error, memoryMb: memoryMb(), fatal: false });
  };

  // From here on our port does not keep this thread's event loop busy: only the handler's own doings do.
  port.unref();
  try {
    const event: unknown = JSON.parse(invocation.payload);
    if (handler.length >= 3) {
      onEmptyLoop = () => succeed(null);
      handler(event, context, (error, result) => {
        if (error !== undefined && error !== null) fail(error);
        else if (context.callbackWaitsForEmptyEventLoop) onEmptyLoop = () => succeed(result);
        else succeed(result);
      });
    } else {
      onEmptyLoop = () => fail(unsettled());
      succeed(await handler(event, context, () => {}));
    }
  } catch (thrown) {
    fail(thrown);
  }
}

function unsettled(): Error {
  const error = new Error("A promise of the handler was never settled: nothing is left that could settle it.");
  error.name = "Runtime.NodeJsExit";
  return error;
}

/** Something broke outside the handler's own call: the run fails and this environment is given up. */
function giveUp(error: FunctionError, title: string): void {
  log("ERROR", title, `\t${JSON.stringify({ ...error, trace: undefined, stack: error.trace })}`);
  if (current) current.end({ type: "error", error, memoryMb: memoryMb(), fatal: true });
  else send({ type: "initError", error });
}

captureOutput();
process.on("uncaughtException", (thrown) => giveUp(functionError(thrown), "Uncaught Exception"));
process.on("unhandledRejection", (reason) => {
  const { errorMessage, errorType, trace } = functionError(reason);
  const text = typeof reason === "object" ? `${errorType}: ${errorMessage}` : errorMessage;
  giveUp(runtimeError("UnhandledPromiseRejection", text, trace ?? []), "Unhandled Promise Rejection");
});
process.on("beforeExit", () => onEmptyLoop?.());

// Not listening yet, the port would let the thread end while a module with top-level await waits for a timer it unref'ed.
port.ref();
load().then(
  (handler) => {
    port.on("message", (message: RunMessage) => void run(handler, message));
    send({ type: "ready" });
  },
  (error: FunctionError) => {
    log("ERROR", "Init Error", `\t${JSON.stringify({ ...error, trace: undefined, stack: error.trace })}`);
    send({ type: "initError", error });
  },
);
