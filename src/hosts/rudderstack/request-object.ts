import { CALL_TYPES, type JsonObject } from "../../events/segment-event";
import { parseFunctionReference } from "../../names/function-reference";
import type { PlannedDelivery, Unplanned } from "../../planning/planned-delivery";
import type { QueuedDelivery, QueuedRejection } from "../../planning/planner";
import type { RequestObject } from "./contract";

/**
 * Where the server would send the request itself if the delivery through the transformer is not switched on. It cannot,
 * reports this address and retries: nothing is lost, and the operator reads what to do.
 */
const UNREACHABLE = "amazon-lambda://needs-Router.AMAZON_LAMBDA.transformerProxy-to-be-true";

/** The request for one invocation, in the host's form. */
export function requestObject(deliveries: readonly [PlannedDelivery, ...PlannedDelivery[]]): RequestObject {
  return requestFor(deliveries[0].function, deliveries.map(queued));
}

/** The request by which an event's being rejected is recorded: the half that transforms sends nothing itself. */
export function recordRequest({ messageId, callType, function: name, problem, record }: ToRecord): RequestObject {
  const rejection: QueuedRejection = {
    messageId,
    rejected: problem,
    ...(callType && { callType }),
    ...(name !== undefined && { function: name }),
    ...(record.json !== undefined && { json: record.json }),
  };
  return requestFor(name ?? "failure", [rejection]);
}

/** A rejected event that is to be recorded. */
export type ToRecord = Unplanned & Required<Pick<Unplanned, "problem" | "record">>;

function requestFor(configured: string, deliveries: readonly (QueuedDelivery | QueuedRejection)[]): RequestObject {
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

/** What waits in the server's queue; the function is chosen anew when it comes back. */
function queued({ callType, messageId, json, externalId, user, event, group }: PlannedDelivery): QueuedDelivery {
  return {
    callType,
    messageId,
    json,
    ...(externalId !== undefined && { externalId }),
    ...(user !== undefined && { user }),
    ...(event !== undefined && { event }),
    ...(group !== undefined && { group }),
  };
}

/**
 * The deliveries in a request that came back from the server, each nothing where it is none of ours.
 *
 * @returns nothing where the request is none of ours
 */
export function deliveriesIn(
  body: JsonObject | undefined,
): readonly (QueuedDelivery | QueuedRejection | undefined)[] | undefined {
  const deliveries = body?.["deliveries"];
  if (!Array.isArray(deliveries) || deliveries.length === 0) return undefined;
  return deliveries.map((each: unknown) => (isQueued(each) || isRejection(each) ? each : undefined));
}

const REJECTED: readonly unknown[] = ["InvalidEvent", "PayloadTooLarge"];

function isRejection(value: unknown): value is QueuedRejection {
  if (typeof value !== "object" || value === null) return false;
  const { messageId, callType, function: name, json, rejected } = value as Partial<QueuedRejection>;
  return (
    typeof messageId === "string" &&
    (callType === undefined || CALL_TYPES.includes(callType)) &&
    [name, json].every((text) => text === undefined || typeof text === "string") &&
    REJECTED.includes(rejected?.code) &&
    typeof rejected?.message === "string"
  );
}

const OPTIONAL = ["externalId", "user", "event", "group"] as const;

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
