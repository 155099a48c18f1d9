import { batchesOf } from "../../planning/batches";
import { Planner, unplannable } from "../../planning/planner";
import { operatorPolicyFromEnvironment } from "../../settings/operator-policy";
import { parseSettings } from "../../settings/settings";
import { SettingsError } from "../../settings/settings-error";
import { MadeByConfig } from "./destinations";
import { createTransformation, type Planning } from "./transformation";

/** A destination that plans deliveries and sends none. */
function planning(given: unknown): Planning {
  try {
    const operator = operatorPolicyFromEnvironment(process.env);
    const settings = parseSettings(given, operator);
    const planner = new Planner(settings, operator);
    return {
      plan: (event, context) => planner.plan(event, context),
      batches: (deliveries) => batchesOf(deliveries, planner.limit),
    };
  } catch (error) {
    if (!(error instanceof SettingsError)) throw error;
    return {
      plan: (event) => unplannable(event, error),
      batches: (deliveries) => deliveries.map((delivery) => [delivery]),
    };
  }
}

const { process: processEvent, processRouterDest } = createTransformation(new MadeByConfig(planning));

// `v0/destinations/amazon_lambda/transform.js` of rudder-transformer; its name for the first would hide Node's `process` here.
export { processEvent as process, processRouterDest };
