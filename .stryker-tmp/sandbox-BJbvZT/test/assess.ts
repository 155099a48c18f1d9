// @ts-nocheck
import Ajv, { type ValidateFunction } from "ajv";
import addFormats from "ajv-formats";
import resultSchema from "../schemas/delivery-result.schema.json";
import eventSchema from "../schemas/segment-event.schema.json";
import type { DeliveryResult } from "../src/delivery/delivery-result";
import type { SegmentEvent } from "../src/events/segment-event";

const ajv = addFormats(new Ajv({ allErrors: true, strict: true, strictRequired: false, strictTypes: false }));
const isResult = ajv.compile(resultSchema);
const isSegmentEvent = ajv.compile(eventSchema);

/** The delivery result itself, once it is one by its schema. */
export function assessedResult(result: DeliveryResult): DeliveryResult {
  return assessed(isResult, result);
}

/** The Segment event itself, once it is one by its schema. */
export function assessedEvent(event: unknown): SegmentEvent {
  return assessed(isSegmentEvent, event) as SegmentEvent;
}

function assessed<T>(isValid: ValidateFunction, value: T): T {
  expect({ problems: isValid(value) ? [] : isValid.errors, value }).toEqual({ problems: [], value });
  return value;
}
