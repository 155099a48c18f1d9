import { randomBytes } from "node:crypto";
import { mkdir, open } from "node:fs/promises";
import { dirname, join } from "node:path";
import { parseArgs } from "node:util";
import { version } from "../../package.json";
import type { JsonObject } from "../events/segment-event";
import { consoleForm } from "../hosts/jitsu/console-form";
import { composeOverride } from "../hosts/rudderstack/compose-override";
import { settingsForm, workspaceConfig } from "../hosts/rudderstack/settings-form";
import { parseSettings } from "../settings/settings";
import { SettingsError } from "../settings/settings-error";
import { type Command, type ExitCode, type Io, UsageError } from "./command";
import { fileProblem } from "./file-problem";
import { formattedJson } from "./formatted-json";
import { operatorPolicy } from "./operator-policy";
import { readSettingsFile } from "./settings-file";

const help = `Usage: amazon-lambda-destination form jitsu
       amazon-lambda-destination form rudderstack --out <folder>
       amazon-lambda-destination form rudderstack --workspace-config [--settings <file>] [options]
       amazon-lambda-destination form rudderstack --compose [--settings <file>]

Writes what makes the destination known to a router.

form jitsu prints the console's form, webapps/console/lib/schema/amazon-lambda.tsx of a source checkout, as install jitsu
writes it there. Its Timeout (ms) goes up to AMAZON_LAMBDA_MAX_TIMEOUT_MS of the environment, as the rotor has it, or 8000.

form rudderstack, with a control plane: db-config.json, schema.json, ui-config.json and validation data, as its
configuration repository (rudder-integrations-config) has them. With AMAZON_LAMBDA_ALLOW_AMBIENT_CREDENTIALS=true in the
environment, as the transformer has it, the form demands neither a role nor keys.
  --out <folder>          a checkout of that repository, or where its folders go; made if it does not exist

Without one: a whole workspaceConfig.json with one HTTP source connected to one destination.
  --workspace-config      on standard output, or as workspaceConfig.json in the folder of --out, readable for you alone
  --settings <file>       JSON file with the destination's settings (default: an example to fill in)
  --source-id <id>        the source's ID, which is the External ID where the settings have none (default amazon-lambda-source)
  --workspace-id <id>     (default amazon-lambda-workspace)
  --write-key <key>       what senders of events authenticate with (default: a random one)

For Docker Compose: an override for RudderStack's rudder-docker.yml with what the server and the transformer need.
  --compose               on standard output
  --settings <file>       the settings, for their Max Batch Size
  --help
`;

export const form: Command = {
  summary: "Writes a router's settings form, or RudderStack's workspace configuration",
  help,
  run,
};

const EXAMPLE: JsonObject = {
  lambda: "arn:aws:lambda:us-east-1:123456789012:function:router-events",
  roleAddress: "arn:aws:iam::123456789012:role/router-events-invoker",
};

async function run(argv: readonly string[], io: Io): Promise<ExitCode> {
  const { values, positionals } = parseArgs({
    args: [...argv],
    allowPositionals: true,
    options: {
      out: { type: "string" },
      "workspace-config": { type: "boolean" },
      compose: { type: "boolean" },
      settings: { type: "string" },
      "source-id": { type: "string", default: "amazon-lambda-source" },
      "workspace-id": { type: "string", default: "amazon-lambda-workspace" },
      "write-key": { type: "string" },
    },
  });
  const [router, ...more] = positionals;
  if (more.length > 0 || (router !== "jitsu" && router !== "rudderstack")) {
    throw new UsageError("There are forms for two routers: form jitsu and form rudderstack.");
  }
  if (router === "jitsu") {
    io.stdout.write(consoleForm(version, operatorPolicy(io).maxTimeoutMs));
    return 0;
  }
  if (values.compose) {
    const { maxBatchSize = 1 } = values.settings === undefined ? {} : await checkedSettings(values.settings);
    io.stdout.write(composeOverride(Number(maxBatchSize)));
    return 0;
  }
  if (!values["workspace-config"]) {
    if (values.out === undefined)
      throw new UsageError("--out <folder> is needed, or --workspace-config, or --compose.");
    return writeFiles(values.out, settingsForm({ ambient: operatorPolicy(io).allowAmbientCredentials }), io);
  }
  const config = workspaceConfig(values.settings === undefined ? EXAMPLE : await checkedSettings(values.settings), {
    workspaceId: values["workspace-id"],
    sourceId: values["source-id"],
    writeKey: values["write-key"] ?? randomBytes(16).toString("hex"),
  });
  if (values.out !== undefined) return writeFiles(values.out, { "workspaceConfig.json": config }, io, OWNER_ONLY);
  io.stdout.write(formattedJson(config));
  return 0;
}

/** @throws UsageError for settings that would fail every event */
async function checkedSettings(path: string): Promise<JsonObject> {
  const settings = await readSettingsFile(path);
  try {
    // Whether the operator's own identity may be used is decided where the events are delivered.
    parseSettings(settings, { externalIdFrom: "settings", allowAmbientCredentials: true });
  } catch (error) {
    if (error instanceof SettingsError) throw new UsageError(error.message);
    throw error;
  }
  return settings as JsonObject;
}

/** For a file that may hold access keys. */
const OWNER_ONLY = 0o600;

/** @param mode of the files, also of those that are there already; by default what the user's umask makes of it */
async function writeFiles(
  folder: string,
  files: Readonly<Record<string, unknown>>,
  io: Io,
  mode?: number,
): Promise<ExitCode> {
  try {
    for (const [name, content] of Object.entries(files)) {
      const path = join(folder, name);
      await mkdir(dirname(path), { recursive: true });
      await write(path, formattedJson(content), mode);
    }
  } catch (error) {
    throw fileProblem("write", (error as NodeJS.ErrnoException).path ?? folder, error);
  }
  for (const name of Object.keys(files)) io.stdout.write(`${join(folder, name)}\n`);
  return 0;
}

async function write(path: string, text: string, mode?: number): Promise<void> {
  const file = await open(path, "w", mode);
  try {
    if (mode !== undefined) await file.chmod(mode);
    await file.writeFile(text);
  } finally {
    await file.close();
  }
}
