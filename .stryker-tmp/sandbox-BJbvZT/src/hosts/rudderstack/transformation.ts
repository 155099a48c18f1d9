// @ts-nocheck
import type { DeliveryResult } from "../../delivery/delivery-result";
import { failed } from "../../delivery/result";
import type { Destination, PreparedDelivery } from "../../destination";
import type { JsonObject } from "../../events/segment-event";
import type { HostDestination, RequestObject, RouterResponse, TransformInput } from "./contract";
import type { Destinations } from "./destinations";
import { explain } from "./failure";
import { hostError } from "./host-error";
import { isObject } from "./json-object";
import { requestObject } from "./request-object";
import { transformTags } from "./stat-tags";

type Prepared = PreparedDelivery | DeliveryResult;

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

export function createTransformation(destinations: Destinations): Transformation {
  function prepare(input: Partial<TransformInput>): {
    readonly destination?: Destination;
    readonly prepared: Prepared;
  } {
    const { message, metadata, destination: host } = input;
    const config = configOf(host);
    if (!config) return { prepared: invalidSettings("destination.Config is missing or is no object.") };
    const { sourceId, workspaceId } = metadata ?? {};
    const destination = destinations.for(config, workspaceId);
    return { destination, prepared: destination.prepare(message, { sourceId, workspaceId }) };
  }

  return {
    process(input) {
      const { prepared } = prepare(isObject(input) ? input : {});
      if ("json" in prepared) return requestObject([prepared]);
      const { status, error } = prepared;
      const tags = error && transformTags(error.code);
      throw hostError(ERROR_NAMES[tags?.["errorType"] ?? "filtered"] ?? "Error", explain(prepared), status, tags);
    },

    processRouterDest(inputs) {
      if (!Array.isArray(inputs)) return [unprepared({}, invalidSettings("The input is no array of events."))];
      const settled: RouterResponse[] = [];
      const waiting = new Map<Destination, (PreparedDelivery & Batched)[]>();
      for (const item of inputs) {
        const input: Partial<TransformInput> = isObject(item) ? item : {};
        const { destination, prepared } = prepare(input);
        if (!destination || !("json" in prepared)) {
          settled.push(unprepared(input, prepared as DeliveryResult));
          continue;
        }
        const { userId, dontBatch = false } = input.metadata ?? {};
        const queue = waiting.get(destination) ?? [];
        waiting.set(destination, queue);
        queue.push({
          ...prepared,
          input: input as TransformInput,
          ...(userId && { orderKey: userId }),
          alone: dontBatch,
        });
      }
      const batches = [...waiting].flatMap(([destination, queue]) => destination.batches(queue));
      return [...batches.map(batched), ...settled];
    },
  };
}

interface Batched {
  readonly input: TransformInput;
  readonly orderKey?: string;
  readonly alone: boolean;
}

/** What the host calls errors of each type. */
const ERROR_NAMES: Readonly<Record<string, string>> = {
  filtered: "FilteredEventsError",
  configuration: "ConfigurationError",
  instrumentation: "InstrumentationError",
};

function batched(batch: readonly (PreparedDelivery & Batched)[]): RouterResponse {
  const deliveries = batch.map(({ input: _input, orderKey: _key, alone: _alone, ...delivery }) => delivery);
  return {
    batchedRequest: requestObject(deliveries as [PreparedDelivery, ...PreparedDelivery[]]),
    metadata: batch.map(({ input }) => input.metadata),
    batched: batch.length > 1,
    statusCode: 200,
    destination: (batch[0] as Batched).input.destination,
  };
}

function unprepared({ metadata, destination }: Partial<TransformInput>, result: DeliveryResult): RouterResponse {
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
