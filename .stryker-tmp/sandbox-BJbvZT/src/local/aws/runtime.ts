/** One run of a function, as its runtime gets it. */
// @ts-nocheck

export interface Invocation {
  readonly requestId: string;
  /** The event's JSON. */
  readonly payload: string;
  /** The client context's JSON. */
  readonly clientContext: string | undefined;
  readonly invokedFunctionArn: string;
  /** Of functions in tenant isolation mode. */
  readonly tenantId?: string | undefined;
}

/** What Lambda returns in place of a result when a function fails. */
export interface FunctionError {
  readonly errorType: string;
  readonly errorMessage: string;
  readonly trace?: readonly string[];
}

/** How a run ended: with the JSON of what the handler returned, or with an error. */
export interface Returned {
  readonly outcome: { readonly payload: string } | { readonly error: FunctionError };
  readonly durationMs: number;
  /** Set when the environment had to be started for this run. */
  readonly initMs?: number;
  readonly memoryMb: number;
}

/** What runs the code of one function version. */
export interface Runtime {
  /** Never rejects. `log` takes whole lines, as they come. */
  run(invocation: Invocation, log: (line: string) => void): Promise<Returned>;
  close(): Promise<void>;
}

/** What a handler knows about its function. */
export interface FunctionSettings {
  readonly functionName: string;
  /** `$LATEST` or a number. */
  readonly functionVersion: string;
  readonly memoryMb: number;
  readonly timeoutMs: number;
}

export function logGroupName(settings: FunctionSettings): string {
  return `/aws/lambda/${settings.functionName}`;
}

export function timedOut(requestId: string, timeoutMs: number): FunctionError {
  return {
    errorType: "Sandbox.Timedout",
    errorMessage: `RequestId: ${requestId} Error: Task timed out after ${(timeoutMs / 1000).toFixed(2)} seconds`,
  };
}
