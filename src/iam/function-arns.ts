import { functionArn } from "../aws/session-policy";
import type { FunctionReference } from "../settings/function-reference";
import { type ParsedSettings, partitionOf } from "../settings/settings";

/** Where a function given by its name alone is. */
export interface Home {
  readonly region: string;
  /** 12 digits. */
  readonly account: string;
}

/** Every function of the settings, once per way of naming it. */
export function configuredFunctions({ functions, eventFunctions }: ParsedSettings): readonly FunctionReference[] {
  const all = [...Object.values(functions), ...eventFunctions.values()];
  return [...new Map(all.map((reference) => [reference.configured, reference])).values()];
}

/** The function's ARN without version or alias. */
export function unqualifiedArn({ configured, name, account }: FunctionReference, home: Home): string {
  const reference = { configured, name, ...(account !== undefined && { account }) };
  return functionArn(reference, { ...home, partition: partitionOf(home.region) });
}

/** ARNs of all functions of the settings without version or alias, sorted, each once. */
export function unqualifiedArns(settings: ParsedSettings, home: Home): readonly string[] {
  return [...new Set(configuredFunctions(settings).map((reference) => unqualifiedArn(reference, home)))].sort();
}
