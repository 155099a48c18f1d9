import type { AwsErrorDetails } from "./aws-error";

/** An invocation on its way: has to be told how it ended. */
export interface Passage {
  /** @param error absent where Lambda answered that it took the invocation */
  leave(error?: AwsErrorDetails): void;
}

/** Stands before a function, and decides what may go to it now. */
export interface Gatekeeper {
  /**
   * @param bytes of the payload
   * @returns a way through, or what is told in place of AWS's answer
   */
  admit(bytes: number): Passage | AwsErrorDetails;
}
