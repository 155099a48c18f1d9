const SESSION = /^arn:(aws[a-z-]*):sts::(\d{12}):assumed-role\/([^/]+)\//;
const ROLE = /^arn:(aws[a-z-]*):iam::(\d{12}):role\/(?:.*\/)?([^/]+)$/;

/**
 * What a trust policy has to name so that this caller may assume the role.
 *
 * @param callerArn as `GetCallerIdentity` tells it
 */
export function principalOf(callerArn: string): string {
  const [, partition, account, role] = SESSION.exec(callerArn) ?? [];
  return role ? `arn:${partition}:iam::${account}:role/${role}` : callerArn;
}

/** Whether a principal of a trust policy is this caller, its role, or its account. */
export function covers(principalArn: string, callerArn: string): boolean {
  const [, , , , account] = callerArn.split(":");
  if (principalArn === callerArn || new RegExp(`^arn:aws[a-z-]*:iam::${account}:root$`).test(principalArn)) return true;
  // A session's ARN holds its role's name without the path.
  const [, , roleAccount, roleName] = ROLE.exec(principalArn) ?? [];
  const [, , sessionAccount, sessionRole] = SESSION.exec(callerArn) ?? [];
  return roleName !== undefined && roleName === sessionRole && roleAccount === sessionAccount;
}
