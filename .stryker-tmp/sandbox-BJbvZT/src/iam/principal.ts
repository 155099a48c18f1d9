// @ts-nocheck
import { accountOf, parseRole, parseSession } from "../names/principals";

/**
 * What a trust policy has to name so that this caller may assume the role.
 *
 * @param callerArn as `GetCallerIdentity` tells it
 */
export function principalOf(callerArn: string): string {
  const session = parseSession(callerArn);
  return session ? `arn:${session.partition}:iam::${session.account}:role/${session.roleName}` : callerArn;
}

/** Whether a principal of a trust policy is this caller, its role, or its account. */
export function covers(principalArn: string, callerArn: string): boolean {
  if (principalArn === callerArn) return true;
  if (accountOf(principalArn) !== accountOf(callerArn)) return false;
  // A session's ARN holds its role's name without the path.
  const role = parseRole(principalArn);
  return principalArn.endsWith(":root") || (role !== undefined && role.name === parseSession(callerArn)?.roleName);
}
