// @ts-nocheck
import { CALL_TYPES } from "../events/segment-event";
import type { FunctionReference } from "../names/function-reference";
import { configuredFunctions } from "../settings/configured-functions";
import { type EventOrigin, externalIdFor } from "../settings/external-id";
import type { OperatorPolicy } from "../settings/operator-policy";
import { type ParsedSettings, parseSettings } from "../settings/settings";

/** Settings that can be used, and what follows from them. */
export interface Connection {
  readonly settings: ParsedSettings;
  readonly operator: OperatorPolicy;
  readonly functions: readonly FunctionReference[];
  /** What the router would send; absent where no role is assumed. */
  readonly externalId?: string;
}

export type Role = NonNullable<ParsedSettings["role"]>;

/** @throws SettingsError where the settings are no good, or the external ID is not known */
export function readConnection(input: unknown, operator: OperatorPolicy, origin: EventOrigin): Connection {
  const settings = parseSettings(input, operator);
  const externalId = settings.role && externalIdFor(settings.externalId, origin, operator.externalIdFrom);
  return {
    settings,
    operator,
    functions: configuredFunctions(settings),
    ...(externalId !== undefined && { externalId }),
  };
}

/** The connection in a line. */
export function describeConnection({ settings, operator, functions, externalId }: Connection): string {
  const calls = CALL_TYPES.filter((callType) => settings.functions[callType]).length + settings.eventFunctions.size;
  const what = `${counted(functions.length, "function")} for ${counted(calls, "kind")} of call in ${settings.region}`;
  if (externalId === undefined) return `${what}; no role, the base identity invokes`;
  return `${what}; external ID "${externalId}" (${originOf(settings, operator)})`;
}

function counted(count: number, noun: string): string {
  return `${count} ${noun}${count === 1 ? "" : "s"}`;
}

function originOf({ externalId }: ParsedSettings, { externalIdFrom }: OperatorPolicy): string {
  if (externalIdFrom === "settings") return externalId === undefined ? "the source's ID" : "from the settings";
  const ignored = externalId === undefined ? "" : "; the one in the settings does not count";
  return `the ${externalIdFrom}'s ID, as the operator demands${ignored}`;
}
