import type { JsonObject } from "./segment-event";

/** Segment's `context.location`: each field, and where Jitsu's geo block keeps it, first match first. */
const LOCATION: readonly (readonly [field: string, paths: readonly (readonly [string, string])[]])[] = [
  ["city", [["city", "name"]]],
  [
    "country",
    [
      ["country", "name"],
      ["country", "code"],
    ],
  ],
  [
    "region",
    [
      ["region", "name"],
      ["region", "code"],
    ],
  ],
  ["postalCode", [["postalCode", "code"]]],
  ["latitude", [["location", "latitude"]]],
  ["longitude", [["location", "longitude"]]],
  ["timezone", [["location", "timezone"]]],
];

/** The host's geo block as Segment's `context.location`. */
export function locationFromGeo(geo: JsonObject): JsonObject {
  return Object.fromEntries(
    LOCATION.flatMap(([field, paths]) => {
      const value = paths
        .map(([block, key]) => (geo[block] as JsonObject | null | undefined)?.[key])
        .find((found) => found !== undefined);
      return value === undefined ? [] : [[field, value]];
    }),
  );
}
