// @ts-nocheck
import { isAccount } from "../names/principals";
import { SettingsError } from "./settings-error";

/** Where the external ID comes from: the settings (falling back to the source's ID), or pinned to the source's or workspace's ID. */
export type ExternalIdOrigin = "settings" | "source" | "workspace";

/** What the operator of the host decides for all of its users. */
export interface OperatorPolicy {
  readonly externalIdFrom: ExternalIdOrigin;
  /** Whether settings without a role and without keys may invoke with the operator's own AWS identity. */
  readonly allowAmbientCredentials: boolean;
  /** Milliseconds that one delivery may take at most; a longer Timeout (ms) is lowered to it. Absent: as long as users say. */
  readonly maxTimeoutMs?: number;
  /** Invocations of one function that may be in flight at once, per process. Absent: as many as AWS takes, up to a bound of this package. */
  readonly maxConcurrency?: number;
  /** AWS accounts, 12 digits each, whose roles and functions users may name. Absent: all. */
  readonly allowedAccounts?: readonly string[];
}

/** What holds where an operator has said nothing. */
export const DEFAULT_OPERATOR_POLICY: OperatorPolicy = { externalIdFrom: "settings", allowAmbientCredentials: false };

/** Milliseconds of a timeout that make sense; the settings' schema has the same. */
const TIMEOUTS = { from: 100, to: 900_000 };
const CONCURRENCIES = { from: 1, to: 1_000_000 };

/** A text that means something, or nothing. */
type Reader<T> = (text: string) => T | undefined;

const oneOf =
  <T extends string>(...values: readonly T[]): Reader<T> =>
  (text) =>
    values.find((value) => value === text);

const wholeNumber =
  ({ from, to }: { readonly from: number; readonly to: number }): Reader<number> =>
  (text) => {
    const number = /^\d{1,7}$/.test(text) ? Number(text) : Number.NaN;
    return number >= from && number <= to ? number : undefined;
  };

const accounts: Reader<readonly string[]> = (text) => {
  const list = text.split(",").map((account) => account.trim());
  return list.every(isAccount) ? list : undefined;
};

/**
 * Reads the operator's policy from the variables `AMAZON_LAMBDA_EXTERNAL_ID`, `…_ALLOW_AMBIENT_CREDENTIALS`,
 * `…_MAX_TIMEOUT_MS`, `…_MAX_CONCURRENCY` and `…_ALLOWED_ACCOUNTS`. An empty one says nothing.
 *
 * @param defaults what holds where a variable says nothing
 * @throws SettingsError for a value that means nothing: a mistyped restriction must not become no restriction.
 */
export function operatorPolicyFromEnvironment(
  env: Readonly<Record<string, string | undefined>>,
  defaults: OperatorPolicy = DEFAULT_OPERATOR_POLICY,
): OperatorPolicy {
  function variable<T>(name: string, read: Reader<T>, expected: string): T | undefined {
    const text = env[name];
    if (!text) return undefined;
    const value = read(text);
    if (value === undefined) throw inEnvironment(name, expected);
    return value;
  }
  const allow = oneOf("true", "false");
  const given = {
    externalIdFrom: variable(
      "AMAZON_LAMBDA_EXTERNAL_ID",
      oneOf("settings", "source", "workspace"),
      "must be settings, source or workspace",
    ),
    allowAmbientCredentials: variable("AMAZON_LAMBDA_ALLOW_AMBIENT_CREDENTIALS", allow, "must be true or false"),
    maxTimeoutMs: variable(
      "AMAZON_LAMBDA_MAX_TIMEOUT_MS",
      wholeNumber(TIMEOUTS),
      `must be a whole number of milliseconds from ${TIMEOUTS.from} to ${TIMEOUTS.to}`,
    ),
    maxConcurrency: variable(
      "AMAZON_LAMBDA_MAX_CONCURRENCY",
      wholeNumber(CONCURRENCIES),
      `must be a whole number from ${CONCURRENCIES.from} to ${CONCURRENCIES.to}`,
    ),
    allowedAccounts: variable(
      "AMAZON_LAMBDA_ALLOWED_ACCOUNTS",
      accounts,
      "must be AWS account IDs of 12 digits, separated by commas",
    ),
  };
  return {
    ...defaults,
    ...(given.externalIdFrom !== undefined && { externalIdFrom: given.externalIdFrom }),
    ...(given.allowAmbientCredentials !== undefined && {
      allowAmbientCredentials: given.allowAmbientCredentials === "true",
    }),
    ...(given.maxTimeoutMs !== undefined && { maxTimeoutMs: given.maxTimeoutMs }),
    ...(given.maxConcurrency !== undefined && { maxConcurrency: given.maxConcurrency }),
    ...(given.allowedAccounts !== undefined && { allowedAccounts: given.allowedAccounts }),
  };
}

/** What a host that serves people who do not trust each other should have decided and has not, a sentence each. */
export function unsafeForTenants(operator: OperatorPolicy): readonly string[] {
  return UNSAFE.filter(([isUnsafe]) => isUnsafe(operator)).map(([, advice]) => advice);
}

const UNSAFE: readonly (readonly [(operator: OperatorPolicy) => boolean, string])[] = [
  [
    ({ externalIdFrom }) => externalIdFrom === "settings",
    "Users choose their own External ID, so that one can type another's: set AMAZON_LAMBDA_EXTERNAL_ID to workspace or source.",
  ],
  [
    ({ allowAmbientCredentials }) => allowAmbientCredentials,
    "Users without a role or keys invoke functions as the router's own AWS identity: unset AMAZON_LAMBDA_ALLOW_AMBIENT_CREDENTIALS.",
  ],
  [
    ({ maxTimeoutMs }) => maxTimeoutMs === undefined,
    "A function that hangs holds a delivery for as long as its user says, 15 minutes at most: set AMAZON_LAMBDA_MAX_TIMEOUT_MS.",
  ],
  [
    ({ maxConcurrency }) => maxConcurrency === undefined,
    "Nothing but a general bound limits what is in flight to one function: set AMAZON_LAMBDA_MAX_CONCURRENCY.",
  ],
];

function inEnvironment(variable: string, problem: string): SettingsError {
  return new SettingsError([
    { setting: variable, problem: `${problem}, in the router's environment: its operator can change that` },
  ]);
}
