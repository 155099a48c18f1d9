/** `aws` for most regions, `aws-cn`, `aws-us-gov` or `aws-iso…` for those of another partition. */
export function partitionOf(region: string): string {
  if (region.startsWith("cn-")) return "aws-cn";
  if (region.startsWith("us-gov-")) return "aws-us-gov";
  if (region.startsWith("us-isob-")) return "aws-iso-b";
  if (region.startsWith("us-iso-")) return "aws-iso";
  return "aws";
}

/** What a caller may write for a function in an Invoke request. */
export interface FunctionName {
  readonly partition?: string;
  readonly region?: string;
  readonly account?: string;
  readonly name: string;
  readonly qualifier?: string;
}

/**
 * Constraint of `FunctionName` in Invoke.
 * @see https://docs.aws.amazon.com/lambda/latest/api/API_Invoke.html
 */
export const functionNamePattern =
  "(arn:(aws[a-zA-Z-]*)?:lambda:)?([a-z]{2}((-gov)|(-iso([a-z]?)))?-[a-z]+-\\d{1}:)?(\\d{12}:)?(function:)?([a-zA-Z0-9-_\\.]+)(:(\\$LATEST|[a-zA-Z0-9-_]+))?";

const taken =
  /^(?:arn:(?<partition>aws[a-zA-Z-]*):lambda:)?(?:(?<region>[a-z]{2}(?:-gov|-iso[a-z]?)?-[a-z]+-\d):)?(?:(?<account>\d{12}):)?(?:function:)?(?<name>[a-zA-Z0-9-_.]+)(?::(?<qualifier>\$LATEST|[a-zA-Z0-9-_]+))?$/;

/** Takes apart a name, `name:qualifier`, partial ARN or ARN; undefined for anything else. */
export function parseFunctionName(text: string): FunctionName | undefined {
  if (text.length > 256) return undefined;
  const groups = taken.exec(text)?.groups;
  if (!groups?.["name"]) return undefined;
  const { partition, region, account, name, qualifier } = groups;
  return {
    name,
    ...(partition && { partition }),
    ...(region && { region }),
    ...(account && { account }),
    ...(qualifier && { qualifier }),
  };
}
