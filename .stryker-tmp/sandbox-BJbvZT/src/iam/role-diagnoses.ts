// @ts-nocheck
import { CALL_DIAGNOSES, type FailedCall } from "./call-diagnoses";
import type { DiagnosisRule } from "./diagnosis";
import { trustPolicy } from "./policies";
import { covers, principalOf } from "./principal";

/** An AssumeRole that failed, and what else was tried to learn why: AWS's own answer is the same for most reasons. */
export interface FailedAssumeRole extends FailedCall {
  readonly roleArn: string;
  readonly externalId: string;
  /** ARN of the identity that asked. */
  readonly callerArn: string;
  /** Whom the trust policy names, where the user knows. */
  readonly principalArn?: string;
  /** Another external ID with which the same request was granted. */
  readonly grantedWith?: string;
}

const isDenied = ({ error }: FailedCall) => error.code === "AccessDenied";

/** What can be wrong with assuming the role. */
export const ROLE_DIAGNOSES: readonly DiagnosisRule<FailedAssumeRole>[] = [
  {
    name: "WrongExternalId",
    label: "Wrong external ID",
    applies: ({ grantedWith }) => grantedWith !== undefined,
    advice: ({ grantedWith, externalId, roleArn }) =>
      `The role is assumed with "${grantedWith}", but "${externalId}" is sent. Set External ID to "${grantedWith}", or add "${externalId}" to sts:ExternalId in the trust policy of ${roleArn}.`,
  },
  {
    name: "ExplicitDeny",
    label: "Explicit deny",
    applies: (observed) => isDenied(observed) && /explicit deny/.test(observed.error.message),
    advice: ({ error, callerArn }) =>
      `${denyingPolicy(error.message)} denies sts:AssumeRole to ${principalOf(callerArn)}. Take the Deny out, or except the role from it.`,
  },
  {
    name: "MayNotAssumeRole",
    label: "Router may not assume the role",
    applies: (observed) => isDenied(observed) && /no identity-based policy allows/.test(observed.error.message),
    advice: ({ roleArn, callerArn }) =>
      `The trust policy is fine, but the router's own identity lacks a permission. Attach to ${principalOf(callerArn)}: ${JSON.stringify({ Effect: "Allow", Action: "sts:AssumeRole", Resource: roleArn })}`,
  },
  {
    name: "WrongTrustPrincipal",
    label: "Wrong trust principal",
    applies: (observed) =>
      isDenied(observed) && observed.principalArn !== undefined && !covers(observed.principalArn, observed.callerArn),
    advice: ({ principalArn, callerArn, roleArn }) =>
      `If the role trusts ${principalArn}, that is why: the router runs as ${callerArn}. In the trust policy of ${roleArn}, set Principal to {"AWS":"${principalOf(callerArn)}"} (with the role's path, if it has one), or run the router as the other.`,
  },
  {
    // What the user knows of the principal is not what stands in the trust policy, but most likely it is.
    name: "RoleRefused",
    label: "Role missing, or wrong external ID",
    applies: (observed) => isDenied(observed) && observed.principalArn !== undefined,
    advice: ({ callerArn, externalId, roleArn }) =>
      `AWS does not tell them apart. Is ${roleArn} deployed? If so, its trust policy must have "${externalId}" as sts:ExternalId (or in a list), or External ID must be what stands there; its Principal must be ${principalOf(callerArn)}. ${seeTrustPolicy(roleArn)}`,
  },
  {
    name: "RoleRefused",
    label: "Role missing, wrong trust principal, or wrong external ID",
    applies: isDenied,
    advice: ({ callerArn, externalId, roleArn }) =>
      `AWS does not tell them apart. Is ${roleArn} deployed? If so, this trust policy is right: ${JSON.stringify(trustPolicy({ principalArn: principalOf(callerArn), externalIds: [externalId] }))}. Check again with the principal (--principal) or the external ID (--external-id) that stands in it to learn which. ${seeTrustPolicy(roleArn)}`,
  },
  ...CALL_DIAGNOSES,
];

function seeTrustPolicy(roleArn: string): string {
  return `To see it, as an administrator: aws iam get-role --role-name ${roleArn.split("/").at(-1)} --query Role.AssumeRolePolicyDocument`;
}

/** `A service control policy`, `An identity-based policy`, … as AWS's message names it. */
export function denyingPolicy(message: string): string {
  const policy = /explicit deny in (an? [\w -]*?policy|an? permissions boundary)/.exec(message)?.[1] ?? "a policy";
  return policy.charAt(0).toUpperCase() + policy.slice(1);
}
