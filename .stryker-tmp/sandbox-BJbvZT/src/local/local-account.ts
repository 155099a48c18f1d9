// @ts-nocheck
import { readdir, readFile } from "node:fs/promises";
import { basename, extname, join, resolve } from "node:path";
import { CALL_TYPES, type CallType, type JsonObject } from "../events/segment-event";
import type { OperatorPolicy } from "../settings/operator-policy";
import { type EmbeddedAws, startEmbeddedAws } from "./aws/embedded-aws";
import type { AwsObserver } from "./aws/observer";
import { followSettings } from "./follow-settings";
import type { Source } from "./local-host";

/** An AWS account of one's own on this machine: the functions of a folder, and a role to invoke them. */
export interface LocalAccount {
  readonly aws: EmbeddedAws;
  readonly roleArn: string;
  /** ARNs by name. */
  readonly functions: ReadonlyMap<string, string>;
  /** Settings of a destination that sends each call type to the function of that name. */
  settings(callTypes?: readonly CallType[]): JsonObject;
  /** What the router's process needs in its environment to use this AWS and no other. */
  readonly environment: Readonly<Record<string, string | undefined>>;
  /**
   * Makes functions, roles and access keys what the settings of all sources say, now and after each change of them.
   *
   * @returns what could not be followed, a sentence each
   * @throws SettingsError for settings that cannot be used
   */
  follow(sources: readonly Source[], operator: OperatorPolicy): Promise<readonly string[]>;
}

const HANDLER_FILE = /^[\w-]{1,64}\.(mjs|cjs|js)$/;
const ROUTER_USER = "router";
const ROLE = "amazon-lambda-destination";
/** Invocations and calls that are remembered. */
const HISTORY = 1000;
/** Of functions that are in no settings and can only be invoked directly. */
const DEFAULT_TIMEOUT_MS = 6000;

/**
 * Starts an embedded AWS with the handlers of a folder as its functions.
 *
 * A file is a function of its name: `track.mjs` gets track calls, `lambda.mjs` every call type that has none of its own,
 * others get what `settings.json` beside them says (`eventLambdas`, and any other setting).
 * The role is there once the account has been made to follow settings.
 */
export async function startLocalAccount(folder: string, observer: AwsObserver = {}): Promise<LocalAccount> {
  const files = await handlerFiles(folder);
  if (files.length === 0)
    throw new NoFunctions(
      `There are no functions in ${folder}: no file such as track.mjs, page.js or lambda.cjs. Functions in other languages are not run here.`,
    );
  const names = files.map(nameOf);
  const twice = names.find((name, i) => names.indexOf(name) < i);
  if (twice) throw new NoFunctions(`There are several files for the function ${twice} in ${folder}: keep one of them.`);
  const own = await readSettings(join(folder, "settings.json"));

  const aws = await startEmbeddedAws({ history: HISTORY, observer });
  const environment = ownEnvironment();
  const { arn: routerArn, ...router } = aws.addUser({ name: ROUTER_USER });
  const functions = new Map(files.map((file) => [nameOf(file), `${functionArnPrefix(aws)}${nameOf(file)}`]));
  const roleArn = `arn:${aws.partition}:iam::${aws.account}:role/${ROLE}`;
  /** How each function that is there was made; a change of that makes it anew. */
  const made = new Map<string, string>();
  const provide = async (arn: string, qualifiers: ReadonlySet<string>, timeoutMs: number): Promise<boolean> => {
    const [, , , region = "", account = "", , name = ""] = arn.split(":");
    const file = (await handlerFiles(folder)).find((each) => nameOf(each) === name);
    const making = JSON.stringify([file, timeoutMs, ...[...qualifiers].sort()]);
    if (made.get(arn) === making) return file !== undefined;
    if (made.delete(arn)) await aws.removeFunction(arn);
    if (file === undefined) return false;
    const code = { file: resolve(folder, file), folder };
    aws.addFunction({ name, region, account, ...code, ...versions(code, qualifiers), timeoutMs, environment });
    made.set(arn, making);
    return true;
  };
  for (const arn of functions.values()) await provide(arn, new Set(), DEFAULT_TIMEOUT_MS);

  return {
    aws,
    roleArn,
    functions,
    settings: (callTypes = CALL_TYPES) => ({
      ...Object.fromEntries(
        callTypes.filter((type) => functions.has(type)).map((type) => [`${type}Lambda`, functions.get(type)]),
      ),
      ...(callTypes.length === CALL_TYPES.length && functions.has("lambda") && { lambda: functions.get("lambda") }),
      region: aws.region,
      roleAddress: roleArn,
      logType: "Tail",
      ...own,
    }),
    follow: (sources, operator) => followSettings({ aws, routerArn, provide }, sources, operator),
    environment: {
      AWS_ENDPOINT_URL: aws.url,
      AWS_ENDPOINT_URL_LAMBDA: undefined,
      AWS_ENDPOINT_URL_STS: undefined,
      AWS_IGNORE_CONFIGURED_ENDPOINT_URLS: undefined,
      AWS_USE_FIPS_ENDPOINT: undefined,
      AWS_USE_DUALSTACK_ENDPOINT: undefined,
      AWS_ACCESS_KEY_ID: router.accessKeyId,
      AWS_SECRET_ACCESS_KEY: router.secretAccessKey,
      AWS_SESSION_TOKEN: undefined,
      AWS_PROFILE: undefined,
      AWS_REGION: aws.region,
      AWS_CONFIG_FILE: join(folder, ".no-aws-config"),
      AWS_SHARED_CREDENTIALS_FILE: join(folder, ".no-aws-credentials"),
    },
  };
}

/** On this machine every version is what is in the file. */
function versions(code: { readonly file: string; readonly folder: string }, qualifiers: ReadonlySet<string>) {
  const names = [...qualifiers].filter((qualifier) => qualifier !== "$LATEST");
  const aliases = names.filter((name) => !/^\d+$/.test(name));
  return {
    versions: Object.fromEntries(
      ["1", ...names.filter((name) => !aliases.includes(name))].map((version) => [version, code]),
    ),
    aliases: Object.fromEntries(aliases.map((alias) => [alias, "1"])),
  };
}

async function handlerFiles(folder: string): Promise<string[]> {
  return (await readdir(folder)).filter((file) => HANDLER_FILE.test(file)).sort();
}

function functionArnPrefix({ partition, region, account }: EmbeddedAws): string {
  return `arn:${partition}:lambda:${region}:${account}:function:`;
}

function nameOf(file: string): string {
  return basename(file, extname(file));
}

/** A folder from which nothing can be run. */
export class NoFunctions extends Error {
  override readonly name = "NoFunctions";
}

/** What the user's own environment holds, without what belongs to the real AWS. */
function ownEnvironment(): Record<string, string> {
  const entries = Object.entries(process.env).filter(
    ([name, value]) => value !== undefined && !name.startsWith("AWS_"),
  );
  return Object.fromEntries(entries) as Record<string, string>;
}

async function readSettings(path: string): Promise<JsonObject> {
  let text: string;
  try {
    text = await readFile(path, "utf8");
  } catch {
    return {};
  }
  try {
    return JSON.parse(text) as JsonObject;
  } catch {
    throw new NoFunctions(`${path} is not JSON.`);
  }
}
