/**
 * The AWS CLI command by which the owner of a function lets a role of another account invoke it.
 *
 * @param functionArn with or without version or alias
 */
export function addPermissionCommand(functionArn: string, roleArn: string): string {
  const [arn, partition, service, region, account, type, name, qualifier] = functionArn.split(":");
  const unqualified = [arn, partition, service, region, account, type, name].join(":");
  const parts = [
    "aws lambda add-permission",
    `--region ${region}`,
    `--function-name ${unqualified}`,
    ...(qualifier ? [`--qualifier '${qualifier}'`] : []),
    "--statement-id amazon-lambda-destination",
    "--action lambda:InvokeFunction",
    `--principal ${roleArn}`,
  ];
  return parts.join(" ");
}
