import { readdir, readFile } from "node:fs/promises";
import { basename, extname, join, resolve } from "node:path";
import settingsSchema from "../../schemas/settings.schema.json";
import { CALL_TYPES, type CallType, type JsonObject } from "../events/segment-event";
import { type EmbeddedAws, startEmbeddedAws } from "./aws/embedded-aws";

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
}

const HANDLER_FILE = /^[\w-]{1,64}\.(mjs|cjs|js)$/;
const ROUTER_USER = "router";
const ROLE = "amazon-lambda-destination";

/**
 * Starts an embedded AWS with the handlers of a folder as its functions.
 *
 * A file is a function of its name: `track.mjs` gets track calls, `lambda.mjs` every call type that has none of its own,
 * others get what `settings.json` beside them says (`eventLambdas`, and any other setting).
 *
 * @param externalIds that the role's trust policy accepts
 */
export async function startLocalAccount(folder: string, externalIds: readonly string[]): Promise<LocalAccount> {
  const files = (await readdir(folder)).filter((file) => HANDLER_FILE.test(file)).sort();
  if (files.length === 0)
    throw new NoFunctions(
      `There are no functions in ${folder}: no file such as track.mjs, page.js or lambda.cjs. Functions in other languages are not run here.`,
    );
  const names = files.map(nameOf);
  const twice = names.find((name, i) => names.indexOf(name) < i);
  if (twice) throw new NoFunctions(`There are several files for the function ${twice} in ${folder}: keep one of them.`);
  const own = await readSettings(join(folder, "settings.json"));

  const aws = await startEmbeddedAws();
  const environment = ownEnvironment();
  // As long as the router waits, so that the router's Timeout (ms) is what strikes, here as at AWS.
  const timeoutMs = Number(own["timeoutMs"] ?? settingsSchema.properties.timeoutMs.default) + 1000;
  const { arn: routerArn, ...router } = aws.addUser({ name: ROUTER_USER });
  const functions = new Map(
    files.map((file) => {
      const name = nameOf(file);
      return [name, aws.addFunction({ name, file: resolve(folder, file), folder, timeoutMs, environment }).arn];
    }),
  );
  const { arn: roleArn } = aws.addRole({
    name: ROLE,
    trustPolicy: allow({
      Principal: { AWS: routerArn },
      Action: "sts:AssumeRole",
      Condition: { StringEquals: { "sts:ExternalId": externalIds } },
    }),
    permissionPolicies: [
      allow({ Action: "lambda:InvokeFunction", Resource: [...functions.values()].flatMap((arn) => [arn, `${arn}:*`]) }),
    ],
  });

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

function nameOf(file: string): string {
  return basename(file, extname(file));
}

/** A folder from which nothing can be run. */
export class NoFunctions extends Error {
  override readonly name = "NoFunctions";
}

function allow(statement: JsonObject): { Version: string; Statement: JsonObject[] } {
  return { Version: "2012-10-17", Statement: [{ Effect: "Allow", ...statement }] };
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
