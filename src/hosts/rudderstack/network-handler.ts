import { createHostedDestination } from "../../node";
import { createNetworkHandler, type NetworkHandler } from "./delivery";
import { MadeByConfig } from "./destinations";

const handler = createNetworkHandler(new MadeByConfig((settings) => createHostedDestination(settings)));

/** `v1/destinations/amazon_lambda/networkHandler.js` of rudder-transformer, which makes a new one for each request. */
export function networkHandler(this: NetworkHandler): void {
  Object.assign(this, handler);
}
