/** The IAM role that a router assumes to invoke functions: everything that a template or a policy has to say. */
// @ts-nocheck

export interface InvokerRole {
  /** ARN of the IAM role, user or account that the router runs as. */
  readonly principalArn: string;
  /** What the router may send as external ID: one per source that uses the role. */
  readonly externalIds: readonly string[];
  /** ARNs without version or alias. */
  readonly functionArns: readonly string[];
  /** The role's ARN where it is settled already, which settles its name and path; otherwise AWS chooses. */
  readonly arn?: string;
}
