// @ts-nocheck
// Receives identify calls: who a user is. Computed traits and audiences arrive as traits, too.
import { eachEvent } from "amazon-lambda-destination/function";

export const handler = eachEvent(async ({ userId, anonymousId, traits = {} }) => {
  const { email, ...others } = traits;
  console.log(
    `${userId ?? anonymousId} is ${email ?? "without an address"}, with ${Object.keys(others).length} more traits`,
  );
});
