// @ts-nocheck
import schema from "../../schemas/settings.schema.json";

/** A setting in `settings.schema.json`, with what it refers to filled in. */
export interface Setting {
  readonly title: string;
  readonly description: string;
  readonly type: "string" | "integer" | "boolean" | "object";
  readonly pattern?: string;
  readonly enum?: readonly string[];
  readonly minLength?: number;
  readonly maxLength?: number;
  readonly minimum?: number;
  readonly maximum?: number;
  readonly maxProperties?: number;
  readonly default?: unknown;
  readonly writeOnly?: boolean;
  /** Of a map: the schema of its values, or that any will do. */
  readonly additionalProperties?: unknown;
  /** There where the setting names a function (`#/definitions/function`), or `(skip)` in its place (`#/definitions/route`). */
  readonly $ref?: string;
  readonly examples: readonly unknown[];
  readonly "x-expected": string;
}

/** All settings by key, in the order of the schema. */
export const SETTINGS: Readonly<Record<string, Setting>> = Object.fromEntries(
  Object.entries(schema.properties).map(([key, property]) => [
    key,
    ("$ref" in property ? { ...definitionOf(property.$ref), ...property } : property) as Setting,
  ]),
);

/** What a `$ref` in the schema stands for. */
export function definitionOf(ref: string): Pick<Setting, "pattern" | "maxLength" | "x-expected"> {
  return schema.definitions[ref.endsWith("/route") ? "route" : "function"];
}
