// @ts-nocheck
import { existsSync } from "node:fs";
import { join } from "node:path";
import Ajv from "ajv";
import manifest from "../plugin.json";
import manifestSchema from "../schemas/plugin.schema.json";
import form from "../schemas/settings.form.json";
import formSchema from "../schemas/settings.form.schema.json";
import settingsSchema from "../schemas/settings.schema.json";
import { CALL_TYPES } from "../src/events/segment-event";

const root = join(__dirname, "..");

function problems(schema: object, value: unknown): unknown {
  const validate = new Ajv({ allErrors: true }).compile(schema);
  return validate(value) ? [] : validate.errors;
}

test("the manifest and the form's layout are valid by their own schemas", () => {
  expect(problems(manifestSchema, manifest)).toEqual([]);
  expect(problems(formSchema, form)).toEqual([]);
  expect(problems(manifestSchema, { ...manifest, version: "one" })).not.toEqual([]);
});

test("everything that the manifest points to is there", () => {
  const paths = [...JSON.stringify(manifest).matchAll(/"(\.\/[^"]+)"/g)].map(([, path]) => path as string);

  expect(paths.length).toBeGreaterThan(8);
  expect(paths.filter((path) => !existsSync(join(root, path)))).toEqual([]);
});

test("the manifest lists the call types that the source knows", () => {
  expect(manifest.callTypes).toEqual(CALL_TYPES);
});

test("the form shows every setting once, with a label, help and a placeholder, and masks the secrets", () => {
  const properties = settingsSchema.properties as Record<
    string,
    { title?: string; description?: string; examples?: unknown[]; $ref?: string; writeOnly?: boolean }
  >;
  const fields = form.groups.flatMap((group) => group.fields);

  expect([...fields].sort()).toEqual(Object.keys(properties).sort());
  for (const { title, description, examples, $ref } of Object.values(properties)) {
    expect(title).toBeTruthy();
    expect(description).toBeTruthy();
    expect($ref ? settingsSchema.definitions.function.examples : examples).toHaveLength(1);
  }
  const secrets = Object.entries(properties).filter(([, { writeOnly }]) => writeOnly);
  expect(secrets.map(([key]) => key)).toEqual(["accessKeyId", "secretAccessKey"]);
});
