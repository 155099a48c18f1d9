import type { InvokeTarget } from "../aws/aws";
import { BoundedMap } from "../encoding/bounded-map";
import type { FunctionReference } from "../names/function-reference";
import type { PlannedDelivery } from "../planning/planned-delivery";
import { type ParsedSettings, tracedContext } from "../settings/settings";

/** Tenants of functions whose prepared requests are kept at most. */
const MAX_TENANT_TARGETS = 1000;

/** The functions of one user's settings, as they are to be invoked: the same object where only the event differs. */
export class InvokeTargets {
  readonly #settings: ParsedSettings;
  readonly #functions: ReadonlyMap<string | undefined, FunctionReference>;
  readonly #targets = new Map<string, InvokeTarget>();
  readonly #ofTenants = new BoundedMap<string, InvokeTarget>({ entries: MAX_TENANT_TARGETS });

  constructor(settings: ParsedSettings, functions: readonly FunctionReference[]) {
    this.#settings = settings;
    this.#functions = new Map(functions.map((reference) => [reference.configured, reference]));
  }

  /** @param configured a function as it stands in the settings */
  referenceOf(configured: string | undefined): FunctionReference | undefined {
    return this.#functions.get(configured);
  }

  for(delivery: PlannedDelivery): InvokeTarget {
    const target = this.#untraced(delivery);
    const { traceparent } = delivery;
    if (traceparent === undefined || target.invocationType !== "RequestResponse") return target;
    const clientContext = tracedContext(this.#settings, traceparent);
    return { ...target, ...(clientContext !== undefined && { clientContext }) };
  }

  #untraced({ function: name, tenantId, executionName }: PlannedDelivery): InvokeTarget {
    const target = this.#targets.get(name) ?? this.#targetOf(name);
    if (executionName !== undefined) return { ...target, executionName, ...(tenantId !== undefined && { tenantId }) };
    if (tenantId === undefined) return target;
    const key = `${name} ${tenantId}`;
    let ofTenant = this.#ofTenants.get(key);
    if (!ofTenant) {
      ofTenant = { ...target, tenantId };
      this.#ofTenants.set(key, ofTenant);
    }
    return ofTenant;
  }

  #targetOf(configured: string): InvokeTarget {
    const target = targetOf(this.#functions.get(configured) as FunctionReference, this.#settings);
    this.#targets.set(configured, target);
    return target;
  }
}

function targetOf(
  reference: FunctionReference,
  { region, invocationType, logType, clientContext }: ParsedSettings,
): InvokeTarget {
  // Lambda takes both on RequestResponse only.
  const waits = invocationType === "RequestResponse";
  return {
    function: reference,
    region,
    invocationType,
    logType: waits ? logType : "None",
    ...(waits && clientContext !== undefined && { clientContext }),
  };
}
