// @ts-nocheck
import type { STSClient, STSClientConfig } from "@aws-sdk/client-sts";
import type { AssumeRoleRequest, AwsCredentials } from "./aws";
import { AwsError, type AwsErrorDetails } from "./aws-error";
import { incompleteAnswer, noIdentity, timedOut } from "./failed-call";
import { retryAfterMs } from "./retry-after";

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
  assumeRole(request: AssumeRole, timeoutMs: number): Promise<AwsCredentials>;
  /**
   * @param base absent for the operator's own identity
   * @throws AwsError
   */
  callerIdentity(region: string, base: AwsCredentials | undefined, timeoutMs: number): Promise<CallerIdentity>;
  /**
   * The operator's own identity.
   *
   * @throws AwsError of kind `identity` where there is none
   */
  identity(region: string): Promise<AwsCredentials>;
  /** Where Lambda is for a region, without a slash at the end: AWS's own endpoint, or what `AWS_ENDPOINT_URL…` says. */
  lambdaEndpoint(region: string): Promise<string>;
}

/** Regions for which a client and an endpoint are kept at most. */
const MAX_REGIONS = 100;
/** Connections to one STS endpoint at most; below that number the SDK warns on the console when many tenants begin at once. */
const MAX_SOCKETS = 1000;

/** The AWS SDK, loaded with the first call. */
export function createSdk(): Sdk {
  const ambientClients = new Map<string, Promise<STSClient>>();
  const endpoints = new Map<string, Promise<string>>();
  // Client after client shares the connections of the first.
  let connections: STSClientConfig["requestHandler"];

  async function newClient(region: string, base?: AwsCredentials): Promise<STSClient> {
    const { STSClient } = await stsSdk();
    const client = new STSClient({
      region,
      // Retries are decided where the delivery's deadline is known.
      maxAttempts: 1,
      customUserAgent: "amazon-lambda-destination",
      requestHandler: connections ?? {
        httpAgent: { maxSockets: MAX_SOCKETS },
        httpsAgent: { maxSockets: MAX_SOCKETS },
      },
      ...(base && { credentials: { ...base } }),
    });
    connections ??= client.config.requestHandler;
    return client;
  }

  /** The SDK keeps the operator's identity with the client, and renews it. */
  function client(region: string, base: AwsCredentials | undefined): Promise<STSClient> {
    return base ? newClient(region, base) : keptFor(region, ambientClients, () => newClient(region));
  }

  return {
    async assumeRole(request, timeoutMs) {
      try {
        const { AssumeRoleCommand } = await stsSdk();
        const sts = await client(request.region, request.base);
        const command = new AssumeRoleCommand({
          RoleArn: request.roleArn,
          RoleSessionName: request.sessionName,
          ...(request.externalId !== undefined && { ExternalId: request.externalId }),
          ...(request.policy !== undefined && { Policy: request.policy }),
        });
        const { Credentials } = await sts.send(command, { abortSignal: AbortSignal.timeout(timeoutMs) });
        if (!Credentials?.AccessKeyId || !Credentials.SecretAccessKey || !Credentials.SessionToken) {
          throw incompleteAnswer();
        }
        return {
          accessKeyId: Credentials.AccessKeyId,
          secretAccessKey: Credentials.SecretAccessKey,
          sessionToken: Credentials.SessionToken,
          ...(Credentials.Expiration && { expiresAt: Credentials.Expiration.getTime() }),
        };
      } catch (error) {
        throw fromSdkError("sts", error, timeoutMs);
      }
    },

    async callerIdentity(region, base, timeoutMs) {
      try {
        const { GetCallerIdentityCommand } = await stsSdk();
        const sts = await client(region, base);
        const { Arn = "", Account = "" } = await sts.send(new GetCallerIdentityCommand({}), {
          abortSignal: AbortSignal.timeout(timeoutMs),
        });
        return { arn: Arn, account: Account };
      } catch (error) {
        throw fromSdkError("sts", error, timeoutMs);
      }
    },

    async identity(region) {
      try {
        const sts = await client(region, undefined);
        const { accessKeyId, secretAccessKey, sessionToken, expiration } = await sts.config.credentials();
        return {
          accessKeyId,
          secretAccessKey,
          ...(sessionToken && { sessionToken }),
          ...(expiration && { expiresAt: expiration.getTime() }),
        };
      } catch (error) {
        throw fromSdkError("lambda", error, 0);
      }
    },

    async lambdaEndpoint(region) {
      try {
        return await keptFor(region, endpoints, () => resolveLambdaEndpoint(region));
      } catch (error) {
        throw fromSdkError("lambda", error, 0);
      }
    },
  };
}

/**
 * Has the SDK's Lambda client make a request, and stops it before it is signed: that way everything counts that the SDK
 * knows of endpoints (`AWS_ENDPOINT_URL`, FIPS, dual stack, partitions, the shared configuration file).
 */
async function resolveLambdaEndpoint(region: string): Promise<string> {
  const { InvokeCommand, LambdaClient } = await lambdaSdk();
  // Never used, but the SDK would look for the operator's, who may have none.
  const credentials = { accessKeyId: "unused", secretAccessKey: "unused" };
  const client = new LambdaClient({ region, credentials });
  let endpoint = "";
  client.middlewareStack.add(
    () => async (args) => {
      const { protocol, hostname, port, path } = args.request as {
        protocol: string;
        hostname: string;
        port?: number;
        path: string;
      };
      endpoint = `${protocol}//${hostname}${port ? `:${port}` : ""}${path.slice(0, path.indexOf("/2015-03-31/"))}`;
      return { output: { $metadata: {} }, response: {} };
    },
    { step: "build", priority: "low" },
  );
  await client.send(new InvokeCommand({ FunctionName: "any" }));
  client.destroy();
  return endpoint;
}

/** The region's value, made where there is none; what could not be made is tried again. */
function keptFor<T>(region: string, kept: Map<string, Promise<T>>, make: () => Promise<T>): Promise<T> {
  const known = kept.get(region);
  if (known) return known;
  if (kept.size >= MAX_REGIONS) kept.clear();
  const made = make();
  kept.set(region, made);
  made.catch(() => kept.delete(region));
  return made;
}

const lambdaSdk = once(() => import("@aws-sdk/client-lambda"));
const stsSdk = once(() => import("@aws-sdk/client-sts"));

function once<T>(load: () => Promise<T>): () => Promise<T> {
  let loaded: Promise<T> | undefined;
  return () => {
    loaded ??= load();
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
  readonly cause?: { readonly code?: string };
  readonly $metadata?: { readonly httpStatusCode?: number; readonly requestId?: string };
  readonly $response?: { readonly statusCode?: number; readonly headers?: Readonly<Record<string, string>> };
}

const MISSING: readonly string[] = ["ERR_MODULE_NOT_FOUND", "MODULE_NOT_FOUND"];
const NO_IDENTITY: readonly string[] = ["CredentialsProviderError", "TokenProviderError", "ProviderError"];

function fromSdkError(service: AwsErrorDetails["service"], error: unknown, timeoutMs: number): AwsError {
  if (error instanceof AwsError) return error;
  const { name = "", code, message, $fault, $metadata, $response, cause } = error as SdkError;
  if (name === "AbortError") return timedOut(service, timeoutMs);
  if (NO_IDENTITY.includes(name)) return noIdentity(service);
  if (code !== undefined && MISSING.includes(code)) {
    const [, missing = "A package of the AWS SDK"] =
      /Cannot find (?:package|module) '([^']+)'/.exec(message ?? "") ?? [];
    return new AwsError({ service, kind: "installation", code, message: `${missing} is not installed.` });
  }
  const status = $metadata?.httpStatusCode ?? $response?.statusCode;
  if (status === undefined) {
    const systemCode = code ?? cause?.code ?? name;
    return new AwsError({ service, kind: "network", code: systemCode, message: message || systemCode });
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
  return new AwsError({
    service,
    kind: "service",
    // Without `$fault`, it is not AWS that names the error: something on the way answered with a page of its own.
    code: $fault ? name : "Unknown",
    message: ($fault && message) || "UnknownError",
    status,
    ...(requestId && { requestId }),
    ...(wait !== undefined && { retryAfterMs: wait }),
  });
}
