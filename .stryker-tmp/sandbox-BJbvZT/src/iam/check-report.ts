// @ts-nocheck
import type { DeliveryResult } from "../delivery/delivery-result";
import type { Diagnosis } from "./diagnosis";

/** What is tested, in this order; a step that fails ends the test where the following ones would have nothing to stand on. */
export type CheckStepName = "settings" | "identity" | "role" | "trust" | "session" | "function" | "send";

/** One line of the connection check. */
export interface CheckStep {
  readonly step: CheckStepName;
  /** What of several things was tested: the function as it stands in the settings, the call type, the way to assume the role. */
  readonly subject?: string;
  readonly ok: boolean;
  /** What was found. Never holds a secret. */
  readonly found: string;
  /** What is wrong and what to change; there if and only if the step failed. */
  readonly diagnosis?: Diagnosis;
  /** Worth knowing, but nothing is broken. */
  readonly note?: string;
  /** Of the sample event; step `send` only. */
  readonly result?: DeliveryResult;
}

export interface CheckReport {
  /** Whether every step passed. */
  readonly ok: boolean;
  readonly steps: readonly CheckStep[];
}
