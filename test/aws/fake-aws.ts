import type {
  AssumeRoleRequest,
  Aws,
  AwsCredentials,
  InvokeAnswer,
  InvokeRequest,
  InvokeTarget,
} from "../../src/aws/aws";
import { AwsError, type AwsErrorDetails } from "../../src/aws/aws-error";
import { AwsTime, type Clock } from "../../src/aws/clock";
import { Deadline } from "../../src/aws/deadline";

/** Milliseconds of a timer that is over at once: somebody pauses, and no deadline is that short. */
const PAUSE_MS = 100;

/** An AWS that does what a test says, with a clock that only the test and pauses move. */
export class FakeAws implements Aws {
  /** Milliseconds on both clocks. */
  ms = Date.parse("2026-01-02T03:04:05Z");
  /** By how much the wall clock is wrong. */
  wallOffMs = 0;
  readonly assumed: { readonly request: AssumeRoleRequest; readonly timeoutMs: number }[] = [];
  readonly invoked: { readonly request: InvokeTarget & InvokeRequest; readonly timeoutMs: number }[] = [];
  readonly slept: number[] = [];
  readonly #timers = new Set<{ readonly at: number; readonly due: () => void }>();
  #sessions = 0;

  onAssumeRole: (request: AssumeRoleRequest) => Promise<AwsCredentials> = async () => this.session();
  onInvoke: (request: InvokeTarget & InvokeRequest) => Promise<InvokeAnswer> = async () => ANSWER;

  readonly clock: Clock & { timer?: NonNullable<Clock["timer"]> } = {
    monotonic: () => this.ms,
    wall: () => this.ms + this.wallOffMs,
    timer: {
      start: (due, ms) => {
        const timer = { at: this.ms + ms, due };
        this.#timers.add(timer);
        if (ms <= PAUSE_MS) {
          setImmediate(() => {
            if (!this.#timers.has(timer)) return;
            this.slept.push(ms);
            this.pass(ms);
          });
        }
        return timer;
      },
      stop: (timer) => this.#timers.delete(timer as never),
    },
  };
  readonly time = new AwsTime(this.clock);

  /** Timers that are waited for. */
  get timers(): number {
    return this.#timers.size;
  }

  /** A new session each time. */
  session(lastsMs = 3_600_000): AwsCredentials {
    this.#sessions++;
    return {
      accessKeyId: `ASIAEXAMPLE${String(this.#sessions).padStart(9, "0")}`,
      secretAccessKey: "not-a-real-secret",
      sessionToken: `token-${this.#sessions}`,
      expiresAt: this.ms + lastsMs,
    };
  }

  /** Lets so many milliseconds pass. */
  pass(ms: number): void {
    this.ms += ms;
    for (const timer of this.#timers) {
      if (timer.at > this.ms) continue;
      this.#timers.delete(timer);
      timer.due();
    }
  }

  /** @param timeoutMs from now on */
  deadline(timeoutMs = 5000): Deadline {
    return new Deadline(this.clock, timeoutMs);
  }

  async assumeRole(request: AssumeRoleRequest, deadline: Deadline): Promise<AwsCredentials> {
    this.assumed.push({ request, timeoutMs: deadline.left });
    return this.onAssumeRole(request);
  }

  async invoke({ target, ...rest }: InvokeRequest, deadline: Deadline): Promise<InvokeAnswer> {
    const request = { target, ...target, ...rest };
    this.invoked.push({ request, timeoutMs: deadline.left });
    return this.onInvoke(request);
  }
}

export const ANSWER: InvokeAnswer = { status: 200, payload: "null", requestId: "r-1", executedVersion: "$LATEST" };

export function failure(details: Partial<AwsErrorDetails>): AwsError {
  return new AwsError({ service: "sts", kind: "service", code: "AccessDenied", message: "No.", ...details });
}

/** A promise that the test settles. */
export function pending<T>(): {
  readonly promise: Promise<T>;
  readonly resolve: (value: T) => void;
  readonly reject: (error: unknown) => void;
} {
  let resolve: (value: T) => void = () => {};
  let reject: (error: unknown) => void = () => {};
  const promise = new Promise<T>((...settle) => {
    [resolve, reject] = settle;
  });
  return { promise, resolve, reject };
}

/** Everything that needs no more than what has already happened has happened. */
export function settled(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}
