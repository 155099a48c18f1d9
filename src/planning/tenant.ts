import { sha256Crypto } from "../encoding/sha256";
import { InvalidEvent } from "../events/invalid-event";
import type { TenantOrigin, TenantSetting } from "../settings/tenant";

/** The IDs that an event and its host bring. */
export type TenantIds = Readonly<Partial<Record<TenantOrigin, string | undefined>>>;

/** What Lambda takes as a tenant ID. @see https://docs.aws.amazon.com/lambda/latest/api/API_Invoke.html */
const TENANT_ID = /^[a-zA-Z0-9._:/=+@ -]{1,256}$/;
/** Begins the ID of a tenant that had to be hashed; nobody's own ID may, else one could pass for another's. */
const HASHED = "sha256:";

const MISSING: Readonly<Record<TenantOrigin, string>> = {
  source: "the router gives no source ID with it",
  workspace: "the router gives no workspace ID with it",
  user: "it has neither userId nor anonymousId",
  group: "it has no groupId, and no context.groupId either",
};

/**
 * For which tenant of the function an event is. What Lambda would not take as an ID is hashed.
 *
 * @throws InvalidEvent where the event lacks the ID that the settings name
 */
export function tenantIdFor(tenant: TenantSetting, ids: TenantIds): string {
  if ("fixed" in tenant) return tenant.fixed;
  const id = ids[tenant.from];
  if (id === undefined || id === "") {
    throw new InvalidEvent(`The event has no tenant: Tenant ID is {${tenant.from}}, and ${MISSING[tenant.from]}.`);
  }
  return TENANT_ID.test(id) && !id.startsWith(HASHED) ? id : `${HASHED}${sha256Crypto.sha256(id)}`;
}
