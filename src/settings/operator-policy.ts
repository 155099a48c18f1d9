import { SettingsError } from "./settings-error";

/** Where the external ID comes from: the settings (falling back to the source's ID), or pinned to the source's or workspace's ID. */
export type ExternalIdOrigin = "settings" | "source" | "workspace";

/** What the operator of the host decides for all of its users. */
export interface OperatorPolicy {
  readonly externalIdFrom: ExternalIdOrigin;
  /** Whether settings without a role and without keys may invoke with the operator's own AWS identity. */
  readonly allowAmbientCredentials: boolean;
}

/** What holds where an operator has said nothing. */
export const DEFAULT_OPERATOR_POLICY: OperatorPolicy = { externalIdFrom: "settings", allowAmbientCredentials: false };

const ORIGINS: readonly string[] = ["settings", "source", "workspace"] satisfies ExternalIdOrigin[];

/**
 * Reads the operator's policy from `AMAZON_LAMBDA_EXTERNAL_ID` and `AMAZON_LAMBDA_ALLOW_AMBIENT_CREDENTIALS`.
 *
 * @throws SettingsError for a value that means nothing: a mistyped restriction must not become no restriction.
 */
export function operatorPolicyFromEnvironment(env: Readonly<Record<string, string | undefined>>): OperatorPolicy {
  const externalIdFrom = env["AMAZON_LAMBDA_EXTERNAL_ID"] || DEFAULT_OPERATOR_POLICY.externalIdFrom;
  if (!ORIGINS.includes(externalIdFrom)) {
    throw inEnvironment("AMAZON_LAMBDA_EXTERNAL_ID", "must be settings, source or workspace");
  }
  const allow = env["AMAZON_LAMBDA_ALLOW_AMBIENT_CREDENTIALS"] || "false";
  if (allow !== "true" && allow !== "false") {
    throw inEnvironment("AMAZON_LAMBDA_ALLOW_AMBIENT_CREDENTIALS", "must be true or false");
  }
  return { externalIdFrom: externalIdFrom as ExternalIdOrigin, allowAmbientCredentials: allow === "true" };
}

function inEnvironment(variable: string, problem: string): SettingsError {
  return new SettingsError([
    { setting: variable, problem: `${problem}, in the router's environment: its operator can change that` },
  ]);
}
