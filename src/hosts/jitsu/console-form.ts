import form from "../../../schemas/settings.form.json";
import schema from "../../../schemas/settings.schema.json";

/** First words of the file that the console gets, by which it is known as ours. */
export const FORM_MARK = "// Added by amazon-lambda-destination";

interface SettingSchema {
  readonly $ref?: string;
  readonly title?: string;
  readonly description?: string;
  readonly type?: string;
  readonly enum?: readonly string[];
  readonly minLength?: number;
  readonly maxLength?: number;
  readonly pattern?: string;
  readonly minimum?: number;
  readonly maximum?: number;
  readonly default?: unknown;
  readonly additionalProperties?: boolean | SettingSchema;
  readonly writeOnly?: boolean;
  readonly examples?: readonly unknown[];
  readonly "x-expected"?: string;
}

const PROPERTIES = schema.properties as Readonly<Record<string, SettingSchema>>;

/** In the order of the form. */
const KEYS: readonly string[] = form.groups.flatMap(({ fields }) => fields);

/** What the console shows otherwise than the settings' schema says. */
const IN_THIS_HOST: Readonly<Record<string, { placeholder?: string; hidden?: true }>> = {
  externalId: { placeholder: "the source's ID" },
  // Jitsu hands over one event at a time.
  maxBatchSize: { hidden: true },
};

/**
 * A source file for Jitsu's console with everything about the destination but the options that all destinations share:
 * id, title, icon, the form as a zod object and how it is shown. Made from the settings' schema: the zod object accepts
 * exactly what the schema accepts.
 *
 * @param version of this package
 */
export function consoleForm(version: string): string {
  return `${FORM_MARK} ${version}. \`install jitsu\` writes this file anew, \`uninstall jitsu\` removes it.
import { z } from "zod";

type Settings = Record<string, unknown>;

const given = (settings: Settings, ...keys: string[]) => keys.filter(key => settings[key] !== undefined).length;

/**
 * A rule about several settings, checked where one of them is: the console merges these settings into the rest of a
 * destination, and a rule of the whole object would get lost.
 */
function together<Field extends z.ZodTypeAny>(field: Field, message: string, holds: (settings: Settings) => boolean): Field {
  const parse = field._parse.bind(field);
  field._parse = input => {
    if (holds(input.parent.data)) return parse(input);
    z.addIssueToContext(field._getOrReturnCtx(input), { code: z.ZodIssueCode.custom, message });
    return z.INVALID;
  };
  return field;
}

const lambdaFunction = ${zodType(schema.definitions.function)};

const lambdaRoute = ${zodType(schema.definitions.route)};

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
${KEYS.map((key) => `    ${key}: ${field(key)},`).join("\n")}
  }),
  credentialsUi: {
${KEYS.map((key) => `    ${key}: { ${literals(ui(key)).join(", ")} },`).join("\n")}
  },
};
`;
}

function ui(key: string): object {
  const { title, $ref, type, enum: values, writeOnly, examples = [] } = PROPERTIES[key] ?? {};
  const [example] = $ref ? schema.definitions.function.examples : examples;
  const isText = ($ref || type === "string") && !values && !writeOnly;
  return {
    displayName: title,
    ...(isText && { placeholder: example }),
    ...(writeOnly && { password: true }),
    ...IN_THIS_HOST[key],
  };
}

function literals(object: object): string[] {
  return Object.entries(object).map(([key, value]) => `${key}: ${JSON.stringify(value)}`);
}

/** The zod type of a setting, with its label and help as the console takes them out of a description. */
function field(key: string): string {
  const property = PROPERTIES[key] ?? {};
  const absent = property.default === undefined ? "optional()" : `default(${JSON.stringify(property.default)})`;
  const help = `${property.title}::${escapeHtml(property.description ?? "")}`;
  const type = `${zodType(property)}\n      .${absent}\n      .describe(${JSON.stringify(help)})`;
  const rules = [...functionRule(key), ...dependencyRules(key)];
  return rules.reduce(
    (inner, { message, holds }) =>
      `together(\n      ${inner},\n      ${JSON.stringify(message)},\n      ${holds}\n    )`,
    type,
  );
}

interface Rule {
  readonly message: string;
  /** Source of a predicate over the settings as they were given. */
  readonly holds: string;
}

/** The schema's `anyOf`: one of these settings at least, and of a map at least one entry. Told at the first of them. */
function functionRule(key: string): Rule[] {
  const required = schema.anyOf.map(({ required: [name = ""], ...more }) => ({ name, map: "properties" in more }));
  if (key !== required[0]?.name) return [];
  const names = required.filter(({ map }) => !map).map(({ name }) => JSON.stringify(name));
  const maps = required.filter(({ map }) => map).map(({ name }) => `Object.keys(settings.${name} ?? {}).length > 0`);
  return [
    {
      message: "Set a function: this one, or one for a call type or an event",
      holds: `settings => ${[`given(settings, ${names.join(", ")}) > 0`, ...maps].join(" || ")}`,
    },
  ];
}

function dependencyRules(key: string): Rule[] {
  const needed = (schema.dependencies as Readonly<Record<string, readonly string[]>>)[key] ?? [];
  return needed.map((other) => ({
    message: `${PROPERTIES[key]?.title} needs ${PROPERTIES[other]?.title}`,
    holds: `settings => given(settings, ${JSON.stringify(key)}) <= given(settings, ${JSON.stringify(other)})`,
  }));
}

function zodType(property: SettingSchema): string {
  const { type, enum: values, minLength, maxLength, pattern, minimum, maximum, additionalProperties } = property;
  if (property.$ref) return property.$ref === "#/definitions/route" ? "lambdaRoute" : "lambdaFunction";
  if (values) return `z.enum(${JSON.stringify(values)})`;
  if (type === "integer") return `z.number().int()${limit("min", minimum)}${limit("max", maximum)}`;
  if (type === "object") {
    const value = typeof additionalProperties === "object" ? zodType(additionalProperties) : "z.unknown()";
    return `z.object({}).catchall(${value})`;
  }
  const message = JSON.stringify(`Must be ${property["x-expected"]}`);
  const regex = pattern === undefined ? "" : `.regex(new RegExp(${JSON.stringify(pattern)}, "u"), ${message})`;
  return `z.string()${limit("min", minLength)}${limit("max", maxLength)}${regex}`;
}

function limit(method: "min" | "max", value: number | undefined): string {
  return value === undefined ? "" : `.${method}(${value})`;
}

function escapeHtml(text: string): string {
  return text.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll(">", "&gt;");
}
