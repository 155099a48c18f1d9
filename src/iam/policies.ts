import type { InvokerRole } from "./invoker-role";

/** An IAM policy, ready for `JSON.stringify`. */
export interface PolicyDocument {
  readonly Version: "2012-10-17";
  readonly Statement: readonly object[];
}

/** Who may assume the role: the router, and only with one of the external IDs. */
export function trustPolicy({
  principalArn,
  externalIds,
}: Pick<InvokerRole, "principalArn" | "externalIds">): PolicyDocument {
  return policy({
    Effect: "Allow",
    Principal: { AWS: principalArn },
    Action: "sts:AssumeRole",
    Condition: { StringEquals: { "sts:ExternalId": externalIds } },
  });
}

/** What the role may do: invoke these functions, with and without a version or alias, and nothing else. */
export function permissionPolicy({ functionArns }: Pick<InvokerRole, "functionArns">): PolicyDocument {
  return policy({
    Effect: "Allow",
    Action: "lambda:InvokeFunction",
    Resource: functionArns.flatMap((arn) => [arn, `${arn}:*`]),
  });
}

function policy(statement: object): PolicyDocument {
  return { Version: "2012-10-17", Statement: [statement] };
}
