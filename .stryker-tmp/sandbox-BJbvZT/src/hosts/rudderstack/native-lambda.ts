// @ts-nocheck
import type { JsonObject } from "../../events/segment-event";
import type { SettingsProblem } from "../../settings/settings-error";

/** Settings of another destination, in our names. */
export interface CarriedOver {
  readonly settings: JsonObject;
  /** What has no equivalent here. Where it stands in a setting of the same name, `settings` holds it as it was. */
  readonly lost: readonly SettingsProblem[];
  /** What will be different, and what to do about it. */
  readonly notes: readonly string[];
}

/** Names that only RudderStack's native LAMBDA destination has. */
const NATIVE_NAMES = ["iamRoleARN", "roleBasedAuth", "accessKey", "enableBatchInput"] as const;

/** All of the native destination's settings. */
export const NATIVE_SETTINGS: readonly string[] = [
  ...NATIVE_NAMES,
  "accessKeyId",
  "clientContext",
  "externalId",
  "externalID",
  "lambda",
  "maxBatchSize",
  "region",
];

/** Where the native destination has batching without a size, it fills each invocation up. */
const UNLIMITED_BATCH = 10_000;

/** Whether a configuration was made for RudderStack's native LAMBDA destination. */
export function isNativeLambda(config: Readonly<JsonObject>): boolean {
  return NATIVE_NAMES.some((name) => Object.hasOwn(config, name));
}

/**
 * The settings that do what RudderStack's native LAMBDA destination did with this configuration.
 *
 * @param workspaceId what the native destination sends as the external ID; a note says so where it is not known
 */
export function fromNativeLambda(config: Readonly<JsonObject>, workspaceId?: string): CarriedOver {
  const notes: string[] = [
    "invocationType: Event is what the native destination does. Set RequestResponse to learn whether the function succeeded, and to get its failures retried.",
    "Events arrive in Segment's shape: messageId, traits and context are where Segment has them, and RudderStack's own keys (rudderId, request_ip …) are not sent.",
  ];
  return {
    settings: {
      ...present({ lambda: config["lambda"], region: config["region"] }),
      invocationType: "Event",
      ...identity(config, workspaceId, notes),
      ...batching(config, notes),
      ...clientContext(config),
    },
    lost: isMapInBase64(config["clientContext"])
      ? []
      : [{ setting: "clientContext", problem: "is not the base64 of a JSON map, which every Lambda runtime can read" }],
    notes,
  };
}

function identity(config: Readonly<JsonObject>, workspaceId: string | undefined, notes: string[]): JsonObject {
  const { iamRoleARN, roleBasedAuth = Boolean(iamRoleARN), accessKeyId, accessKey } = config;
  if (roleBasedAuth !== true && roleBasedAuth !== "true") return present({ accessKeyId, secretAccessKey: accessKey });
  if (accessKeyId || accessKey) notes.push("The access keys are not used where Role Based Authentication is on.");
  const externalId = config["externalId"] ?? config["externalID"] ?? workspaceId;
  if (!externalId) {
    notes.push(
      "externalId: the native destination sends the workspace's ID. Set externalId to it, or take the source's ID (the default here) into the role's trust policy.",
    );
  }
  return present({ roleAddress: iamRoleARN, externalId });
}

function batching({ enableBatchInput, maxBatchSize }: Readonly<JsonObject>, notes: string[]): JsonObject {
  if (enableBatchInput !== true && enableBatchInput !== "true") return {};
  if (maxBatchSize === undefined || maxBatchSize === null || maxBatchSize === "")
    return { maxBatchSize: UNLIMITED_BATCH };
  if (Number(maxBatchSize) <= UNLIMITED_BATCH) return { maxBatchSize };
  notes.push(`maxBatchSize: ${UNLIMITED_BATCH} is the most there is here.`);
  return { maxBatchSize: UNLIMITED_BATCH };
}

function clientContext({ clientContext: base64 }: Readonly<JsonObject>): JsonObject {
  return present({ clientContext: mapInBase64(base64) ?? base64 });
}

function isMapInBase64(value: unknown): boolean {
  return value === undefined || value === null || value === "" || mapInBase64(value) !== undefined;
}

function mapInBase64(value: unknown): JsonObject | undefined {
  if (typeof value !== "string") return undefined;
  try {
    const map: unknown = JSON.parse(Buffer.from(value, "base64").toString("utf8"));
    return typeof map === "object" && map !== null && !Array.isArray(map) ? (map as JsonObject) : undefined;
  } catch {
    return undefined;
  }
}

function present(settings: JsonObject): JsonObject {
  return Object.fromEntries(
    Object.entries(settings).filter(([, value]) => value !== undefined && value !== null && value !== ""),
  );
}
