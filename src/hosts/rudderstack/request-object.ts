import { CALL_TYPES, type JsonObject } from "../../events/segment-event";
import { parseFunctionReference } from "../../names/function-reference";
import type { PlannedDelivery } from "../../planning/planned-delivery";
import type { QueuedDelivery } from "../../planning/planner";
import type { RequestObject } from "./contract";

/**
 * Where the server would send the request itself if the delivery through the transformer is not switched on. It cannot,
 * reports this address and retries: nothing is lost, and the operator reads what to do.
 */
const UNREACHABLE = "amazon-lambda://needs-Router.AMAZON_LAMBDA.transformerProxy-to-be-true";

/** The request for one invocation, in the host's form. */
export function requestObject(deliveries: readonly [PlannedDelivery, ...PlannedDelivery[]]): RequestObject {
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
    body: { JSON: { deliveries: deliveries.map(queued) }, JSON_ARRAY: {}, XML: {}, FORM: {} },
    files: {},
  };
}

/** What waits in the server's queue; the function is chosen anew when it comes back. */
function queued({ callType, messageId, json, externalId, user, event }: PlannedDelivery): QueuedDelivery {
  return {
    callType,
    messageId,
    json,
    ...(externalId !== undefined && { externalId }),
    ...(user !== undefined && { user }),
    ...(event !== undefined && { event }),
  };
}

/**
 * The deliveries in a request that came back from the server, each nothing where it is none of ours.
 *
 * @returns nothing where the request is none of ours
 */
export function deliveriesIn(body: JsonObject | undefined): readonly (QueuedDelivery | undefined)[] | undefined {
  const deliveries = body?.["deliveries"];
  if (!Array.isArray(deliveries) || deliveries.length === 0) return undefined;
  return deliveries.map((each: unknown) => (isQueued(each) ? each : undefined));
}

const OPTIONAL = ["externalId", "user", "event"] as const;

function isQueued(value: unknown): value is QueuedDelivery {
  if (typeof value !== "object" || value === null) return false;
  const delivery = value as Partial<QueuedDelivery>;
  return (
    CALL_TYPES.some((callType) => callType === delivery.callType) &&
    typeof delivery.messageId === "string" &&
    typeof delivery.json === "string" &&
    OPTIONAL.every((key) => delivery[key] === undefined || typeof delivery[key] === "string")
  );
}
