// @ts-nocheck
import { accountOf, isAccount, isPrincipal, parseRole, parseSession } from "../names/principals";
import { configuredFunctions } from "../settings/configured-functions";
import type { OperatorPolicy } from "../settings/operator-policy";
import { type ParsedSettings, parseSettings } from "../settings/settings";
import { SettingsError, type SettingsProblem } from "../settings/settings-error";
import { type Home, unqualifiedArns } from "./function-arns";
import type { InvokerRole } from "./invoker-role";
import { permissionPolicy, trustPolicy } from "./policies";
import { principalOf } from "./principal";

/** What the settings do not say about the role. */
export interface InvokerRoleOptions {
  /** ARN of the IAM role, user or account that the router runs as. */
  readonly principalArn: string;
  /** External IDs beside the settings' own, for several sources on one role. */
  readonly externalIds?: readonly string[];
  /** The 12 digits of the AWS account of functions that are given by name, where no Role Address tells it. */
  readonly account?: string;
  /** Where the operator pins the external ID, the settings' own does not count. */
  readonly operator?: OperatorPolicy;
}

const EXTERNAL_ID = /^[\w+=,.@:/-]{2,1224}$/;
const EXAMPLE_PRINCIPAL = "arn:aws:iam::111122223333:role/router";

/**
 * The role that these settings need. Settings without Role Address are fine: the role need not exist yet.
 *
 * @throws SettingsError for bad settings, a principal that is none, and where external ID or account are not known
 */
export function invokerRole(settings: unknown, options: InvokerRoleOptions): InvokerRole {
  // Whether a role or keys are set matters once events are sent, not while the role is made.
  const parsed = parseSettings(settings, { externalIdFrom: "settings", allowAmbientCredentials: true });
  const own = (options.operator?.externalIdFrom ?? "settings") === "settings" ? parsed.externalId : undefined;
  const externalIds = [...new Set([...(own === undefined ? [] : [own]), ...(options.externalIds ?? [])])];
  const home = homeOf(parsed, options.account);
  const problems = [
    ...principalProblems(options.principalArn),
    ...externalIdProblems(externalIds, options.operator?.externalIdFrom),
    ...accountProblems(parsed, options.account),
  ];
  if (problems.length > 0 || !home) throw new SettingsError(problems);

  const role: InvokerRole = {
    principalArn: options.principalArn,
    externalIds,
    functionArns: unqualifiedArns(parsed, home),
    ...(parsed.role && { arn: parsed.role.arn }),
  };
  const tooLong = sizeProblems(role);
  if (tooLong.length > 0) throw new SettingsError(tooLong);
  return role;
}

/** Name and path of a role, from its ARN; empty where there is none. */
export function roleName({ arn = "" }: Pick<InvokerRole, "arn">): { readonly name?: string; readonly path?: string } {
  const role = parseRole(arn);
  return role ? { name: role.name, ...(role.path !== "/" && { path: role.path }) } : {};
}

/** The functions that belong to another account than the role: its own permissions are not enough for them. */
export function foreignFunctions({ arn, functionArns }: InvokerRole): readonly string[] {
  return arn === undefined ? [] : functionArns.filter((each) => accountOf(each) !== accountOf(arn));
}

function homeOf(settings: ParsedSettings, account?: string): Home | undefined {
  const { role, region } = settings;
  const known = role?.account ?? account;
  // An account is only needed for functions that do not name theirs.
  if (known === undefined && configuredFunctions(settings).some((reference) => reference.account === undefined))
    return undefined;
  return { region, account: known ?? "" };
}

function principalProblems(principal: string): SettingsProblem[] {
  if (isPrincipal(principal)) return [];
  const session = parseSession(principal);
  const problem = session
    ? "is a session; name its role instead, with the role's path if it has one"
    : "must be the ARN of the IAM role or user that the router runs as";
  const example = session ? principalOf(principal) : EXAMPLE_PRINCIPAL;
  return [{ setting: "principal", problem, example }];
}

function externalIdProblems(externalIds: readonly string[], from = "settings"): SettingsProblem[] {
  if (externalIds.length === 0) {
    const problem =
      from === "settings"
        ? "is needed, in the settings or as --external-id: the ID of each source that will use the role"
        : `is needed as --external-id: the operator pins it to the ${from}'s ID`;
    return [{ setting: "externalId", problem, example: "my-source-id" }];
  }
  const wrong = externalIds.filter((externalId) => !EXTERNAL_ID.test(externalId));
  if (wrong.length === 0) return [];
  const problem = "must be 2 to 1224 letters, digits or any of _+=,.@:/-";
  return [{ setting: "externalId", problem, example: "my-source-id" }];
}

function accountProblems(settings: ParsedSettings, account: string | undefined): SettingsProblem[] {
  if (account !== undefined && !isAccount(account)) {
    return [{ setting: "account", problem: "must be the 12 digits of an AWS account", example: "123456789012" }];
  }
  if (account !== undefined && settings.role && settings.role.account !== account) {
    return [{ setting: "account", problem: `is not the role's, which is ${settings.role.account}` }];
  }
  if (homeOf(settings, account)) return [];
  return [
    {
      setting: "account",
      problem: "is needed, because a function is given by its name alone: use --account, or set roleAddress",
      example: "123456789012",
    },
  ];
}

/**
 * AWS's limits in characters.
 *
 * @see https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_iam-quotas.html
 */
const LIMITS: readonly { of: string; setting: string; max: number; length(role: InvokerRole): number }[] = [
  {
    of: "a role's permission policies",
    setting: "functions",
    max: 10_240,
    length: (role) => JSON.stringify(permissionPolicy(role)).length,
  },
  {
    of: "a role's trust policy",
    setting: "externalId",
    max: 2048,
    length: (role) => JSON.stringify(trustPolicy(role)).length,
  },
];

function sizeProblems(role: InvokerRole): SettingsProblem[] {
  return LIMITS.filter(({ length, max }) => length(role) > max).map(({ of, setting, max, length }) => ({
    setting,
    problem: `would take ${length(role)} characters of ${of}, AWS allows ${max}: split the work between several roles`,
  }));
}
