import type { AwsErrorDetails } from "./aws-error";
import type { Deadline } from "./deadline";

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
  /**
   * The same for one that waits for the next place, before all who come later.
   *
   * @param patience for so long
   */
  inTurn(bytes: number, patience: Deadline): Promise<Passage | AwsErrorDetails>;
}
