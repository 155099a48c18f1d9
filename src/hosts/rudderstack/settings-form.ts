import layout from "../../../schemas/settings.form.json";
import { CALL_TYPES, type JsonObject } from "../../events/segment-event";
import { definitionOf, SETTINGS, type Setting } from "../../settings/setting-schemas";
import { DESTINATION_TYPE } from "./contract";
import { configSchema, textPattern } from "./settings-schema";
import { CLOUD_MODE, SOURCE_TYPES } from "./source-types";
import { validationData } from "./validation-data";

const DISPLAY_NAME = "Amazon Lambda";
const FOLDER = DESTINATION_TYPE.toLowerCase();

/**
 * The files that make a destination known to a control plane, by their paths in its configuration repository.
 *
 * @param options.ambient whether settings without a role and without keys are the operator's will; they are refused unless so
 */
export function settingsForm({ ambient = false } = {}): Readonly<Record<string, JsonObject | readonly JsonObject[]>> {
  const folder = `src/configurations/destinations/${FOLDER}`;
  return {
    [`${folder}/db-config.json`]: definition(),
    [`${folder}/schema.json`]: configSchema(ambient),
    [`${folder}/ui-config.json`]: uiConfig(),
    [`test/data/validation/destinations/${FOLDER}.json`]: validationData(ambient),
  };
}

function definition(): JsonObject {
  return { name: DESTINATION_TYPE, displayName: DISPLAY_NAME, config: definitionConfig() };
}

function definitionConfig(): JsonObject {
  const perSourceType = (value: unknown) => Object.fromEntries(SOURCE_TYPES.map((type) => [type, value]));
  return {
    transformAtV1: "router",
    // The outcome of a delivery, with the log tail, is kept for events that succeeded too.
    saveDestinationResponse: true,
    supportedSourceTypes: SOURCE_TYPES,
    supportedMessageTypes: { [CLOUD_MODE]: CALL_TYPES },
    supportedConnectionModes: perSourceType([CLOUD_MODE]),
    destConfig: {
      defaultConfig: Object.keys(SETTINGS),
      ...perSourceType(["connectionMode", "consentManagement"]),
    },
    secretKeys: Object.keys(SETTINGS).filter((key) => SETTINGS[key]?.writeOnly),
  };
}

/** In the first tab, which a new destination is created from: the function, the role and what belongs to it. */
const FIRST_TAB: readonly string[] = ["lambda", "roleAddress", "externalId", "region"];

/** Holds always. A field of the first tab that depends on nothing would be mandatory, and none of these is by itself. */
const IN_CLOUD_MODE: JsonObject = { fields: [{ configKey: "connectionModes.cloud", value: true }] };

const isMap = (key: string) => SETTINGS[key]?.type === "object";

function uiConfig(): JsonObject {
  const maps = layout.groups.flatMap(({ fields }) => fields.filter(isMap));
  return {
    uiConfig: {
      baseTemplate: [
        {
          title: "Initial setup",
          note: "Review how this destination is set up",
          sections: [
            {
              groups: [
                {
                  title: "Connection settings",
                  note: "The function that gets the events, and the IAM role that the server assumes to invoke it. Functions for single call types are set later.",
                  icon: "settings",
                  fields: FIRST_TAB.map((key) => ({ ...field(key), preRequisites: IN_CLOUD_MODE })),
                },
              ],
            },
            {
              groups: [
                {
                  title: "Connection mode",
                  note: "Events reach AWS Lambda through the server.",
                  icon: "sliders",
                  fields: [],
                },
              ],
            },
          ],
        },
        {
          title: "Mappings",
          note: "Functions for single events, and what functions get besides the event",
          hideEditIcon: true,
          sections: [
            {
              groups: [
                {
                  title: "Mappings",
                  fields: maps.map((key) => ({
                    type: "redirect",
                    redirectGroupKey: key,
                    label: SETTINGS[key]?.title,
                  })),
                },
              ],
            },
          ],
        },
        {
          title: "Configuration settings",
          note: "Manage the settings for your destination",
          sections: [
            {
              title: "Destination settings",
              note: "Configure advanced destination-specific settings here",
              icon: "settings",
              groups: layout.groups
                .map(({ title, help: note, fields }) => ({
                  title,
                  note,
                  fields: fields.filter((key) => !isMap(key) && !FIRST_TAB.includes(key)).map(field),
                }))
                .filter(({ fields }) => fields.length > 0),
            },
            {
              id: "consentSettings",
              title: "Consent settings",
              note: "Configure consent settings for each provider here",
              icon: "settings",
              groups: [],
            },
          ],
        },
      ],
      redirectGroups: Object.fromEntries(maps.map((key) => [key, { fields: [field(key)] }])),
      sdkTemplate: { title: "SDK settings", note: "not visible in the ui", fields: [] },
      consentSettingsTemplate: { title: "Consent settings", note: "not visible in the ui", fields: [CONSENT_FIELD] },
    },
  };
}

/** What the two columns of a map are called. */
const COLUMNS: Readonly<Record<string, readonly [string, string]>> = {
  eventLambdas: ["Track event name", "Lambda"],
};

function field(configKey: string): JsonObject {
  const setting = SETTINGS[configKey] as Setting;
  const { title: label, description: note, type, enum: values, default: preset, writeOnly } = setting;
  const common = { label, note, configKey };
  if (values) {
    return {
      type: "singleSelect",
      ...common,
      options: values.map((value) => ({ label: value, value })),
      default: preset,
    };
  }
  if (type === "boolean") return { type: "checkbox", ...common, default: preset };
  if (type === "object") return { type: "mapping", ...common, default: [], columns: columns(configKey, setting) };
  return {
    type: "textInput",
    ...common,
    ...checked(setting),
    placeholder: `e.g. ${setting.examples[0]}`,
    required: false,
    ...(preset !== undefined && { default: String(preset) }),
    ...(writeOnly && { secret: true }),
  };
}

function checked(setting: Parameters<typeof textPattern>[0]): JsonObject {
  return { regex: textPattern(setting), regexErrorMessage: `Must be ${setting["x-expected"]}` };
}

function columns(configKey: string, { additionalProperties, examples }: Setting): JsonObject[] {
  const [[from, to] = []] = Object.entries(examples[0] as Record<string, string>);
  const [left, right] = COLUMNS[configKey] ?? ["Key", "Value"];
  const { $ref } = (additionalProperties ?? {}) as { $ref?: string };
  return [
    { type: "textInput", configKey: "from", label: left, placeholder: `e.g. ${from}` },
    {
      type: "textInput",
      configKey: "to",
      label: right,
      placeholder: `e.g. ${to}`,
      ...($ref !== undefined && checked({ type: "string", ...definitionOf($ref) })),
    },
  ];
}

const CONSENT_FIELD: JsonObject = {
  type: "dynamicCustomForm",
  configKey: "consentManagement",
  default: [],
  rowFields: [
    {
      type: "singleSelect",
      label: "Consent management provider",
      configKey: "provider",
      options: [
        { label: "Custom", value: "custom" },
        { label: "iubenda", value: "iubenda" },
        { label: "Ketch", value: "ketch" },
        { label: "OneTrust", value: "oneTrust" },
      ],
      default: "oneTrust",
      required: true,
    },
    {
      type: "singleSelect",
      label: "How several consents are combined",
      configKey: "resolutionStrategy",
      options: [
        { label: "AND", value: "and" },
        { label: "OR", value: "or" },
      ],
      required: true,
      variant: "badge",
      preRequisites: { fields: [{ configKey: "provider", value: "custom" }] },
    },
    {
      type: "tagInput",
      label: "Consent category IDs",
      note: "Press Enter after each. IDs last longer than names.",
      configKey: "consents",
      tagKey: "consent",
      placeholder: "e.g. Marketing",
      default: [{ consent: "" }],
    },
  ],
};

/** Who and what a workspace configuration is for. */
export interface Workspace {
  readonly workspaceId: string;
  /** The external ID, where the settings have none. */
  readonly sourceId: string;
  readonly writeKey: string;
}

/**
 * A whole `workspaceConfig.json`: one HTTP source, connected to one destination with these settings, for a server that
 * runs without a control plane (`RSERVER_BACKEND_CONFIG_CONFIG_FROM_FILE=true`).
 */
export function workspaceConfig(settings: JsonObject, { workspaceId, sourceId, writeKey }: Workspace): JsonObject {
  const destinationId = `${sourceId}-amazon-lambda`;
  return {
    enableMetrics: false,
    workspaceId,
    sources: [
      {
        id: sourceId,
        name: "HTTP source",
        writeKey,
        enabled: true,
        deleted: false,
        workspaceId,
        config: {},
        sourceDefinitionId: "http",
        sourceDefinition: { id: "http", name: "HTTP", displayName: "HTTP", category: "", options: null },
        dgSourceTrackingPlanConfig: null,
        destinations: [
          {
            id: destinationId,
            name: DISPLAY_NAME,
            enabled: true,
            deleted: false,
            workspaceId,
            config: settings,
            secretConfig: {},
            transformations: [],
            isConnectionEnabled: true,
            isProcessorEnabled: true,
            destinationDefinitionId: FOLDER,
            destinationDefinition: {
              id: FOLDER,
              name: DESTINATION_TYPE,
              displayName: DISPLAY_NAME,
              category: null,
              config: definitionConfig(),
            },
          },
        ],
      },
    ],
    libraries: [],
  };
}
