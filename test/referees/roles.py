"""Makes a role at AWS (or what stands in for it) from two policies or from a template, and says what became of it."""

import ast
import json
import sys

import boto3


def document(policy):
    """moto keeps what CloudFormation gives it as Python writes it."""
    return ast.literal_eval(policy) if isinstance(policy, str) else policy


asked = json.load(sys.stdin)
iam = boto3.client("iam")

if "template" in asked:
    cloudformation = boto3.client("cloudformation")
    cloudformation.validate_template(TemplateBody=asked["template"])
    cloudformation.create_stack(
        StackName="router-events",
        TemplateBody=asked["template"],
        Parameters=[
            {"ParameterKey": key, "ParameterValue": value}
            for key, value in asked.get("parameters", {}).items()
        ],
        Capabilities=["CAPABILITY_NAMED_IAM"],
    )
    stack = cloudformation.describe_stacks(StackName="router-events")["Stacks"][0]
    outputs = {each["OutputKey"]: each["OutputValue"] for each in stack["Outputs"]}
    role_name = outputs["RoleArn"].split("/")[-1]
else:
    outputs = {}
    role_name = asked["roleName"]
    iam.create_role(
        RoleName=role_name,
        Path=asked.get("path", "/"),
        AssumeRolePolicyDocument=json.dumps(asked["trustPolicy"]),
    )
    iam.put_role_policy(
        RoleName=role_name,
        PolicyName="InvokeFunctions",
        PolicyDocument=json.dumps(asked["permissionPolicy"]),
    )

role = iam.get_role(RoleName=role_name)["Role"]
policies = {
    name: document(iam.get_role_policy(RoleName=role_name, PolicyName=name)["PolicyDocument"])
    for name in iam.list_role_policies(RoleName=role_name)["PolicyNames"]
}
session = boto3.client("sts").assume_role(
    RoleArn=role["Arn"],
    RoleSessionName="router-events",
    ExternalId=asked["externalId"],
    Policy=json.dumps(asked["sessionPolicy"]),
)
print(
    json.dumps(
        {
            "arn": role["Arn"],
            "trustPolicy": role["AssumeRolePolicyDocument"],
            "policies": policies,
            "outputs": outputs,
            "session": session["AssumedRoleUser"]["Arn"],
        }
    )
)
