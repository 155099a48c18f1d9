// @ts-nocheck
// Receives page calls. context.location holds where the visitor is, as far as the router knows it.
import { eachEvent } from "amazon-lambda-destination/function";

export const handler = eachEvent(async ({ name, properties, context }, { clientContext, getRemainingTimeInMillis }) => {
  const { city = "somewhere" } = context?.location ?? {};
  console.log(
    `${name ?? properties?.path ?? "A page"} seen from ${city} (${clientContext?.environment ?? "no client context"}, ${getRemainingTimeInMillis()} ms left)`,
  );
});
