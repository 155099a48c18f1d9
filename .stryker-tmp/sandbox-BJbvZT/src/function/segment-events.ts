/** Any JSON object whose content is yours. */
// @ts-nocheck

export type JsonObject = { [key: string]: unknown };

/** Where and with what an event happened; what is named here is what Segment's libraries fill in. */
export interface SegmentContext extends JsonObject {
  ip?: string;
  locale?: string;
  timezone?: string;
  userAgent?: string;
  library?: { name?: string; version?: string };
  page?: { path?: string; referrer?: string; search?: string; title?: string; url?: string };
  campaign?: { name?: string; source?: string; medium?: string; term?: string; content?: string };
  app?: { name?: string; version?: string; build?: string; namespace?: string };
  device?: { id?: string; manufacturer?: string; model?: string; name?: string; type?: string };
  os?: { name?: string; version?: string };
  /** Where the router places the user, if it does. */
  location?: { city?: string; country?: string; region?: string; latitude?: number; longitude?: number };
}

interface Common {
  /** The same for every try of an event: what makes a function idempotent. */
  messageId: string;
  userId?: string;
  anonymousId?: string;
  context?: SegmentContext;
  integrations?: JsonObject;
  /** ISO 8601, like the dates after it. */
  originalTimestamp?: string;
  /** When it happened. */
  timestamp?: string;
  sentAt?: string;
  receivedAt?: string;
  channel?: string;
  /** The source's ID. */
  projectId?: string;
  version: 2;
}

/** What a user did. */
export interface TrackEvent<Properties extends JsonObject = JsonObject> extends Common {
  type: "track";
  event?: string;
  properties?: Properties;
}

/** Who a user is; computed traits and audiences come as traits, too. */
export interface IdentifyEvent<Traits extends JsonObject = JsonObject> extends Common {
  type: "identify";
  traits?: Traits;
}

/** What page of a website a user saw. */
export interface PageEvent<Properties extends JsonObject = JsonObject> extends Common {
  type: "page";
  name?: string;
  category?: string;
  properties?: Properties;
}

/** What screen of an app a user saw. */
export interface ScreenEvent<Properties extends JsonObject = JsonObject> extends Common {
  type: "screen";
  name?: string;
  category?: string;
  properties?: Properties;
}

/** Which company, team or household a user belongs to. */
export interface GroupEvent<Traits extends JsonObject = JsonObject> extends Common {
  type: "group";
  groupId?: string;
  traits?: Traits;
}

/** Two IDs are the same user. */
export interface AliasEvent extends Common {
  type: "alias";
  previousId?: string;
}

/** What a function receives, told apart by `type`. */
export type SegmentEvent = TrackEvent | IdentifyEvent | PageEvent | ScreenEvent | GroupEvent | AliasEvent;
