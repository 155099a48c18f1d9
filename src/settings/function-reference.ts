/** A Lambda function as a user names it, taken apart. */
export interface FunctionReference {
  /** As it stands in the settings. */
  readonly configured: string;
  readonly partition?: string;
  readonly region?: string;
  /** The 12 digits of the AWS account. */
  readonly account?: string;
  readonly name: string;
  /** Version number, alias or `$LATEST`. */
  readonly qualifier?: string;
}

const FUNCTION =
  /^(?:arn:(?<partition>aws[a-z-]*):lambda:)?(?:(?<region>[a-z]+(?:-[a-z]+)+-\d+):)?(?:(?<account>\d{12}):)?(?:function:)?(?<name>[\w-]+)(?::(?<qualifier>[\w$.-]+))?$/;

/**
 * Takes apart any form of a function that Lambda's Invoke accepts: name, partial ARN or ARN, each with or without a
 * version or alias.
 *
 * @param configured a string that the settings schema has accepted
 */
export function parseFunctionReference(configured: string): FunctionReference {
  const parts = FUNCTION.exec(configured)?.groups;
  if (!parts) throw new TypeError("Not a Lambda function that the settings schema accepts.");
  const { partition, region, account, name, qualifier } = parts as { name: string } & Record<
    string,
    string | undefined
  >;
  return {
    configured,
    name,
    ...(partition && { partition }),
    ...(region && { region }),
    ...(account && { account }),
    ...(qualifier && { qualifier }),
  };
}

/** The function's name in the `FunctionName` of an Invoke call: with the account where it is known, never with the qualifier. */
export function functionNameForInvoke(reference: FunctionReference): string {
  const { partition, region, account, name } = reference;
  if (!account) return name;
  return partition && region
    ? `arn:${partition}:lambda:${region}:${account}:function:${name}`
    : `${account}:function:${name}`;
}
