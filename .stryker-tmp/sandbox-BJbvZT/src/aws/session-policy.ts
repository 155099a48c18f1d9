// @ts-nocheck
import { type FunctionHome, type FunctionReference, functionArn } from "../names/function-reference";

/** Characters of a session policy that AWS takes at most. */
const MAX_POLICY_LENGTH = 2048;

/** What a session may do at most, and whether that is as narrow as it should be. */
export interface SessionPolicy {
  /** The policy document as JSON. */
  readonly json: string;
  /** False where there are so many functions that only the account and the region could be named. */
  readonly namesFunctions: boolean;
}

/**
 * The session policy that scopes an assumed session down to invoking the configured functions.
 *
 * @param home where a function given by its bare name is: the role's partition and account, the settings' region
 */
export function sessionPolicy(functions: readonly FunctionReference[], home: FunctionHome): SessionPolicy {
  const exact = policyFor(functions.map((reference) => functionArn(reference, home)));
  if (exact.length <= MAX_POLICY_LENGTH) return { json: exact, namesFunctions: true };
  const everyFunctionOf = (account: string) => functionArn({ configured: "*", name: "*", account }, home);
  const perAccount = policyFor(functions.map(({ account = home.account }) => everyFunctionOf(account)));
  const json = perAccount.length <= MAX_POLICY_LENGTH ? perAccount : policyFor([everyFunctionOf("*")]);
  return { json, namesFunctions: false };
}

function policyFor(resources: readonly string[]): string {
  return JSON.stringify({
    Version: "2012-10-17",
    Statement: [{ Effect: "Allow", Action: "lambda:InvokeFunction", Resource: [...new Set(resources)].sort() }],
  });
}
