// @ts-nocheck
import type { DeliveryErrorCode, DeliveryResult } from "../../delivery/delivery-result";
import { FAILURES } from "../../delivery/failures";
import { failed } from "../../delivery/result";
import type { Destination, PreparedDelivery } from "../../destination";
import type { EventOrigin } from "../../settings/external-id";
import type { JobMetadata, ProxyRequest, ProxyResponse } from "./contract";
import type { Destinations } from "./destinations";
import { explain } from "./failure";
import { isObject } from "./json-object";
import { deliveriesIn } from "./request-object";
import { deliveryTags, transformTags } from "./stat-tags";

/** What the host's delivery service asks of a network handler: it calls the three one after the other. */
export interface NetworkHandler {
  /** Sends the request. Never throws. */
  proxy(request: unknown): Promise<readonly JobResult[]>;
  processAxiosResponse(results: readonly JobResult[]): readonly JobResult[];
  responseHandler(answered: {
    readonly destinationResponse: readonly JobResult[];
    readonly rudderJobMetadata: unknown;
  }): ProxyResponse;
}

/** What became of one job, and what the server is to do with it. */
export interface JobResult {
  readonly result: DeliveryResult;
  readonly statusCode: number;
  /** The job is to be delivered without others from now on. */
  readonly alone: boolean;
}

/**
 * Failures of a whole batch that may be one event's doing. Each of its events is tried again alone, so that the event
 * at fault is found and the others are delivered.
 */
const MAY_BE_ONE_EVENTS_FAULT: readonly DeliveryErrorCode[] = [
  "ExecutionError",
  "RejectedByFunction",
  "OperationTimedOut",
  "InvalidEvent",
];

const RETRY_STATUS = 500;

export function createNetworkHandler(destinations: Destinations): NetworkHandler {
  return {
    async proxy(request) {
      const { body, metadata, destinationConfig } = (isObject(request) ? request : {}) as Partial<ProxyRequest>;
      const jobs = Array.isArray(metadata) ? metadata : [metadata];
      const all = (result: DeliveryResult) => jobs.map(() => jobResult(result));
      const deliveries = deliveriesIn(isObject(body?.JSON) ? body.JSON : undefined);
      if (!deliveries) return all(malformed("It has no deliveries in body.JSON."));
      if (deliveries.length !== jobs.length) {
        return all(
          malformed(`It has ${deliveries.length} deliveries in body.JSON for ${jobs.length} jobs in metadata.`),
        );
      }
      if (!isObject(destinationConfig)) return all(malformed("destinationConfig is missing or is no object."));
      try {
        return await sendAll(destinations.for(destinationConfig, originOf(jobs[0]).workspaceId), deliveries, jobs);
      } catch (error) {
        // A mistake of ours: the host would abort the jobs for an error that it does not know.
        return all(failed("Unknown", error instanceof Error ? error.message : String(error), NO_FACTS));
      }
    },

    processAxiosResponse: (results) => results,

    responseHandler({ destinationResponse: results, rudderJobMetadata }) {
      const jobs: readonly JobMetadata[] = (
        Array.isArray(rudderJobMetadata) ? rudderJobMetadata : [rudderJobMetadata]
      ).map((job) => (isObject(job) ? job : {}));
      const failure = results.find(({ result }) => result.error);
      return {
        status: failure?.statusCode ?? results[0]?.statusCode ?? RETRY_STATUS,
        message: failure ? explain(failure.result) : `Delivered ${results.length} event(s) to AWS Lambda.`,
        ...(failure?.result.error && { statTags: deliveryTags(tagsOf(failure), jobs[0] ?? {}) }),
        response: results.map(({ result, statusCode, alone }, i) => ({
          statusCode,
          metadata: alone ? { ...jobs[i], dontBatch: true } : (jobs[i] ?? {}),
          error: JSON.stringify(result),
        })),
      };
    },
  };
}

/** As the settings and the operator allow it now: they may have changed since the request was made. */
async function sendAll(
  destination: Destination,
  deliveries: readonly PreparedDelivery[],
  jobs: readonly unknown[],
): Promise<JobResult[]> {
  const addressed = deliveries.map((delivery, i) => destination.readdress(delivery, originOf(jobs[i])));
  const results = new Map<PreparedDelivery | DeliveryResult, JobResult>();
  for (const each of addressed) if ("outcome" in each) results.set(each, jobResult(each));
  for (const batch of destination.batches(addressed.filter((each) => "json" in each))) {
    const sent = await destination.send(batch);
    for (const [i, delivery] of batch.entries())
      results.set(delivery, jobResult(sent[i] as DeliveryResult, batch.length));
  }
  return addressed.map((each) => results.get(each) as JobResult);
}

function jobResult(result: DeliveryResult, shared = 1): JobResult {
  const { error, status } = result;
  const thrown = error?.code !== "ExecutionError" || error.functionError !== undefined;
  const alone = shared > 1 && error !== undefined && thrown && MAY_BE_ONE_EVENTS_FAULT.includes(error.code);
  const retryAll = alone && FAILURES[error.code].outcome === "rejected";
  return { result, alone, statusCode: retryAll ? RETRY_STATUS : status };
}

function tagsOf({ result: { error }, statusCode }: JobResult) {
  const code = error?.code ?? "Unknown";
  return transformTags(statusCode === RETRY_STATUS && FAILURES[code].outcome === "rejected" ? "ExecutionError" : code);
}

const NO_FACTS = { messageId: "", durationMs: 0, attempts: 0 };

/** Kept for a retry: the jobs in it may be good. */
function malformed(problem: string): DeliveryResult {
  const result = failed(
    "Unknown",
    `The request for delivery is not what the transformation makes. ${problem}`,
    NO_FACTS,
  );
  const hint = "Let the same version of this destination transform and deliver: install it in every transformer.";
  return { ...result, ...(result.error && { error: { ...result.error, label: "Malformed request", hint } }) };
}

/** Who the server says that the job is from. */
function originOf(job: unknown): EventOrigin {
  const { sourceId, workspaceId } = (isObject(job) ? job : {}) as JobMetadata;
  return { sourceId, workspaceId };
}
