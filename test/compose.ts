import { readFileSync } from "node:fs";
import { join } from "node:path";
import Ajv from "ajv";
import addFormats from "ajv-formats";
import { parse } from "yaml";

/** The schema of the Compose Specification, as a linter of Compose files brings it along. */
const schema = JSON.parse(
  readFileSync(join(__dirname, "../node_modules/dclint/schemas/compose.schema.json"), "utf8"),
) as object;
const ajv = new Ajv({ strict: false, allErrors: true });
addFormats(ajv);
ajv.addFormat("duration", true).addFormat("ports", true).addFormat("expose", true).addFormat("subnet_ip_address", true);
const validate = ajv.compile({ ...schema, $schema: "http://json-schema.org/draft-07/schema#" });

/** What Docker Compose would find wrong with a file. */
export function composeProblems(yaml: string): string[] {
  if (validate(parse(yaml))) return [];
  return (validate.errors ?? []).map(
    ({ instancePath, message, params }) => `${instancePath} ${message} ${JSON.stringify(params)}`,
  );
}
