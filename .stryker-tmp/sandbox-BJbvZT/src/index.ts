// @ts-nocheck
import { AssumedRoles } from "./aws/assumed-role";
import { createNodeAws, type NodeAws } from "./aws/node";
import { createDestinationIn, type Destination, type Surroundings } from "./destination";
import { type CheckOptions, checkConnectionIn } from "./iam/check-connection";
import type { CheckReport } from "./iam/check-report";
import { type OperatorPolicy, operatorPolicyFromEnvironment } from "./settings/operator-policy";

export type {
  DeliveryError,
  DeliveryErrorCode,
  DeliveryOutcome,
  DeliveryResult,
  FunctionError,
} from "./delivery/delivery-result";
export { type FailureScope, scopeOf } from "./delivery/failures";
export type { Destination, EventContext, PreparedDelivery } from "./destination";
export { CALL_TYPES, type CallType, type SegmentEvent } from "./events/segment-event";
export { toSegmentEvent } from "./events/to-segment-event";
export type { CheckOptions } from "./iam/check-connection";
export type { CheckReport, CheckStep, CheckStepName } from "./iam/check-report";
export { cloudFormationTemplate } from "./iam/cloudformation";
export type { Diagnosis, DiagnosisName } from "./iam/diagnosis";
export type { InvokerRole } from "./iam/invoker-role";
export { type PolicyDocument, permissionPolicy, trustPolicy } from "./iam/policies";
export { type InvokerRoleOptions, invokerRole } from "./iam/role";
export { terraformModule } from "./iam/terraform";
export type { OperatorPolicy } from "./settings/operator-policy";
export { type ParsedSettings, parseSettings, type Settings } from "./settings/settings";
export { SettingsError, type SettingsProblem } from "./settings/settings-error";

/** How a destination is to behave beyond its settings. */
export interface DestinationOptions {
  /** What the operator allows; by default what the environment says (`AMAZON_LAMBDA_…`). */
  readonly operator?: OperatorPolicy;
}

interface Shared {
  readonly aws: NodeAws;
  readonly roles: AssumedRoles;
}

let shared: Shared | undefined;

function surroundings({ operator }: DestinationOptions): Surroundings & Shared {
  if (!shared) {
    const aws = createNodeAws();
    shared = { aws, roles: new AssumedRoles(aws) };
  }
  return { ...shared, operator: () => operator ?? operatorPolicyFromEnvironment(process.env) };
}

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
  return createDestinationIn(surroundings(options), settings);
}

/**
 * Tests a connection the way it will be used, step by step: settings, base identity, role, external ID, session, each
 * function, and with `send` a sample event per call type. For a "Test connection" button.
 *
 * Never throws for what settings, AWS or a network can do: the report says what is wrong and what to change. It holds no secret.
 *
 * @example
 * const { ok, steps } = await checkConnection(settings, { sourceId: "my-source" });
 * for (const { ok, found, diagnosis } of steps) console.log(ok ? "✓" : "✗", found, diagnosis?.advice ?? "");
 */
export function checkConnection(
  settings: unknown,
  options: CheckOptions & DestinationOptions = {},
): Promise<CheckReport> {
  return checkConnectionIn(surroundings(options), settings, options);
}
