// @ts-nocheck
import type { AssumeRoleRequest, Aws, AwsCredentials, InvokeAnswer, InvokeRequest } from "../../src/aws/aws";
import { AwsError, type AwsErrorDetails } from "../../src/aws/aws-error";

/** An AWS that does what a test says, with a clock that only the test and `sleep` move. */
export class FakeAws implements Aws {
  /** Milliseconds since 1970. */
  time = Date.parse("2026-01-02T03:04:05Z");
  readonly assumed: { readonly request: AssumeRoleRequest; readonly timeoutMs: number }[] = [];
  readonly invoked: { readonly request: InvokeRequest; readonly timeoutMs: number }[] = [];
  readonly slept: number[] = [];
  readonly #timers = new Set<{ readonly at: number; readonly due: () => void }>();
  #sessions = 0;

  onAssumeRole: (request: AssumeRoleRequest) => Promise<AwsCredentials> = async () => this.session();
  onInvoke: (request: InvokeRequest) => Promise<InvokeAnswer> = async () => ANSWER;

  now(): number {
    return this.time;
  }

  sleep? = async (ms: number): Promise<void> => {
    this.slept.push(ms);
    this.pass(ms);
  };

  /** A new session each time. */
  session(lastsMs = 3_600_000): AwsCredentials {
    this.#sessions++;
    return {
      accessKeyId: `ASIAEXAMPLE${String(this.#sessions).padStart(9, "0")}`,
      secretAccessKey: "not-a-real-secret",
      sessionToken: `token-${this.#sessions}`,
      expiresAt: this.time + lastsMs,
    };
  }

  /** Lets so many milliseconds pass. */
  pass(ms: number): void {
    this.time += ms;
    for (const timer of this.#timers) {
      if (timer.at > this.time) continue;
      this.#timers.delete(timer);
      timer.due();
    }
  }

  within<T>(promise: Promise<T>, ms: number): Promise<T> {
    const timeout = new Promise<never>((_resolve, reject) => {
      this.#timers.add({ at: this.time + ms, due: () => reject(failure({ kind: "timeout", code: "Timeout" })) });
    });
    return Promise.race([promise, timeout]);
  }

  async assumeRole(request: AssumeRoleRequest, timeoutMs: number): Promise<AwsCredentials> {
    this.assumed.push({ request, timeoutMs });
    return this.onAssumeRole(request);
  }

  async invoke(request: InvokeRequest, timeoutMs: number): Promise<InvokeAnswer> {
    this.invoked.push({ request, timeoutMs });
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
