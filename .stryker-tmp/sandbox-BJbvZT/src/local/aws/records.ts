// @ts-nocheck
import type { Service } from "./service-error";

export type InvocationType = "RequestResponse" | "Event" | "DryRun";

/** One run of a function; an asynchronous invocation that is retried has several. */
export interface InvocationRecord {
  readonly requestId: string;
  /** Name alone. */
  readonly function: string;
  /** As invoked: with its qualifier, if there was one. */
  readonly arn: string;
  /** `$LATEST` or a number. */
  readonly version: string;
  readonly payload: unknown;
  readonly clientContext: unknown;
  readonly principalArn: string;
  readonly invocationType: InvocationType;
  /** Of functions in tenant isolation mode. */
  readonly tenantId: string | undefined;
  /** Name of a durable function's execution, where the caller gave one. */
  readonly executionName: string | undefined;
  /** 1 for the first. */
  readonly attempt: number;
  /** When it began, by the embedded AWS's clock: milliseconds since 1970. */
  readonly at: number;
  readonly durationMs: number;
  /** 4 KB at most. */
  readonly logTail: string;
  readonly error?: { readonly errorType: string; readonly errorMessage: string };
}

/** One request to the API, whatever became of it. What it did not tell is undefined. */
export interface CallRecord {
  readonly service: Service;
  readonly action: string;
  readonly requestId: string;
  /** By the embedded AWS's clock: milliseconds since 1970. */
  readonly at: number;
  /** HTTP status of the answer; 0 where none was given. */
  readonly status: number;
  readonly errorCode: string | undefined;
  /** Undefined, like the next two, if the request was not authentic. */
  readonly principalArn: string | undefined;
  readonly accessKeyId: string | undefined;
  readonly region: string | undefined;
  /** Lambda: as the caller wrote it. */
  readonly function: string | undefined;
  readonly roleArn: string | undefined;
  readonly externalId: string | undefined;
  readonly roleSessionName: string | undefined;
  readonly durationSeconds: number | undefined;
  /** JSON of the session policy. */
  readonly policy: string | undefined;
}

/** What happened, oldest first; of each kind no more than `limit`. */
export class Records {
  readonly invocations: InvocationRecord[] = [];
  readonly calls: CallRecord[] = [];

  constructor(private readonly limit: number) {}

  addInvocation(record: InvocationRecord): void {
    this.#add(this.invocations, record);
  }

  addCall(record: CallRecord): void {
    this.#add(this.calls, record);
  }

  clear(): void {
    this.invocations.length = 0;
    this.calls.length = 0;
  }

  #add<T>(list: T[], record: T): void {
    list.push(record);
    if (list.length > this.limit) list.shift();
  }
}
