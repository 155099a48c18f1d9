// @ts-nocheck
import { MAX_LOG_CHARACTERS } from "./observer";
import type { FunctionSettings, Invocation, Returned, Runtime } from "./runtime";

/** One run of a function with everything that Lambda adds around it. */
export interface Execution {
  /** JSON: what the handler returned, or the error. */
  readonly payload: string;
  readonly error: { readonly errorType: string; readonly errorMessage: string } | undefined;
  /** From START to REPORT, with what is in the middle of a very long one left out. */
  readonly log: string;
  /** The end of the log, 4 KB at most. */
  readonly logTail: string;
  readonly durationMs: number;
}

/** Bytes of response that Lambda lets through. */
const maxResponseBytes = 6_291_556;
const logTailBytes = 4096;

export async function execute(
  runtime: Runtime,
  settings: FunctionSettings,
  invocation: Invocation,
): Promise<Execution> {
  const { requestId } = invocation;
  const log = [`START RequestId: ${requestId} Version: ${settings.functionVersion}`];
  const returned = await runtime.run(invocation, (line) => log.push(line));
  const { outcome } = returned;
  const error = "error" in outcome ? outcome.error : responseTooLarge(outcome.payload);
  const payload = error ? JSON.stringify(error) : "payload" in outcome ? outcome.payload : "null";
  if (error && !("trace" in error)) log.push(`${error.errorMessage}\n${error.errorType}`);
  log.push(`END RequestId: ${requestId}`, report(requestId, settings, returned));
  const whole = `${log.join("\n")}\n`;
  return { payload, error, log: shortened(whole), logTail: tail(whole), durationMs: returned.durationMs };
}

function responseTooLarge(payload: string): { errorType: string; errorMessage: string } | undefined {
  if (payload.length * 3 <= maxResponseBytes || Buffer.byteLength(payload) <= maxResponseBytes) return undefined;
  return {
    errorType: "Function.ResponseSizeTooLarge",
    errorMessage: `Response payload size exceeded maximum allowed payload size (${maxResponseBytes} bytes).`,
  };
}

function report(requestId: string, settings: FunctionSettings, returned: Returned): string {
  const parts = [
    `REPORT RequestId: ${requestId}`,
    `Duration: ${returned.durationMs.toFixed(2)} ms`,
    `Billed Duration: ${Math.ceil(returned.durationMs)} ms`,
    `Memory Size: ${settings.memoryMb} MB`,
    `Max Memory Used: ${returned.memoryMb} MB`,
    ...(returned.initMs === undefined ? [] : [`Init Duration: ${returned.initMs.toFixed(2)} ms`]),
  ];
  return `${parts.join("\t")}\t`;
}

function shortened(log: string): string {
  const half = MAX_LOG_CHARACTERS / 2;
  if (log.length <= MAX_LOG_CHARACTERS) return log;
  return `${log.slice(0, half)}\n… ${log.length - MAX_LOG_CHARACTERS} characters left out …\n${log.slice(-half)}`;
}

/** The last 4 KB, begun at a whole character. */
function tail(log: string): string {
  const bytes = Buffer.from(log);
  if (bytes.length <= logTailBytes) return log;
  let start = bytes.length - logTailBytes;
  while (((bytes[start] ?? 0) & 0xc0) === 0x80) start++;
  return bytes.subarray(start).toString();
}
