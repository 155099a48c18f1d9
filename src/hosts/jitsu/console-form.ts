import form from "../../../schemas/settings.form.json";
import { definitionOf, SETTINGS, type Setting } from "../../settings/setting-schemas";
import { LONGEST_DELIVERY_MS } from "./longest-delivery";
import { MASKED_SECRET } from "./masked-secret";

/** First words of the file that the console gets, by which it is known as ours. */
export const FORM_MARK = "// Added by amazon-lambda-destination";

interface Group {
  readonly title: string;
  readonly fields: readonly string[];
  readonly advanced?: boolean;
}

const GROUPS: readonly Group[] = form.groups;

/** In the order of the form, each setting with its group. */
const FIELDS = GROUPS.flatMap((group) =>
  group.fields.map((key) => ({ key, group, setting: SETTINGS[key] as Setting })),
);

type Field = (typeof FIELDS)[number];

/** What the console shows otherwise than the settings' schema says. */
const IN_THIS_HOST: Readonly<Record<string, { placeholder?: string }>> = {
  externalId: { placeholder: "the source's ID" },
};

/** What settings refer to, by the name that the console's file gives it. */
const DEFINITIONS: Readonly<Record<string, string>> = {
  "#/definitions/function": "lambdaFunction",
  "#/definitions/route": "lambdaRoute",
};

/** A pattern longer than this is not shown to anybody. */
const READABLE_PATTERN = 75;
/** What names and ARNs consist of. */
const NAME = "[\\w$+=,.@:/()-]+";

/**
 * A source file for Jitsu's console with everything about the destination but the options that all destinations share:
 * id, title, icon, the form as a zod object and how it is shown. Made from the settings' schema: each field accepts what
 * the schema accepts, nothing, and the console's mask where it masks. Rules about several settings (one function
 * at least, both keys or none) are not the form's: the console merges these settings into the rest of a destination, and
 * a rule of the whole object would get lost. The first event's result tells them.
 *
 * The console checks twice: in the browser, from the JSON Schema that zod-to-json-schema makes of the fields, with
 * messages that show a pattern as it is; and on the server, with zod itself.
 *
 * @param version of this package
 * @param maxTimeoutMs milliseconds that the rotor's operator lets a delivery take
 */
export function consoleForm(version: string, maxTimeoutMs = LONGEST_DELIVERY_MS): string {
  const fields = FIELDS.map((field) => (field.key === "timeoutMs" ? capped(field, maxTimeoutMs) : field));
  return `${FORM_MARK} ${version}. \`install jitsu\` writes this file anew, \`uninstall jitsu\` removes it.
import { z } from "zod";

/** Stands in forms for a secret that the console keeps to itself. */
const MASKED_SECRET = ${JSON.stringify(MASKED_SECRET)};

/** Nothing but blanks is nothing: the console keeps a field's old value where it gets none at all. */
const given = (value: unknown) => {
  const trimmed = typeof value === "string" ? value.trim() : value;
  return trimmed === "" ? undefined : trimmed;
};

/**
 * A text or nothing. Browsers check its shape only, and show the pattern where it does not match: it begins with what is
 * expected, in words that match nothing.
 */
const text = (expected: string, shape: string, accepts: (value: string) => boolean) =>
  z.preprocess(
    given,
    z
      .string()
      .regex(new RegExp(\`\${expected.replace(/[^\\w ,.:;'"@=/-]/g, "\\\\$&")}(?!)|^\\\\s*(?:\${shape})?\\\\s*$\`))
      .refine(accepts, { message: \`Must be \${expected}\` })
      .optional()
  );

const matches = (pattern: string, least = 0, most = Infinity) => {
  const regExp = new RegExp(pattern, "u");
  return (value: unknown) =>
    typeof value === "string" && value.length >= least && value.length <= most && regExp.test(value);
};

${Object.entries(DEFINITIONS)
  .map(([ref, name]) => `const ${name} = ${matching(definitionOf(ref))};\n`)
  .join("\n")}
/** A map as JSON text, because entries that are missing would keep their old values as well. Maps themselves are taken too. */
const map = (expected: string, accepts: (value: unknown) => boolean, most = Infinity) =>
  z.preprocess(
    value => (typeof value === "object" && value !== null ? JSON.stringify(value) : value),
    text(expected, "\\\\{[\\\\s\\\\S]*\\\\}", json => {
      try {
        const value: unknown = JSON.parse(json);
        if (typeof value !== "object" || value === null || Array.isArray(value)) return false;
        return Object.keys(value).length <= most && Object.values(value).every(accepts);
      } catch {
        return false;
      }
    })
  );

const unmasked = (accepts: (value: string) => boolean) => (value: string) => value === MASKED_SECRET || accepts(value);

export const amazonLambda = {
  id: "amazon-lambda",
  title: "Amazon Lambda",
  tags: "Special",
  icon: (
    <svg width="100%" height="100%" viewBox="0 0 64 64" xmlns="http://www.w3.org/2000/svg">
      <rect width="64" height="64" rx="8" fill="#ed7100" />
      <path d="M17 12h14l17 34h4v7h-9L26 19h-9z M26 27l5 9-9 17H12z" fill="#fff" />
    </svg>
  ),
  description:
    "Sends events to AWS Lambda functions, a function per call type, through an IAM role that Jitsu assumes with an external ID.",
  credentials: z.object({
${fields.map((field) => `    ${field.key}: ${zodField(field)},`).join("\n")}
  }),
  credentialsUi: {
${FIELDS.map((field) => `    ${field.key}: ${JSON.stringify(ui(field))},`).join("\n")}
  },
};
`;
}

/** The field as the rotor takes it: what is above is lowered there, so that the form need not offer it. */
function capped(field: Field, maxTimeoutMs: number): Field {
  const { description, default: preset } = field.setting;
  const why = `At most ${maxTimeoutMs}: a slow delivery holds up other destinations, and in older versions of Jitsu one of 10 s has events delivered twice.`;
  return {
    ...field,
    setting: {
      ...field.setting,
      maximum: maxTimeoutMs,
      default: Math.min(Number(preset), maxTimeoutMs),
      description: `${description} ${why}`,
    },
  };
}

function ui({ key, group, setting }: Field): object {
  const { type, enum: values, writeOnly, examples } = setting;
  return {
    displayName: label({ group, setting }),
    ...(type === "string" && !values && !writeOnly && { placeholder: examples[0] }),
    ...(type === "object" && JSON_EDITOR),
    ...(writeOnly && { password: true }),
    ...(group.advanced && { advanced: true }),
    ...IN_THIS_HOST[key],
  };
}

/** The console's own editor of JSON text. */
const JSON_EDITOR = {
  editor: "CodeEditor",
  editorProps: { language: "json", height: "120px", monacoOptions: { lineNumbers: "off" } },
};

function label({ group, setting }: Omit<Field, "key">): string {
  return `${group.title} · ${setting.title}`;
}

/** The zod type of a setting, with its label and help as the console takes them out of a description. */
function zodField({ key, group, setting }: Field): string {
  const help = `${label({ group, setting })}::${escapeHtml(helpFor(key, setting))}`;
  return `${zodType(setting)}.describe(${JSON.stringify(help)})`;
}

function helpFor(key: string, { description, type, examples }: Setting): string {
  const first = key === FIELDS[0]?.key ? " Set a function here, or for a call type or an event." : "";
  const example = type === "object" ? ` As JSON, for example ${JSON.stringify(examples[0])}` : "";
  return `${description}${first}${example}`;
}

function zodType(setting: Setting): string {
  const { type, enum: values, minimum, maximum, default: preset, "x-expected": expected } = setting;
  const absent = preset === undefined ? ".optional()" : `.default(${JSON.stringify(preset)})`;
  if (values) return `z.enum(${JSON.stringify(values)})${absent}`;
  if (type === "boolean") return `z.boolean()${absent}`;
  if (type === "integer") return `z.number().int()${limit("min", minimum)}${limit("max", maximum)}${absent}`;
  if (type === "object") return `map(${[JSON.stringify(expected), ...members(setting)].join(", ")})`;
  const accepts = DEFINITIONS[setting.$ref ?? ""] ?? matching(setting);
  return `text(${[expected, shape(setting)].map((string) => JSON.stringify(string)).join(", ")}, ${setting.writeOnly ? `unmasked(${accepts})` : accepts})`;
}

/** The pattern that a browser checks and shows. */
function shape({ pattern = "", writeOnly }: Setting): string {
  const own = pattern.length > READABLE_PATTERN ? NAME : pattern.replace(/^\^|\$$/g, "");
  return writeOnly ? `${MASKED_SECRET}|${own}` : own;
}

/** Source of the predicate over a text. */
function matching({
  pattern = "",
  minLength = 0,
  maxLength,
}: Pick<Setting, "pattern" | "minLength" | "maxLength">): string {
  const limits = maxLength === undefined && minLength === 0 ? [] : [minLength, maxLength ?? "Infinity"];
  return `matches(${[JSON.stringify(pattern), ...limits].join(", ")})`;
}

/** Source of the predicate over a map's values, and how many there may be. */
function members({ additionalProperties, maxProperties }: Setting): unknown[] {
  const { $ref = "" } = (additionalProperties ?? {}) as { $ref?: string };
  const member = DEFINITIONS[$ref] ?? "() => true";
  return maxProperties === undefined ? [member] : [member, maxProperties];
}

function limit(method: "min" | "max", value: number | undefined): string {
  return value === undefined ? "" : `.${method}(${value})`;
}

function escapeHtml(text: string): string {
  return text.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll(">", "&gt;");
}
