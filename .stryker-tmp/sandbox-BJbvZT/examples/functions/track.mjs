// @ts-nocheck
// Receives track calls, one by one or in batches (Max Batch Size above 1): eachEvent() takes either, and tells the router
// which events of a batch failed, so that these alone are sent again.
import { eachEvent } from "amazon-lambda-destination/function";

export const handler = eachEvent(async ({ event, userId, anonymousId, properties = {} }) => {
  console.log(`${userId ?? anonymousId} did ${event}`, properties);
});
