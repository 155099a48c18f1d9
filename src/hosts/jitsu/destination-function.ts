import type { AnalyticsServerEvent } from "@jitsu/protocols/analytics";
import type { FullContext, JitsuFunction } from "@jitsu/protocols/functions";
import type { DeliveryResult } from "../../delivery/delivery-result";
import type { HostedOptions } from "../../destination/contract";
import type { JsonObject } from "../../events/segment-event";
import type { EventContext } from "../../planning/planner";
import type { Settings } from "../../settings/settings";
import { pickSettings } from "../../settings/settings";
import { MASKED_SECRET } from "./masked-secret";
import { reportToJitsu } from "./report";

/** A destination, as far as it is needed here. */
export interface Deliverer {
  /** @param ctx what Jitsu hands over with the event */
  deliver(
    event: unknown,
    context: EventContext,
    options: Pick<HostedOptions, "patienceMs">,
    ctx: FullContext<Settings>,
  ): Promise<DeliveryResult>;
}

const NO_SETTINGS = {};

/** Milliseconds for which an event waits for a place when it is tried for the last time: after it comes the dead letter. */
const PATIENCE_MS = 2000;
/** Retries of an event, unless the host's operator has set another number. */
const HOST_RETRIES = 3;

/**
 * Jitsu's face of the destination.
 *
 * @param createDestination makes the destination for a connection's settings; called once per settings object
 */
export function jitsuFunction(
  createDestination: (settings: unknown) => Deliverer,
): JitsuFunction<AnalyticsServerEvent, Settings> {
  const destinations = new WeakMap<object, Deliverer>();

  function destinationFor(props: object): Deliverer {
    let destination = destinations.get(props);
    if (!destination) {
      destination = createDestination(withoutMasks(pickSettings({ ...props })));
      destinations.set(props, destination);
    }
    return destination;
  }

  const lastRetry = retriesOfHost();

  const deliver: JitsuFunction<AnalyticsServerEvent, Settings> = async (event, ctx: FullContext<Settings>) => {
    const context = { sourceId: ctx.source?.id, workspaceId: ctx.workspace?.id, receivedAt: ctx.receivedAt };
    const options = (ctx.retries ?? 0) >= lastRetry ? { patienceMs: PATIENCE_MS } : {};
    const result = await destinationFor(ctx.props ?? NO_SETTINGS).deliver(event, context, options, ctx);
    reportToJitsu(result, ctx);
    return event;
  };
  deliver.displayName = "amazon-lambda";
  deliver.description = "Sends events to AWS Lambda functions, a function per call type, through an assumed IAM role.";
  return deliver;
}

/** As the rotor reads it. A sandbox does not know its host's environment. */
function retriesOfHost(): number {
  const given = typeof process === "object" ? process.env?.["MESSAGES_RETRY_COUNT"] : undefined;
  return given ? Number.parseInt(given, 10) : HOST_RETRIES;
}

/** The mask is no key; it is told as one that is not right, instead of being sent to AWS. */
function withoutMasks(settings: JsonObject): JsonObject {
  return Object.fromEntries(
    Object.entries(settings).map(([key, value]) => [key, value === MASKED_SECRET ? "(masked)" : value]),
  );
}
