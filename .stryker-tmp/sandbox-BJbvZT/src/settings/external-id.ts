// @ts-nocheck
import type { ExternalIdOrigin } from "./operator-policy";
import { SettingsError } from "./settings-error";

/** Who an event belongs to in the host. */
export interface EventOrigin {
  readonly sourceId?: string | undefined;
  readonly workspaceId?: string | undefined;
}

const ALLOWED = /^[\w+=,.@:/-]{2,1224}$/;

/**
 * The external ID to send with AssumeRole.
 *
 * @param configured the user's own choice, which counts only where the operator leaves the choice to users
 * @throws SettingsError where there is none: a role is never assumed without an external ID
 */
export function externalIdFor(configured: string | undefined, origin: EventOrigin, from: ExternalIdOrigin): string {
  const candidates: Record<ExternalIdOrigin, string | undefined> = {
    settings: configured ?? origin.sourceId,
    source: origin.sourceId,
    workspace: origin.workspaceId,
  };
  const externalId = candidates[from];
  if (externalId === undefined || externalId === "") {
    const problem =
      from === "settings"
        ? "is needed: the event came without a source ID to take in its place"
        : `is pinned to the ${from}'s ID by the operator (AMAZON_LAMBDA_EXTERNAL_ID=${from}), but the event came without one`;
    throw new SettingsError([
      { setting: "externalId", problem, ...(from === "settings" && { example: "my-source-id" }) },
    ]);
  }
  if (!ALLOWED.test(externalId)) {
    throw new SettingsError([
      {
        setting: "externalId",
        problem: "must be 2 to 1224 letters, digits or any of _+=,.@:/-, and the host's ID in its place is not",
      },
    ]);
  }
  return externalId;
}
