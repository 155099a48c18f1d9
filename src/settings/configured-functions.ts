import type { FunctionReference } from "../names/function-reference";
import type { ParsedSettings } from "./settings";

/** Every function of the settings, once per way of naming it. */
export function configuredFunctions({ functions, eventFunctions }: ParsedSettings): readonly FunctionReference[] {
  const all = [...Object.values(functions), ...eventFunctions.values()];
  return [...new Map(all.map((reference) => [reference.configured, reference])).values()];
}
