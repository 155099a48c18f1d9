import { spawnSync } from "node:child_process";
import { mkdirSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import fc from "fast-check";
import ts from "typescript";
import { z } from "zod";
import schema from "../../../schemas/settings.schema.json";
import { validate } from "../../../src/generated/validate-settings";
import { applyChanges } from "../../../src/hosts/file-changes";
import { consoleForm } from "../../../src/hosts/jitsu/console-form";
import { planInstallation } from "../../../src/hosts/jitsu/install";
import { type Layout, makeCheckout, SCHEMAS } from "./checkout";

interface Form {
  readonly id: string;
  readonly credentials: z.ZodObject<z.ZodRawShape>;
  readonly credentialsUi: Readonly<
    Record<string, { displayName: string; password?: true; hidden?: true; placeholder?: string }>
  >;
}

/** What the console gets when it loads the file. */
function loadForm(): Form {
  const { outputText } = ts.transpileModule(consoleForm("1.2.3"), {
    compilerOptions: { module: ts.ModuleKind.CommonJS, target: ts.ScriptTarget.ES2022, jsx: ts.JsxEmit.React },
  });
  const exports: { amazonLambda?: Form } = {};
  const React = { createElement: (type: string) => type };
  new Function("require", "exports", "React", outputText)(() => ({ z }), exports, React);
  return exports.amazonLambda as Form;
}

const form = loadForm();
const KEYS = Object.keys(schema.properties);

const matching = ({ pattern }: { pattern: string }) => fc.stringMatching(new RegExp(pattern));
const anyFunction = fc.oneof(fc.constantFrom("orders", "orders:$LATEST"), matching(schema.definitions.route));
const SECRET = "not/a/real+secret/only+for+this+test00000";

/** Values that a setting takes, at its limits above all. */
const TAKEN: Readonly<Record<string, fc.Arbitrary<unknown>>> = {
  eventLambdas: fc.dictionary(fc.string(), anyFunction, { maxKeys: 3 }),
  roleAddress: matching(schema.properties.roleAddress),
  externalId: fc.constantFrom("xx", "x".repeat(1224), "a+=,.@:/-_"),
  region: matching(schema.properties.region),
  invocationType: fc.constantFrom("RequestResponse", "Event"),
  logType: fc.constantFrom("None", "Tail"),
  timeoutMs: fc.constantFrom(100, 5e3, 900_000),
  maxBatchSize: fc.constantFrom(1, 10_000),
  maxConcurrency: fc.constantFrom(1, 10_000),
  executionName: fc.constantFrom("None", "MessageId"),
  tenantId: matching(schema.properties.tenantId),
  returnValue: fc.constantFrom("None", "Include"),
  failureLambda: matching(schema.definitions.function),
  clientContext: fc.dictionary(fc.string(), fc.jsonValue(), { maxKeys: 3 }),
  accessKeyId: fc.constantFrom("AKIDEXAMPLE00000000", "A".repeat(16), "A".repeat(128)),
  secretAccessKey: fc.constantFrom(SECRET, "s".repeat(16), "s".repeat(128)),
};
const taken = (key: string) => TAKEN[key] ?? anyFunction;

/** Values that mostly just miss what a setting takes. */
const missing = (key: string) =>
  fc.oneof(
    fc.jsonValue(),
    taken(key).map((value) => (typeof value === "string" ? `${value}\n` : JSON.stringify(value))),
    fc.constantFrom(
      "",
      "x",
      "x".repeat(1225),
      "A".repeat(129),
      `a:${"b".repeat(129)}`,
      0,
      99,
      900_001,
      10_001,
      100.5,
      null,
      [],
      {},
    ),
    fc.constantFrom(
      `arn:aws:iam::123456789012:role/${"r".repeat(65)}`,
      "arn:aws:iam::12345678901:role/r",
      "tail",
      "DryRun",
    ),
    fc.dictionary(fc.string(), fc.jsonValue(), { maxKeys: 2 }),
  );

const valuesOf = (keys: readonly string[], values: (key: string) => fc.Arbitrary<unknown>) =>
  fc.record(Object.fromEntries(keys.map((key) => [key, values(key)])));

/** Settings that are right but for a key or two, as they come out of JSON. */
const settings = fc
  .tuple(
    fc.subarray([...KEYS, "lambda"]).chain((keys) => valuesOf(keys, taken)),
    fc.subarray([...KEYS, "function", "endpoint"], { maxLength: 2 }).chain((keys) => valuesOf(keys, missing)),
    fc.boolean(),
  )
  .map(([right, wrong, all]) => JSON.parse(JSON.stringify(all ? right : { ...right, ...wrong })));

test("the form accepts exactly what the settings' schema accepts", () => {
  const seen = { accepted: 0, refused: 0 };
  fc.assert(
    fc.property(settings, (value) => {
      const accepted = validate(value);
      seen[accepted ? "accepted" : "refused"]++;
      expect(form.credentials.strict().safeParse(value).success).toBe(accepted);
    }),
    { numRuns: 2000 },
  );
  expect(Math.min(seen.accepted, seen.refused)).toBeGreaterThan(200);
});

test.each<[string, Record<string, unknown>, RegExp]>([
  ["no function", { region: "us-east-1" }, /Set a function/],
  ["no function for any event", { eventLambdas: {} }, /Set a function/],
  [
    "a key without its secret",
    { lambda: "f", accessKeyId: "AKIDEXAMPLE00000000" },
    /Access Key ID needs Secret Access Key/,
  ],
  [
    "a secret without its key",
    { lambda: "f", secretAccessKey: "not/a/real+secret" },
    /Secret Access Key needs Access Key ID/,
  ],
  ["a function that is none", { lambda: "no function" }, /Must be the name or ARN of a Lambda function/],
])("%s is refused with the reason where the console merges the form into a destination", (_name, value, reason) => {
  const destination = z.object({ id: z.string(), name: z.string() }).passthrough().merge(form.credentials);

  const { success, error } = destination.safeParse({ id: "d", name: "My Lambda", ...value });

  expect(success).toBe(false);
  expect(JSON.stringify(error?.issues)).toMatch(reason);
});

test("every setting has its label and help as the console reads them, and secrets are masked", () => {
  const shown = Object.entries(form.credentials.shape).map(([key, field]) => {
    const [label, help, ...rest] = field.description?.split("::") ?? [];
    expect(rest).toEqual([]);
    return [key, label, help];
  });

  expect(new Set(shown.map(([key]) => key))).toEqual(new Set(Object.keys(schema.properties)));
  expect(shown).toContainEqual(["externalId", "External ID", expect.stringContaining("Default: the source's ID.")]);
  for (const [key = "", label] of shown) expect(form.credentialsUi[key]?.displayName).toBe(label);
  const secret = Object.keys(form.credentialsUi).filter((key) => form.credentialsUi[key]?.password);
  expect(secret).toEqual(["accessKeyId", "secretAccessKey"]);
  // A hidden field must have a default.
  const hidden = Object.keys(form.credentialsUi).filter((key) => form.credentialsUi[key]?.hidden);
  expect(hidden.map((key) => form.credentials.shape[key]?.parse(undefined))).toEqual([1]);
});

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
