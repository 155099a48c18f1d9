// @ts-nocheck
import type { FunctionError, FunctionSettings, Invocation } from "./runtime";

/** `workerData` of an execution environment. */
export interface WorkerSettings extends FunctionSettings {
  /** Absolute path of the handler file. */
  readonly file: string;
  /** Name of the export. */
  readonly handler: string;
  readonly logGroupName: string;
  readonly logStreamName: string;
}

/** To the worker: run the handler once. */
export interface RunMessage {
  readonly invocation: Invocation;
  /** Milliseconds since 1970, by the real clock. */
  readonly deadline: number;
}

/** From the worker. After `initError` and after an `error` that is fatal it is of no more use. */
export type WorkerMessage =
  | { readonly type: "ready" }
  | { readonly type: "initError"; readonly error: FunctionError }
  | { readonly type: "log"; readonly line: string }
  | { readonly type: "result"; readonly payload: string; readonly memoryMb: number }
  | { readonly type: "error"; readonly error: FunctionError; readonly memoryMb: number; readonly fatal: boolean };
