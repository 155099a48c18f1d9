import { FLAKY_FAILURES, kindOf, numberOf } from "./events";
import type { Answer } from "./faults";

/** What became of one invocation. */
export interface Run {
  readonly answer: Answer;
  /** Events that the function took. */
  readonly took: readonly number[];
}

const HEADERS = { "content-type": "application/json", "x-amz-executed-version": "$LATEST" };

/** The user's function: takes one event or an array of them, and does what the events' kinds make it do. */
export class FunctionModel {
  readonly #failures = new Map<number, number>();
  #runs = 0;

  /** @param flaky whether it fails for events of that kind: a durable function does not, since AWS would never run it again */
  constructor(
    private readonly seed: number,
    private readonly flaky = true,
  ) {}

  /** What the handler returns or throws, and what it took. */
  handle(payload: unknown): { readonly took: readonly number[]; readonly returned: unknown } {
    const events = (Array.isArray(payload) ? payload : [payload]) as { readonly messageId?: unknown }[];
    const numbers = events.map(({ messageId }) => numberOf(messageId));
    // In the same words for each: two in a batch look as if it were the function.
    if (numbers.some((n) => kindOf(this.seed, n) === "drop")) {
      throw Object.assign(new Error("that event is to be dropped"), { name: "DropEvent" });
    }
    const failing = numbers.filter((n) => this.#fails(n));
    for (const n of failing) this.#failures.set(n, (this.#failures.get(n) ?? 0) + 1);
    if (failing.length > 0 && !Array.isArray(payload)) throw new Error("not this time");
    return {
      took: numbers.filter((n) => !failing.includes(n)),
      returned:
        failing.length === 0
          ? null
          : { batchItemFailures: failing.map((n) => ({ itemIdentifier: `event-${n}` })), statusCode: 200 },
    };
  }

  /** The same as Lambda answers it. */
  run(payload: unknown): Run {
    const headers = { ...HEADERS, "x-amzn-requestid": `run-${this.#runs++}` };
    try {
      const { took, returned } = this.handle(payload);
      return { took, answer: { status: 200, headers, body: JSON.stringify(returned) } };
    } catch (error) {
      const { name, message } = error as Error;
      const body = JSON.stringify({ errorType: name, errorMessage: message, trace: [] });
      return { took: [], answer: { status: 200, headers: { ...headers, "x-amz-function-error": "Unhandled" }, body } };
    }
  }

  #fails(n: number): boolean {
    return this.flaky && kindOf(this.seed, n) === "flaky" && (this.#failures.get(n) ?? 0) < FLAKY_FAILURES;
  }
}
