// @ts-nocheck
// Receives track calls in TypeScript. Try it: npm start -- --functions examples/typescript
import { DropEvent, eachEvent, RetryError, type TrackEvent } from "amazon-lambda-destination/function";

interface Order {
  [key: string]: unknown;
  orderId?: string;
  total?: number;
}

export const handler = eachEvent(async (event) => {
  if (event.type !== "track") throw new DropEvent(`this function takes no ${event.type} calls`);
  if (event.event === "Order Completed") await book(event);
  else console.log(`${event.userId ?? event.anonymousId} did ${event.event}`);
});

async function book({ properties = {}, messageId }: TrackEvent<Order>): Promise<void> {
  const { orderId, total = 0 } = properties;
  if (!orderId) throw new DropEvent("an order without an orderId can't be booked, however often it is sent");
  if (total > 1_000_000) throw new RetryError(`order ${orderId} waits for its approval`);
  console.log(`order ${orderId} booked: ${total} (${messageId})`);
}
