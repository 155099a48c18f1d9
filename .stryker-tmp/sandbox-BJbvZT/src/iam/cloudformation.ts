// @ts-nocheck
import { POLICY_ARN, PRINCIPAL_ARN, ROLE_NAME, UNQUALIFIED_FUNCTION_ARN } from "../names/grammar";
import { SettingsError, type SettingsProblem } from "../settings/settings-error";
import type { InvokerRole } from "./invoker-role";
import { roleName } from "./role";

/**
 * Characters that a template's parameter holds at most.
 *
 * @see https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/cloudformation-limits.html
 */
const MAX_PARAMETER = 4096;
const ANOTHER_FORMAT = "print it with --format terraform or json, or";

/** What only CloudFormation cannot do: its lists are texts with commas, and of a certain length. */
function parameterProblems({ externalIds, functionArns }: InvokerRole): SettingsProblem[] {
  const tooLong = [
    { setting: "functions", length: functionArns.join().length },
    { setting: "externalId", length: externalIds.join().length },
  ].filter(({ length }) => length > MAX_PARAMETER);
  return [
    ...(externalIds.some((externalId) => externalId.includes(","))
      ? [
          {
            setting: "externalId",
            problem: `must be without a comma, by which a CloudFormation template separates them: ${ANOTHER_FORMAT} choose another ID`,
            example: "my-source-id",
          },
        ]
      : []),
    ...tooLong.map(({ setting, length }) => ({
      setting,
      problem: `would take ${length} characters of a CloudFormation parameter, which holds ${MAX_PARAMETER}: ${ANOTHER_FORMAT} split the work between several roles`,
    })),
  ];
}

/**
 * A CloudFormation template of the role. Its output `RoleArn` is what Role Address wants.
 *
 * @param role fills in the parameters' defaults; without it, the template asks for them
 * @returns YAML
 * @throws SettingsError where a parameter of a template cannot hold what the role needs
 */
export function cloudFormationTemplate(role?: InvokerRole): string {
  const problems = role ? parameterProblems(role) : [];
  if (problems.length > 0) throw new SettingsError(problems);
  const { name, path } = roleName(role ?? {});
  const filledIn = (value: string | undefined) =>
    value === undefined ? "" : `\n    Default: ${JSON.stringify(value)}`;
  return `AWSTemplateFormatVersion: "2010-09-09"
Description: The IAM role through which an event router invokes AWS Lambda functions, and nothing else.

# aws cloudformation deploy --template-file <this file> --stack-name amazon-lambda-destination \\
#   --capabilities CAPABILITY_NAMED_IAM --region <region>

Metadata:
  AWS::CloudFormation::Interface:
    ParameterGroups:
      - Label:
          default: Who may assume the role
        Parameters: [RouterPrincipalArn, ExternalIds]
      - Label:
          default: What the role may do
        Parameters: [LambdaArns, PermissionsBoundaryArn]
      - Label:
          default: What the role is called
        Parameters: [RoleName]

Parameters:
  RouterPrincipalArn:
    Type: String
    Description: ARN of the IAM role or user that the router runs as.
    AllowedPattern: "^${PRINCIPAL_ARN}$"
    ConstraintDescription: must be the ARN of an IAM role or user${filledIn(role?.principalArn)}
  ExternalIds:
    Type: CommaDelimitedList
    Description: External IDs that the router sends, one per source, separated by commas.
    AllowedPattern: "^[A-Za-z0-9_+=.@:/-]{2,1224}$"
    ConstraintDescription: must be IDs of 2 to 1224 letters, digits or any of _+=.@:/-, separated by commas (so an ID with a comma cannot be given here)${filledIn(role?.externalIds.join(","))}
  LambdaArns:
    Type: CommaDelimitedList
    Description: ARNs of the functions, without version or alias, separated by commas.
    AllowedPattern: "^${UNQUALIFIED_FUNCTION_ARN}$"
    ConstraintDescription: must be ARNs of Lambda functions without version or alias, separated by commas${filledIn(role?.functionArns.join(","))}
  RoleName:
    Type: String
    Description: Name of the role. Empty, and AWS chooses one.
    AllowedPattern: "^(${ROLE_NAME})?$"
    ConstraintDescription: must be at most 64 letters, digits or any of _+=,.@-
    Default: ${JSON.stringify(name ?? "")}
  PermissionsBoundaryArn:
    Type: String
    Description: ARN of the permissions boundary that your organisation demands of its roles. Empty for none.
    AllowedPattern: "^(${POLICY_ARN})?$"
    ConstraintDescription: must be the ARN of an IAM policy, or empty
    Default: ""

Conditions:
  HasRoleName: !Not [!Equals [!Ref RoleName, ""]]
  HasPermissionsBoundary: !Not [!Equals [!Ref PermissionsBoundaryArn, ""]]

Resources:
  Role:
    Type: AWS::IAM::Role
    Properties:
      Description: Invokes Lambda functions for an event router (amazon-lambda-destination).${path ? `\n      Path: ${JSON.stringify(path)}` : ""}
      RoleName: !If [HasRoleName, !Ref RoleName, !Ref "AWS::NoValue"]
      PermissionsBoundary: !If [HasPermissionsBoundary, !Ref PermissionsBoundaryArn, !Ref "AWS::NoValue"]
      AssumeRolePolicyDocument:
        Version: "2012-10-17"
        Statement:
          - Effect: Allow
            Principal:
              AWS: !Ref RouterPrincipalArn
            Action: sts:AssumeRole
            Condition:
              StringEquals:
                sts:ExternalId: !Ref ExternalIds
          # For a router whose identity has session tags (EKS Pod Identity); alone it lets nobody in.
          - Effect: Allow
            Principal:
              AWS: !Ref RouterPrincipalArn
            Action: sts:TagSession
      Policies:
        - PolicyName: InvokeFunctions
          PolicyDocument:
            Version: "2012-10-17"
            Statement:
              - Effect: Allow
                Action: lambda:InvokeFunction
                # Each ARN as it is, and with :* for the function's versions and aliases.
                Resource: !Split
                  - ","
                  - !Sub
                    - "\${Unqualified},\${Qualified}:*"
                    - Unqualified: !Join [",", !Ref LambdaArns]
                      Qualified: !Join [":*,", !Ref LambdaArns]

Outputs:
  RoleArn:
    Description: The destination's Role Address.
    Value: !GetAtt Role.Arn
`;
}
