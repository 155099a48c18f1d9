// @ts-nocheck
import type { PreparedDelivery } from "../../destination";
import type { JsonObject } from "../../events/segment-event";
import { parseFunctionReference } from "../../names/function-reference";
import type { RequestObject } from "./contract";

/**
 * Where the server would send the request itself if the delivery through the transformer is not switched on. It cannot,
 * reports this address and retries: nothing is lost, and the operator reads what to do.
 */
const UNREACHABLE = "amazon-lambda://needs-Router.AMAZON_LAMBDA.transformerProxy-to-be-true";

/** The request for one invocation, in the host's form. */
export function requestObject(deliveries: readonly [PreparedDelivery, ...PreparedDelivery[]]): RequestObject {
  const [{ function: configured }] = deliveries;
  return {
    version: "1",
    type: "REST",
    method: "POST",
    endpoint: `${UNREACHABLE}/${encodeURIComponent(configured)}`,
    endpointPath: parseFunctionReference(configured).name,
    userId: "",
    headers: {},
    params: {},
    // The events stand in it as text: the server orders an object's keys anew and rounds its numbers.
    body: { JSON: { deliveries }, JSON_ARRAY: {}, XML: {}, FORM: {} },
    files: {},
  };
}

/** The deliveries in a request that came back from the server, or nothing where it is none of ours. */
export function deliveriesIn(body: JsonObject | undefined): readonly PreparedDelivery[] | undefined {
  const deliveries = body?.["deliveries"];
  return Array.isArray(deliveries) && deliveries.length > 0 && deliveries.every(isPrepared) ? deliveries : undefined;
}

function isPrepared(value: unknown): value is PreparedDelivery {
  if (typeof value !== "object" || value === null) return false;
  const { callType, messageId, function: name, externalId, json, bytes } = value as Partial<PreparedDelivery>;
  const texts = [callType, messageId, name, json, ...(externalId === undefined ? [] : [externalId])];
  return texts.every((text) => typeof text === "string") && typeof bytes === "number";
}
