/** The six calls of the Segment specification, in the order in which settings and documents list them. */
// @ts-nocheck

export const CALL_TYPES = ["track", "identify", "page", "screen", "group", "alias"] as const;

export type CallType = (typeof CALL_TYPES)[number];

/** Any JSON object whose content is the user's business. */
export type JsonObject = { [key: string]: unknown };

/** The payload a Lambda function receives; validates against `schemas/segment-event.schema.json`. */
export interface SegmentEvent {
  type: CallType;
  /** `track` only. */
  event?: string;
  /** `page` and `screen` only. */
  name?: string;
  /** `page` and `screen` only. */
  category?: string;
  userId?: string;
  anonymousId?: string;
  /** `group` only. */
  groupId?: string;
  /** `alias` only. */
  previousId?: string;
  /** `track`, `page` and `screen`. */
  properties?: JsonObject;
  /** `identify` and `group`. */
  traits?: JsonObject;
  context?: JsonObject;
  integrations?: JsonObject;
  messageId: string;
  /** ISO 8601, like the four dates after it. */
  originalTimestamp?: string;
  timestamp?: string;
  sentAt?: string;
  receivedAt?: string;
  channel?: string;
  /** The source's ID. */
  projectId?: string;
  version: 2;
}
