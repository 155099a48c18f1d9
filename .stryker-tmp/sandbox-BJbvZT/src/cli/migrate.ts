// @ts-nocheck
import { readFile } from "node:fs/promises";
import { text } from "node:stream/consumers";
import { parseArgs } from "node:util";
import type { JsonObject } from "../events/segment-event";
import { isObject } from "../hosts/rudderstack/json-object";
import { type CarriedOver, fromNativeLambda, NATIVE_SETTINGS } from "../hosts/rudderstack/native-lambda";
import { parseSettings } from "../settings/settings";
import { SettingsError } from "../settings/settings-error";
import { type Command, type ExitCode, type Io, UsageError } from "./command";
import { fileProblem } from "./file-problem";
import { fromSegment, SEGMENT_SETTINGS } from "./segment-settings";

interface Origin {
  readonly destination: string;
  /** Its settings' names; a configuration has at least one of them. */
  readonly settings: readonly string[];
  readonly convert: (config: JsonObject) => CarriedOver;
}

const ORIGINS: Readonly<Record<string, Origin>> = {
  segment: {
    destination: "Segment's Amazon Lambda destination",
    settings: SEGMENT_SETTINGS,
    convert: fromSegment,
  },
  rudderstack: {
    destination: "RudderStack's native LAMBDA destination",
    settings: NATIVE_SETTINGS,
    convert: (config) => fromNativeLambda(config),
  },
};

const help = `Usage: amazon-lambda-destination migrate --from segment|rudderstack <config.json>

Prints the settings of this destination that do what another one's configuration did, as JSON on standard output; what
cannot be carried over, and what will be different, on standard error. Reads standard input where the file is -.

  --from segment        settings of Segment's Amazon Lambda destination (function or lambda, roleAddress, ...)
  --from rudderstack    the Config of RudderStack's native LAMBDA destination (iamRoleARN, accessKey, ...)
  --help

The file holds these settings alone or the whole destination around them: {"name": ..., "settings": {...}}, or "config".
The output holds the access keys that the configuration holds.
Exit codes: 0 the settings are complete, 1 something is left to do (standard error says what), 2 wrong usage.
`;

export const migrate: Command = {
  summary: "Turns the settings of Segment's or RudderStack's own Lambda destination into this one's",
  help,
  run,
};

async function run(argv: readonly string[], io: Io): Promise<ExitCode> {
  const { values, positionals } = parseArgs({
    args: [...argv],
    allowPositionals: true,
    options: { from: { type: "string" } },
  });
  const origin = Object.hasOwn(ORIGINS, values.from ?? "") ? ORIGINS[values.from ?? ""] : undefined;
  if (!origin) throw new UsageError("--from must be segment or rudderstack.");
  const [path] = positionals;
  if (path === undefined || positionals.length > 1)
    throw new UsageError("Give one file with the configuration, or - for standard input.");

  const { settings, lost, notes } = origin.convert(configIn(await read(path, io), path, origin));
  const carried = Object.fromEntries(
    Object.entries(settings).filter(([key]) => !lost.some(({ setting }) => setting === key)),
  );
  const left = [
    ...lost.map(({ setting, problem }) => `not carried over: ${setting} ${problem}`),
    ...problemsOf(carried),
  ];
  io.stdout.write(`${JSON.stringify(carried, null, 2)}\n`);
  for (const line of [...left, ...notes.map((note) => `note: ${note}`)]) io.stderr.write(`${line}\n`);
  return left.length > 0 ? 1 : 0;
}

/** What keeps the settings from being used as they are. */
function problemsOf(settings: JsonObject): string[] {
  try {
    parseSettings(settings);
    return [];
  } catch (error) {
    if (!(error instanceof SettingsError)) throw error;
    return error.problems.map(
      ({ setting, problem, example }) => `to do: ${setting} ${problem}${example ? ` (for example ${example})` : ""}`,
    );
  }
}

/** The configuration itself, also where it stands in a destination as an API or a workspace configuration shows it. */
function configIn(json: string, path: string, { destination, settings }: Origin): JsonObject {
  const value = parse(json, path);
  const config = [value["Config"], value["config"], value["settings"]].find(isObject) ?? value;
  if (settings.some((name) => Object.hasOwn(config, name))) return config;
  throw new UsageError(`${path} holds no setting of ${destination}: ${settings.join(", ")}.`);
}

function parse(json: string, path: string): JsonObject {
  let value: unknown;
  try {
    value = JSON.parse(json.replace(/^\uFEFF/, ""));
  } catch {
    // The parser's own message would quote the file, secrets included.
    throw new UsageError(`${path} is not JSON.`);
  }
  if (!isObject(value)) throw new UsageError(`${path} must hold a JSON object: the destination's configuration.`);
  return value;
}

async function read(path: string, io: Io): Promise<string> {
  if (path === "-") return text(io.stdin);
  try {
    return await readFile(path, "utf8");
  } catch (error) {
    throw fileProblem("read", path, error);
  }
}
