import form from "../../../schemas/settings.form.json";
import type { JsonObject } from "../../events/segment-event";
import { workspaceConfig } from "../../hosts/rudderstack/settings-form";
import { cloudFormationTemplate, invokerRole, parseSettings } from "../../index";
import type { OperatorPolicy } from "../../settings/operator-policy";
import { SETTINGS } from "../../settings/setting-schemas";
import { SettingsError, type SettingsProblem } from "../../settings/settings-error";
import type { Exported, ExportFormat, ExportRequest, Mask, Problems, SettingsForm } from "./protocol";

/** Stands where a secret is: none leaves the server. */
export const MASK: Mask = "••••••••";

const SECRETS: readonly string[] = Object.keys(SETTINGS).filter((key) => SETTINGS[key]?.writeOnly);
const FUNCTIONS: readonly string[] = Object.keys(SETTINGS).filter((key) => SETTINGS[key]?.$ref !== undefined);

/** Whom a role trusts, where nobody has said. */
const EXAMPLE_PRINCIPAL = "arn:aws:iam::111122223333:role/router";

/** The form's fields and their layout. What makes a value right is asked of the server, which has the one validator. */
export function settingsForm(): SettingsForm {
  const properties = Object.entries(SETTINGS).map(([key, setting]) => {
    const { title, description, type, enum: choices, default: preset, minimum, maximum } = setting;
    const values =
      key === "eventLambdas" || key === "clientContext" ? { additionalProperties: { type: "string" } } : {};
    return [
      key,
      {
        title,
        description,
        type,
        ...(choices && { enum: choices, default: preset }),
        ...(minimum !== undefined && { minimum, maximum }),
        ...values,
      },
    ];
  });
  return {
    schema: { type: "object", properties: Object.fromEntries(properties) },
    groups: form.groups,
    examples: Object.fromEntries(
      Object.entries(SETTINGS).flatMap(([key, { examples, default: preset, type }]) => {
        const shown = type === "object" ? undefined : (preset ?? examples[0]);
        return shown === undefined || SECRETS.includes(key) ? [] : [[key, String(shown)]];
      }),
    ),
    secrets: SECRETS,
    functions: FUNCTIONS,
  };
}

export function masked(settings: JsonObject): JsonObject {
  return replaced(settings, () => MASK);
}

/** What the page sends back, with the secrets that it has not seen. */
export function unmasked(settings: JsonObject, before: JsonObject): JsonObject {
  return Object.fromEntries(
    Object.entries(settings).flatMap(([key, value]) => {
      if (!SECRETS.includes(key) || value !== MASK) return [[key, value]];
      return before[key] === undefined ? [] : [[key, before[key]]];
    }),
  );
}

/** Where a secret has to be filled in. */
function withPlaceholders(settings: JsonObject): JsonObject {
  return replaced(settings, (key) => `<${SETTINGS[key]?.title}>`);
}

function replaced(settings: JsonObject, by: (key: string) => string): JsonObject {
  return Object.fromEntries(
    Object.entries(settings).map(([key, value]) => [
      key,
      SECRETS.includes(key) && value !== undefined && value !== "" ? by(key) : value,
    ]),
  );
}

export function problemsOf(settings: unknown, operator: OperatorPolicy): readonly SettingsProblem[] {
  return problemsIn(() => parseSettings(settings, operator)).problems;
}

function problemsIn(check: () => unknown): Problems {
  try {
    check();
    return { problems: [] };
  } catch (error) {
    if (error instanceof SettingsError) return { problems: error.problems };
    throw error;
  }
}

interface Export {
  readonly filename: string;
  readonly text: string;
  readonly notes?: readonly string[];
}

const EXPORTS: Readonly<Record<ExportFormat, (settings: JsonObject, request: ExportRequest) => Export>> = {
  settings: (settings) => ({ filename: "settings.json", text: json(withPlaceholders(settings)) }),
  rudderstack: (settings, { source }) => ({
    filename: "workspaceConfig.json",
    text: json(
      workspaceConfig(withPlaceholders(settings), {
        workspaceId: "amazon-lambda-workspace",
        sourceId: source,
        writeKey: "<write key>",
      }),
    ),
    notes: ["Set writeKey to the key that your senders of events use."],
  }),
  jitsu: (settings) => ({
    filename: "jitsu-variables.env",
    text: Object.entries(withPlaceholders(settings))
      .map(([key, value]) => `${key}=${typeof value === "object" ? JSON.stringify(value) : value}\n`)
      .join(""),
    notes: ["These are the variables of the function that is deployed to a running Jitsu; maps are JSON."],
  }),
  cloudformation: (settings, { principal, source }) => ({
    filename: "amazon-lambda-destination.cloudformation.yaml",
    text: cloudFormationTemplate(
      invokerRole(settings, { principalArn: principal || EXAMPLE_PRINCIPAL, externalIds: [source] }),
    ),
    notes: principal
      ? []
      : [
          `The role trusts ${EXAMPLE_PRINCIPAL}, which is only an example: enter the IAM role or user that your router runs as.`,
        ],
  }),
};

/** The settings in a form that something else takes. Secrets are placeholders. */
export function exported(settings: JsonObject, request: ExportRequest, operator: OperatorPolicy): Exported {
  let made: Export | undefined;
  const { problems } = problemsIn(() => {
    parseSettings(settings, { ...operator, allowAmbientCredentials: true });
    made = EXPORTS[request.format](settings, request);
  });
  if (!made) return { problems, notes: [] };
  const secrets = SECRETS.filter((key) => settings[key] !== undefined && settings[key] !== "");
  const shown = secrets.filter((key) => made?.text.includes(`<${SETTINGS[key]?.title}>`));
  const fillIn = shown.length > 0 ? [`Fill in what is in angle brackets: ${shown.join(", ")}.`] : [];
  return { problems, filename: made.filename, text: made.text, notes: [...(made.notes ?? []), ...fillIn] };
}

export function isExportFormat(format: unknown): format is ExportFormat {
  return typeof format === "string" && Object.hasOwn(EXPORTS, format);
}

function json(value: unknown): string {
  return `${JSON.stringify(value, null, 2)}\n`;
}
