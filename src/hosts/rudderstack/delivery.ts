import type { DeliveryResult } from "../../delivery/delivery-result";
import { failed } from "../../delivery/result";
import type { HostedDestination } from "../../destination/contract";
import { isPlanned } from "../../planning/planned-delivery";
import type { QueuedDelivery, QueuedRejection } from "../../planning/planner";
import type { EventOrigin } from "../../settings/external-id";
import type { JobMetadata, ProxyRequest, ProxyResponse } from "./contract";
import type { ByConfig } from "./destinations";
import { explain } from "./failure";
import { isObject } from "./json-object";
import { deliveriesIn } from "./request-object";
import { deliveryTags, transformTags } from "./stat-tags";

/** What the host's delivery service asks of a network handler: it calls the three one after the other. */
export interface NetworkHandler {
  /** Sends the request. Never throws. */
  proxy(request: unknown): Promise<readonly DeliveryResult[]>;
  processAxiosResponse(results: readonly DeliveryResult[]): readonly DeliveryResult[];
  responseHandler(answered: {
    readonly destinationResponse: readonly DeliveryResult[];
    readonly rudderJobMetadata: unknown;
  }): ProxyResponse;
}

const RETRY_STATUS = 500;

export function createNetworkHandler(
  destinations: ByConfig<Pick<HostedDestination, "planAnew" | "send" | "settle">>,
): NetworkHandler {
  return {
    async proxy(request) {
      const { body, metadata, destinationConfig } = (isObject(request) ? request : {}) as Partial<ProxyRequest>;
      const jobs = Array.isArray(metadata) ? metadata : [metadata];
      const all = (result: DeliveryResult) => jobs.map(() => result);
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
      const failure = results.find(({ error }) => error);
      return {
        status: (failure ?? results[0])?.status ?? RETRY_STATUS,
        message: failure ? explain(failure) : `Delivered ${results.length} event(s) to AWS Lambda.`,
        ...(failure?.error && { statTags: deliveryTags(transformTags(failure.error.code), jobs[0] ?? {}) }),
        response: results.map((result, i) => ({
          statusCode: result.status,
          // The server delivers a job so marked without others from then on.
          metadata: result.alone ? { ...jobs[i], dontBatch: true } : (jobs[i] ?? {}),
          error: JSON.stringify(result),
        })),
      };
    },
  };
}

/** As the settings and the operator have it now: they may have changed since the request was made. */
async function sendAll(
  destination: Pick<HostedDestination, "planAnew" | "send" | "settle">,
  queued: readonly (QueuedDelivery | QueuedRejection | undefined)[],
  jobs: readonly unknown[],
): Promise<DeliveryResult[]> {
  const plans = queued.map((delivery, i) => delivery && destination.planAnew(delivery, originOf(jobs[i])));
  const deliveries = plans.flatMap((plan) => (plan && isPlanned(plan) ? [plan] : []));
  const sent = await destination.send(deliveries);
  const results = new Map(deliveries.map((delivery, i) => [delivery, sent[i] as DeliveryResult]));
  const settled = plans.map((plan) => {
    if (!plan) return malformed("One of the deliveries in body.JSON is none of this destination's.");
    return isPlanned(plan) ? (results.get(plan) as DeliveryResult) : destination.settle(plan);
  });
  return Promise.all(settled);
}

const NO_FACTS = { messageId: "", durationMs: 0, attempts: 0 };

/** Kept for a retry: the jobs in it may be good. */
function malformed(problem: string): DeliveryResult {
  const message = `The request for delivery is not what the transformation makes. ${problem}`;
  const hint = "Let the same version of this destination transform and deliver: install it in every transformer.";
  return failed("Unknown", message, NO_FACTS, { hint });
}

/** Who the server says that the job is from. */
function originOf(job: unknown): EventOrigin {
  const { sourceId, workspaceId } = (isObject(job) ? job : {}) as JobMetadata;
  return { sourceId, workspaceId };
}
