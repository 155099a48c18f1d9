import type { Clock } from "./clock";
import type { Misbehaviour } from "./faults";
import type { SessionCredentials } from "./identities";
import type { CallRecord, InvocationRecord } from "./records";

/** What a test sees of the embedded AWS and does to it, and `npm start` does not need. */
export interface TestControls {
  /** Moves everything but the functions' timeouts. */
  readonly clock: Clock;
  /** Runs of functions, oldest first. */
  readonly invocations: readonly InvocationRecord[];
  /** Requests to the API, oldest first. */
  readonly calls: readonly CallRecord[];
  /** Forgets invocations and calls. */
  clearRecords(): void;

  /** Makes every session that was given out expire now, without moving the clock. */
  expireSessions(): void;
  /**
   * Credentials of a role's session whose tags pass on to whatever role it assumes, as EKS Pod Identity hands them out.
   * AssumeRole then needs `sts:TagSession` in the other role's trust policy, and the tags take their part of the limit
   * of a session policy.
   */
  startTaggedSession(roleArn: string, tags: Readonly<Record<string, string>>): SessionCredentials;
  /** Ends an execution of a durable function that runs, by the ARN in the answer's `X-Amz-Durable-Execution-Arn`. */
  stopExecution(arn: string): void;
  /** Messages of a queue: those that can be received, and those that somebody has received and not deleted. */
  queueCounts(name: string): { readonly visible: number; readonly hidden: number };

  misbehave(wish: Misbehaviour): void;
  /** Takes back what is left of every {@link misbehave}. */
  behave(): void;
  /** Resolves once no function runs; a failed asynchronous invocation that waits to be run again does not count. */
  idle(): Promise<void>;
}
