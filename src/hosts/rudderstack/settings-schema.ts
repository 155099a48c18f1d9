import schema from "../../../schemas/settings.schema.json";
import type { JsonObject } from "../../events/segment-event";
import { definitionOf, SETTINGS, type Setting } from "../../settings/setting-schemas";
import { CLOUD_MODE, SOURCE_TYPES } from "./source-types";

/** What the host fills in itself before a destination sees it: from the event, or from the server's environment. */
const TEMPLATE = "(^\\{\\{.*\\|\\|(.*)\\}\\}$)|(^env[.].+)";
/** A field that was left empty. */
const EMPTY = "^$";

type Text = Pick<Setting, "type" | "pattern" | "minLength" | "maxLength" | "minimum" | "maximum" | "x-expected">;

/**
 * The pattern for a text: what the setting itself accepts, a field left empty, and the host's templates. It begins with
 * what is expected, in words that match nothing, because the host's validator shows the pattern and nothing else.
 */
export function textPattern(setting: Text): string {
  const words = setting["x-expected"].replace(/[\\^$*+?()[\]{}|]/g, "\\$&");
  return [`${words}(?!)`, TEMPLATE, EMPTY, ownPattern(setting)].join("|");
}

function ownPattern({ type, pattern = "", minLength = 0, maxLength, minimum = 0, maximum = 0 }: Text): string {
  if (type === "integer") return `^\\s*0*(?:${wholeNumbers(minimum, maximum)})\\s*$`;
  if (minLength === 0 && maxLength === undefined) return pattern;
  return `^(?=[\\s\\S]{${minLength},${maxLength ?? ""}}$)${pattern.replace(/^\^/, "")}`;
}

/** A pattern for the whole numbers from `min` to `max`, without zeros in front of them. */
export function wholeNumbers(min: number, max: number): string {
  if (min === 0) return ["0", ...(max > 0 ? [wholeNumbers(1, max)] : [])].join("|");
  const blocks: string[] = [];
  for (let low = min; low <= max; ) {
    let digits = 0;
    while (low % 10 ** (digits + 1) === 0 && low + 10 ** (digits + 1) - 1 <= max) digits++;
    const size = 10 ** digits;
    const first = Math.floor(low / size) % 10;
    const last = Math.min(9, first + Math.floor((max - low + 1) / size) - 1);
    const head = Math.floor(low / size / 10) || "";
    blocks.push(`${head}${first === last ? first : `[${first}-${last}]`}${"\\d".repeat(digits)}`);
    low += size * (last - first + 1);
  }
  return blocks.join("|");
}

/**
 * `schema.json` of the destination in RudderStack's configuration repository. Fields are as its own script derives them
 * from `ui-config.json`; what holds for several of them stands in `allOf`.
 *
 * @param ambient whether settings without a role and without keys are the operator's will
 */
export function configSchema(ambient: boolean): JsonObject {
  return {
    configSchema: {
      $schema: "http://json-schema.org/draft-07/schema#",
      type: "object",
      required: [],
      additionalProperties: false,
      properties: {
        ...Object.fromEntries(Object.entries(SETTINGS).map(([key, setting]) => [key, settingSchema(setting)])),
        connectionMode: perSourceType({ type: "string", enum: [CLOUD_MODE] }),
        consentManagement: perSourceType(CONSENT),
      },
      allOf: [oneFunctionAtLeast(), ...pairsOfKeys(), ...(ambient ? [] : [roleOrKeys()])],
    },
  };
}

function settingSchema(setting: Setting): JsonObject {
  const { type, enum: values, default: preset } = setting;
  if (type === "object") return rows(setting);
  if (type === "boolean") return { type, default: preset };
  return values ? { type, enum: values, default: preset } : { type: "string", pattern: textPattern(setting) };
}

/** A map as a form holds it: rows of two texts, of which those that were left empty count for nothing. */
function rows({ additionalProperties }: Setting): JsonObject {
  const { $ref } = (additionalProperties ?? {}) as { $ref?: string };
  if ($ref === undefined) return listOf({ from: { type: "string" }, to: { type: "string" } });
  const to = { type: "string", pattern: textPattern({ type: "string", ...definitionOf($ref) }) };
  const halfEmpty = { properties: { from: FILLED_IN, to: LEFT_EMPTY }, required: ["from"] };
  return listOf({ from: { type: "string" }, to }, { not: halfEmpty });
}

function listOf(properties: JsonObject, more: JsonObject = {}): JsonObject {
  return { type: "array", items: { type: "object", properties, ...more } };
}

const FILLED_IN: JsonObject = { type: "string", minLength: 1 };
const LEFT_EMPTY: JsonObject = { type: "string", maxLength: 0 };

function oneFunctionAtLeast(): JsonObject {
  const [first = "", ...others] = schema.anyOf.map(({ required: [key = ""] }) => key);
  const leftEmpty = (key: string) => (SETTINGS[key]?.type === "object" ? listOf({ to: LEFT_EMPTY }) : LEFT_EMPTY);
  return rule({ properties: Object.fromEntries(others.map((key) => [key, leftEmpty(key)])) }, [first]);
}

function pairsOfKeys(): JsonObject[] {
  return Object.entries(schema.dependencies).map(([key, needed]) =>
    rule({ required: [key], properties: { [key]: FILLED_IN } }, needed),
  );
}

function roleOrKeys(): JsonObject {
  const keys = Object.keys(schema.dependencies);
  return rule({ properties: Object.fromEntries(keys.map((key) => [key, LEFT_EMPTY])) }, ["roleAddress"]);
}

function rule(condition: JsonObject, needed: readonly string[]): JsonObject {
  const properties = Object.fromEntries(needed.map((key) => [key, FILLED_IN]));
  // biome-ignore lint/suspicious/noThenProperty: a keyword of JSON Schema.
  return { if: condition, then: { required: needed, properties } };
}

function perSourceType(each: JsonObject): JsonObject {
  return { type: "object", properties: Object.fromEntries(SOURCE_TYPES.map((type) => [type, each])) };
}

/** The host's own consent filter, which every destination has. */
const CONSENT: JsonObject = {
  type: "array",
  items: {
    type: "object",
    properties: {
      provider: { type: "string", enum: ["custom", "iubenda", "ketch", "oneTrust"], default: "oneTrust" },
      consents: {
        type: "array",
        items: { type: "object", properties: { consent: { type: "string", pattern: `${TEMPLATE}|^(.{0,100})$` } } },
      },
    },
    allOf: [
      {
        if: { properties: { provider: { const: "custom" } }, required: ["provider"] },
        // biome-ignore lint/suspicious/noThenProperty: a keyword of JSON Schema.
        then: {
          properties: { resolutionStrategy: { type: "string", enum: ["and", "or"] } },
          required: ["resolutionStrategy"],
        },
      },
    ],
  },
};
