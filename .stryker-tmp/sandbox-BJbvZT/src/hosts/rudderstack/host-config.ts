// @ts-nocheck
import type { JsonObject } from "../../events/segment-event";
import { SETTINGS } from "../../settings/setting-schemas";
import { pickSettings } from "../../settings/settings";
import { fromNativeLambda, isNativeLambda } from "./native-lambda";

/** The settings that are maps, which the host's forms hold as lists of pairs. */
export const MAP_SETTINGS: readonly string[] = Object.keys(SETTINGS).filter((key) => SETTINGS[key]?.type === "object");

/** A row of the host's `dynamicForm`. */
interface Pair {
  readonly from?: unknown;
  readonly to?: unknown;
}

/**
 * The settings in a destination's `Config`: the host's own keys left out, maps made of lists of pairs, and the names of
 * RudderStack's native LAMBDA destination understood, which count where there is none of ours.
 *
 * @param workspaceId what the native destination sends as the external ID
 */
export function settingsFromConfig(config: Readonly<JsonObject>, workspaceId?: string): JsonObject {
  if (!isNativeLambda(config)) return withMaps(pickSettings(config));
  const { accessKeyId: _id, clientContext: _context, maxBatchSize: _size, ...own } = pickSettings(config);
  return withMaps({ ...fromNativeLambda(config, workspaceId).settings, ...own });
}

function withMaps(settings: JsonObject): JsonObject {
  const maps = MAP_SETTINGS.filter((key) => Array.isArray(settings[key])).map((key) => [
    key,
    mapOfPairs(settings[key] as readonly unknown[]),
  ]);
  return { ...settings, ...Object.fromEntries(maps) };
}

/** A map, or the list as it is where it is no list of pairs, so that validation says so. Empty rows count for nothing. */
function mapOfPairs(rows: readonly unknown[]): unknown {
  if (!rows.every(isPair)) return rows;
  return Object.fromEntries(rows.filter(({ from, to }) => from || to).map(({ from = "", to = "" }) => [from, to]));
}

function isPair(row: unknown): row is Pair {
  return typeof row === "object" && row !== null && !Array.isArray(row);
}
