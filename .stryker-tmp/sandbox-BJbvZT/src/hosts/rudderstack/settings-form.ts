// @ts-nocheck
import layout from "../../../schemas/settings.form.json";
import { CALL_TYPES, type JsonObject } from "../../events/segment-event";
import { SETTINGS, type Setting } from "../../settings/setting-schemas";
import { DESTINATION_TYPE } from "./contract";
import { configSchema, textPattern } from "./settings-schema";
import { CLOUD_MODE, SOURCE_TYPES } from "./source-types";

const DISPLAY_NAME = "Amazon Lambda";

/** The files that make a destination known to a control plane, by name. */
export function settingsForm(): Readonly<Record<string, JsonObject>> {
  return { "db-config.json": definition(), "schema.json": configSchema(), "ui-config.json": uiConfig() };
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

function uiConfig(): JsonObject {
  const groups = layout.groups.map(({ title, help, fields }) => ({
    title,
    note: help,
    icon: "settings",
    fields: fields.map((key) => field(key, SETTINGS[key] as Setting)),
  }));
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
                  title: "Connection mode",
                  note: "Events reach AWS Lambda through the server. Which functions get them is set below.",
                  icon: "sliders",
                  fields: [],
                },
              ],
            },
          ],
        },
        {
          // The fields of the first part are all mandatory; here none is mandatory by itself.
          title: "Configuration settings",
          note: "Manage the settings for your destination",
          sections: groups.map((group) => ({
            title: group.title,
            note: group.note,
            icon: "settings",
            groups: [group],
          })),
        },
      ],
      sdkTemplate: { title: "SDK settings", note: "not visible in the ui", fields: [] },
      consentSettingsTemplate: { title: "Consent settings", note: "not visible in the ui", fields: [CONSENT_FIELD] },
    },
  };
}

/** What the two columns of a map are called. */
const COLUMNS: Readonly<Record<string, readonly [string, string]>> = {
  eventLambdas: ["Track event name", "Lambda"],
};

function field(configKey: string, setting: Setting): JsonObject {
  const { title: label, description: note, type, enum: values, default: preset, examples, writeOnly } = setting;
  const [example] = examples;
  const common = { label, note, configKey };
  if (values) {
    return {
      type: "singleSelect",
      ...common,
      options: values.map((value) => ({ label: value, value })),
      default: preset,
    };
  }
  if (type === "object") {
    const [[left, right] = []] = Object.entries(example as Record<string, string>);
    const [labelLeft, labelRight] = COLUMNS[configKey] ?? ["Key", "Value"];
    return {
      type: "dynamicForm",
      ...common,
      labelLeft,
      labelRight,
      keyLeft: "from",
      keyRight: "to",
      placeholderLeft: `e.g. ${left}`,
      placeholderRight: `e.g. ${right}`,
      default: [],
    };
  }
  return {
    type: "textInput",
    ...common,
    regex: textPattern(setting),
    regexErrorMessage: `${label} must be ${setting["x-expected"]}`,
    placeholder: `e.g. ${example}`,
    required: false,
    ...(preset !== undefined && { default: String(preset) }),
    ...(writeOnly && { secret: true }),
  };
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
            destinationDefinitionId: DESTINATION_TYPE.toLowerCase(),
            destinationDefinition: {
              id: DESTINATION_TYPE.toLowerCase(),
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
