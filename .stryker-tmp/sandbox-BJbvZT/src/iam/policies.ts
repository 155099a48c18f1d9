// @ts-nocheck
import type { InvokerRole } from "./invoker-role";

/** An IAM policy, ready for `JSON.stringify`. */
export interface PolicyDocument {
  readonly Version: "2012-10-17";
  readonly Statement: readonly object[];
}

/**
 * Who may assume the role: the router, and only with one of the external IDs.
 *
 * An identity with session tags, as EKS Pod Identity gives them out, passes its tags on and has to be allowed that, too. AWS
 * knows no external ID with `sts:TagSession`, so it stands by itself; alone it lets nobody in.
 *
 * @see https://docs.aws.amazon.com/IAM/latest/UserGuide/id_session-tags.html
 */
export function trustPolicy({
  principalArn,
  externalIds,
}: Pick<InvokerRole, "principalArn" | "externalIds">): PolicyDocument {
  const router = { Effect: "Allow", Principal: { AWS: principalArn } };
  return policy(
    { ...router, Action: "sts:AssumeRole", Condition: { StringEquals: { "sts:ExternalId": externalIds } } },
    { ...router, Action: "sts:TagSession" },
  );
}

/** What the role may do: invoke these functions, with and without a version or alias, and nothing else. */
export function permissionPolicy({ functionArns }: Pick<InvokerRole, "functionArns">): PolicyDocument {
  return policy({
    Effect: "Allow",
    Action: "lambda:InvokeFunction",
    Resource: functionArns.flatMap((arn) => [arn, `${arn}:*`]),
  });
}

function policy(...statements: readonly object[]): PolicyDocument {
  return { Version: "2012-10-17", Statement: statements };
}
