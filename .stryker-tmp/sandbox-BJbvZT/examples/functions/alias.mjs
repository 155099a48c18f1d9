// @ts-nocheck
// Receives alias calls: two IDs are the same user.
import { eachEvent } from "amazon-lambda-destination/function";

export const handler = eachEvent(async ({ previousId, userId }) => {
  console.log(`${previousId} is now ${userId}`);
});
