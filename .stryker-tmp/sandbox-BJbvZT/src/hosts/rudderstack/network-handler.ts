// @ts-nocheck
import { createDestination } from "../../index";
import { createNetworkHandler, type NetworkHandler } from "./delivery";
import { Destinations } from "./destinations";

const handler = createNetworkHandler(new Destinations((settings) => createDestination(settings)));

/** `v1/destinations/amazon_lambda/networkHandler.js` of rudder-transformer, which makes a new one for each request. */
export function networkHandler(this: NetworkHandler): void {
  Object.assign(this, handler);
}
