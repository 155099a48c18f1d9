// @ts-nocheck
import { performance } from "node:perf_hooks";
import { functionError, serialize } from "./function-error";
import { type Handler, handlerContext } from "./handler-context";
import { type FunctionSettings, type Invocation, logGroupName, type Returned, type Runtime, timedOut } from "./runtime";

/**
 * Runs a handler in this very process: the fast flavour, for benchmarks and tests. There is no isolation: a handler that
 * times out is only no longer waited for, `console` is not captured, and one that blocks or exits takes all with it.
 */
export class InProcessRuntime implements Runtime {
  constructor(
    private readonly handler: Handler,
    private readonly settings: FunctionSettings,
  ) {}

  async run(invocation: Invocation): Promise<Returned> {
    const { timeoutMs } = this.settings;
    const start = performance.now();
    const outcome = await new Promise<Returned["outcome"]>((resolve) => {
      const timer = setTimeout(() => resolve({ error: timedOut(invocation.requestId, timeoutMs) }), timeoutMs);
      timer.unref();
      this.#handle(invocation)
        .then(
          (payload) => ({ payload }),
          (thrown: unknown) => ({ error: functionError(thrown) }),
        )
        .then((ended) => {
          clearTimeout(timer);
          resolve(ended);
        });
    });
    return { outcome, durationMs: performance.now() - start, memoryMb: this.settings.memoryMb };
  }

  async close(): Promise<void> {}

  async #handle(invocation: Invocation): Promise<string> {
    const { handler, settings } = this;
    const context = handlerContext({
      ...settings,
      ...invocation,
      logGroupName: logGroupName(settings),
      logStreamName: "in-process",
      deadline: Date.now() + settings.timeoutMs,
    });
    const event: unknown = JSON.parse(invocation.payload);
    if (handler.length < 3) return serialize(await handler(event, context, () => {}));
    return serialize(
      await new Promise((resolve, reject) => {
        handler(event, context, (error, result) => (error == null ? resolve(result) : reject(error)));
      }),
    );
  }
}
