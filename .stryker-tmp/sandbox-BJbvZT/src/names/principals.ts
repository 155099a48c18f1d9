// @ts-nocheck
import { ACCOUNT, PARTITION, PRINCIPAL_ARN, ROLE_ARN } from "./grammar";

/** An IAM role, by its ARN. */
export interface RoleReference {
  readonly arn: string;
  readonly partition: string;
  readonly account: string;
  /** `/`, or `/path/` */
  readonly path: string;
  readonly name: string;
}

/** A session of a role, by the ARN that `GetCallerIdentity` tells: its role has no path there. */
export interface SessionReference {
  readonly partition: string;
  readonly account: string;
  readonly roleName: string;
}

const ROLE = new RegExp(`^${ROLE_ARN}$`);
const PRINCIPAL = new RegExp(`^${PRINCIPAL_ARN}$`);
const SESSION = new RegExp(
  `^arn:(?<partition>${PARTITION}):sts::(?<account>${ACCOUNT}):assumed-role/(?<roleName>[^/]+)/`,
);
const WHOLE_ACCOUNT = new RegExp(`^${ACCOUNT}$`);

/** The 12 digits of an AWS account. */
export function isAccount(text: string): boolean {
  return WHOLE_ACCOUNT.test(text);
}

/** The ARN of an IAM user, role or whole account. */
export function isPrincipal(text: string): boolean {
  return PRINCIPAL.test(text);
}

/** Takes a role's ARN apart; undefined for anything else. */
export function parseRole(arn: string): RoleReference | undefined {
  if (!ROLE.test(arn)) return undefined;
  const [, partition = "", , , account = "", resource = ""] = arn.split(":");
  const path = resource.slice("role".length, resource.lastIndexOf("/") + 1);
  return { arn, partition, account, path, name: resource.slice(resource.lastIndexOf("/") + 1) };
}

/** Takes the ARN of a role's session apart; undefined for anything else. */
export function parseSession(arn: string): SessionReference | undefined {
  const { partition, account, roleName } = SESSION.exec(arn)?.groups ?? {};
  return partition && account && roleName ? { partition, account, roleName } : undefined;
}

/** The account in an ARN, empty where there is none. */
export function accountOf(arn: string): string {
  return arn.split(":")[4] ?? "";
}
