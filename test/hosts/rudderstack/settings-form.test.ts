import { spawnSync } from "node:child_process";
import { basename, join } from "node:path";
import Ajv, { type ValidateFunction } from "ajv";
import fc from "fast-check";
import layout from "../../../schemas/settings.form.json";
import schema from "../../../schemas/settings.schema.json";
import { formattedJson } from "../../../src/cli/formatted-json";
import type { JsonObject } from "../../../src/events/segment-event";
import { settingsFromConfig } from "../../../src/hosts/rudderstack/host-config";
import { settingsForm } from "../../../src/hosts/rudderstack/settings-form";
import { wholeNumbers } from "../../../src/hosts/rudderstack/settings-schema";
import { definitionOf, SETTINGS, type Setting } from "../../../src/settings/setting-schemas";
import { parseSettings, SETTING_KEYS } from "../../../src/settings/settings";

type Files = {
  "db-config.json": { name: string; displayName: string; config: Record<string, JsonObject & string[]> };
  "schema.json": { configSchema: JsonObject };
  "ui-config.json": { uiConfig: UiConfig };
  "amazon_lambda.json": { testTitle: string; config: JsonObject; result: boolean; err?: string[] }[];
};

interface Field extends JsonObject {
  readonly type: string;
  readonly configKey: string;
  readonly columns?: Field[];
}

interface UiConfig {
  readonly baseTemplate: {
    readonly title: string;
    readonly sections: {
      readonly id?: string;
      readonly groups: { readonly title: string; readonly fields: Field[] }[];
    }[];
  }[];
  readonly redirectGroups: Record<string, { fields: Field[] }>;
  readonly consentSettingsTemplate: { readonly fields: Field[] };
}

/** By their names, as JSON has them. */
const filesOf = (options?: { ambient: boolean }): Files =>
  JSON.parse(
    JSON.stringify(
      Object.fromEntries(Object.entries(settingsForm(options)).map(([path, content]) => [basename(path), content])),
    ),
  );

const files = filesOf();
const SECRET = "fakeSecretAccessKeyForTests0EXAMPLE00000";
const GOOD = { lambda: "my-function", region: "us-east-1", roleAddress: "arn:aws:iam::123456789012:role/r" };

/** As the configuration repository compiles it. */
const compiled = ({ "schema.json": { configSchema } }: Files): ValidateFunction =>
  new Ajv({
    allErrors: true,
    useDefaults: true,
    strict: false,
    strictSchema: false,
    strictRequired: false,
    strictNumbers: true,
    strictTypes: true,
    strictTuples: true,
  }).compile(configSchema);

const accepts = compiled(files);

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
    ["texts for numbers", { ...GOOD, timeoutMs: "5000", maxBatchSize: " 010 " }],
    ["empty fields", { ...GOOD, trackLambda: "", externalId: "", timeoutMs: "", eventLambdas: [], clientContext: [] }],
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
    ["keys", { lambda: "f", region: "us-east-1", accessKeyId: "AKIDEXAMPLE000000000", secretAccessKey: SECRET }],
    ["no function", { region: "us-east-1", roleAddress: GOOD.roleAddress }],
    ["an empty function only", { ...GOOD, lambda: "" }],
    ["rows without a function only", { ...GOOD, lambda: "", eventLambdas: [{ from: "", to: "" }] }],
    ["a row without a function", { ...GOOD, eventLambdas: [{ from: "Order Completed", to: "" }] }],
    ["a row without an event", { ...GOOD, eventLambdas: [{ from: "", to: "no function" }] }],
    ["neither a role nor keys", { lambda: "f", region: "us-east-1" }],
    ["half of the keys", { ...GOOD, accessKeyId: "AKIDEXAMPLE000000000" }],
    ["the other half", { ...GOOD, secretAccessKey: SECRET, accessKeyId: "" }],
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

  test("agrees with our own schema about any settings as the form holds them", () => {
    const right = (key: string) => fc.constantFrom(...(SETTINGS[key]?.examples ?? []));
    const anything = fc.oneof(
      ...SETTING_KEYS.map(right),
      fc.string({ minLength: 1 }),
      fc.integer(),
      fc.constantFrom("None", "Event", null, true, 1.5, "a".repeat(1300)),
      fc.dictionary(fc.string({ minLength: 1 }), fc.constantFrom("my-function", "no function")),
    );
    const value = (key: string) => fc.oneof({ arbitrary: right(key), weight: 40 }, { arbitrary: anything, weight: 1 });
    const settings = fc.record(Object.fromEntries(SETTING_KEYS.map((key) => [key, value(key)])), { requiredKeys: [] });
    const verdicts = { true: 0, false: 0 };

    fc.assert(
      fc.property(settings, (given) => {
        const hasIdentity = given["roleAddress"] !== undefined || given["accessKeyId"] !== undefined;
        const verdict = ourSchemaAccepts(given) && hasIdentity;
        verdicts[`${verdict}`]++;
        expect(accepts(asForm(given))).toBe(verdict);
      }),
      { numRuns: 500 },
    );
    expect(Math.min(verdicts.true, verdicts.false)).toBeGreaterThan(50);
  });

  function asForm(settings: JsonObject): JsonObject {
    return Object.fromEntries(
      Object.entries(settings).map(([key, value]) => {
        if (typeof value === "number" && SETTINGS[key]?.type === "integer") return [key, String(value)];
        if (SETTINGS[key]?.type !== "object" || typeof value !== "object" || value === null) return [key, value];
        return [key, Object.entries(value).map(([from, to]) => ({ from, to }))];
      }),
    );
  }

  const TEXTS = SETTING_KEYS.filter((key) => !SETTINGS[key]?.enum && SETTINGS[key]?.type !== "object");

  test.each(TEXTS)("takes the host's templates in %s", (key) => {
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

test("an operator's own identity needs neither a role nor keys where the form is made for that", () => {
  const ambient = filesOf({ ambient: true });

  expect(compiled(ambient)({ lambda: GOOD.lambda })).toBe(true);
  expect(accepts({ lambda: GOOD.lambda })).toBe(false);
  expect(verdictsOf(ambient)).toEqual(ambient["amazon_lambda.json"]);
});

test("the validation data are what the validator comes to, an error for a mistake, which is told in words", () => {
  expect(verdictsOf(files)).toEqual(files["amazon_lambda.json"]);
  for (const { config, err = [] } of files["amazon_lambda.json"]) {
    expect(err.filter((line) => line !== ' must match "then" schema').length).toBeLessThanOrEqual(1);
    for (const line of err.filter((text) => text.includes("must match pattern"))) {
      const [key = ""] = line.split(/[. ]/);
      const { "x-expected": expected } =
        key === "eventLambdas" ? definitionOf("#/definitions/route") : (SETTINGS[key] as Setting);
      expect(line.replaceAll("\\", "")).toContain(`must match pattern "${expected}`);
      expect(line).not.toContain(String(config[key]));
    }
  }
});

/** The validation data with the verdicts of the validator in place of those that it comes with. */
function verdictsOf(form: Files): JsonObject[] {
  const validate = compiled(form);
  return form["amazon_lambda.json"].map(({ testTitle, config }) => {
    if (validate(structuredClone(config))) return { testTitle, config, result: true };
    const err = validate.errors?.map(
      ({ instancePath, message }) => `${instancePath.slice(1).replaceAll("/", ".")} ${message}`,
    );
    return { testTitle, config, result: false, err };
  });
}

test.each(Object.entries(settingsForm()))("%s is as the repository's formatter leaves it", (path, content) => {
  const prettier = join(__dirname, "../../../node_modules/prettier/bin/prettier.cjs");
  const input = formattedJson(content);

  // The repository's own configuration of it.
  const options = ["--stdin-filepath", path, "--print-width=100", "--single-quote", "--trailing-comma=all"];
  const { stdout, stderr } = spawnSync(process.execPath, [prettier, ...options], { input, encoding: "utf8" });

  expect(stderr).toBe("");
  expect(stdout).toBe(input);
});

test("patterns of whole numbers hold those and no others", () => {
  const range = fc.tuple(fc.integer({ min: 0, max: 3000 }), fc.integer({ min: 0, max: 3000 }));
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
  const { baseTemplate, redirectGroups, consentSettingsTemplate } = files["ui-config.json"].uiConfig;
  const groupsOf = (title: string) =>
    baseTemplate
      .filter((tab) => tab.title === title)
      .flatMap(({ sections }) => sections.flatMap(({ groups }) => groups));
  const firstTab = groupsOf("Initial setup").flatMap(({ fields }) => fields);
  const redirected = Object.values(redirectGroups).flatMap(({ fields }) => fields);
  const fields = [...firstTab, ...groupsOf("Configuration settings").flatMap((group) => group.fields), ...redirected];

  test("has what a destination is created with in its first tab, none of it mandatory by itself", () => {
    expect(firstTab.map(({ configKey }) => configKey)).toEqual(["lambda", "roleAddress", "externalId", "region"]);
    // The repository's own script takes a field of this tab for mandatory, unless it depends on something.
    for (const field of firstTab) expect(field).toMatchObject({ required: false, preRequisites: expect.anything() });
    const example = (key: string) => String(SETTINGS[key]?.examples[0]);
    expect(accepts(Object.fromEntries(firstTab.map(({ configKey }) => [configKey, example(configKey)])))).toBe(true);
  });

  test("has every setting once, in the groups and the order of the layout", () => {
    expect(fields.map(({ configKey }) => configKey).sort()).toEqual([...SETTING_KEYS].sort());
    const shown = groupsOf("Configuration settings").map(({ title, fields: own }) => [
      title,
      own.map((f) => f.configKey),
    ]);
    const left = (keys: readonly string[]) =>
      keys.filter((key) => SETTINGS[key]?.type !== "object" && !firstTab.some(({ configKey }) => configKey === key));
    expect(shown).toEqual(
      layout.groups.map(({ title, fields: own }) => [title, left(own)]).filter(([, own]) => own?.length),
    );
  });

  test("leads to every map from a tab of their own", () => {
    expect(groupsOf("Mappings").flatMap((group) => group.fields.map((field) => field["redirectGroupKey"]))).toEqual(
      Object.keys(redirectGroups),
    );
  });

  test("labels and explains every field, and masks the keys", () => {
    for (const field of fields) {
      const { title, description } = SETTINGS[field.configKey] as Setting;
      expect(field).toMatchObject({ label: title, note: description });
    }
    expect(fields.filter((field) => field["secret"]).map(({ configKey }) => configKey)).toEqual([
      "accessKeyId",
      "secretAccessKey",
    ]);
  });

  test("is what the repository's script derives the schema from", () => {
    const { properties } = files["schema.json"].configSchema as { properties: Record<string, JsonObject> };
    for (const { type, configKey, regex, options, default: preset } of [...firstTab, ...fields] as (Field & {
      options?: { value: string }[];
    })[]) {
      const derived = {
        textInput: { type: "string", pattern: regex },
        singleSelect: { type: "string", enum: options?.map(({ value }) => value), default: preset },
      }[type];
      if (derived) expect([configKey, properties[configKey]]).toEqual([configKey, derived]);
    }
  });

  test("has maps as rows, choices as choices and the rest as texts with an example that is right", () => {
    const types = Object.fromEntries(fields.map(({ configKey, type }) => [configKey, type]));
    expect(types).toMatchObject({
      eventLambdas: "mapping",
      clientContext: "mapping",
      logType: "singleSelect",
      invocationType: "singleSelect",
      lambda: "textInput",
    });
    for (const field of fields.flatMap((each) => each.columns ?? [each])) {
      if (field["regex"] === undefined) continue;
      expect(String(field["placeholder"]).replace("e.g. ", "")).toMatch(new RegExp(String(field["regex"]), "u"));
      expect(field["regexErrorMessage"]).toMatch(/^Must be /);
    }
  });

  test("has the host's section for consent", () => {
    expect(baseTemplate.flatMap(({ sections }) => sections.map(({ id }) => id))).toContain("consentSettings");
  });

  test("has the host's consent settings once", () => {
    expect(consentSettingsTemplate.fields.map(({ configKey }) => configKey)).toEqual(["consentManagement"]);
  });
});
