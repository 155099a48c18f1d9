// @ts-nocheck
import schema from "../../../schemas/settings.schema.json";
import type { JsonObject } from "../../events/segment-event";
import { SETTINGS, type Setting } from "../../settings/setting-schemas";
import { CLOUD_MODE, SOURCE_TYPES } from "./source-types";

const FUNCTION = schema.definitions.route;

/** What the host fills in itself before a destination sees it: from the event, or from the server's environment. */
const TEMPLATE = "(^\\{\\{.*\\|\\|(.*)\\}\\}$)|(^env[.].+)";
/** A field that was left empty. */
const EMPTY = "^$";

/** The pattern for a setting's text: what the setting itself accepts, a field left empty, and the host's templates. */
export function textPattern(setting: Setting): string {
  return [TEMPLATE, EMPTY, ownPattern(setting)].join("|");
}

function ownPattern({
  type,
  pattern,
  enum: values,
  minLength = 0,
  maxLength,
  minimum = 0,
  maximum = 0,
  additionalProperties,
}: Setting): string {
  if (type === "integer") return `^\\s*0*(?:${wholeNumbers(minimum, maximum)})\\s*$`;
  if (type === "object") return mapPattern(typeof additionalProperties === "object");
  if (values) return `^(?:${values.join("|")})$`;
  return `^(?=[\\s\\S]{${minLength},${maxLength ?? ""}}$)(?:${pattern})`;
}

/** A pattern for a map as JSON text. What is nested in it no pattern can check, but a map of functions has one level. */
function mapPattern(ofFunctions: boolean): string {
  if (!ofFunctions) return "^\\s*\\{[\\s\\S]*\\}\\s*$";
  const member = `"(?:[^"\\\\]|\\\\.)*"\\s*:\\s*"(?=[^"]{1,${FUNCTION.maxLength}}")${FUNCTION.pattern.slice(1, -1)}"`;
  return `^\\s*\\{\\s*(?:${member}\\s*(?:,\\s*${member}\\s*)*)?\\}\\s*$`;
}

/** A pattern for the whole numbers from `min` to `max`, both at least 1. */
export function wholeNumbers(min: number, max: number): string {
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

/** `schema.json` of the destination in RudderStack's configuration repository. */
export function configSchema(): JsonObject {
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
      anyOf: schema.anyOf.map(({ required: [key = ""] }) => ({
        required: [key],
        properties: { [key]: filledIn(key) },
      })),
      allOf: Object.entries(schema.dependencies).map(([key, needed]) => ({
        if: { required: [key], properties: { [key]: filledIn(key) } },
        // biome-ignore lint/suspicious/noThenProperty: a keyword of JSON Schema.
        then: { required: needed, properties: Object.fromEntries(needed.map((other) => [other, filledIn(other)])) },
      })),
    },
  };
}

function settingSchema(setting: Setting): JsonObject {
  const text = { type: "string", pattern: textPattern(setting) };
  const withDefault = setting.default === undefined ? {} : { default: setting.default };
  if (setting.type === "string") return { ...text, ...withDefault };
  const { minimum, maximum } = setting;
  if (setting.type === "integer") return { anyOf: [{ type: "integer", minimum, maximum }, text], ...withDefault };
  const value = memberSchema(setting);
  return { anyOf: [{ type: "object", additionalProperties: value ?? true }, pairs(value), text] };
}

/** The schema of a map's values, where not any value will do: they are functions. */
function memberSchema({ additionalProperties }: Setting): JsonObject | undefined {
  if (typeof additionalProperties !== "object") return undefined;
  return {
    type: "string",
    pattern: `${TEMPLATE}|${ownPattern({ ...FUNCTION, type: "string" } as unknown as Setting)}`,
  };
}

/** A map as a form holds it: rows of two texts, of which those that were left empty count for nothing. */
function pairs(value: JsonObject = { type: "string" }): JsonObject {
  const empty = { type: "string", maxLength: 0 };
  return {
    type: "array",
    items: {
      type: "object",
      anyOf: [
        { properties: { from: empty, to: empty } },
        { properties: { from: { type: "string" }, to: value }, required: ["to"] },
      ],
    },
  };
}

/** Holds something, whatever that is: a text, a map or rows. */
function filledIn(key: string): JsonObject {
  const text = { type: "string", minLength: 1 };
  if (SETTINGS[key]?.type !== "object") return text;
  const row = { type: "object", properties: { to: text }, required: ["to"] };
  return {
    anyOf: [
      { type: "object", minProperties: 1 },
      { type: "array", contains: row },
      { ...text, pattern: "^(?!\\s*\\{\\s*\\}\\s*$)" },
    ],
  };
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
