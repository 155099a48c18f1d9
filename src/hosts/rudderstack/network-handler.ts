import { createHostedDestination, tenantWatch } from "../../node";
import { createNetworkHandler, type NetworkHandler } from "./delivery";
import { MadeByConfig } from "./destinations";

const destinations = new MadeByConfig((settings) => createHostedDestination(settings));
const watchTenants = tenantWatch();

const handler = createNetworkHandler({
  for(config, workspaceId) {
    watchTenants(workspaceId);
    return destinations.for(config, workspaceId);
  },
});

/** `v1/destinations/amazon_lambda/networkHandler.js` of rudder-transformer, which makes a new one for each request. */
export function networkHandler(this: NetworkHandler): void {
  Object.assign(this, handler);
}
