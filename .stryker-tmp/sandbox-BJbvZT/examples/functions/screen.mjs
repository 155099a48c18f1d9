// @ts-nocheck
// Receives screen calls: pages of a mobile app.
import { eachEvent } from "amazon-lambda-destination/function";

export const handler = eachEvent(async ({ name, context }) => {
  console.log(`${name ?? "A screen"} opened in ${context?.app?.name ?? "an app"} ${context?.app?.version ?? ""}`);
});
