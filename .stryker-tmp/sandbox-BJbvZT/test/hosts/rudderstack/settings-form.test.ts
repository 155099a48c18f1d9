// @ts-nocheck
import Ajv, { type ValidateFunction } from "ajv";
import fc from "fast-check";
import layout from "../../../schemas/settings.form.json";
import schema from "../../../schemas/settings.schema.json";
import type { JsonObject } from "../../../src/events/segment-event";
import { settingsFromConfig } from "../../../src/hosts/rudderstack/host-config";
import { settingsForm } from "../../../src/hosts/rudderstack/settings-form";
import { wholeNumbers } from "../../../src/hosts/rudderstack/settings-schema";
import { parseSettings, SETTING_KEYS } from "../../../src/settings/settings";

const files = JSON.parse(JSON.stringify(settingsForm())) as {
  "db-config.json": { name: string; displayName: string; config: Record<string, JsonObject & string[]> };
  "schema.json": { configSchema: JsonObject };
  "ui-config.json": { uiConfig: Record<string, never> };
};
const SECRET = "fakeSecretAccessKeyForTests0EXAMPLE00000";
const GOOD = { lambda: "my-function", region: "us-east-1", roleAddress: "arn:aws:iam::123456789012:role/r" };

/** As the configuration repository compiles it. */
const accepts: ValidateFunction = new Ajv({
  allErrors: true,
  useDefaults: true,
  strict: false,
  strictSchema: false,
  strictRequired: false,
  strictNumbers: true,
  strictTypes: true,
  strictTuples: true,
}).compile(files["schema.json"].configSchema);

/** Our own validator's verdict about a configuration of the host, as far as a schema can tell. */
function weAccept(config: JsonObject): boolean {
  try {
    parseSettings(settingsFromConfig(config));
    return true;
  } catch {
    return false;
  }
}

/** As our own schema has it, for settings in their own types. */
const ourSchemaAccepts = new Ajv({ strict: false }).compile(schema);

describe("schema.json", () => {
  test.each<[string, JsonObject]>([
    [
      "every setting in its own type",
      {
        ...GOOD,
        timeoutMs: 900,
        maxBatchSize: 10,
        eventLambdas: { "Order Completed": "orders" },
        clientContext: { a: { b: 1 } },
      },
    ],
    ["texts for numbers", { ...GOOD, timeoutMs: "5000", maxBatchSize: " 010 " }],
    [
      "empty fields",
      { ...GOOD, trackLambda: "", externalId: "", timeoutMs: "", logType: "", eventLambdas: "", clientContext: [] },
    ],
    [
      "rows",
      {
        region: "us-east-1",
        roleAddress: GOOD.roleAddress,
        eventLambdas: [
          { from: "Order Completed", to: "orders" },
          { from: "", to: "" },
        ],
      },
    ],
    ["a map as JSON", { ...GOOD, clientContext: '{"a":1}' }],
    ["a map of functions as JSON", { ...GOOD, eventLambdas: ' {"Order \\"Completed\\"":"orders:live", "b" : "f"} ' }],
    ["a map of no functions as JSON", { ...GOOD, eventLambdas: '{"a":"no f"}' }],
    ["a map that is no JSON", { ...GOOD, eventLambdas: '{"a":"f",}' }],
    ["keys", { lambda: "f", region: "us-east-1", accessKeyId: "AKIDEXAMPLE000000000", secretAccessKey: SECRET }],
    ["no function", { region: "us-east-1", roleAddress: GOOD.roleAddress }],
    ["an empty function only", { ...GOOD, lambda: "" }],
    ["rows without a function only", { ...GOOD, lambda: "", eventLambdas: [{ from: "", to: "" }] }],
    ["an empty map as JSON only", { ...GOOD, lambda: "", eventLambdas: "{ }" }],
    ["a row without a function", { ...GOOD, eventLambdas: [{ from: "Order Completed", to: "" }] }],
    ["half of the keys", { ...GOOD, accessKeyId: "AKIDEXAMPLE000000000" }],
    ["the other half", { ...GOOD, secretAccessKey: SECRET, accessKeyId: "" }],
    ["a number out of range", { ...GOOD, timeoutMs: 99 }],
    ["a text out of range", { ...GOOD, timeoutMs: "900001" }],
    ["a fraction", { ...GOOD, maxBatchSize: "1.5" }],
    ["a word that is none of the choices", { ...GOOD, logType: "tail" }],
    ["a function that is none", { ...GOOD, trackLambda: "no function" }],
    ["a function that is too long", { ...GOOD, trackLambda: `function:${"f".repeat(65)}` }],
    ["an external ID that is too short", { ...GOOD, externalId: "a" }],
    ["a map that is a list of texts", { ...GOOD, clientContext: ["a"] }],
    ["a map that is text", { ...GOOD, clientContext: "a: b" }],
  ])("agrees with our own validator about %s", (_name, config) => {
    expect(accepts({ ...config })).toBe(weAccept(config));
  });

  test("agrees with our own schema about any settings", () => {
    const properties = schema.properties as Readonly<Record<string, { examples?: unknown[] }>>;
    const right = (key: string) => fc.constantFrom(...(properties[key]?.examples ?? ["my-function", "function:f:1"]));
    const anything = fc.oneof(
      ...SETTING_KEYS.map(right),
      fc.string(),
      fc.integer(),
      fc.constantFrom("None", "Event", null, true, 1.5, {}, "a".repeat(1300)),
      fc.dictionary(fc.string({ minLength: 1 }), fc.constantFrom("my-function", "no function")),
    );
    const value = (key: string) => fc.oneof({ arbitrary: right(key), weight: 20 }, { arbitrary: anything, weight: 1 });
    const settings = fc
      .record(Object.fromEntries(SETTING_KEYS.map((key) => [key, value(key)])), { requiredKeys: [] })
      // What forms add to our own types: an empty text, and texts for numbers and maps.
      .filter((given) =>
        Object.entries(given).every(([key, text]) => text !== "" && !(typeof text === "string" && isNoText(key))),
      );
    const verdicts = { true: 0, false: 0 };

    fc.assert(
      fc.property(settings, (given) => {
        const verdict = ourSchemaAccepts(given);
        verdicts[`${verdict}`]++;
        expect(accepts(structuredClone(given))).toBe(verdict);
      }),
      { numRuns: 500 },
    );
    expect(Math.min(verdicts.true, verdicts.false)).toBeGreaterThan(50);
  });

  function isNoText(key: string): boolean {
    return ["timeoutMs", "maxBatchSize", "eventLambdas", "clientContext"].includes(key);
  }

  test.each(SETTING_KEYS)("takes the host's templates in %s", (key) => {
    const others =
      key === "accessKeyId" || key === "secretAccessKey"
        ? { accessKeyId: "env.KEY", secretAccessKey: "env.SECRET" }
        : {};
    expect(accepts({ ...GOOD, ...others, [key]: '{{ event.context.x || "y" }}' })).toBe(true);
    expect(accepts({ ...GOOD, ...others, [key]: "env.SOME_VARIABLE" })).toBe(true);
  });

  test("takes the host's own keys and no others", () => {
    expect(
      accepts({
        ...GOOD,
        connectionMode: { web: "cloud" },
        consentManagement: { web: [{ provider: "ketch", consents: [] }] },
      }),
    ).toBe(true);
    expect(accepts({ ...GOOD, connectionMode: { web: "device" } })).toBe(false);
    expect(accepts({ ...GOOD, tracklambda: "f" })).toBe(false);
  });
});

test("patterns of whole numbers hold those and no others", () => {
  const range = fc.tuple(fc.integer({ min: 1, max: 3000 }), fc.integer({ min: 0, max: 3000 }));
  fc.assert(
    fc.property(range, fc.integer({ min: 0, max: 7000 }), ([min, length], value) => {
      const pattern = new RegExp(`^(?:${wholeNumbers(min, min + length)})$`);
      for (const n of [value, min, min - 1, min + length, min + length + 1]) {
        expect(pattern.test(String(n))).toBe(n >= min && n <= min + length);
      }
    }),
  );
});

describe("db-config.json", () => {
  const { name, displayName, config } = files["db-config.json"];

  test("names the destination as the repository wants it", () => {
    expect(name).toMatch(/^[a-zA-Z0-9_-]+$/);
    expect(displayName).toMatch(/^[a-zA-Z0-9_ .\-()/]+$/);
  });

  test("has every setting, and the keys as secrets", () => {
    expect(config["destConfig"]?.["defaultConfig"]).toEqual(SETTING_KEYS);
    expect(config["secretKeys"]).toEqual(["accessKeyId", "secretAccessKey"]);
  });

  test("treats all source types alike, consent among it", () => {
    const { defaultConfig: _default, ...perSource } = config["destConfig"] as JsonObject;
    expect(Object.keys(perSource)).toEqual(config["supportedSourceTypes"]);
    expect(new Set(Object.values(perSource).map(String))).toEqual(new Set(["connectionMode,consentManagement"]));
  });

  test("has no key that the repository does not know", () => {
    expect(Object.keys(config).sort()).toEqual([
      "destConfig",
      "saveDestinationResponse",
      "secretKeys",
      "supportedConnectionModes",
      "supportedMessageTypes",
      "supportedSourceTypes",
      "transformAtV1",
    ]);
  });
});

describe("ui-config.json", () => {
  type Group = { title: string; note: string; fields: (JsonObject & { configKey: string })[] };
  const { baseTemplate, consentSettingsTemplate } = files["ui-config.json"].uiConfig as unknown as {
    baseTemplate: { sections: { groups: Group[] }[] }[];
    consentSettingsTemplate: { fields: JsonObject[] };
  };
  const groups = baseTemplate
    .flatMap(({ sections }) => sections.flatMap((section) => section.groups))
    .filter(({ fields }) => fields.length > 0);
  const fields = groups.flatMap((group) => group.fields);

  test("has the groups and the order of the layout", () => {
    expect(groups.map(({ title, fields: own }) => [title, own.map(({ configKey }) => configKey)])).toEqual(
      layout.groups.map(({ title, fields: own }) => [title, own]),
    );
  });

  test("labels and explains every field, and masks the keys", () => {
    for (const field of fields) {
      const { title, description } = schema.properties[field.configKey as keyof typeof schema.properties];
      expect(field).toMatchObject({ label: title, note: description });
    }
    expect(fields.filter(({ secret }) => secret).map(({ configKey }) => configKey)).toEqual([
      "accessKeyId",
      "secretAccessKey",
    ]);
  });

  test("has maps as rows, choices as choices and the rest as texts with an example that is right", () => {
    const types = Object.fromEntries(fields.map(({ configKey, type }) => [configKey, type]));
    expect(types).toMatchObject({
      eventLambdas: "dynamicForm",
      clientContext: "dynamicForm",
      logType: "singleSelect",
      invocationType: "singleSelect",
      lambda: "textInput",
    });
    for (const { type, regex, placeholder } of fields) {
      if (type === "textInput")
        expect(String(placeholder).replace("e.g. ", "")).toMatch(new RegExp(String(regex), "u"));
    }
  });

  test("has the host's consent settings once", () => {
    expect(consentSettingsTemplate.fields.map(({ configKey }) => configKey)).toEqual(["consentManagement"]);
  });
});
