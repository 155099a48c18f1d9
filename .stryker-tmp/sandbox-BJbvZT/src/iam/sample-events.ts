// @ts-nocheck
import type { CallType } from "../events/segment-event";

/** An event of each call type for the connection check: what a router would hand in, recognisable by its user ID. */
export function sampleEvent(callType: CallType, event = "Connection Checked"): Readonly<Record<string, unknown>> {
  const at = new Date().toISOString();
  return {
    type: callType,
    userId: "connection-check",
    anonymousId: "connection-check",
    messageId: `connection-check-${callType}-${at}`,
    timestamp: at,
    originalTimestamp: at,
    sentAt: at,
    context: { library: { name: "amazon-lambda-destination", version: "check" } },
    ...PARTS[callType](event),
  };
}

const PARTS: Readonly<Record<CallType, (event: string) => object>> = {
  track: (event) => ({ event, properties: { connectionCheck: true } }),
  identify: () => ({ traits: { connectionCheck: true } }),
  page: () => ({ name: "Connection Check", properties: { connectionCheck: true, path: "/connection-check" } }),
  screen: () => ({ name: "Connection Check", properties: { connectionCheck: true } }),
  group: () => ({ groupId: "connection-check", traits: { connectionCheck: true } }),
  alias: () => ({ previousId: "connection-check-before" }),
};
