// @ts-nocheck
// Shows how an error says what is to become of an event: RetryError (or any other) brings it back later, DropEvent gives
// it up for good. Receives "Order Completed" only: see eventLambdas in settings.json. That each order is refused once is
// for demonstration.
import { DropEvent, eachEvent, RetryError } from "amazon-lambda-destination/function";

// What is outside the handler lives as long as this instance of the function does.
const seen = new Set();

export const handler = eachEvent(async ({ properties = {} }) => {
  const { orderId, total } = properties;
  if (!orderId) throw new DropEvent("An order without an orderId can't be booked, however often it is sent.");
  if (!seen.has(orderId)) {
    seen.add(orderId);
    throw new RetryError(`Order ${orderId} is not in the books yet. Ask again in a moment.`);
  }
  console.log(`Order ${orderId} booked: ${total}`);
});
