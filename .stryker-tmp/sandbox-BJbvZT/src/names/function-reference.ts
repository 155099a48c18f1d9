// @ts-nocheck
import { FUNCTION_FORMS } from "./grammar";

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

/** Where a function given by its name alone is. */
export interface FunctionHome {
  readonly partition: string;
  readonly region: string;
  readonly account: string;
}

const FORMS = FUNCTION_FORMS.map((form) => new RegExp(`^(?:${form})$`));

/**
 * Takes apart any form of a function that Lambda's Invoke accepts: name, partial ARN or ARN, each with or without a
 * version or alias.
 *
 * @param configured a string that the settings schema has accepted
 * @throws TypeError for any other, without repeating it
 */
export function parseFunctionReference(configured: string): FunctionReference {
  for (const form of FORMS) {
    const { partition, region, account, name, qualifier } = form.exec(configured)?.groups ?? {};
    if (name === undefined) continue;
    return {
      configured,
      name,
      ...(partition && { partition }),
      ...(region && { region }),
      ...(account && { account }),
      ...(qualifier && { qualifier }),
    };
  }
  throw new TypeError("Not a Lambda function that the settings schema accepts.");
}

/** The function as text that is read as the same again: the shortest form that says all that is known of it. */
export function printFunctionReference(reference: Omit<FunctionReference, "configured">): string {
  const { partition, region, account, name, qualifier } = reference;
  const arn = partition && region && account && `arn:${partition}:lambda:${region}`;
  const parts = [arn ?? region, account, (account || qualifier) && "function", name, qualifier];
  return parts.filter((part) => part !== undefined && part !== "").join(":");
}

/** The function's name in the `FunctionName` of an Invoke call: with the account where it is known, never with the qualifier. */
export function functionNameForInvoke({ partition, region, account, name }: FunctionReference): string {
  if (!account) return name;
  return printFunctionReference({ name, account, ...(partition && region && { partition, region }) });
}

/** The function's ARN, with its qualifier where it has one. */
export function functionArn({ account, name, qualifier }: FunctionReference, home: FunctionHome): string {
  return printFunctionReference({ ...home, name, ...(account && { account }), ...(qualifier && { qualifier }) });
}

/** A function's ARN without version or alias. */
export function unqualifiedArn(functionArn: string): string {
  return functionArn.split(":").slice(0, 7).join(":");
}
