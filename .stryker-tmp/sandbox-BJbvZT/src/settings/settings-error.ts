/** What is wrong with one setting. Never holds the setting's value: a user may have pasted a secret there. */
// @ts-nocheck

export interface SettingsProblem {
  /** The setting's key, e.g. `roleAddress`, or `eventLambdas.Order Completed`; empty for the settings as a whole. */
  readonly setting: string;
  /** What is wrong, in a form that follows the setting's name: `must be the ARN of an IAM role`. */
  readonly problem: string;
  /** A value that would be right. */
  readonly example?: string;
}

/** Settings that cannot be used, with everything that is wrong with them. Its message names every bad setting and no value. */
export class SettingsError extends Error {
  override readonly name = "SettingsError";

  constructor(readonly problems: readonly SettingsProblem[]) {
    super(`Invalid settings: ${problems.map(describe).join("; ")}.`);
  }
}

function describe({ setting, problem, example }: SettingsProblem): string {
  return `${setting ? `${setting} ` : ""}${problem}${example ? ` (for example ${example})` : ""}`;
}
