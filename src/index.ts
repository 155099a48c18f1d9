import { AssumedRoles } from "./aws/assumed-role";
import { createSdkAws } from "./aws/sdk";
import { createDestinationIn, type Destination, type Surroundings } from "./destination";
import { type OperatorPolicy, operatorPolicyFromEnvironment } from "./settings/operator-policy";

export type {
  DeliveryError,
  DeliveryErrorCode,
  DeliveryOutcome,
  DeliveryResult,
  FunctionError,
} from "./delivery/delivery-result";
export type { Destination, EventContext, PreparedDelivery } from "./destination";
export { CALL_TYPES, type CallType, type SegmentEvent } from "./events/segment-event";
export { toSegmentEvent } from "./events/to-segment-event";
export type { OperatorPolicy } from "./settings/operator-policy";
export { type ParsedSettings, parseSettings, type Settings } from "./settings/settings";
export { SettingsError, type SettingsProblem } from "./settings/settings-error";

/** How a destination is to behave beyond its settings. */
export interface DestinationOptions {
  /** What the operator allows; by default what the environment says (`AMAZON_LAMBDA_…`). */
  readonly operator?: OperatorPolicy;
}

let shared: Pick<Surroundings, "aws" | "roles"> | undefined;

/**
 * A destination for one user's settings. Destinations are cheap: clients, connections and role sessions are shared by
 * all of a process.
 *
 * Never throws: with settings that are no good, every delivery becomes a retry whose error says what is wrong with them.
 * Use `parseSettings` to learn that earlier.
 *
 * @example
 * const destination = createDestination({ lambda: "arn:aws:lambda:…", roleAddress: "arn:aws:iam::…" });
 * const result = await destination.deliver(event, { sourceId: "my-source" });
 * if (result.outcome === "retry") queue.retry(event, result.retryAfterMs);
 */
export function createDestination(settings: unknown, options: DestinationOptions = {}): Destination {
  if (!shared) {
    const aws = createSdkAws();
    shared = { aws, roles: new AssumedRoles(aws) };
  }
  const { operator } = options;
  return createDestinationIn(
    { ...shared, operator: () => operator ?? operatorPolicyFromEnvironment(process.env) },
    settings,
  );
}
