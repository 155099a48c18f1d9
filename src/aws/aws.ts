import type { FunctionReference } from "../names/function-reference";
import type { AwsTime, Clock } from "./clock";
import type { Deadline } from "./deadline";

/** A key pair, with the token and end of life of a session where it is one. The same object stands for it while it lasts. */
export interface AwsCredentials {
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
  readonly sessionToken?: string;
  /** Milliseconds since 1970; absent for long-lived keys. */
  readonly expiresAt?: number;
}

export interface AssumeRoleRequest {
  readonly roleArn: string;
  readonly externalId: string;
  readonly sessionName: string;
  /** JSON of the session policy that scopes the session down. */
  readonly policy: string;
  /** Whose regional STS endpoint is asked. */
  readonly region: string;
  /** Who asks: long-lived keys, or the operator's own AWS identity where absent. */
  readonly base?: AwsCredentials;
}

/** A function and how it is invoked: what is the same for all invocations by one user's settings. */
export interface InvokeTarget {
  readonly function: FunctionReference;
  readonly region: string;
  readonly invocationType: "RequestResponse" | "Event" | "DryRun";
  readonly logType: "None" | "Tail";
  /** Base64 of the client context's JSON. */
  readonly clientContext?: string;
  /** For functions in tenant isolation mode. */
  readonly tenantId?: string;
  /** Of a durable function's execution: the same name is the same execution. */
  readonly executionName?: string;
}

export interface InvokeRequest {
  /** The same object for the same function: what is prepared for it is found by it. */
  readonly target: InvokeTarget;
  readonly payload: string;
  /** Who invokes; the operator's own AWS identity where absent. */
  readonly credentials?: AwsCredentials;
}

/** What Lambda answered to an invocation that it accepted. A function that threw is one of them. */
export interface InvokeAnswer {
  /** 200 (`RequestResponse`), 202 (`Event`) or 204 (`DryRun`). */
  readonly status: number;
  readonly requestId?: string | undefined;
  readonly executedVersion?: string | undefined;
  /** `Handled` or `Unhandled`: the function threw, ran out of time or of memory. */
  readonly functionError?: string | undefined;
  /** Base64 of the end of the execution log. */
  readonly logResult?: string | undefined;
  /** Of a durable function's execution. */
  readonly executionArn?: string | undefined;
  /** What the function returned, as text. */
  readonly payload: string;
}

/**
 * Everything that sending needs from AWS and from its surroundings. There are two: with the AWS SDK beside it in Node.js
 * (`node.ts`), and over a host's `fetch` for sandboxes that cannot hold the SDK (`wire.ts`).
 *
 * A failure is thrown as an `AwsError` (`aws-error.ts`), of kind `timeout` where the deadline strikes first.
 */
export interface Aws {
  readonly clock: Clock;
  readonly time: AwsTime;
  assumeRole(request: AssumeRoleRequest, deadline: Deadline): Promise<AwsCredentials>;
  invoke(request: InvokeRequest, deadline: Deadline): Promise<InvokeAnswer>;
}
