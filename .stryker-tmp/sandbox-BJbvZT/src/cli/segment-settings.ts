// @ts-nocheck
import { CALL_TYPES, type JsonObject } from "../events/segment-event";
import type { CarriedOver } from "../hosts/rudderstack/native-lambda";
import type { SettingsProblem } from "../settings/settings-error";

/** How each of Segment's settings is carried over; `undefined` where it has no equivalent that could be made of it. */
const CARRIED: Readonly<Record<string, (value: unknown) => JsonObject | undefined>> = {
  function: functions,
  // What Segment's own page calls it.
  lambda: functions,
  roleAddress: asIs("roleAddress"),
  externalId: asIs("externalId"),
  region: asIs("region"),
  logType,
  clientContext: (value) => {
    const map = mapOf(value);
    return map && { clientContext: map };
  },
};

/** The names of Segment's settings. */
export const SEGMENT_SETTINGS: readonly string[] = Object.keys(CARRIED);

/**
 * The settings that do what Segment's Amazon Lambda destination did with these.
 *
 * @param config Segment's names: `function` (or `lambda`), `roleAddress`, `externalId`, `region`, `logType`, `clientContext`
 */
export function fromSegment(config: Readonly<JsonObject>): CarriedOver {
  const settings: JsonObject = {};
  const lost: SettingsProblem[] = [];
  for (const [name, value] of Object.entries(config)) {
    if (value === undefined || value === null || value === "") continue;
    const carried = Object.hasOwn(CARRIED, name) ? CARRIED[name]?.(value) : undefined;
    if (carried) Object.assign(settings, carried);
    else
      lost.push({
        setting: name,
        problem: Object.hasOwn(CARRIED, name)
          ? "is in a form that is not known here"
          : "is no setting of Segment's Amazon Lambda destination",
      });
  }
  return {
    settings,
    lost,
    notes: [
      ...(settings["roleAddress"] === undefined
        ? []
        : [
            "roleAddress: the role trusts Segment's AWS account (595280932656). Name the identity that your router runs as in its trust policy instead.",
          ]),
      ...(settings["externalId"] === undefined
        ? [
            "externalId: Segment sends the ID of the Segment source. Here the default is the ID of your router's source: set externalId to the old one, or change the trust policy.",
          ]
        : []),
    ],
  };
}

function asIs(setting: string): (value: unknown) => JsonObject | undefined {
  return (value) => (typeof value === "string" ? { [setting]: value } : undefined);
}

/** One function, or a map of call types and track events to functions. */
function functions(value: unknown): JsonObject | undefined {
  if (typeof value === "string") return { lambda: value };
  const map = mapOf(value);
  if (!map) return undefined;
  const settings: JsonObject = {};
  const events: JsonObject = {};
  for (const [name, lambda] of Object.entries(map)) {
    const callType = CALL_TYPES.find((type) => type === name.toLowerCase());
    if (callType) settings[`${callType}Lambda`] = lambda;
    else events[name] = lambda;
  }
  return { ...settings, ...(Object.keys(events).length > 0 && { eventLambdas: events }) };
}

/** Segment has this as a word in some places and as a switch in others. */
function logType(value: unknown): JsonObject | undefined {
  if (value === true || value === "true" || value === "Tail") return { logType: "Tail" };
  return value === false || value === "false" || value === "None" ? { logType: "None" } : undefined;
}

/** A map, also where it is a list of pairs or the text of one. */
function mapOf(value: unknown): JsonObject | undefined {
  if (typeof value === "string") {
    try {
      return mapOf(JSON.parse(value));
    } catch {
      return undefined;
    }
  }
  if (Array.isArray(value)) {
    const pairs = value as readonly { key?: unknown; value?: unknown }[];
    return pairs.every((pair) => typeof pair?.key === "string")
      ? Object.fromEntries(pairs.map(({ key, value: to }) => [key, to]))
      : undefined;
  }
  return typeof value === "object" && value !== null ? (value as JsonObject) : undefined;
}
