// @ts-nocheck
import type { DeliveryOutcome } from "../delivery/delivery-result";
import type { JsonObject } from "../events/segment-event";

/** Write keys of the local router's sources: one has a function for every call type, the other for two of them. */
export const WEBSITE = "website";
export const BACKEND = "backend";

/** A call as a Segment library sends it, and what must become of it, try by try, with the functions of `examples/functions`. */
export interface Sample {
  readonly writeKey: string;
  readonly endpoint: string;
  readonly body: JsonObject & { readonly messageId: string };
  readonly ends: readonly DeliveryOutcome[];
}

const visitor = { anonymousId: "5f1d0a9c-visitor", userId: "u-1042" };
const context = {
  ip: "203.0.113.7",
  locale: "en-GB",
  library: { name: "analytics.js", version: "2.1.0" },
  geo: {
    country: { code: "PT", name: "Portugal" },
    city: { name: "Lisbon" },
    location: { latitude: 38.72, longitude: -9.14 },
  },
};

function sample(
  endpoint: string,
  body: JsonObject,
  ends: readonly DeliveryOutcome[] = ["delivered"],
  writeKey = WEBSITE,
): Sample {
  return {
    writeKey,
    endpoint,
    ends,
    body: { messageId: `sample-${++samples}`, timestamp: new Date().toISOString(), context, ...visitor, ...body },
  };
}
let samples = 0;

/** One event of each call type. */
export function callTypeSamples(): Sample[] {
  samples = 0;
  return [
    sample("track", { event: "Product Viewed", properties: { sku: "G-32", price: 18.99, currency: "EUR" } }),
    sample("identify", { traits: { email: "ines@example.com", plan: "pro", j_o_y_total_spent: 412.5 } }),
    sample("page", { name: "Pricing", properties: { path: "/pricing", url: "https://example.com/pricing" } }),
    sample("screen", { name: "Basket", context: { ...context, app: { name: "Shop", version: "4.2.0" } } }),
    sample("group", { groupId: "g-77", traits: { name: "Initech", employees: 329 } }),
    sample("alias", { previousId: visitor.anonymousId }),
  ];
}

/** One event of each call type, and one for each way in which a delivery can end. */
export function sampleEvents(): Sample[] {
  return [
    ...callTypeSamples(),
    sample("track", { event: "Order Completed", properties: { orderId: "o-9001", total: 37.98 } }, [
      "retry",
      "delivered",
    ]),
    sample("track", { event: "Order Completed", properties: { total: 5 } }, ["rejected"]),
    sample("page", { name: "Status" }, ["skipped"], BACKEND),
    sample("batch", { batch: [{ type: "purchase", messageId: "sample-10", userId: visitor.userId }] }, ["rejected"]),
  ];
}
