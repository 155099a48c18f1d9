import type { DeliveryResult } from "../../delivery/delivery-result";
import { failed, unsent } from "../../delivery/result";
import type { JsonObject } from "../../events/segment-event";
import { isPlanned, type Plan, type PlannedDelivery, type Unplanned } from "../../planning/planned-delivery";
import type { EventContext } from "../../planning/planner";
import type { HostDestination, RequestObject, RouterResponse, TransformInput } from "./contract";
import type { ByConfig } from "./destinations";
import { explain } from "./failure";
import { hostError } from "./host-error";
import { isObject } from "./json-object";
import { recordRequest, requestObject, type ToRecord } from "./request-object";
import { transformTags } from "./stat-tags";

/** The half of a destination that transforms: it sends nothing. */
export interface Planning {
  plan(event: unknown, context: EventContext): Plan;
  batches<Delivery extends PlannedDelivery>(deliveries: readonly Delivery[]): Delivery[][];
}

/** The two functions by which the transformer has events turned into requests. */
export interface Transformation {
  /**
   * One event, one request.
   *
   * @throws an error of the host's own class, with status 298 for a call type without a function, 400 for an event at
   * fault and 500 for settings that are no good
   */
  process(input: unknown): RequestObject;
  /**
   * Many events of one destination, as many to a request as the settings allow. Never throws.
   *
   * Answers stand in the order in which the server has to deliver them for each user's events to keep their order.
   */
  processRouterDest(inputs: unknown): RouterResponse[];
}

export function createTransformation(byConfig: ByConfig<Planning>): Transformation {
  function plan(input: Partial<TransformInput>): Planned {
    const { message, metadata, destination } = input;
    const config = configOf(destination);
    if (!config) return { result: invalidSettings("destination.Config is missing or is no object.") };
    const { sourceId, workspaceId } = metadata ?? {};
    const planning = byConfig.for(config, workspaceId);
    const made = planning.plan(message, { sourceId, workspaceId });
    if (isPlanned(made)) return { planning, delivery: made };
    return isToRecord(made) ? { toRecord: made } : { result: unsent(made) };
  }

  return {
    process(input) {
      const planned = plan(isObject(input) ? input : {});
      if ("delivery" in planned) return requestObject([planned.delivery]);
      if ("toRecord" in planned) return recordRequest(planned.toRecord);
      const { status, error } = planned.result;
      const tags = error && transformTags(error.code);
      throw hostError(ERROR_NAMES[tags?.["errorType"] ?? "filtered"] ?? "Error", explain(planned.result), status, tags);
    },

    processRouterDest(inputs) {
      if (!Array.isArray(inputs)) return [unplanned({}, invalidSettings("The input is no array of events."))];
      const settled: RouterResponse[] = [];
      const waiting = new Map<Planning, (PlannedDelivery & Waiting)[]>();
      for (const item of inputs) {
        const input: Partial<TransformInput> = isObject(item) ? item : {};
        const planned = plan(input);
        if ("toRecord" in planned) {
          settled.push(response([input as TransformInput], recordRequest(planned.toRecord)));
          continue;
        }
        if (!("delivery" in planned)) {
          settled.push(unplanned(input, planned.result));
          continue;
        }
        const { userId, dontBatch: alone = false } = input.metadata ?? {};
        const queue = waiting.get(planned.planning) ?? [];
        waiting.set(planned.planning, queue);
        // The server's own idea of a user is what it keeps in order.
        const user = userId || planned.delivery.user;
        queue.push({ ...planned.delivery, ...(user && { user }), input: input as TransformInput, alone });
      }
      const batches = [...waiting].flatMap(([planning, queue]) => planning.batches(queue));
      return [...batches.map(batched), ...settled];
    },
  };
}

type Planned =
  | { readonly planning: Planning; readonly delivery: PlannedDelivery }
  | { readonly toRecord: ToRecord }
  | { readonly result: DeliveryResult };

interface Waiting {
  readonly input: TransformInput;
}

/** What the host calls errors of each type. */
const ERROR_NAMES: Readonly<Record<string, string>> = {
  filtered: "FilteredEventsError",
  configuration: "ConfigurationError",
  instrumentation: "InstrumentationError",
};

function isToRecord(plan: Unplanned): plan is ToRecord {
  return plan.record !== undefined && plan.problem !== undefined;
}

function batched(batch: readonly (PlannedDelivery & Waiting)[]): RouterResponse {
  const request = requestObject(batch as [PlannedDelivery & Waiting, ...(PlannedDelivery & Waiting)[]]);
  return response(
    batch.map(({ input }) => input),
    request,
  );
}

function response(inputs: readonly TransformInput[], batchedRequest: RequestObject): RouterResponse {
  return {
    batchedRequest,
    metadata: inputs.map(({ metadata }) => metadata),
    batched: inputs.length > 1,
    statusCode: 200,
    destination: (inputs[0] as TransformInput).destination,
  };
}

function unplanned({ metadata, destination }: Partial<TransformInput>, result: DeliveryResult): RouterResponse {
  return {
    metadata: metadata ? [metadata] : [],
    batched: false,
    statusCode: result.status,
    error: explain(result),
    ...(result.error && { statTags: transformTags(result.error.code) }),
    ...(destination && { destination }),
  };
}

function invalidSettings(message: string): DeliveryResult {
  return failed("InvalidSettings", message, { messageId: "", durationMs: 0, attempts: 0 });
}

function configOf(destination: HostDestination | undefined): JsonObject | undefined {
  const config: unknown = destination?.Config;
  return isObject(config) ? (config as JsonObject) : undefined;
}
