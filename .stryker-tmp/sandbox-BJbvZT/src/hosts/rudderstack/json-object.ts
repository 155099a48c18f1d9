// @ts-nocheck
import type { JsonObject } from "../../events/segment-event";

/** Whether something that came as JSON is an object. */
export function isObject(value: unknown): value is JsonObject {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
