/** By which the host counts a delivery of the tests' destination that failed, whatever the reason. */
export const DELIVERY_TAGS = {
  destType: "AMAZON_LAMBDA",
  module: "destination",
  implementation: "native",
  feature: "dataDelivery",
  destinationId: "destination-1",
  workspaceId: "workspace-1",
} as const;
