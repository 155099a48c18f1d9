// @ts-nocheck
import type { DeliveryResult } from "../delivery/delivery-result";
import type { Destination } from "../destination";
import type { RouterResponse } from "../hosts/rudderstack/contract";
import { createNetworkHandler } from "../hosts/rudderstack/delivery";
import { Destinations } from "../hosts/rudderstack/destinations";
import { createTransformation } from "../hosts/rudderstack/transformation";
import { createDestination } from "../index";
import type { LocalHost, OnTry, Source } from "./local-host";

/** Minutes of rudder-server's back-off: before the second try, at most, and for how long a job is tried at all. */
const FIRST_WAIT = 10 / 60;
const LONGEST_WAIT = 5;
const RETRY_WINDOW = 180;
const MIN_TRIES = 3;

/**
 * Runs the destination as RudderStack does: the router transformation, what the server keeps of it, the delivery, and
 * the server's retries until it gives a job up.
 *
 * @param msPerMinute how long a minute between two tries takes: a local router is not made to wait
 */
export function createRudderStackHost(onTry: OnTry, msPerMinute: number): LocalHost {
  let lastJob = 0;
  return {
    async deliver(event, source) {
      const jobId = ++lastJob;
      let waited = 0;
      for (let retries = 0; ; retries++) {
        const { result, status } = await attempt(event, source, jobId, retries);
        const isRetried = status === 429 || status >= 500;
        const isGivenUp = retries + 1 >= MIN_TRIES && waited >= RETRY_WINDOW;
        onTry({ event, source, retries, result, next: !isRetried ? "done" : isGivenUp ? "dead letter" : "retry" });
        if (!isRetried || isGivenUp) return;
        const wait = Math.min(LONGEST_WAIT, FIRST_WAIT * 2 ** retries);
        waited += wait;
        await new Promise((resolve) => setTimeout(resolve, wait * msPerMinute));
      }
    },
  };
}

async function attempt(
  message: unknown,
  { id, settings }: Source,
  jobId: number,
  attemptNum: number,
): Promise<{ result: DeliveryResult; status: number }> {
  // The host is told only what it understands; the result itself is caught on its way.
  const caught: DeliveryResult[] = [];
  const destinations = new Destinations((props) => catchResults(createDestination(props), caught));
  const workspaceId = "local";
  const metadata = { jobId, attemptNum, userId: "", sourceId: id, destinationId: `${id}-amazon-lambda`, workspaceId };
  const destination = { ID: metadata.destinationId, Config: settings };

  const [answer] = reencoded(
    createTransformation(destinations).processRouterDest([{ message, metadata, destination }]),
  );
  let status = (answer as RouterResponse).statusCode;
  if (answer?.batchedRequest) {
    const handler = createNetworkHandler(destinations);
    const request = { ...answer.batchedRequest, metadata: answer.metadata, destinationConfig: settings };
    const destinationResponse = handler.processAxiosResponse(await handler.proxy(request));
    const { response } = handler.responseHandler({ destinationResponse, rudderJobMetadata: answer.metadata });
    status = response[0]?.statusCode ?? 500;
  }
  return { result: caught.at(-1) as DeliveryResult, status };
}

/** Everything goes through the server as JSON. */
function reencoded<T>(value: T): T {
  return JSON.parse(JSON.stringify(value)) as T;
}

function catchResults(destination: Destination, caught: DeliveryResult[]): Destination {
  return {
    deliver: (...args) => destination.deliver(...args),
    deliverBatch: (...args) => destination.deliverBatch(...args),
    batches: (deliveries) => destination.batches(deliveries),
    prepare(...args) {
      const prepared = destination.prepare(...args);
      if ("outcome" in prepared) caught.push(prepared);
      return prepared;
    },
    readdress(...args) {
      const readdressed = destination.readdress(...args);
      if ("outcome" in readdressed) caught.push(readdressed);
      return readdressed;
    },
    async send(deliveries) {
      const results = await destination.send(deliveries);
      caught.push(...results);
      return results;
    },
  };
}
