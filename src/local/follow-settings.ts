import { partitionOf } from "../names/partitions";
import { parseRole } from "../names/principals";
import { configuredFunctions } from "../settings/configured-functions";
import { externalIdFor } from "../settings/external-id";
import type { OperatorPolicy } from "../settings/operator-policy";
import { parseSettings } from "../settings/settings";
import type { EmbeddedAws } from "./aws/embedded-aws";
import type { Source } from "./local-host";

/** What is made or changed for settings, and by whom the role is assumed. */
export interface FollowingAccount {
  readonly aws: EmbeddedAws;
  /** ARN of the user that the router is. */
  readonly routerArn: string;
  /**
   * Sees to it that the function is there.
   *
   * @param arn without a qualifier
   * @param qualifiers versions and aliases that it has to have
   * @returns whether there is a handler of its name
   */
  provide(arn: string, qualifiers: ReadonlySet<string>, timeoutMs: number): Promise<boolean>;
}

interface RoleNeeds {
  readonly externalIds: Set<string>;
  readonly functions: Set<string>;
}

/**
 * Makes the account what the sources' settings say: their functions with versions and aliases, where there is a handler
 * for them; their roles, which may invoke these functions and demand these external IDs; their access keys.
 *
 * @returns what could not be followed, a sentence each
 * @throws SettingsError for settings that cannot be used
 */
export async function followSettings(
  { aws, routerArn, provide }: FollowingAccount,
  sources: readonly Source[],
  operator: OperatorPolicy,
): Promise<readonly string[]> {
  const notes = new Set<string>();
  const roles = new Map<string, RoleNeeds>();
  const functions = new Map<string, { qualifiers: Set<string>; timeoutMs: number }>();

  for (const { id, settings } of sources) {
    const parsed = parseSettings(settings, operator);
    const { region, role, keys } = parsed;
    if (partitionOf(region) !== aws.partition) {
      notes.add(
        `${region} is not in the partition ${aws.partition}, which is the only one of the AWS on this machine.`,
      );
      continue;
    }
    if (keys) aws.addUser({ name: `owner-of-${keys.accessKeyId}`, ...keys });
    const needs = { externalIds: new Set<string>(), functions: new Set<string>(), ...(role && roles.get(role.arn)) };
    for (const { name, account = role?.account ?? aws.account, qualifier } of configuredFunctions(parsed)) {
      const arn = `arn:${aws.partition}:lambda:${region}:${account}:function:${name}`;
      const known = functions.get(arn) ?? { qualifiers: new Set(), timeoutMs: 0 };
      // As long as the router waits, so that the router's Timeout (ms) is what strikes, here as at AWS.
      known.timeoutMs = Math.max(known.timeoutMs, parsed.timeoutMs + 1000);
      if (qualifier !== undefined) known.qualifiers.add(qualifier);
      functions.set(arn, known);
      needs.functions.add(arn);
    }
    if (!role) continue;
    // The workspace's ID is what the local hosts give.
    const origin = { sourceId: id, workspaceId: "local" };
    needs.externalIds.add(externalIdFor(parsed.externalId, origin, operator.externalIdFrom));
    roles.set(role.arn, needs);
  }

  for (const [arn, { qualifiers, timeoutMs }] of functions) {
    const name = arn.split(":").at(-1);
    if (!(await provide(arn, qualifiers, timeoutMs)))
      notes.add(`There is no handler for the function ${name}: add a file of that name, such as ${name}.mjs.`);
  }
  for (const [arn, needs] of roles) addRole(aws, arn, needs, routerArn);
  return [...notes];
}

function addRole(aws: EmbeddedAws, arn: string, needs: RoleNeeds, routerArn: string): void {
  const { account, path = "/", name = "" } = parseRole(arn) ?? {};
  aws.addRole({
    name,
    path,
    ...(account !== undefined && { account }),
    trustPolicy: allow({
      Principal: { AWS: routerArn },
      Action: "sts:AssumeRole",
      Condition: { StringEquals: { "sts:ExternalId": [...needs.externalIds] } },
    }),
    permissionPolicies: [
      allow({
        Action: "lambda:InvokeFunction",
        Resource: [...needs.functions].flatMap((each) => [each, `${each}:*`]),
      }),
    ],
  });
}

function allow(statement: Readonly<Record<string, unknown>>) {
  return { Version: "2012-10-17", Statement: [{ Effect: "Allow", ...statement }] };
}
