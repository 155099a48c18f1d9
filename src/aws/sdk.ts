import { Agent as HttpAgent } from "node:http";
import { Agent as HttpsAgent } from "node:https";
import type { STSClient } from "@aws-sdk/client-sts";
import { BoundedMap } from "../encoding/bounded-map";
import type { AssumeRoleRequest, AwsCredentials } from "./aws";
import { AwsError, type AwsErrorDetails } from "./aws-error";
import type { AwsTime } from "./clock";
import type { Deadline } from "./deadline";
import { incompleteAnswer, noIdentity } from "./failed-call";
import { askMetadataDirectly, loadProxyFor, trustedAuthorities, withoutPassword } from "./proxies";
import { retryAfterMs } from "./retry-after";
import { type Endpoint, endpointAt } from "./transport";

/** Who signs, as STS sees it. */
export interface CallerIdentity {
  /** `…:user/name`, `…:assumed-role/role/session` or `…:root`. */
  readonly arn: string;
  /** 12 digits. */
  readonly account: string;
}

/** AssumeRole, with an external ID or, for the connection check only, without. */
export type AssumeRole = Omit<AssumeRoleRequest, "externalId" | "policy"> & {
  readonly externalId?: string;
  readonly policy?: string;
};

/** What is left to the AWS SDK: identities, roles and endpoints, as the operator's environment and AWS configuration have them. */
export interface Sdk {
  /** @throws AwsError */
  assumeRole(request: AssumeRole, deadline: Deadline): Promise<AwsCredentials>;
  /**
   * @param base absent for the operator's own identity
   * @throws AwsError
   */
  callerIdentity(region: string, base: AwsCredentials | undefined, deadline: Deadline): Promise<CallerIdentity>;
  /**
   * The operator's own identity; the same object while it is the same.
   *
   * @throws AwsError of kind `identity` where there is none
   */
  identity(region: string, deadline: Deadline): Promise<AwsCredentials>;
  /**
   * Where Lambda is for a region: AWS's own endpoint, or what `AWS_ENDPOINT_URL…` says. A promise only until that is known.
   *
   * @throws AwsError
   */
  lambdaEndpoint(region: string, deadline: Deadline): Endpoint | Promise<Endpoint>;
  /**
   * The address at which a service is asked for a region, and the proxy through which, without its password.
   *
   * @throws AwsError
   */
  address(service: "lambda" | "sts", region: string): Promise<Address>;
}

/** Where a service is asked, as far as it may be told to anybody. */
export interface Address {
  readonly url: string;
  readonly proxy?: string;
}

/** Regions for which a client and an endpoint are kept at most. */
const MAX_REGIONS = 100;
/** Connections to one STS endpoint at most; below that number the SDK warns on the console when many tenants begin at once. */
const MAX_SOCKETS = 1000;

/** The AWS SDK, loaded with the first call. */
export function createSdk(time: AwsTime): Sdk {
  const ambientClients = new Map<string, Promise<STSClient>>();
  const endpoints = new Map<string, Endpoint>();
  let ambient: AwsCredentials | undefined;
  /** All clients share connections; by the proxy's address, empty for none. */
  const agents = new Map<string, Promise<Agents>>();
  const ways = new BoundedMap<string, Way>({ entries: 2 * MAX_REGIONS });

  async function newClient(region: string, base?: AwsCredentials): Promise<STSClient> {
    const { STSClient } = await stsSdk();
    const { proxy } = await wayOut("sts", region);
    const requestHandler = await sharedAgents(proxy);
    return withoutWarning(
      () =>
        new STSClient({
          region,
          // Retries are decided where the delivery's deadline is known.
          maxAttempts: 1,
          systemClockOffset: time.offsetMs,
          customUserAgent: "amazon-lambda-destination",
          requestHandler,
          ...(base && { credentials: { ...base } }),
        }),
    );
  }

  function sharedAgents(proxy = ""): Promise<Agents> {
    const known = agents.get(proxy);
    if (known) return known;
    const made = agentsFor(proxy);
    agents.set(proxy, made);
    made.catch(() => agents.delete(proxy));
    return made;
  }

  /** What failed on the way, or was answered by something in between, with the name of the proxy where there is one. */
  async function throughProxy(error: AwsError, region: string): Promise<AwsError> {
    const { kind, code, status, message } = error.details;
    const onTheWay = kind === "network" || (kind === "service" && code === "Unknown");
    // Where even the address is none, there is no proxy to tell of.
    const way = onTheWay ? await wayOut("sts", region).catch(() => undefined) : undefined;
    if (way?.proxy === undefined) return error;
    const { proxy } = way;
    const told = withoutPassword(proxy);
    return new AwsError({
      ...error.details,
      ...(kind === "network"
        ? { message: `${message} (through the proxy ${told})` }
        : {
            kind: "network",
            code: "ProxyRefused",
            message: `The proxy answered with HTTP status ${status} (through the proxy ${told})`,
            unsent: true,
          }),
    });
  }

  async function wayOut(service: "lambda" | "sts", region: string): Promise<Way> {
    const key = `${service} ${region}`;
    let way = ways.get(key);
    if (!way) {
      const [{ origin, basePath }, proxyFor] = await Promise.all([endpointOf(service, region), loadProxyFor()]);
      way = { url: origin + basePath, proxy: proxyFor(origin) };
      ways.set(key, way);
    }
    return way;
  }

  /** The SDK keeps the operator's identity with the client, and renews it. */
  function ambientClient(region: string): Promise<STSClient> {
    const known = ambientClients.get(region);
    if (known) return known;
    if (ambientClients.size >= MAX_REGIONS) ambientClients.clear();
    askMetadataDirectly();
    const made = newClient(region);
    ambientClients.set(region, made);
    made.catch(() => ambientClients.delete(region));
    return made;
  }

  /** A call of STS's, for as long as the caller can wait: the SDK itself waits for ever where an identity provider hangs. */
  async function call<T>(
    region: string,
    base: AwsCredentials | undefined,
    deadline: Deadline,
    ask: (sts: STSClient, options: { readonly abortSignal: AbortSignal }) => Promise<T>,
  ): Promise<T> {
    const aborting = new AbortController();
    try {
      const client = base ? newClient(region, base) : ambientClient(region);
      return await deadline.within(
        client.then((sts) => ask(sts, { abortSignal: aborting.signal })),
        "sts",
      );
    } catch (error) {
      const failure = await throughProxy(fromSdkError("sts", error, time), region);
      if (failure.details.kind === "timeout") {
        aborting.abort();
        // Whatever hangs in it would hang for everybody after us.
        if (!base) ambientClients.delete(region);
      }
      throw failure;
    }
  }

  return {
    async assumeRole(request, deadline) {
      const { AssumeRoleCommand } = await stsSdk().catch((error) => {
        throw fromSdkError("sts", error, time);
      });
      const command = new AssumeRoleCommand({
        RoleArn: request.roleArn,
        RoleSessionName: request.sessionName,
        ...(request.externalId !== undefined && { ExternalId: request.externalId }),
        ...(request.policy !== undefined && { Policy: request.policy }),
      });
      const { Credentials } = await call(request.region, request.base, deadline, (sts, options) =>
        sts.send(command, options),
      );
      if (!Credentials?.AccessKeyId || !Credentials.SecretAccessKey || !Credentials.SessionToken) {
        throw incompleteAnswer();
      }
      return {
        accessKeyId: Credentials.AccessKeyId,
        secretAccessKey: Credentials.SecretAccessKey,
        sessionToken: Credentials.SessionToken,
        ...(Credentials.Expiration && { expiresAt: Credentials.Expiration.getTime() }),
      };
    },

    async callerIdentity(region, base, deadline) {
      const { GetCallerIdentityCommand } = await stsSdk().catch((error) => {
        throw fromSdkError("sts", error, time);
      });
      const { Arn = "", Account = "" } = await call(region, base, deadline, (sts, options) =>
        sts.send(new GetCallerIdentityCommand({}), options),
      );
      return { arn: Arn, account: Account };
    },

    async identity(region, deadline) {
      const found = await call(region, undefined, deadline, (sts) => sts.config.credentials());
      const { accessKeyId, secretAccessKey, sessionToken, expiration } = found;
      if (
        ambient?.accessKeyId !== accessKeyId ||
        ambient.secretAccessKey !== secretAccessKey ||
        ambient.sessionToken !== sessionToken
      ) {
        ambient = {
          accessKeyId,
          secretAccessKey,
          ...(sessionToken && { sessionToken }),
          ...(expiration && { expiresAt: expiration.getTime() }),
        };
      }
      return ambient;
    },

    lambdaEndpoint(region, deadline) {
      const known = endpoints.get(region);
      if (known) return known;
      const resolving = endpointOf("lambda", region).then(
        (endpoint) => {
          if (endpoints.size >= MAX_REGIONS) endpoints.clear();
          endpoints.set(region, endpoint);
          return endpoint;
        },
        (error) => {
          throw fromSdkError("lambda", error, time);
        },
      );
      return deadline.within(resolving, "lambda");
    },

    async address(service, region) {
      try {
        const { url, proxy } = await wayOut(service, region);
        return { url, ...(proxy !== undefined && { proxy: withoutPassword(proxy) }) };
      } catch (error) {
        throw fromSdkError(service, error, time);
      }
    },
  };
}

type Agents = { readonly httpAgent: HttpAgent; readonly httpsAgent: HttpsAgent };

/** @param proxy as the environment has it, with its password; empty for none */
async function agentsFor(proxy: string): Promise<Agents> {
  const ca = trustedAuthorities();
  const options = { keepAlive: true, maxSockets: MAX_SOCKETS, ...(ca && { ca: [...ca] }) };
  if (proxy === "") return { httpAgent: new HttpAgent(options), httpsAgent: new HttpsAgent(options) };
  const { HttpsProxyAgent } = await import("https-proxy-agent");
  const agent = new HttpsProxyAgent(proxy, options);
  // What it is made with is for the connection to the proxy alone.
  if (ca) agent.options = { ...agent.options, ca: [...ca] };
  const httpsAgent = agent as unknown as HttpsAgent;
  return { httpAgent: httpsAgent, httpsAgent };
}

interface Way {
  readonly url: string;
  /** With its password. */
  readonly proxy: string | undefined;
}

/**
 * What the SDK knows of a service's endpoint for a region: `AWS_ENDPOINT_URL…`, FIPS, dual stack, partitions, the shared
 * configuration file.
 */
async function endpointOf(service: "lambda" | "sts", region: string): Promise<Endpoint> {
  const { getEndpointFromInstructions } = await import("@smithy/core/endpoints");
  // Never used, but the SDK would look for the operator's, who may have none.
  const config = { region, credentials: { accessKeyId: "unused", secretAccessKey: "unused" } };
  const { url } =
    service === "lambda"
      ? await lambdaSdk().then(({ InvokeCommand, LambdaClient }) =>
          getEndpointFromInstructions({}, InvokeCommand, { ...withoutWarning(() => new LambdaClient(config)).config }),
        )
      : await stsSdk().then(({ AssumeRoleCommand, STSClient }) =>
          getEndpointFromInstructions({}, AssumeRoleCommand, { ...withoutWarning(() => new STSClient(config)).config }),
        );
  return endpointAt(url.href, isOfAws(url.href.replace(/\/$/, "")));
}

const NO_WARNING = "AWS_SDK_JS_NODE_VERSION_SUPPORT_WARNING_DISABLED";

/**
 * The SDK's first client warns on a version of Node.js that it will drop: in the log of a host that is not ours. Which
 * versions we support stands in our documents.
 */
function withoutWarning<Client>(create: () => Client): Client {
  const before = process.env[NO_WARNING];
  process.env[NO_WARNING] = "true";
  try {
    return create();
  } finally {
    if (before === undefined) delete process.env[NO_WARNING];
    else process.env[NO_WARNING] = before;
  }
}

/** Whether an endpoint is AWS's own, whose answers have a request ID. */
function isOfAws(url: string): boolean {
  return (
    /^https:\/\/(?:[\w-]+\.)*lambda(?:-fips)?\.[\w.-]+$/.test(url) &&
    AWS_SUFFIXES.some((suffix) => url.endsWith(suffix))
  );
}

const AWS_SUFFIXES: readonly string[] = [
  ".amazonaws.com",
  ".amazonaws.com.cn",
  ".api.aws",
  ".c2s.ic.gov",
  ".sc2s.sgov.gov",
  ".cloud.adc-e.uk",
  ".csp.hci.ic.gov",
  ".amazonaws.eu",
];

const lambdaSdk = once(() => import("@aws-sdk/client-lambda"));
const stsSdk = once(() => import("@aws-sdk/client-sts"));

/** What failed to load is tried again. */
function once<T>(load: () => Promise<T>): () => Promise<T> {
  let loaded: Promise<T> | undefined;
  return () => {
    loaded ??= load().catch((error) => {
      loaded = undefined;
      throw error;
    });
    return loaded;
  };
}

/** The parts of the SDK's errors that matter here; which are there depends on where the call failed. */
interface SdkError {
  readonly name?: string;
  readonly code?: string;
  readonly message?: string;
  /** Whose fault it is, in errors that AWS itself named. */
  readonly $fault?: "client" | "server";
  readonly cause?: { readonly code?: string; readonly syscall?: string };
  readonly syscall?: string;
  readonly $metadata?: { readonly httpStatusCode?: number; readonly requestId?: string };
  readonly $response?: { readonly statusCode?: number; readonly headers?: Readonly<Record<string, string>> };
}

const MISSING: readonly string[] = ["ERR_MODULE_NOT_FOUND", "MODULE_NOT_FOUND"];
/** System calls before which nothing was sent. */
const UNSENT: readonly string[] = ["connect", "getaddrinfo"];
const NO_IDENTITY: readonly string[] = ["CredentialsProviderError", "TokenProviderError", "ProviderError"];

function fromSdkError(service: AwsErrorDetails["service"], error: unknown, time: AwsTime): AwsError {
  if (error instanceof AwsError) return error;
  const { name = "", code, message, $fault, $metadata, $response, cause, syscall } = error as SdkError;
  if (NO_IDENTITY.includes(name)) return noIdentity(service);
  if (code !== undefined && MISSING.includes(code)) {
    const [, missing = "A package of the AWS SDK"] =
      /Cannot find (?:package|module) '([^']+)'/.exec(message ?? "") ?? [];
    return new AwsError({ service, kind: "installation", code, message: `${missing} is not installed.` });
  }
  const status = $metadata?.httpStatusCode ?? $response?.statusCode;
  if (status === undefined) {
    const systemCode = code ?? cause?.code ?? name;
    const unsent = UNSENT.includes(syscall ?? cause?.syscall ?? "");
    return new AwsError({ service, kind: "network", code: systemCode, message: message || systemCode, unsent });
  }
  if (status < 300) {
    // What the SDK says of it may quote the answer, which holds credentials.
    return new AwsError({
      service,
      kind: "network",
      code: code ?? "UnreadableAnswer",
      message: "The answer broke off or cannot be read.",
    });
  }
  const requestId = $metadata?.requestId;
  const wait = retryAfterMs($response?.headers?.["retry-after"]);
  const clockWasOff = time.learn($response?.headers?.["date"]);
  return new AwsError({
    service,
    kind: "service",
    // Without `$fault`, it is not AWS that names the error: something on the way answered with a page of its own.
    code: $fault ? name : "Unknown",
    message: ($fault && message) || "UnknownError",
    status,
    ...(requestId && { requestId }),
    ...(wait !== undefined && { retryAfterMs: wait }),
    ...(clockWasOff && { clockWasOff }),
  });
}
