// @ts-nocheck
import type { AnalyticsServerEvent } from "@jitsu/protocols/analytics";
import type { FullContext, JitsuFunction } from "@jitsu/protocols/functions";
import type { Destination } from "../../destination";
import type { JsonObject } from "../../events/segment-event";
import type { Settings } from "../../settings/settings";
import { pickSettings } from "../../settings/settings";
import { MASKED_SECRET } from "./masked-secret";
import { reportToJitsu } from "./report";

type Deliverer = Pick<Destination, "deliver">;

const NO_SETTINGS = {};

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

  const deliver: JitsuFunction<AnalyticsServerEvent, Settings> = async (event, ctx: FullContext<Settings>) => {
    const result = await destinationFor(ctx.props ?? NO_SETTINGS).deliver(event, {
      sourceId: ctx.source?.id,
      workspaceId: ctx.workspace?.id,
      receivedAt: ctx.receivedAt,
    });
    reportToJitsu(result, ctx);
    return event;
  };
  deliver.displayName = "amazon-lambda";
  deliver.description = "Sends events to AWS Lambda functions, a function per call type, through an assumed IAM role.";
  return deliver;
}

/** The mask is no key; it is told as one that is not right, instead of being sent to AWS. */
function withoutMasks(settings: JsonObject): JsonObject {
  return Object.fromEntries(
    Object.entries(settings).map(([key, value]) => [key, value === MASKED_SECRET ? "(masked)" : value]),
  );
}
