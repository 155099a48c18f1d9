// @ts-nocheck
import { once } from "node:events";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { text } from "node:stream/consumers";
import { jitsuAnalytics } from "@jitsu/js";
import RudderAnalytics from "@rudderstack/rudder-sdk-node";
import { Analytics } from "@segment/analytics-node";
import type { CallType, JsonObject } from "../../src/events/segment-event";

/** What users hand to the SDKs, and want to see again in their functions. */
export const GIVEN = {
  userId: "user-1",
  traits: { email: "jane@example.com", plan: "pro", nested: { list: [1, "two", null], text: "Zürich 🚆" } },
  event: "Order Completed",
  properties: { orderId: "o-1", total: 12.5, products: [{ sku: "s-1", tags: [] }], note: null },
  name: "Pricing",
  category: "Docs",
  groupId: "group-1",
  groupTraits: { employees: 7 },
  previousId: "anonymous-1",
};

export type Captured = Readonly<Partial<Record<CallType, JsonObject>>>;

/** Runs a real SDK against a server of its own and returns the events that it sent, by call type. */
async function capture(send: (host: string) => Promise<void>, expected: number): Promise<Captured> {
  const events: JsonObject[] = [];
  let arrived = () => {};
  const all = new Promise<void>((resolve) => {
    arrived = resolve;
  });
  const server = createServer(async (request, response) => {
    const body = JSON.parse(await text(request)) as JsonObject;
    const { batch, sentAt } = body;
    events.push(...(Array.isArray(batch) ? (batch as JsonObject[]).map((event) => ({ sentAt, ...event })) : [body]));
    response.writeHead(200, { "content-type": "application/json", connection: "close" }).end('{"ok":true}');
    if (events.length >= expected) arrived();
  });
  await once(server.listen(0, "127.0.0.1"), "listening");
  try {
    await send(`http://127.0.0.1:${(server.address() as AddressInfo).port}`);
    await all;
  } finally {
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
  }
  return Object.fromEntries(events.map((event) => [event["type"], event]));
}

const { userId, traits, event, properties, name, category, groupId, groupTraits, previousId } = GIVEN;

/** `@segment/analytics-node`: what `npm start`'s tracking API receives. */
export function segmentEvents(): Promise<Captured> {
  return capture(async (host) => {
    const analytics = new Analytics({ writeKey: "not-a-real-write-key", host, flushAt: 1 });
    analytics.track({ userId, event, properties });
    analytics.identify({ userId, traits });
    analytics.page({ userId, name, category, properties });
    analytics.screen({ userId, name, category, properties });
    analytics.group({ userId, groupId, traits: groupTraits });
    analytics.alias({ userId, previousId });
    await analytics.closeAndFlush();
  }, 6);
}

/** `@rudderstack/rudder-sdk-node`, and what rudder-server adds on the way to a destination. */
export async function rudderStackEvents(): Promise<Captured> {
  const sent = await capture(async (host) => {
    const analytics = new RudderAnalytics("not-a-real-write-key", {
      dataPlaneUrl: host,
      flushInterval: 10,
      gzip: false,
    });
    analytics.track({ userId, event, properties });
    analytics.identify({ userId, traits });
    analytics.page({ userId, name, properties: { ...properties, category } });
    analytics.screen({ userId, name, properties: { ...properties, category } });
    analytics.group({ userId, groupId, traits: groupTraits });
    analytics.alias({ userId, previousId });
    await new Promise((resolve) => analytics.flush(resolve));
  }, 6);
  return added(sent, (message) => ({
    ...message,
    rudderId: "11111111-2222-4333-8444-555555555555",
    request_ip: "203.0.113.7",
    receivedAt: "2026-01-02T03:04:05.678+05:30",
    timestamp: "2026-01-02T03:04:05.123+05:30",
    context: {
      ...(message["context"] as JsonObject),
      geo: {
        ip: "203.0.113.7",
        city: "Gurugram",
        country: "IN",
        region: "Haryana",
        postal: "122001",
        location: "28.4597,77.0282",
        timezone: "Asia/Kolkata",
      },
    },
  }));
}

/** `@jitsu/js` (it knows no screen and no alias), and what Jitsu's ingest and rotor add. */
export async function jitsuEvents(): Promise<Captured> {
  const sent = await capture(async (host) => {
    const analytics = jitsuAnalytics({ host, writeKey: "key:not-a-real-secret", fetch });
    await analytics.track(event, properties);
    await analytics.identify(userId, traits);
    await analytics.page({ name, category, ...properties });
    await analytics.group(groupId, groupTraits);
  }, 4);
  return added(sent, (message) => ({
    ...message,
    requestIp: "203.0.113.7",
    receivedAt: "2026-01-02T03:04:05.678Z",
    timestamp: new Date("2026-01-02T03:04:05.123Z"),
    JITSU_TABLE_NAME: "events",
    $table: "events",
    $cost: 1,
    context: {
      ...(message["context"] as JsonObject),
      geo: {
        continent: { code: "EU", name: "Europe" },
        country: { code: "CH", name: "Switzerland", isEU: false },
        region: { code: "ZH", name: "Zurich", confidence: 80 },
        city: { name: "Zürich", confidence: 60 },
        postalCode: { code: "8001" },
        location: { latitude: 47.3769, longitude: 8.5417, accuracyRadius: 10, timezone: "Europe/Zurich" },
        provider: { isp: "Example" },
      },
    },
  }));
}

function added(events: Captured, add: (message: JsonObject) => JsonObject): Captured {
  return Object.fromEntries(Object.entries(events).map(([type, message]) => [type, add(message)]));
}
