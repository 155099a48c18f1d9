import type { Destination } from "./destination/contract";
import { type CheckOptions, checkConnectionIn } from "./iam/check-connection";
import type { CheckReport } from "./iam/check-report";
import { createHostedDestination, type DestinationOptions, nodeSurroundings } from "./node";
import type { Settings } from "./settings/settings";

export type {
  DeliveryError,
  DeliveryErrorCode,
  DeliveryOutcome,
  DeliveryResult,
  FunctionError,
} from "./delivery/delivery-result";
export { type FailureScope, scopeOf } from "./delivery/failures";
export type { BatchOptions, DeliverOptions, Destination } from "./destination/contract";
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
export type { DestinationOptions } from "./node";
export type { EventContext } from "./planning/planner";
export type { OperatorPolicy } from "./settings/operator-policy";
export { type ParsedSettings, parseSettings, type Settings } from "./settings/settings";
export { SettingsError, type SettingsProblem } from "./settings/settings-error";

/** Settings that nobody has looked at yet: out of a form, a file or a request. Not what is written in code, whose keys are checked there. */
export type Unchecked<Given> = unknown extends Given ? Given : string extends keyof Given ? Given : never;

/**
 * A destination for one user's settings. Destinations are cheap: connections and role sessions are shared by all of a
 * process.
 *
 * Never throws: with settings that are no good, every delivery becomes a retry whose error says what is wrong with them.
 * Use `parseSettings` to learn that earlier.
 *
 * @example
 * const destination = createDestination({ lambda: "arn:aws:lambda:…", roleAddress: "arn:aws:iam::…" });
 * const result = await destination.deliver(event, { sourceId: "my-source" });
 * if (result.outcome === "retry") queue.retry(event, result.retryAfterMs);
 */
export function createDestination<Given>(settings: Unchecked<Given>, options?: DestinationOptions): Destination;
export function createDestination(settings: Settings, options?: DestinationOptions): Destination;
export function createDestination(settings: unknown, options?: DestinationOptions): Destination {
  return createHostedDestination(settings, options);
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
  return checkConnectionIn(nodeSurroundings(options), settings, options);
}
