// @ts-nocheck
import type { CallRecord, InvocationRecord } from "./records";

/** What a run of a function left behind beyond its record. */
export interface RunOutput {
  /** From START to REPORT; what is beyond the first and the last {@link MAX_LOG_CHARACTERS} / 2 is left out. */
  readonly log: string;
  /** JSON: what the handler returned, or the error in Lambda's form. */
  readonly answer: string;
}

/** Of a run's log that is kept, in UTF-16 units. */
export const MAX_LOG_CHARACTERS = 1024 * 1024;

/** Is told what the embedded AWS does, as it does it. */
export interface AwsObserver {
  /** A function has run, asynchronous invocations and their retries included. */
  ran?(record: InvocationRecord, output: RunOutput): void;
  /** A request to the API has been answered. */
  called?(record: CallRecord, body: string): void;
}
