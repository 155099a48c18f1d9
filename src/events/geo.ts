import type { JsonObject } from "./segment-event";

/** Segment's `context.location`: each field, and where a host's geo block keeps it, first match first. Jitsu nests, RudderStack does not. */
const LOCATION: readonly (readonly [field: string, places: readonly (readonly string[])[]])[] = [
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

/** The host's geo block as Segment's `context.location`; nothing where it says nothing that belongs there. */
export function locationFromGeo(geo: JsonObject): JsonObject | undefined {
  const location = Object.fromEntries(
    LOCATION.flatMap(([field, places]) => {
      const value = places.map((place) => at(geo, place)).find(isPlain);
      return value === undefined ? [] : [[field, value]];
    }),
  );
  const coordinates = geo["location"];
  const [, latitude, longitude] = (typeof coordinates === "string" && COORDINATES.exec(coordinates)) || [];
  if (latitude !== undefined) Object.assign(location, { latitude: Number(latitude), longitude: Number(longitude) });
  return Object.keys(location).length > 0 ? location : undefined;
}

function at(geo: JsonObject, place: readonly string[]): unknown {
  return place.reduce<unknown>((block, key) => (block as JsonObject | null | undefined)?.[key], geo);
}

function isPlain(value: unknown): value is string | number {
  return (typeof value === "string" && value !== "") || typeof value === "number";
}
