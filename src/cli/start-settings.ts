import type { JsonObject } from "../events/segment-event";
import type { LocalAccountOptions } from "../local/local-account";
import { operatorPolicyFromEnvironment } from "../settings/operator-policy";
import { parseSettings } from "../settings/settings";
import { SettingsError } from "../settings/settings-error";
import { type Io, UsageError } from "./command";
import { readSettingsFile } from "./settings-file";

/** A destination's real settings, and the account that they are about. */
export interface StartSettings {
  readonly settings: JsonObject;
  readonly account: Pick<LocalAccountOptions, "account" | "region">;
}

/**
 * Reads the settings that the account on this machine is made from.
 *
 * @throws UsageError where they cannot be read or used
 */
export async function readStartSettings(path: string, { env }: Io): Promise<StartSettings> {
  const settings = await readSettingsFile(path);
  try {
    const { region, role, functions, eventFunctions } = parseSettings(settings, operatorPolicyFromEnvironment(env));
    const [configured] = [...Object.values(functions), ...eventFunctions.values()];
    const account = role?.account ?? configured?.account;
    return { settings: settings as JsonObject, account: { region, ...(account !== undefined && { account }) } };
  } catch (error) {
    throw error instanceof SettingsError ? new UsageError(error.message) : error;
  }
}

/** @throws UsageError for what is no `<access key ID>:<secret access key>` */
export function awsKeys(text: string): NonNullable<LocalAccountOptions["keys"]> {
  const [, accessKeyId, secretAccessKey] = /^(\w{16,128}):(\S{8,})$/.exec(text) ?? [];
  if (accessKeyId === undefined || secretAccessKey === undefined)
    throw new UsageError(
      "--aws-keys must be an access key ID of at least 16 letters and digits, a colon and a secret of at least 8 characters, such as AKIDLOCAL0000000:not-a-secret.",
    );
  return { accessKeyId, secretAccessKey };
}
