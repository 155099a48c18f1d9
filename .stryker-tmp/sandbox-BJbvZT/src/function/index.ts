/** What the author of a Lambda function imports: `amazon-lambda-destination/function`. */
// @ts-nocheck

export { type BatchResponse, type EachEventOptions, eachEvent, type LambdaContext } from "./each-event";
export { DropEvent, RetryError } from "./errors";
export type {
  AliasEvent,
  GroupEvent,
  IdentifyEvent,
  JsonObject,
  PageEvent,
  ScreenEvent,
  SegmentContext,
  SegmentEvent,
  TrackEvent,
} from "./segment-events";
