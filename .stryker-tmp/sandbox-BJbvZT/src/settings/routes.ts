// @ts-nocheck
import type { CallType } from "../events/segment-event";
import type { FunctionReference } from "../names/function-reference";

/** In place of a function in the settings: what would go to it is left out. */
export const SKIP = "(skip)";

/** Where events go: a function, or nowhere on purpose. */
export type Route = FunctionReference | typeof SKIP;

/** A pattern of track event names, ready to be matched. */
interface Pattern {
  /** What stands between its stars; the first and the last part are where a name has to begin and to end. */
  readonly parts: readonly string[];
  readonly route: Route;
}

/** Routes of single track events: by name, else by the first pattern that fits. */
export interface EventRoutes {
  readonly names: ReadonlyMap<string, Route>;
  readonly patterns: readonly Pattern[];
}

/** Which function gets which event, made once per settings. */
export interface Routes {
  readonly callTypes: Readonly<Partial<Record<CallType, Route>>>;
  readonly events: EventRoutes;
}

/**
 * Sorts the routes of track events so that the most specific one is found first: a name before any pattern; of two
 * patterns the one with more characters besides `*`; of equally long ones the one with fewer stars; else by alphabet.
 */
export function eventRoutes(routes: Iterable<readonly [string, Route]>): EventRoutes {
  const all = [...routes];
  const patterns = all
    .filter(([name]) => name.includes("*"))
    .map(([name, route]) => ({ name, parts: name.split("*"), route }))
    .sort((a, b) => lettersIn(b) - lettersIn(a) || a.parts.length - b.parts.length || (a.name < b.name ? -1 : 1));
  return {
    names: new Map(all.filter(([name]) => !name.includes("*"))),
    patterns: patterns.map(({ parts, route }) => ({ parts, route })),
  };
}

/** The function for an event; undefined where none is set or its events are to be skipped. */
export function functionFor(
  { callTypes, events }: Routes,
  callType: CallType,
  event: string | undefined,
): FunctionReference | undefined {
  const own = callType === "track" && event !== undefined ? eventRoute(events, event) : undefined;
  const route = own ?? callTypes[callType];
  return route === SKIP ? undefined : route;
}

function eventRoute({ names, patterns }: EventRoutes, event: string): Route | undefined {
  return names.get(event) ?? patterns.find(({ parts }) => fits(parts, event))?.route;
}

/** Whether a name is these parts in order with anything between them. Takes each part where it first fits: no way back. */
function fits(parts: readonly string[], name: string): boolean {
  const [first = "", ...others] = parts;
  const last = others.pop() ?? "";
  if (name.length < first.length + last.length || !name.startsWith(first) || !name.endsWith(last)) return false;
  const end = name.length - last.length;
  let from = first.length;
  for (const part of others) {
    const at = name.indexOf(part, from);
    if (at < 0 || at + part.length > end) return false;
    from = at + part.length;
  }
  return true;
}

function lettersIn({ parts }: { readonly parts: readonly string[] }): number {
  return parts.reduce((sum, part) => sum + part.length, 0);
}
