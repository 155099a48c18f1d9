import schema from "../../schemas/settings.schema.json";
import { base64 } from "../encoding/base64";
import { utf8 } from "../encoding/utf8";
import { CALL_TYPES, type CallType, type JsonObject } from "../events/segment-event";
import type { Settings } from "../generated/settings";
import { validate } from "../generated/validate-settings";
import { type FunctionReference, parseFunctionReference } from "../names/function-reference";
import { partitionOf } from "../names/partitions";
import { parseRole, type RoleReference } from "../names/principals";
import { DEFAULT_OPERATOR_POLICY, type OperatorPolicy } from "./operator-policy";
import { eventRoutes, type Route, type Routes, SKIP } from "./routes";
import { SETTINGS } from "./setting-schemas";
import { SettingsError, type SettingsProblem } from "./settings-error";
import { parseTenant, type TenantSetting } from "./tenant";

export type { Settings } from "../generated/settings";

/** Settings that have been checked, with everything worked out that is the same for every event. */
export interface ParsedSettings {
  readonly functions: Readonly<Partial<Record<CallType, FunctionReference>>>;
  /** By track event name or pattern, as they stand in the settings. */
  readonly eventFunctions: ReadonlyMap<string, FunctionReference>;
  /** Which of them gets which event. */
  readonly routes: Routes;
  /** Gets what is rejected. */
  readonly failureFunction?: FunctionReference;
  readonly region: string;
  readonly role?: RoleReference;
  readonly externalId?: string;
  readonly keys?: { readonly accessKeyId: string; readonly secretAccessKey: string };
  readonly logType: "None" | "Tail";
  readonly returnValue: "None" | "Include";
  readonly invocationType: "RequestResponse" | "Event";
  readonly executionName: "None" | "MessageId";
  readonly tenant?: TenantSetting;
  /** Base64 of the client context's JSON, ready to send. */
  readonly clientContext?: string;
  /** The same as the user filled it in, for `tracedContext`. */
  readonly clientContextMap?: Readonly<JsonObject>;
  readonly timeoutMs: number;
  readonly maxBatchSize: number;
  readonly batchWindowMs: number;
  /** Invocations of one function in flight at once, per process: the user's limit or the operator's, whichever is lower. */
  readonly maxConcurrency?: number;
  /** What the operator's limits change about what the user filled in, a sentence each. */
  readonly limited?: readonly string[];
}

type WithDefaults = Settings &
  Required<
    Pick<
      Settings,
      "logType" | "returnValue" | "invocationType" | "executionName" | "timeoutMs" | "maxBatchSize" | "batchWindowMs"
    >
  >;

/** Bytes of an encoded client context that Lambda takes at most. */
const MAX_CLIENT_CONTEXT_BYTES = 3583;

/** The keys of all settings, in the order of the form. */
export const SETTING_KEYS: readonly string[] = Object.keys(SETTINGS);

const DEFAULTS: JsonObject = Object.fromEntries(
  Object.entries(SETTINGS)
    .filter(([, { default: value }]) => value !== undefined)
    .map(([key, { default: value }]) => [key, value]),
);

/** How a form's string becomes the type that the schema asks for; what cannot be read stays a string and fails validation. */
const FROM_STRING: Readonly<Record<string, (text: string) => unknown>> = {
  integer: (text) => (/^-?\d+$/.test(text.trim()) ? Number(text) : text),
  boolean: (text) => ({ true: true, false: false })[text.trim()] ?? text,
  object: (text) => {
    try {
      return JSON.parse(text);
    } catch {
      return text;
    }
  },
};

/**
 * Only what the schema knows: hosts hand over settings with keys of their own beside them.
 */
export function pickSettings(props: Readonly<Record<string, unknown>>): JsonObject {
  return Object.fromEntries(SETTING_KEYS.filter((key) => Object.hasOwn(props, key)).map((key) => [key, props[key]]));
}

/**
 * Checks what a user filled in.
 *
 * Strings are read as numbers and maps where the schema asks for those, and empty fields count as absent, because most
 * forms can hold nothing but strings.
 *
 * @param operator what the operator of the host allows; settings that need more are refused
 * @throws SettingsError that names every bad setting, what is wrong with it and an example, and never a value
 */
export function parseSettings(input: unknown, operator: OperatorPolicy = DEFAULT_OPERATOR_POLICY): ParsedSettings {
  if (input === null || typeof input !== "object" || Array.isArray(input)) {
    throw new SettingsError([
      { setting: "", problem: "must be an object", example: '{"lambda":"router-events","region":"us-east-1"}' },
    ]);
  }
  const given = readForm(input as JsonObject);
  if (!validate(given)) throw new SettingsError(schemaProblems(given));
  const settings = { ...DEFAULTS, ...given } as unknown as WithDefaults;

  const named = namedFunctions(settings);
  const role = settings.roleAddress === undefined ? undefined : parseRole(settings.roleAddress);
  const region = settings.region ?? named.map(([, reference]) => reference.region).find((known) => known !== undefined);
  const clientContext = encodeClientContext(settings.clientContext ?? {});
  const problems = [
    ...(named.some(([key]) => key !== FAILURE) ? [] : [NO_FUNCTION]),
    ...regionProblems(region, named),
    ...partitionProblems(region, role?.partition, named),
    ...clientContextProblems(clientContext),
    ...(settings.executionName === "MessageId" ? durableProblems(settings, named) : []),
    ...(!role && !settings.accessKeyId && !operator.allowAmbientCredentials
      ? [
          problemWith(
            "roleAddress",
            "is needed: without a role or an access key, the router's own AWS identity would invoke the functions, which its operator does not allow",
          ),
        ]
      : []),
    ...accountProblems(operator.allowedAccounts, role?.account, named),
  ];
  if (problems.length > 0 || region === undefined) throw new SettingsError(problems);

  const byKey = new Map(named);
  const { limited, ...limits } = withinLimits(settings, operator);
  const callTypes = routePerCallType(settings, byKey);
  const failureFunction = byKey.get(FAILURE);
  return {
    functions: Object.fromEntries(Object.entries(callTypes).filter(([, route]) => route !== SKIP)),
    eventFunctions: new Map(
      named
        .filter(([key]) => key.startsWith(EVENT_PREFIX))
        .map(([key, reference]) => [key.slice(EVENT_PREFIX.length), reference]),
    ),
    routes: {
      callTypes,
      events: eventRoutes(
        Object.keys(settings.eventLambdas ?? {}).map((event) => [event, byKey.get(EVENT_PREFIX + event) ?? SKIP]),
      ),
    },
    ...(failureFunction && { failureFunction }),
    region,
    logType: settings.logType,
    returnValue: settings.returnValue,
    invocationType: settings.invocationType,
    executionName: settings.executionName,
    ...(settings.tenantId !== undefined && { tenant: parseTenant(settings.tenantId) }),
    maxBatchSize: settings.maxBatchSize,
    batchWindowMs: settings.batchWindowMs,
    ...limits,
    ...(limited.length > 0 && { limited }),
    ...(role && { role }),
    ...(settings.externalId !== undefined && { externalId: settings.externalId }),
    ...(settings.accessKeyId !== undefined &&
      settings.secretAccessKey !== undefined && {
        keys: { accessKeyId: settings.accessKeyId, secretAccessKey: settings.secretAccessKey },
      }),
    ...(clientContext && { clientContext }),
    ...(clientContext && settings.clientContext && { clientContextMap: settings.clientContext }),
  };
}

/** The user's limits, or the operator's where those are lower. */
function withinLimits({ timeoutMs, maxConcurrency }: WithDefaults, operator: OperatorPolicy) {
  const { maxTimeoutMs = timeoutMs, maxConcurrency: most } = operator;
  const together = Math.min(maxConcurrency ?? Number.POSITIVE_INFINITY, most ?? Number.POSITIVE_INFINITY);
  return {
    timeoutMs: Math.min(timeoutMs, maxTimeoutMs),
    ...(Number.isFinite(together) && { maxConcurrency: together }),
    limited: [
      ...(timeoutMs > maxTimeoutMs ? [lowered("timeoutMs", timeoutMs, maxTimeoutMs)] : []),
      ...(maxConcurrency !== undefined && maxConcurrency > together
        ? [lowered("maxConcurrency", maxConcurrency, together)]
        : []),
    ],
  };
}

function lowered(setting: "timeoutMs" | "maxConcurrency", wanted: number, allowed: number): string {
  return `${schema.properties[setting].title} is ${allowed}, not ${wanted}: the router's operator allows no more.`;
}

function readForm(input: JsonObject): JsonObject {
  return Object.fromEntries(
    Object.entries(input)
      .filter(([, value]) => value !== undefined && value !== null && value !== "")
      .map(([key, value]) => {
        const read =
          typeof value === "string" && Object.hasOwn(SETTINGS, key)
            ? FROM_STRING[SETTINGS[key]?.type ?? ""]
            : undefined;
        return [key, read ? read(value as string) : value];
      }),
  );
}

/** What the validator found, a problem per setting, in the words of the schema's own annotations. */
function schemaProblems(given: JsonObject): SettingsProblem[] {
  const problems = new Map<string, SettingsProblem>();
  for (const { keyword, instancePath, params } of validate.errors ?? []) {
    const path = instancePath
      .split("/")
      .slice(1)
      .map((part) => part.replace(/~1/g, "/").replace(/~0/g, "~"));
    const [key = ""] = path;
    if (keyword === "additionalProperties") {
      const unknown = String(params["additionalProperty"]);
      problems.set(unknown, {
        setting: printable(unknown),
        problem: `is not a setting; there are ${SETTING_KEYS.join(", ")}`,
      });
    } else if (keyword === "dependencies") {
      const missing = String(params["missingProperty"]);
      problems.set(missing, problemWith(missing, `is needed together with ${String(params["property"])}`));
    } else if (keyword === "minProperties") {
      // Part of "at least one function", which is told below.
    } else if (key && path.length > 1) {
      const setting = printable(path.join("."));
      problems.set(setting, {
        ...problemWith("lambda", `must be ${schema.definitions.route["x-expected"]}`),
        setting,
      });
    } else if (key) {
      problems.set(key, problemWith(key, `must be ${SETTINGS[key]?.["x-expected"] ?? "something else"}`));
    }
  }
  if (!namesFunction(given)) problems.set("lambda", NO_FUNCTION);
  return [...problems.values()];
}

function namesFunction(given: JsonObject): boolean {
  const { eventLambdas } = given;
  const anEvent = typeof eventLambdas === "object" && eventLambdas !== null && Object.keys(eventLambdas).length > 0;
  return anEvent || SETTING_KEYS.some((key) => Object.hasOwn(given, key) && isRoute(key));
}

/** Whether a setting says where events go. */
function isRoute(key: string): boolean {
  return SETTINGS[key]?.$ref === "#/definitions/route";
}

/** A key that somebody else chose, fit for an error message. */
function printable(key: string): string {
  return JSON.stringify(key.slice(0, 100)).slice(1, -1);
}

function problemWith(setting: string, problem: string): SettingsProblem {
  const example = SETTINGS[setting]?.examples?.[0];
  return {
    setting,
    problem,
    ...(example !== undefined && { example: typeof example === "string" ? example : JSON.stringify(example) }),
  };
}

const EVENT_PREFIX = "eventLambdas.";
const FAILURE = "failureLambda";
const NO_FUNCTION = problemWith(
  "lambda",
  "is needed, or one of the settings for single call types: no function is set",
);

/** Every function in the settings, under the name that an error gives it. */
function namedFunctions(settings: Settings): [string, FunctionReference][] {
  const keys = ["lambda", ...CALL_TYPES.map(settingOf), FAILURE];
  const single = keys.map((key) => [key, settings[key as keyof Settings]] as const);
  const perEvent = Object.entries(settings.eventLambdas ?? {}).map(
    ([event, value]) => [EVENT_PREFIX + event, value] as const,
  );
  return [...single, ...perEvent]
    .filter((entry): entry is readonly [string, string] => typeof entry[1] === "string" && entry[1] !== SKIP)
    .map(([key, value]) => [key, parseFunctionReference(value)]);
}

function settingOf(callType: CallType): string {
  return `${callType}Lambda`;
}

function routePerCallType(
  settings: Settings,
  byKey: ReadonlyMap<string, FunctionReference>,
): Readonly<Partial<Record<CallType, Route>>> {
  const routes: Partial<Record<CallType, Route>> = {};
  for (const callType of CALL_TYPES) {
    const key = [settingOf(callType), "lambda"].find((each) => settings[each as keyof Settings] !== undefined);
    if (key !== undefined) routes[callType] = byKey.get(key) ?? SKIP;
  }
  return routes;
}

/** What durable functions demand of the settings. */
function durableProblems(settings: WithDefaults, named: readonly [string, FunctionReference][]): SettingsProblem[] {
  const unqualified = named.filter(([key, { qualifier }]) => key !== FAILURE && qualifier === undefined);
  return [
    ...(settings.maxBatchSize > 1
      ? [
          {
            setting: "maxBatchSize",
            problem: `must be 1 with ${schema.properties.executionName.title} MessageId: events that are retried are batched anew, and another batch would be another execution`,
            example: "1",
          },
        ]
      : []),
    ...unqualified.map(([key, { configured }]) => ({
      setting: printable(key),
      problem: "needs a version or alias, because AWS takes durable functions by those only",
      example: `${configured}:live`,
    })),
  ];
}

function regionProblems(region: string | undefined, named: readonly [string, FunctionReference][]): SettingsProblem[] {
  if (region === undefined)
    return [problemWith("region", "is needed, because no function is given with its whole ARN")];
  return named
    .filter(([, reference]) => reference.region !== undefined && reference.region !== region)
    .map(([key, reference]) => ({
      setting: printable(key),
      problem: `is in ${reference.region}, while the region is ${region}: one destination calls one region`,
    }));
}

function partitionProblems(
  region: string | undefined,
  rolePartition: string | undefined,
  named: readonly [string, FunctionReference][],
): SettingsProblem[] {
  if (region === undefined) return [];
  const partition = partitionOf(region);
  const claimed: [string, string | undefined][] = [
    ["roleAddress", rolePartition],
    ...named.map(([key, reference]): [string, string | undefined] => [key, reference.partition]),
  ];
  return claimed
    .filter(([, claim]) => claim !== undefined && claim !== partition)
    .map(([key, claim]) => ({
      setting: printable(key),
      problem: `is in the partition ${claim}, while the region ${region} is in ${partition}: both must be in the same`,
    }));
}

/** Whose roles and functions the operator does not let users name. */
function accountProblems(
  allowed: readonly string[] | undefined,
  roleAccount: string | undefined,
  named: readonly [string, FunctionReference][],
): SettingsProblem[] {
  if (!allowed) return [];
  const claimed: [string, string | undefined][] = [
    ...(roleAccount === undefined ? [] : [["roleAddress", roleAccount] as [string, string]]),
    // A function that is given by its name is the role's own.
    ...named.map(([key, { account = roleAccount }]): [string, string | undefined] => [key, account]),
  ];
  return claimed
    .filter(([, account]) => account === undefined || !allowed.includes(account))
    .map(([key, account]) => ({
      setting: printable(key),
      problem:
        account === undefined
          ? "must be given with its account, because the router's operator allows certain accounts only"
          : `is in the account ${account}, which the router's operator does not allow`,
    }));
}

/**
 * Node.js functions get the client context as it is sent, Python functions only its keys `client`, `custom` and `env`:
 * a map is sent in both places, so that both find it. Python's runtime cannot start a function whose `client` or `env` is
 * no object: such a key is in `custom` alone.
 *
 * @returns base64, nothing for an empty map, `null` for what JSON cannot hold (circles, BigInt)
 */
function encodeClientContext(map: Readonly<JsonObject>): string | undefined | null {
  if (Object.keys(map).length === 0) return undefined;
  const { custom, ...own } = map;
  const inner = isMap(custom) ? { ...own, ...custom } : map;
  const top = Object.entries(map).filter(([key, value]) => !FOR_PYTHON.includes(key) || isMap(value));
  try {
    return base64(utf8(JSON.stringify(Object.fromEntries([...top, ["custom", inner]]))));
  } catch {
    return null;
  }
}

/** The client context with a trace's `traceparent` in it, unless the user has a key of that name, or there is no room for it. */
export function tracedContext(
  { clientContext, clientContextMap }: ParsedSettings,
  traceparent: string,
): string | undefined {
  const encoded = encodeClientContext({ traceparent, ...clientContextMap });
  return encoded && encoded.length <= MAX_CLIENT_CONTEXT_BYTES ? encoded : clientContext;
}

/** What Python's runtime takes apart, beside `custom`. */
const FOR_PYTHON: readonly string[] = ["client", "env"];

function isMap(value: unknown): value is JsonObject {
  return value !== null && typeof value === "object" && !Array.isArray(value);
}

function clientContextProblems(encoded: string | undefined | null): SettingsProblem[] {
  if (encoded === null) return [problemWith("clientContext", "cannot be written as JSON")];
  if (encoded === undefined || encoded.length <= MAX_CLIENT_CONTEXT_BYTES) return [];
  const problem = `is ${encoded.length} bytes once encoded; AWS Lambda takes ${MAX_CLIENT_CONTEXT_BYTES} at most`;
  return [problemWith("clientContext", problem)];
}
