// @ts-nocheck
import type { DeliveryErrorCode } from "../../delivery/delivery-result";
import { DESTINATION_TYPE, type JobMetadata, type StatTags } from "./contract";

const CONFIGURATION = { errorCategory: "dataValidation", errorType: "configuration" };
const INSTRUMENTATION = { errorCategory: "dataValidation", errorType: "instrumentation" };
const RETRYABLE = { errorCategory: "network", errorType: "retryable" };
const THROTTLED = { errorCategory: "network", errorType: "throttled" };
const ABORTED = { errorCategory: "network", errorType: "aborted" };

/** What each failure is called in the host's metrics. */
const TAGS: Readonly<Record<DeliveryErrorCode, StatTags>> = {
  ExecutionError: RETRYABLE,
  RejectedByFunction: ABORTED,
  OperationTimedOut: RETRYABLE,
  AccessDenied: CONFIGURATION,
  InvalidCredentials: CONFIGURATION,
  Throttled: THROTTLED,
  FunctionNotFound: CONFIGURATION,
  FunctionNotReady: RETRYABLE,
  ServiceError: RETRYABLE,
  NetworkError: RETRYABLE,
  InvalidSettings: CONFIGURATION,
  PayloadTooLarge: INSTRUMENTATION,
  InvalidEvent: INSTRUMENTATION,
  RecursiveInvocation: ABORTED,
  Unknown: RETRYABLE,
};

/** The tags of a failure during transformation; the host adds its own. */
export function transformTags(code: DeliveryErrorCode): StatTags {
  return TAGS[code];
}

/** The tags of a failure during delivery, where the host adds nothing. */
export function deliveryTags(tags: StatTags, { destinationId, workspaceId }: JobMetadata): StatTags {
  return {
    ...tags,
    destType: DESTINATION_TYPE,
    module: "destination",
    implementation: "native",
    feature: "dataDelivery",
    destinationId: String(destinationId ?? "unknown"),
    workspaceId: String(workspaceId ?? "unknown"),
  };
}
