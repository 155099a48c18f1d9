// @ts-nocheck
import type { JsonObject } from "./segment-event";

type Place = readonly [key: string, inner?: string];

/** Segment's `context.location`: each field, and where a host's geo block keeps it, first match first. Jitsu nests, RudderStack does not. */
const LOCATION: readonly (readonly [field: string, places: readonly Place[]])[] = [
  ["city", [["city", "name"], ["city"]]],
  ["country", [["country", "name"], ["country", "code"], ["country"]]],
  ["region", [["region", "name"], ["region", "code"], ["region"]]],
  ["postalCode", [["postalCode", "code"], ["postal"]]],
  ["latitude", [["location", "latitude"]]],
  ["longitude", [["location", "longitude"]]],
  ["timezone", [["location", "timezone"], ["timezone"]]],
];

/** RudderStack's `location`: latitude and longitude in one text. */
const COORDINATES = /^(-?\d+(?:\.\d+)?),\s*(-?\d+(?:\.\d+)?)$/;

/** A host's geo block, taken apart. */
export interface Geo {
  /** What belongs into Segment's `context.location`. */
  readonly location: JsonObject;
  /** What has no place there; absent where nothing is left. */
  readonly rest?: JsonObject;
}

/** Takes a host's geo block apart; nothing where it says nothing that belongs into `context.location`. */
export function splitGeo(geo: JsonObject): Geo | undefined {
  const location: JsonObject = {};
  const taken: Place[] = [];
  for (const [field, places] of LOCATION) {
    const place = places.find((each) => isPlain(at(geo, each)));
    if (!place) continue;
    location[field] = at(geo, place);
    taken.push(place);
  }
  const coordinates = geo["location"];
  const [, latitude, longitude] = (typeof coordinates === "string" && COORDINATES.exec(coordinates)) || [];
  if (latitude !== undefined) {
    Object.assign(location, { latitude: Number(latitude), longitude: Number(longitude) });
    taken.push(["location"]);
  }
  if (taken.length === 0) return undefined;
  const rest = without(geo, taken);
  return { location, ...(rest && { rest }) };
}

function at(geo: JsonObject, [key, inner]: Place): unknown {
  const block = geo[key];
  return inner === undefined ? block : (block as JsonObject | null | undefined)?.[inner];
}

function isPlain(value: unknown): value is string | number {
  return (typeof value === "string" && value !== "") || typeof value === "number";
}

/** The block without what was taken from it, and without what then says nothing; absent where that is all. */
function without(block: JsonObject, taken: readonly Place[]): JsonObject | undefined {
  const left = Object.entries(block).flatMap(([key, value]): [string, unknown][] => {
    const here = taken.filter(([first]) => first === key);
    if (here.length === 0) return [[key, value]];
    const inner = here.flatMap(([, second]) => (second === undefined ? [] : [[second] as const]));
    const kept = inner.length < here.length ? undefined : without(value as JsonObject, inner);
    return kept ? [[key, kept]] : [];
  });
  return left.some(([, value]) => value !== null && value !== undefined && value !== "")
    ? Object.fromEntries(left)
    : undefined;
}
