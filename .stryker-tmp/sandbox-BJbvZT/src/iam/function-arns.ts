// @ts-nocheck
import { type FunctionHome, type FunctionReference, functionArn } from "../names/function-reference";
import { partitionOf } from "../names/partitions";
import { configuredFunctions } from "../settings/configured-functions";
import type { ParsedSettings } from "../settings/settings";

/** Where a function given by its name alone is; the region tells the partition. */
export type Home = Omit<FunctionHome, "partition">;

/** The function's ARN without version or alias. */
export function unqualifiedArn({ configured, name, account }: FunctionReference, home: Home): string {
  const reference = { configured, name, ...(account !== undefined && { account }) };
  return functionArn(reference, { ...home, partition: partitionOf(home.region) });
}

/** ARNs of all functions of the settings without version or alias, sorted, each once. */
export function unqualifiedArns(settings: ParsedSettings, home: Home): readonly string[] {
  return [...new Set(configuredFunctions(settings).map((reference) => unqualifiedArn(reference, home)))].sort();
}
