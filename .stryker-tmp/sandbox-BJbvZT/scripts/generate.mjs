// @ts-nocheck
// Derives from schemas/settings.schema.json what the source needs of it: the TypeScript type and the compiled validator.
// Its patterns of AWS's names are those of src/names/grammar.ts.
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import Ajv from "ajv";
import standaloneCode from "ajv/dist/standalone/index.js";
import { transform } from "esbuild";
import { compile } from "json-schema-to-typescript";

const root = new URL("..", import.meta.url);
const target = new URL("src/generated/", root);
const schema = JSON.parse(readFileSync(new URL("schemas/settings.schema.json", root), "utf8"));

const grammarSource = readFileSync(new URL("src/names/grammar.ts", root), "utf8");
const { code } = await transform(grammarSource, { loader: "ts", format: "esm" });
const grammar = await import(`data:text/javascript,${encodeURIComponent(code)}`);
for (const [what, { pattern }, wanted] of [
  ["a function", schema.definitions.function, `^(?:${grammar.FUNCTION})$`],
  ["a route", schema.definitions.route, `^(?:\\(skip\\)|${grammar.FUNCTION})$`],
  ["roleAddress", schema.properties.roleAddress, `^${grammar.ROLE_ARN}$`],
  ["region", schema.properties.region, `^${grammar.REGION}$`],
]) {
  if (pattern === wanted) continue;
  throw new Error(
    `schemas/settings.schema.json: by src/names/grammar.ts, the pattern of ${what} is ${JSON.stringify(wanted)}`,
  );
}

/** The schema without the keywords in `dropped`, at any depth. */
function without(dropped, node) {
  if (Array.isArray(node)) return node.map((item) => without(dropped, item));
  if (node === null || typeof node !== "object") return node;
  return Object.fromEntries(
    Object.entries(node)
      .filter(([keyword]) => !dropped.includes(keyword))
      .map(([keyword, value]) => [keyword, without(dropped, value)]),
  );
}

// `unicode: false`: string lengths count UTF-16 units, which spares the validator its only run-time import; every
// pattern is ASCII, so there is no difference.
const ajv = new Ajv.default({
  allErrors: true,
  strict: true,
  strictRequired: false,
  unicode: false,
  logger: false,
  code: { source: true, esm: true, lines: true },
});
const rules = without(["title", "description", "examples", "default", "writeOnly", "x-expected"], schema);
const validator = standaloneCode.default(ajv, ajv.compile(rules));
if (/\brequire\(/.test(validator))
  throw new Error("The settings validator must not import anything: it runs in sandboxes.");

const shape = without(["anyOf", "dependencies", "title"], schema);
const type = await compile({ ...shape, title: "Settings" }, "Settings", {
  bannerComment: "",
  unreachableDefinitions: false,
});

const note = "// Made by `npm run generate` from schemas/settings.schema.json.\n";
mkdirSync(target, { recursive: true });
writeFileSync(new URL("settings.ts", target), note + type);
writeFileSync(new URL("validate-settings.js", target), note + validator);
writeFileSync(
  new URL("validate-settings.d.ts", target),
  `${note}import type { ErrorObject } from "ajv";\nexport declare const validate: { (data: unknown): boolean; errors?: ErrorObject[] | null };\n`,
);

// The connections of the receiver. The settings in them are checked by their own validator, which knows the form's words.
const connectionsSchema = JSON.parse(readFileSync(new URL("schemas/connections.schema.json", root), "utf8"));
connectionsSchema.definitions.settings = { type: "object" };
connectionsSchema.definitions.connection.properties.settings = { type: "object" };
const connectionsValidator = standaloneCode.default(
  ajv,
  ajv.compile(without(["title", "description", "default", "x-expected"], connectionsSchema)),
);
const connectionsType = await compile(without(["default", "x-expected"], connectionsSchema), "Connections", {
  bannerComment: "",
  ignoreMinAndMaxItems: true,
});
const connectionsNote = "// Made by `npm run generate` from schemas/connections.schema.json.\n";
writeFileSync(
  new URL("connections.ts", target),
  connectionsNote + connectionsType.replace("interface Connections ", "interface ConnectionsFile "),
);
writeFileSync(new URL("validate-connections.js", target), connectionsNote + connectionsValidator);
writeFileSync(
  new URL("validate-connections.d.ts", target),
  `${connectionsNote}import type { ErrorObject } from "ajv";\nexport declare const validate: { (data: unknown): boolean; errors?: ErrorObject[] | null };\n`,
);
