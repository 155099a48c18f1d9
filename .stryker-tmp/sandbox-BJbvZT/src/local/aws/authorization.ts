// @ts-nocheck
import type { Identity } from "./identities";
import type { Policy, Question, Statement } from "./policy";

/** Why a request is denied, as the ending of AWS's message; undefined where AWS gives no reason. */
export interface Denial {
  readonly because: string | undefined;
}

interface Request {
  readonly identity: Identity;
  readonly action: string;
  readonly resource: string;
  readonly context?: Question["context"];
  /** The function's resource policy or the role's trust policy. */
  readonly resourcePolicy: Policy | undefined;
  /** Whose resource it is. */
  readonly resourceAccount: string;
  /** A role cannot be assumed without its trust policy; a function can be invoked without a resource policy. */
  readonly resourcePolicyRequired: boolean;
}

/** How closely a resource policy's principal names the caller: the closer, the fewer other policies are asked. */
type Grant = "none" | "account" | "role" | "itself";

/**
 * Decides as IAM does, without permissions boundaries and organisation policies:
 *
 * 1. An explicit `Deny` anywhere wins.
 * 2. Within an account a resource policy that names the caller is enough; one that names the caller's role still leaves
 *    the session policy to be asked; one that names only the account hands the question to the identity's policies.
 * 3. Across accounts both sides have to allow.
 *
 * @returns undefined if the request is allowed
 * @see https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_evaluation-logic.html
 */
export function denialOf(request: Request): Denial | undefined {
  const { identity, action, resource } = request;
  const question: Question = {
    action,
    resource,
    context: {
      ...request.context,
      "aws:principalarn": identity.roleArn ?? identity.arn,
      "aws:principalaccount": identity.account,
    },
  };
  const resourceStatements = (request.resourcePolicy?.statements ?? []).filter((one) => one.covers(question));
  const explicit = (type: string): Denial => ({ because: `with an explicit deny in ${type} policy` });
  const implicit = (type: string): Denial => ({ because: `because no ${type} policy allows the ${action} action` });

  if (verdict(identity.policies, question) === "Deny") return explicit("an identity-based");
  if (identity.sessionPolicy && verdict([identity.sessionPolicy], question) === "Deny") return explicit("a session");
  if (resourceStatements.some((one) => one.effect === "Deny" && closeness(one, identity) !== "none")) {
    return request.resourcePolicyRequired ? { because: undefined } : explicit("a resource-based");
  }

  const grant = closest(resourceStatements, identity);
  const sameAccount = identity.account === request.resourceAccount;
  if (grant === "none" && request.resourcePolicyRequired) return { because: undefined };
  if (grant === "none" && !sameAccount) return implicit("resource-based");

  const identityAsked = !sameAccount || grant === "none" || grant === "account";
  const sessionAsked = identityAsked || grant === "role";
  if (identityAsked && verdict(identity.policies, question) !== "Allow") return implicit("identity-based");
  if (sessionAsked && identity.sessionPolicy && verdict([identity.sessionPolicy], question) !== "Allow") {
    return implicit("session");
  }
  return undefined;
}

/** `User: … is not authorized to perform: … on resource: …`, with the reason where there is one. */
export function denialMessage(identity: Identity, action: string, resource: string, denial: Denial): string {
  const message = `User: ${identity.arn} is not authorized to perform: ${action} on resource: ${resource}`;
  return denial.because ? `${message} ${denial.because}` : message;
}

function verdict(policies: readonly Policy[], question: Question): "Allow" | "Deny" | undefined {
  const effects = policies
    .flatMap((policy) => policy.statements)
    .filter((statement) => statement.covers(question))
    .map((statement) => statement.effect);
  if (effects.includes("Deny")) return "Deny";
  return effects.includes("Allow") ? "Allow" : undefined;
}

const order: readonly Grant[] = ["none", "account", "role", "itself"];

function closest(statements: readonly Statement[], identity: Identity): Grant {
  let best: Grant = "none";
  for (const statement of statements) {
    if (statement.effect !== "Allow") continue;
    const grant = closeness(statement, identity);
    if (order.indexOf(grant) > order.indexOf(best)) best = grant;
  }
  return best;
}

function closeness(statement: Statement, identity: Identity): Grant {
  const { principals = [] } = statement;
  if (principals.includes(identity.arn)) return "itself";
  if (principals.includes("*")) return identity.roleArn ? "role" : "itself";
  if (identity.roleArn && principals.includes(identity.roleArn)) return "role";
  const root = `arn:${identity.partition}:iam::${identity.account}:root`;
  return principals.includes(identity.account) || principals.includes(root) ? "account" : "none";
}
