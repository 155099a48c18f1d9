// @ts-nocheck
import type { FunctionReference } from "../names/function-reference";
import type { ParsedSettings } from "./settings";

/** Every function of the settings, the one for failures included, once per way of naming it. */
export function configuredFunctions(settings: ParsedSettings): readonly FunctionReference[] {
  const { functions, eventFunctions, failureFunction } = settings;
  const all = [...Object.values(functions), ...eventFunctions.values(), ...(failureFunction ? [failureFunction] : [])];
  return [...new Map(all.map((reference) => [reference.configured, reference])).values()];
}
