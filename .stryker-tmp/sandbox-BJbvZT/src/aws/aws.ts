// @ts-nocheck
import type { FunctionReference } from "../names/function-reference";

/** A key pair, with the token and end of life of a session where it is one. */
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

export interface InvokeRequest {
  readonly function: FunctionReference;
  readonly region: string;
  readonly payload: string;
  readonly invocationType: "RequestResponse" | "Event" | "DryRun";
  readonly logType: "None" | "Tail";
  /** Base64 of the client context's JSON. */
  readonly clientContext?: string;
  /** Who invokes; the operator's own AWS identity where absent. */
  readonly credentials?: AwsCredentials;
}

/** What Lambda answered to an invocation that it accepted. A function that threw is one of them. */
export interface InvokeAnswer {
  /** 200, 202 (`Event`) or 204 (`DryRun`). */
  readonly status: number;
  readonly requestId?: string;
  readonly executedVersion?: string;
  /** `Handled` or `Unhandled`: the function threw, ran out of time or of memory. */
  readonly functionError?: string;
  /** Base64 of the end of the execution log. */
  readonly logResult?: string;
  /** What the function returned, as text. */
  readonly payload: string;
}

/**
 * Everything a destination needs from AWS and from its surroundings. There are two: the AWS SDK's in Node.js
 * (`sdk.ts`), and our own over a host's `fetch` for sandboxes that cannot hold the SDK (`wire.ts`).
 * A failure is thrown as an `AwsError` (`aws-error.ts`).
 */
export interface Aws {
  /** Milliseconds since 1970. */
  now(): number;
  /** Absent where the surroundings have no timer: then nothing is waited for. */
  sleep?(ms: number): Promise<void>;
  /** Settles as the promise does, or after that many milliseconds with an `AwsError` of kind `timeout`; without a timer, only as the promise does. */
  within<T>(promise: Promise<T>, ms: number): Promise<T>;
  /** @param timeoutMs the call is given up after this many milliseconds, with an `AwsError` of kind `timeout`. */
  assumeRole(request: AssumeRoleRequest, timeoutMs: number): Promise<AwsCredentials>;
  invoke(request: InvokeRequest, timeoutMs: number): Promise<InvokeAnswer>;
}
