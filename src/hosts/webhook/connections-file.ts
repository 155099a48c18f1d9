/**
 * `connections.json`: its schema is `schemas/connections.schema.json`. Everything that is wrong with it is told at once, by connection, and no
 * value of it is.
 */
import { createPublicKey, type KeyObject } from "node:crypto";
import type { ConnectionsFile, Credential as CredentialEntry, Connection as Entry } from "../../generated/connections";
import { validate } from "../../generated/validate-connections";
import type { OperatorPolicy } from "../../settings/operator-policy";
import { SETTINGS } from "../../settings/setting-schemas";
import { parseSettings } from "../../settings/settings";
import { SettingsError } from "../../settings/settings-error";
import type { Behind } from "./behind";
import { type Connection, type Connections, fixedConnections, type WriteKey } from "./connection";
import {
  basic,
  bearer,
  type Credential,
  digest,
  inHeader,
  jitsuEd25519,
  jitsuHmac,
  outpostSignature,
  segmentSignature,
} from "./credentials";
import { type SecretSources, secretFiles, secretValue } from "./secret-values";

/** What is wrong with one connection, or with the file as a whole. Never holds a value. */
export interface ConnectionProblem {
  readonly connection?: string;
  readonly problem: string;
}

/** A file that cannot be used. Its message has a line per problem. */
export class ConnectionsError extends Error {
  override readonly name = "ConnectionsError";

  constructor(readonly problems: readonly ConnectionProblem[]) {
    super(problems.map(({ connection, problem }) => (connection ? `${connection}: ${problem}` : problem)).join("\n"));
  }
}

export interface ConnectionsFileOptions {
  readonly operator: OperatorPolicy;
  readonly secrets: SecretSources;
  /** Whether webhooks without a secret are open to everybody. */
  readonly insecure?: boolean;
  /** What events of these settings, checked already, go to. */
  readonly behind: (settings: unknown) => Behind;
  /** What events of the connection go to that are acknowledged once they are accepted; absent where there is no queue. */
  readonly accepting?: (connection: string) => Behind;
  /** Keeps what is rejected; see {@link Connection.keep}. */
  readonly keepIn: (path: string, connection: string) => NonNullable<Connection["keep"]>;
}

/** The connections of a file, in its order. */
export interface LoadedConnections extends Connections {
  readonly all: readonly Connection[];
  readonly keys: readonly WriteKey[];
  /** What delivers each connection's events in the end, whatever it acknowledges. */
  readonly destinations: ReadonlyMap<string, Behind>;
  /** The settings by connection, with their secrets filled in. */
  readonly settings: ReadonlyMap<string, unknown>;
  /** Files that secrets were read from. */
  readonly secretFiles: readonly string[];
}

const MIN_SECRET_LENGTH = 12;

/** @throws ConnectionsError */
export function connectionsFromFile(file: unknown, options: ConnectionsFileOptions): LoadedConnections {
  if (!validate(file)) throw new ConnectionsError(schemaProblems());
  const { connections, settings: shared = {} } = file as ConnectionsFile;
  const problems: ConnectionProblem[] = [];
  const loaded = Object.entries(connections).map(([name, entry]) => {
    const reader = new EntryReader(name, options);
    const one = reader.read(entry, shared);
    problems.push(...reader.problems);
    return one;
  });
  const keys = loaded.flatMap(({ writeKeys }) => writeKeys);
  const taken = new Map<string, string>();
  for (const { id, connection } of keys) {
    const other = taken.get(id);
    if (other !== undefined && other !== connection.name)
      problems.push({ connection: connection.name, problem: `has a write key that is also one of ${other}` });
    taken.set(id, connection.name);
  }
  if (problems.length > 0) throw new ConnectionsError(problems);
  const all = loaded.map(({ connection }) => connection);
  return {
    ...fixedConnections(all, keys),
    all,
    keys,
    destinations: new Map(loaded.map(({ connection, destination }) => [connection.name, destination])),
    settings: new Map(loaded.map(({ connection, settings }) => [connection.name, settings])),
    secretFiles: secretFiles(file),
  };
}

/** Reads one connection, and notes what is wrong with it. */
class EntryReader {
  readonly problems: ConnectionProblem[] = [];

  constructor(
    private readonly name: string,
    private readonly options: ConnectionsFileOptions,
  ) {}

  read(entry: Entry, shared: NonNullable<ConnectionsFile["settings"]>) {
    const { behind, accepting, keepIn, insecure } = this.options;
    const {
      acknowledge = "delivered",
      webhook,
      writeKeys = [],
      router = "generic",
      sourceId = this.name,
      workspaceId,
      deadLetter,
    } = entry;
    const settings = this.#settings(entry.settings, shared);
    const credentials = webhook?.map((credential, i) => this.#credential(credential, `webhook.${i}`));
    const isOpen = credentials === undefined && insecure === true;
    if (!credentials && writeKeys.length === 0 && !isOpen)
      this.#problem("needs `webhook` or `writeKeys`: nothing says who may send");
    const destination = behind(settings);
    if (acknowledge === "accepted" && !accepting)
      this.#problem(
        "acknowledges what is accepted, but there is no queue: set AMAZON_LAMBDA_QUEUE_URL to an SQS FIFO queue's",
      );
    const connection: Connection = {
      name: this.name,
      sourceId,
      ...(workspaceId !== undefined && { workspaceId }),
      router,
      ...((credentials || isOpen) && { credentials: credentials ?? [] }),
      behind: acknowledge === "accepted" && accepting ? accepting(this.name) : destination,
      ...keeping(deadLetter === undefined ? undefined : keepIn(deadLetter, this.name), settings),
    };
    return {
      connection,
      destination,
      settings,
      writeKeys: writeKeys.map((key, i) => this.#writeKey(key, `writeKeys.${i}`, connection)),
    };
  }

  #settings(given: Entry["settings"], shared: NonNullable<ConnectionsFile["settings"]>): unknown {
    const reference = given["$ref"];
    const [, name = ""] = typeof reference === "string" ? (/^#\/settings\/([^/]+)$/.exec(reference) ?? []) : [];
    if (reference !== undefined && !Object.hasOwn(shared, name)) {
      this.#problem('settings.$ref must name settings of this file, as "#/settings/<name>"');
      return {};
    }
    const settings = Object.fromEntries(
      Object.entries(reference === undefined ? given : (shared[name] ?? {})).map(([key, value]) => [
        key,
        typeof value === "string" && SETTINGS[key]?.writeOnly ? this.#secret(value, `settings.${key}`) : value,
      ]),
    );
    try {
      parseSettings(settings, this.options.operator);
    } catch (error) {
      if (!(error instanceof SettingsError)) throw error;
      for (const { setting, problem, example } of error.problems)
        this.#problem(
          `settings${setting ? `.${setting}` : ""} ${problem}${example ? ` (for example ${example})` : ""}`,
        );
    }
    return settings;
  }

  #credential(entry: CredentialEntry, at: string): Credential {
    const { type, user = "", header, publicKeys, signed = "timestamp.body" } = entry;
    const secrets = (entry.secrets ?? []).map((secret, i) => this.#strongSecret(secret, `${at}.secrets.${i}`));
    if (secrets.length === 0 && !(type === "jitsu" && publicKeys)) this.#problem(`${at} needs \`secrets\``);
    const signature = header ?? "Jitsu-Signature";
    switch (type) {
      case "bearer":
        return bearer(secrets);
      case "basic":
        return basic(user, secrets);
      case "header":
        if (header === undefined) this.#problem(`${at} needs \`header\`: which one holds the secret`);
        return inHeader(header ?? "authorization", secrets);
      case "segment":
        return segmentSignature(secrets);
      case "outpost":
        return outpostSignature(secrets);
      case "jitsu": {
        if (!publicKeys) return jitsuHmac(signature, signed, secrets);
        if (secrets.length > 0) this.#problem(`${at} has \`secrets\` and \`publicKeys\`: make two entries of it`);
        return jitsuEd25519(
          signature,
          signed,
          publicKeys.flatMap((key, i) => this.#publicKey(key, `${at}.publicKeys.${i}`)),
        );
      }
    }
  }

  #publicKey(text: string, at: string): KeyObject[] {
    try {
      return [publicKey(this.#secret(text, at))];
    } catch {
      this.#problem(`${at} must be an Ed25519 public key: PEM, or its 32 bytes as hex or base64`);
      return [];
    }
  }

  #writeKey(
    { key, origins = [], eventsPerSecond }: NonNullable<Entry["writeKeys"]>[number],
    at: string,
    connection: Connection,
  ): WriteKey {
    const [id = "", ...rest] = this.#secret(key, at).split(":");
    if (id === "") this.#problem(`${at}.key must not begin with a colon`);
    return {
      id,
      ...(rest.length > 0 && { secretDigest: digest(rest.join(":")) }),
      origins,
      ...(eventsPerSecond !== undefined && { eventsPerSecond }),
      connection,
    };
  }

  #strongSecret(text: string, at: string): string {
    const secret = this.#secret(text, at);
    if (secret !== "" && secret.length < MIN_SECRET_LENGTH)
      this.#problem(
        `${at} is shorter than ${MIN_SECRET_LENGTH} characters: it can be guessed (make one with openssl rand -hex 24)`,
      );
    return secret;
  }

  #secret(text: string, at: string): string {
    const found = secretValue(text, this.options.secrets);
    if ("value" in found) return found.value;
    this.#problem(`${at}: ${found.problem}`);
    return "";
  }

  #problem(problem: string): void {
    this.problems.push({ connection: this.name, problem });
  }
}

/** What is rejected is kept in a file; else where Failure Lambda has taken the record of it, which it has not of what it rejects itself. */
function keeping(keep: Connection["keep"], settings: unknown): Pick<Connection, "keep"> {
  const { failureLambda } = settings as { failureLambda?: unknown };
  if (keep) return { keep };
  if (typeof failureLambda !== "string" || failureLambda === "") return {};
  return {
    async keep(_event, { function: name }) {
      if (name === failureLambda) throw new Error("Failure Lambda rejected an event itself, and no file keeps it.");
    },
  };
}

/** What stands before the 32 bytes of an Ed25519 key in DER (RFC 8410). */
const ED25519_DER = Buffer.from("302a300506032b6570032100", "hex");

/** @throws Error where it is none */
function publicKey(text: string): KeyObject {
  const bytes = Buffer.from(text, /^[0-9a-f]{64}$/i.test(text) ? "hex" : "base64");
  const key = text.includes("-----")
    ? createPublicKey(text)
    : createPublicKey({ key: Buffer.concat([ED25519_DER, bytes]), format: "der", type: "spki" });
  if (key.asymmetricKeyType !== "ed25519") throw new Error("Another kind of key.");
  return key;
}

const BAD_NAME = "`connections` has a name that is not 1 to 64 letters, digits or any of _.-";

/** What the schema's validator found, in words. */
function schemaProblems(): ConnectionProblem[] {
  const found = new Map<string, ConnectionProblem>();
  for (const { keyword, instancePath, params, message } of validate.errors ?? []) {
    if (keyword === "propertyNames") continue;
    const [first, name, ...rest] = instancePath
      .split("/")
      .slice(1)
      .map((part) => part.replace(/~1/g, "/").replace(/~0/g, "~"));
    const inConnection = first === "connections" && name !== undefined;
    const at = (inConnection ? rest : [first, name, ...rest].filter((part) => part !== undefined)).join(".");
    const badName = (params as Record<string, unknown>)["pattern"] !== undefined && instancePath === "/connections";
    const problem = badName ? BAD_NAME : `${at ? `${at} ` : ""}${words(keyword, params, message)}`;
    found.set(`${name} ${at} ${keyword} ${problem}`, { ...(inConnection && { connection: printable(name) }), problem });
  }
  return [...found.values()];
}

function words(keyword: string, params: Record<string, unknown>, message = "is not right"): string {
  if (keyword === "additionalProperties")
    return `has \`${printable(String(params["additionalProperty"]))}\`, which is not known`;
  if (keyword === "required") return `needs \`${String(params["missingProperty"])}\``;
  if (keyword === "enum") return `must be one of ${(params["allowedValues"] as string[]).join(", ")}`;
  if (keyword === "pattern") return "has not the form that is wanted";
  return message;
}

/** A key that somebody else chose, fit for an error message. */
function printable(key: string): string {
  return JSON.stringify(key.slice(0, 100)).slice(1, -1);
}
