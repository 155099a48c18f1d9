// @ts-nocheck
import { AssumedRoles } from "../../aws/assumed-role";
import type { Aws } from "../../aws/aws";
import { createDestinationIn } from "../../destination";
import { operatorPolicyFromEnvironment } from "../../settings/operator-policy";
import { Destinations } from "./destinations";
import { createTransformation } from "./transformation";

/** The transformation prepares deliveries and sends none: it needs the time and nothing else of AWS. */
const noAws: Aws = {
  now: Date.now,
  within: unavailable,
  assumeRole: unavailable,
  invoke: unavailable,
};

function unavailable(): never {
  throw new Error("The transformation does not call AWS.");
}

const surroundings = {
  aws: noAws,
  roles: new AssumedRoles(noAws),
  operator: () => operatorPolicyFromEnvironment(process.env),
};

const { process: processEvent, processRouterDest } = createTransformation(
  new Destinations((settings) => createDestinationIn(surroundings, settings)),
);

// `v0/destinations/amazon_lambda/transform.js` of rudder-transformer; its name for the first would hide Node's `process` here.
export { processEvent as process, processRouterDest };
