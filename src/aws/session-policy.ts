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
 * The session policies that scope an assumed session down to invoking the configured functions, the narrowest one first.
 * AWS packs a session's tags into the same space, in a way of its own, so that it may refuse the first for its size: each
 * one is shorter than the one before.
 *
 * @param home where a function given by its bare name is: the role's partition and account, the settings' region
 */
export function sessionPolicies(
  functions: readonly FunctionReference[],
  home: FunctionHome,
): readonly [SessionPolicy, ...SessionPolicy[]] {
  const everyFunctionOf = (account: string) => functionArn({ configured: "*", name: "*", account }, home);
  const exact = policyFor(functions.map((reference) => functionArn(reference, home)));
  const perAccount = policyFor(functions.map(({ account = home.account }) => everyFunctionOf(account)));
  const shortest = policyFor([everyFunctionOf("*")]);
  const policies: SessionPolicy[] = [];
  for (const [json, namesFunctions] of [
    [exact, true],
    [perAccount, false],
    [shortest, false],
  ] as const) {
    const before = policies.at(-1)?.json.length ?? MAX_POLICY_LENGTH + 1;
    if (json.length < before) policies.push({ json, namesFunctions });
  }
  return policies as [SessionPolicy, ...SessionPolicy[]];
}

function policyFor(resources: readonly string[]): string {
  return JSON.stringify({
    Version: "2012-10-17",
    Statement: [{ Effect: "Allow", Action: "lambda:InvokeFunction", Resource: [...new Set(resources)].sort() }],
  });
}
