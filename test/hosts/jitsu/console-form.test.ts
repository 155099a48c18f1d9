import { spawnSync } from "node:child_process";
import { mkdirSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import fc from "fast-check";
import type { z } from "zod";
import { validate } from "../../../src/generated/validate-settings";
import { applyChanges } from "../../../src/hosts/file-changes";
import { jitsuFunction } from "../../../src/hosts/jitsu/destination-function";
import { planInstallation } from "../../../src/hosts/jitsu/install";
import { LONGEST_DELIVERY_MS } from "../../../src/hosts/jitsu/longest-delivery";
import { MASKED_SECRET } from "../../../src/hosts/jitsu/masked-secret";
import { SETTINGS, type Setting } from "../../../src/settings/setting-schemas";
import { parseSettings, SETTING_KEYS } from "../../../src/settings/settings";
import { type Layout, makeCheckout, SCHEMAS } from "./checkout";
import { CONVERTERS, checkInBrowser, DESTINATION, jsonSchemaOf, loadForm } from "./console";

const form = loadForm();
const SECRET = "not/a/real+secret/only+for+this+test00000";
const GOOD = { lambda: "orders", region: "us-east-1", roleAddress: "arn:aws:iam::123456789012:role/r" };
const KEYS = { accessKeyId: "AKIDEXAMPLE00000000", secretAccessKey: SECRET };

/** What the console's server makes of a destination that it is to store. */
const stored = (value: Record<string, unknown>) => {
  const parsed = DESTINATION.merge(form.credentials).parse({ id: "d", name: "My Lambda", ...value });
  return JSON.parse(JSON.stringify(parsed)) as Record<string, unknown>;
};

describe.each(SETTING_KEYS)("%s", (key) => {
  const setting = SETTINGS[key] as Setting;
  const field = form.credentials.shape[key] as z.ZodTypeAny;

  /** The schema's verdict about the setting alone, under the rotor's ceiling. */
  function schemaAccepts(value: unknown): boolean {
    if (key === "timeoutMs" && typeof value === "number" && value > LONGEST_DELIVERY_MS) return false;
    validate({ [key]: value });
    const own = (validate.errors ?? []).filter(({ instancePath }) => instancePath.split("/")[1] === key);
    return own.every(({ keyword }) => keyword === "minProperties");
  }

  test("takes on the server what the settings' schema takes", () => {
    const example = fc.constantFrom(...setting.examples);
    const anything = fc.oneof(
      fc.jsonValue(),
      ...(setting.pattern ? [fc.stringMatching(new RegExp(setting.pattern)), example.map((text) => `${text}-`)] : []),
      fc.constantFrom(
        "x",
        "x".repeat(1225),
        `a:${"b".repeat(129)}`,
        "tail",
        "no function",
        0,
        1,
        99,
        900_001,
        100.5,
        {},
      ),
      fc.dictionary(fc.string({ minLength: 1 }), fc.constantFrom("orders", "no function", 1)),
    );
    const seen = { true: 0, false: 0 };
    fc.assert(
      fc.property(fc.oneof(example, anything), (value) => {
        const read = typeof value === "string" ? value.trim() : value;
        if (read === "" || (setting.type === "object" && typeof read === "string")) return;
        const accepted = schemaAccepts(read);
        seen[`${accepted}`]++;
        expect({ value, accepted: field.safeParse(value).success }).toEqual({ value, accepted });
        if (setting.type === "object") expect(field.safeParse(JSON.stringify(value)).success).toBe(accepted);
      }),
      { numRuns: 200 },
    );
    expect(Math.min(seen.true, seen.false)).toBeGreaterThan(5);
  });

  test("can be emptied", () => {
    if (setting.type === "integer" || setting.enum) return;
    expect(stored({ [key]: "" })).not.toHaveProperty([key]);
    expect(stored({ [key]: "  " })).not.toHaveProperty([key]);
  });
});

describe.each(CONVERTERS)("through zod-to-json-schema %s", (_version, convert) => {
  const converted = jsonSchemaOf(form, convert);

  test("the form becomes a schema in which nothing is required", () => {
    expect(Object.keys(converted.properties)).toEqual(expect.arrayContaining(SETTING_KEYS));
    expect(converted.required ?? []).toEqual(["id", "name"]);
    expect(JSON.stringify(converted)).not.toContain('"$ref"');
  });

  test.each<[string, Record<string, unknown>]>([
    ["a new destination", {}],
    ["the settings it needs", GOOD],
    ["every setting", Object.fromEntries(SETTING_KEYS.map((key) => [key, asText(key, SETTINGS[key]?.examples[0])]))],
    ["emptied fields", { ...GOOD, trackLambda: undefined, externalId: " ", accessKeyId: "", eventLambdas: "" }],
    ["a saved destination with masked secrets", { ...stored({ ...GOOD, ...KEYS }), ...masked() }],
  ])("a browser finds no fault with %s", (_name, value) => {
    expect(checkInBrowser(converted, value)).toEqual([]);
  });

  test.each<[string, unknown]>([
    ["trackLambda", "no function"],
    ["roleAddress", "the role"],
    ["externalId", "my source"],
    ["region", "Virginia"],
    ["eventLambdas", "orders"],
    ["clientContext", "[1]"],
    ["secretAccessKey", "secret!"],
  ])("a browser says what is expected of %s", (key, value) => {
    const [message = "", ...more] = checkInBrowser(converted, { ...GOOD, [key]: value });

    expect(more).toEqual([]);
    expect(message).toMatch(new RegExp(`^\\.${key} must match pattern "`));
    expect(message.replaceAll("\\", "")).toContain(SETTINGS[key]?.["x-expected"]);
    expect(message.length).toBeLessThan(180);
    expect(message).not.toContain(String(value));
  });
});

test("the server says what is expected in a sentence", () => {
  const { error } = form.credentials.safeParse({ lambda: "orders:", eventLambdas: '{"a":"b c"}' });

  expect(error?.issues.map(({ path, message }) => [path[0], message])).toEqual([
    ["lambda", "Must be the name or ARN of a Lambda function, with or without a version or alias; or (skip) for none"],
    ["eventLambdas", "Must be a map of track event names or patterns to functions, 500 at most"],
  ]);
});

test("what the console stores are settings that the destination takes", () => {
  const maps = {
    eventLambdas: '{"Order Completed":"orders"}',
    clientContext: ' {"environment":{"is":["production"]}} ',
  };

  expect(() => parseSettings(form.credentials.parse({ ...GOOD, ...KEYS, ...maps }))).not.toThrow();
});

test("a masked secret is not used as a key", async () => {
  const given: unknown[] = [];
  const deliver = jitsuFunction((settings) => {
    given.push(settings);
    return { deliver: async () => ({ outcome: "delivered", status: 200, messageId: "m", durationMs: 1, attempts: 1 }) };
  });
  const log = { info: () => {}, warn: () => {}, debug: () => {}, error: () => {} };

  await deliver({ type: "track" } as never, { props: { ...GOOD, ...masked() }, log } as never);

  expect(JSON.stringify(given)).not.toContain(MASKED_SECRET);
  expect(() => parseSettings(given[0])).toThrow(/accessKeyId must be an AWS access key ID.*secretAccessKey must be/s);
});

test("every setting has its label and help as the console reads them, and secrets are masked", () => {
  const shown = Object.entries(form.credentials.shape).map(([key, field]) => {
    const [label, help, ...rest] = field.description?.split("::") ?? [];
    expect(rest).toEqual([]);
    return [key, label, help];
  });

  expect(new Set(shown.map(([key]) => key))).toEqual(new Set(SETTING_KEYS));
  expect(shown).toContainEqual([
    "externalId",
    "Permissions · External ID",
    expect.stringContaining("Default: the source's ID."),
  ]);
  for (const [key = "", label] of shown) expect(form.credentialsUi[key]?.displayName).toBe(label);
  const having = (option: "password" | "advanced") =>
    Object.keys(form.credentialsUi).filter((key) => form.credentialsUi[key]?.[option]);
  expect(having("password")).toEqual(["accessKeyId", "secretAccessKey"]);
  expect(having("advanced")).toEqual(expect.arrayContaining(["timeoutMs", "clientContext"]));
  expect(having("advanced")).not.toContain("lambda");
  // Maps, which the console cannot show as fields, get its editor for JSON.
  const edited = Object.keys(form.credentialsUi).filter((key) => form.credentialsUi[key]?.editor === "CodeEditor");
  expect(edited).toEqual(SETTING_KEYS.filter((key) => SETTINGS[key]?.type === "object"));
  // A hidden field must have a default.
  for (const [key, { hidden }] of Object.entries(form.credentialsUi)) {
    if (hidden) expect(form.credentials.shape[key]?.parse(undefined)).toBeDefined();
  }
});

function masked(): Record<string, string> {
  return { accessKeyId: MASKED_SECRET, secretAccessKey: MASKED_SECRET };
}

/** As the form holds it. */
function asText(key: string, value: unknown): unknown {
  return SETTINGS[key]?.type === "object" ? JSON.stringify(value) : value;
}

test("the consoles of both layouts pass their type check with the form", async () => {
  const roots = await Promise.all((["older", "newer"] satisfies Layout[]).map((layout) => makeCheckout(layout)));
  const [project = ""] = roots;
  for (const root of roots) {
    await applyChanges(
      (await planInstallation(root, { version: "1.2.3", specifier: "file:../../amazon-lambda-destination.tgz" }))
        .changes,
    );
    mkdirSync(join(root, SCHEMAS, "icons"));
    writeFileSync(join(root, SCHEMAS, "icons/webhook.tsx"), "export default undefined;\n");
  }
  const react =
    "declare namespace React { type ReactNode = unknown }\ndeclare const React: unknown;\nexport = React;\n";
  writeFileSync(join(project, "react.d.ts"), react);
  const jsx = "declare namespace JSX { interface IntrinsicElements { [name: string]: unknown } }\n";
  writeFileSync(join(project, "jsx.d.ts"), jsx);
  const modules = join(__dirname, "../../../node_modules");
  const compilerOptions = {
    strict: true,
    noEmit: true,
    jsx: "preserve",
    lib: ["ES2021"],
    target: "ES2021",
    module: "CommonJS",
    moduleResolution: "node",
    esModuleInterop: true,
    skipLibCheck: true,
    types: [],
    baseUrl: ".",
    paths: { zod: [join(modules, "zod")], react: ["./react.d.ts"] },
  };
  const files = [join(project, "jsx.d.ts"), ...roots.map((root) => join(root, SCHEMAS, "destinations.tsx"))];
  writeFileSync(join(project, "tsconfig.json"), JSON.stringify({ compilerOptions, files }));

  const tsc = [join(modules, "typescript/bin/tsc"), "-p", project];
  const { stdout } = spawnSync(process.execPath, tsc, { encoding: "utf8" });

  for (const root of roots) rmSync(root, { recursive: true, force: true });
  expect(stdout).toBe("");
}, 60_000);

test("Timeout (ms) goes up to what the rotor allows, and says why", () => {
  const byDefault = loadForm().credentials.shape.timeoutMs;
  expect(byDefault?.safeParse(8000).success).toBe(true);
  expect(byDefault?.safeParse(8001).success).toBe(false);
  expect(byDefault?.description).toContain("At most 8000: a slow delivery holds up other destinations");

  const raised = loadForm(30_000).credentials.shape.timeoutMs;
  expect(raised?.safeParse(30_000).success).toBe(true);
  expect(raised?.safeParse(30_001).success).toBe(false);

  expect(loadForm(3000).credentials.shape.timeoutMs?.parse(undefined)).toBe(3000);
});
