// @ts-nocheck
// Receives group calls: which company, team or household a user belongs to.
import { eachEvent } from "amazon-lambda-destination/function";

export const handler = eachEvent(async ({ userId, groupId, traits }) => {
  console.log(`${userId} belongs to ${traits?.name ?? groupId}`);
});
