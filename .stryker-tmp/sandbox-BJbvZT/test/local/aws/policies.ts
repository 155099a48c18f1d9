/** A trust policy: who may assume the role, with which external ID. */
// @ts-nocheck

export function trust(principal: string, externalId?: string | readonly string[]): object {
  return {
    Version: "2012-10-17",
    Statement: [
      {
        Effect: "Allow",
        Principal: { AWS: principal },
        Action: "sts:AssumeRole",
        ...(externalId !== undefined && { Condition: { StringEquals: { "sts:ExternalId": externalId } } }),
      },
    ],
  };
}

/** An identity-based policy of one statement. */
export function permit(
  action: string,
  resource: string | readonly string[],
  effect: "Allow" | "Deny" = "Allow",
): object {
  return { Version: "2012-10-17", Statement: [{ Effect: effect, Action: action, Resource: resource }] };
}

/** A function's resource policy of one statement. */
export function grant(principal: string, resource: string, effect: "Allow" | "Deny" = "Allow"): object {
  return {
    Version: "2012-10-17",
    Statement: [{ Effect: effect, Principal: { AWS: principal }, Action: "lambda:InvokeFunction", Resource: resource }],
  };
}
