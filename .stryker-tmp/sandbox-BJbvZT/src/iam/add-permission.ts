// @ts-nocheck
import { parseFunctionReference, unqualifiedArn } from "../names/function-reference";

/**
 * The AWS CLI command by which the owner of a function lets a role of another account invoke it.
 *
 * @param functionArn with or without version or alias
 */
export function addPermissionCommand(functionArn: string, roleArn: string): string {
  const { region, qualifier } = parseFunctionReference(functionArn);
  const parts = [
    "aws lambda add-permission",
    `--region ${region}`,
    `--function-name ${unqualifiedArn(functionArn)}`,
    ...(qualifier ? [`--qualifier '${qualifier}'`] : []),
    "--statement-id amazon-lambda-destination",
    "--action lambda:InvokeFunction",
    `--principal ${roleArn}`,
  ];
  return parts.join(" ");
}
