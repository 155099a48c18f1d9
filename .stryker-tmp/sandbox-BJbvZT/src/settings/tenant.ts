/** Where the tenant ID of an event comes from, for functions in tenant isolation mode. */
// @ts-nocheck

export type TenantOrigin = "source" | "workspace" | "user" | "group";

/** The same tenant for every event, or one of the event's own IDs. */
export type TenantSetting = { readonly fixed: string } | { readonly from: TenantOrigin };

/** @param text that the settings' schema has accepted */
export function parseTenant(text: string): TenantSetting {
  const [, from] = /^\{(\w+)\}$/.exec(text) ?? [];
  return from === undefined ? { fixed: text } : { from: from as TenantOrigin };
}
