import { readFile } from "node:fs/promises";
import { join, resolve } from "node:path";
import { CALL_TYPES, type CallType, type JsonObject } from "../events/segment-event";
import type { OperatorPolicy } from "../settings/operator-policy";
import { type EmbeddedAws, startEmbeddedAws } from "./aws/embedded-aws";
import type { AwsObserver } from "./aws/observer";
import { followSettings } from "./follow-settings";
import { assertRunnable, type HandlerFolder, handlerFolder, NoFunctions, obstaclesTo } from "./handler-files";
import type { Source } from "./local-host";

/** An AWS account of one's own on this machine: the functions of a folder, and a role to invoke them. */
export interface LocalAccount {
  readonly aws: EmbeddedAws;
  readonly roleArn: string;
  /** What is in the folder and not run, and why: a sentence each. */
  readonly notes: readonly string[];
  /** By name, as they are now. */
  readonly functions: ReadonlyMap<string, LocalFunction>;
  /** Settings of a destination that sends each call type to the function of that name. */
  settings(callTypes?: readonly CallType[]): JsonObject;
  /** What the router's process needs in its environment to use this AWS and no other. */
  readonly environment: Readonly<Record<string, string | undefined>>;
  /**
   * Reads the folder anew.
   *
   * @returns whether other functions are in it than before, or other settings
   * @throws NoFunctions where that cannot be used; everything stays as it was
   */
  reread(): Promise<boolean>;
  /**
   * Makes functions, roles and access keys what the settings of all sources say, now and after each change of them.
   *
   * @returns what could not be followed, a sentence each
   * @throws SettingsError for settings that cannot be used
   */
  follow(sources: readonly Source[], operator: OperatorPolicy): Promise<readonly string[]>;
}

export interface LocalFunction {
  readonly arn: string;
  /** Absolute. */
  readonly file: string;
}

export interface LocalAccountOptions {
  /** Port of the AWS; a free one by default. */
  readonly port?: number;
  /** 12 digits. */
  readonly account?: string;
  readonly region?: string;
  /** Of the router; random by default. */
  readonly keys?: { readonly accessKeyId: string; readonly secretAccessKey: string };
  /** After what time an asynchronous invocation that failed is run again. */
  readonly eventRetryDelaysMs?: readonly number[];
  readonly observer?: AwsObserver;
}

const ROUTER_USER = "router";
const ROLE = "amazon-lambda-destination";
/** Invocations and calls that are remembered. */
const HISTORY = 1000;
/** Of functions that are in no settings and can only be invoked directly. */
const DEFAULT_TIMEOUT_MS = 6000;

/**
 * Starts an embedded AWS with the handlers of a folder as its functions.
 *
 * A file or folder is a function of its name: `track.mjs`, `track.ts`, `track.py` or `track/index.mjs` gets track calls,
 * `lambda.mjs` every call type that has none of its own, others get what `settings.json` beside them says (`eventLambdas`, and any other setting).
 * The role is there once the account has been made to follow settings.
 */
export async function startLocalAccount(folder: string, options: LocalAccountOptions = {}): Promise<LocalAccount> {
  const { keys, observer = {}, ...where } = options;
  let { found, own } = await readFolder(folder);
  assertRunnable(folder, found);

  const aws = await startEmbeddedAws({
    ...where,
    history: HISTORY,
    observer,
  });
  const environment = ownEnvironment();
  const { arn: routerArn, ...router } = aws.addUser({ name: ROUTER_USER, ...keys });
  const arnOf = (name: string) => `${functionArnPrefix(aws)}${name}`;
  const functionsIn = ({ functions }: HandlerFolder) =>
    new Map(functions.map(({ name, file }): [string, LocalFunction] => [name, { arn: arnOf(name), file }]));
  let functions = functionsIn(found);
  const roleArn = `arn:${aws.partition}:iam::${aws.account}:role/${ROLE}`;
  /** How each function that is there was made; a change of that makes it anew. */
  const made = new Map<string, Making & { readonly file: string }>();
  const provide = async (arn: string, qualifiers: ReadonlySet<string>, timeoutMs: number): Promise<boolean> => {
    const [, , , region = "", account = "", , name = ""] = arn.split(":");
    const file = functions.get(name)?.file;
    const before = made.get(arn);
    if (before && before.file === file && isSameMaking(before, { qualifiers, timeoutMs })) return true;
    if (made.delete(arn)) await aws.removeFunction(arn);
    if (file === undefined) return false;
    const code = { file, folder: resolve(folder) };
    aws.addFunction({ name, region, account, ...code, ...versions(code, qualifiers), timeoutMs, environment });
    made.set(arn, { file, qualifiers, timeoutMs });
    return true;
  };
  const provideAll = async (): Promise<void> => {
    for (const [arn, { qualifiers, timeoutMs }] of [...made]) await provide(arn, qualifiers, timeoutMs);
    for (const { arn } of functions.values()) if (!made.has(arn)) await provide(arn, new Set(), DEFAULT_TIMEOUT_MS);
  };
  await provideAll();
  let seen = JSON.stringify({ found, own });

  return {
    aws,
    roleArn,
    get functions() {
      return functions;
    },
    get notes() {
      return [...found.notes, ...obstaclesTo(found.functions)];
    },
    async reread() {
      const reading = await readFolder(folder);
      const now = JSON.stringify(reading);
      if (now === seen) return false;
      seen = now;
      assertRunnable(folder, reading.found);
      ({ found, own } = reading);
      functions = functionsIn(found);
      await provideAll();
      return true;
    },
    settings: (callTypes = CALL_TYPES) => ({
      ...Object.fromEntries(
        callTypes.filter((type) => functions.has(type)).map((type) => [`${type}Lambda`, arnOf(type)]),
      ),
      ...(callTypes.length === CALL_TYPES.length && functions.has("lambda") && { lambda: arnOf("lambda") }),
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
      AWS_DEFAULT_REGION: aws.region,
      AWS_CONFIG_FILE: resolve(folder, ".no-aws-config"),
      AWS_SHARED_CREDENTIALS_FILE: resolve(folder, ".no-aws-credentials"),
    },
  };
}

/** What a function is made with, beside its file. */
interface Making {
  readonly qualifiers: ReadonlySet<string>;
  readonly timeoutMs: number;
}

function isSameMaking(one: Making, other: Making): boolean {
  return (
    one.timeoutMs === other.timeoutMs &&
    one.qualifiers.size === other.qualifiers.size &&
    [...one.qualifiers].every((qualifier) => other.qualifiers.has(qualifier))
  );
}

interface Reading {
  readonly found: HandlerFolder;
  /** What `settings.json` holds. */
  readonly own: JsonObject;
}

async function readFolder(folder: string): Promise<Reading> {
  return { found: await handlerFolder(folder), own: await readSettings(join(folder, "settings.json")) };
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

function functionArnPrefix({ partition, region, account }: EmbeddedAws): string {
  return `arn:${partition}:lambda:${region}:${account}:function:`;
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
