import { isObject } from "../hosts/rudderstack/json-object";
import { isNativeLambda } from "../hosts/rudderstack/native-lambda";
import type { Imported } from "../local/page-server/protocol";
import { SETTING_KEYS } from "../settings/settings";
import { carryOver, configurationIn, ORIGINS, problemsOf } from "./migrate";

/** Settings out of a file of this destination's own, of Segment's, or of RudderStack's native LAMBDA destination. */
export function importSettings(text: string): Imported {
  let value: unknown;
  try {
    value = JSON.parse(text.replace(/^\uFEFF/, ""));
  } catch {
    return refused("This is not JSON.");
  }
  if (!isObject(value)) return refused("Settings are a JSON object.");
  const config = configurationIn(value);
  const keys = Object.keys(config);
  if (keys.length === 0) return refused("There is no setting in it.");
  // Segment's settings have names of ours, too: what is no good as ours is read as Segment's.
  if (keys.every((key) => SETTING_KEYS.includes(key)) && typeof config["logType"] !== "boolean")
    return { from: "settings of this destination", settings: config, notes: [], problems: problemsOf(config) };
  const origin = isNativeLambda(config) ? ORIGINS["rudderstack"] : ORIGINS["segment"];
  if (!origin?.settings.some((name) => Object.hasOwn(config, name)))
    return refused(
      "It holds no settings of this destination, of Segment's Amazon Lambda or of RudderStack's native LAMBDA.",
    );
  const { settings, lost, notes } = carryOver(config, origin);
  return {
    from: origin.destination,
    settings,
    notes: [...lost.map(({ setting, problem }) => `Not carried over: ${setting} ${problem}.`), ...notes],
    problems: problemsOf(settings),
  };
}

function refused(problem: string): Imported {
  return { notes: [], problems: [{ setting: "", problem }] };
}
