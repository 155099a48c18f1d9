import type { LambdaClient, LambdaClientConfig } from "@aws-sdk/client-lambda";
import type { STSClient } from "@aws-sdk/client-sts";
import { functionNameForInvoke } from "../settings/function-reference";
import type { AssumeRoleRequest, Aws, AwsCredentials, InvokeAnswer, InvokeRequest } from "./aws";
import { AwsError, type AwsErrorDetails } from "./aws-error";

/** Clients kept at most; one is per region and credentials, and holds no connections of its own. */
const MAX_CLIENTS = 1000;
/** Connections to AWS at most; how much goes on at once is up to the host. */
const MAX_SOCKETS = 5000;

/** Who signs, as STS sees it. */
export interface CallerIdentity {
  /** `…:user/name`, `…:assumed-role/role/session` or `…:root`. */
  readonly arn: string;
  /** 12 digits. */
  readonly account: string;
}

/** What the SDK can do beyond what deliveries need, for the connection check. */
export interface SdkAws extends Aws {
  /** Deliveries always send an external ID; the check has to try without one. */
  assumeRole(
    request: Omit<AssumeRoleRequest, "externalId"> & { readonly externalId?: string },
    timeoutMs: number,
  ): Promise<AwsCredentials>;
  /** @param base absent for the operator's own identity */
  callerIdentity(region: string, base: AwsCredentials | undefined, timeoutMs: number): Promise<CallerIdentity>;
}

type ClientConfig = Pick<
  LambdaClientConfig,
  "region" | "credentials" | "requestHandler" | "maxAttempts" | "customUserAgent"
>;

/**
 * AWS through its SDK, in Node.js. Identity, endpoints and proxies come from where the SDK takes them: the operator's
 * environment and AWS configuration, `AWS_ENDPOINT_URL` among them. The SDK is loaded with the first call.
 *
 * @param options.now milliseconds since 1970
 */
export function createSdkAws({ now = Date.now }: { readonly now?: () => number } = {}): SdkAws {
  const lambdaClients = new BoundedMap<LambdaClient>(MAX_CLIENTS);
  const stsClients = new BoundedMap<STSClient>(MAX_CLIENTS);
  // Client after client shares the connections of the first.
  let connections: ClientConfig["requestHandler"];

  function config(region: string, credentials: AwsCredentials | undefined): ClientConfig {
    return {
      region,
      // Retries are decided where the delivery's deadline is known.
      maxAttempts: 1,
      customUserAgent: "amazon-lambda-destination",
      requestHandler: connections ?? {
        httpAgent: { maxSockets: MAX_SOCKETS },
        httpsAgent: { maxSockets: MAX_SOCKETS },
      },
      ...(credentials && { credentials: sdkCredentials(credentials) }),
    };
  }

  async function lambdaClient(region: string, credentials: AwsCredentials | undefined): Promise<LambdaClient> {
    const { LambdaClient } = await lambdaSdk();
    const client = lambdaClients.get(
      clientKey(region, credentials),
      () => new LambdaClient(config(region, credentials)),
    );
    connections ??= client.config.requestHandler;
    return client;
  }

  async function stsClient(region: string, credentials: AwsCredentials | undefined): Promise<STSClient> {
    const { STSClient } = await stsSdk();
    const client = stsClients.get(clientKey(region, credentials), () => new STSClient(config(region, credentials)));
    connections ??= client.config.requestHandler;
    return client;
  }

  return {
    now,
    sleep: (ms) => new Promise((resolve) => setTimeout(resolve, ms)),
    within,

    async assumeRole(request, timeoutMs): Promise<AwsCredentials> {
      try {
        const { AssumeRoleCommand } = await stsSdk();
        const client = await stsClient(request.region, request.base);
        const command = new AssumeRoleCommand({
          RoleArn: request.roleArn,
          RoleSessionName: request.sessionName,
          ...(request.externalId !== undefined && { ExternalId: request.externalId }),
          ...(request.policy !== undefined && { Policy: request.policy }),
        });
        const { Credentials } = await client.send(command, { abortSignal: AbortSignal.timeout(timeoutMs) });
        if (!Credentials?.AccessKeyId || !Credentials.SecretAccessKey || !Credentials.SessionToken) {
          throw new AwsError({
            service: "sts",
            kind: "service",
            code: "IncompleteAnswer",
            message: "STS answered without credentials.",
          });
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

    async callerIdentity(region, base, timeoutMs): Promise<CallerIdentity> {
      try {
        const { GetCallerIdentityCommand } = await stsSdk();
        const client = await stsClient(region, base);
        const { Arn = "", Account = "" } = await client.send(new GetCallerIdentityCommand({}), {
          abortSignal: AbortSignal.timeout(timeoutMs),
        });
        return { arn: Arn, account: Account };
      } catch (error) {
        throw fromSdkError("sts", error, timeoutMs);
      }
    },

    async invoke(request: InvokeRequest, timeoutMs: number): Promise<InvokeAnswer> {
      try {
        const { InvokeCommand } = await lambdaSdk();
        const client = await lambdaClient(request.region, request.credentials);
        const command = new InvokeCommand({
          FunctionName: functionNameForInvoke(request.function),
          Qualifier: request.function.qualifier,
          InvocationType: request.invocationType,
          LogType: request.logType === "Tail" ? "Tail" : undefined,
          ClientContext: request.clientContext,
          Payload: request.payload,
        });
        const answer = await client.send(command, { abortSignal: AbortSignal.timeout(timeoutMs) });
        return {
          status: answer.StatusCode ?? answer.$metadata.httpStatusCode ?? 200,
          payload: answer.Payload?.transformToString() ?? "",
          ...(answer.$metadata.requestId && { requestId: answer.$metadata.requestId }),
          ...(answer.ExecutedVersion && { executedVersion: answer.ExecutedVersion }),
          ...(answer.FunctionError && { functionError: answer.FunctionError }),
          ...(answer.LogResult && { logResult: answer.LogResult }),
        };
      } catch (error) {
        throw fromSdkError("lambda", error, timeoutMs);
      }
    },
  };
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

async function within<T>(promise: Promise<T>, ms: number): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const timeout = new Promise<never>((_resolve, reject) => {
    timer = setTimeout(() => reject(timedOut("sts", ms)), ms);
  });
  try {
    return await Promise.race([promise, timeout]);
  } finally {
    clearTimeout(timer);
  }
}

function timedOut(service: AwsErrorDetails["service"], ms: number): AwsError {
  const name = { lambda: "The function", sts: "AWS STS" }[service];
  return new AwsError({
    service,
    kind: "timeout",
    code: "Timeout",
    message: `${name} did not answer within ${Math.round(ms)} ms.`,
  });
}

function sdkCredentials({ accessKeyId, secretAccessKey, sessionToken }: AwsCredentials) {
  return { accessKeyId, secretAccessKey, ...(sessionToken && { sessionToken }) };
}

/** The secret is part of it: a wrong secret beside a right access key ID must not meet the right one's client. */
function clientKey(region: string, credentials: AwsCredentials | undefined): string {
  return credentials ? `${region} ${credentials.accessKeyId} ${credentials.secretAccessKey}` : region;
}

class BoundedMap<Value> {
  readonly #limit: number;
  readonly #values = new Map<string, Value>();

  constructor(limit: number) {
    this.#limit = limit;
  }

  /** The key's value, made where there is none; the one asked for longest ago makes room. */
  get(key: string, make: () => Value): Value {
    const value = this.#values.get(key) ?? make();
    this.#values.delete(key);
    this.#values.set(key, value);
    if (this.#values.size > this.#limit) {
      const [oldest] = this.#values.keys();
      if (oldest !== undefined) this.#values.delete(oldest);
    }
    return value;
  }
}

/** The parts of the SDK's errors that matter here; which are there depends on where the call failed. */
interface SdkError {
  readonly name?: string;
  readonly code?: string;
  readonly message?: string;
  readonly Message?: string;
  readonly Reason?: string;
  readonly cause?: { readonly code?: string };
  readonly $metadata?: { readonly httpStatusCode?: number; readonly requestId?: string };
  readonly $response?: { readonly statusCode?: number; readonly headers?: Readonly<Record<string, string>> };
}

const NO_IDENTITY: readonly string[] = ["CredentialsProviderError", "TokenProviderError", "ProviderError"];

function fromSdkError(service: AwsErrorDetails["service"], error: unknown, timeoutMs: number): AwsError {
  if (error instanceof AwsError) return error;
  const { name = "", code, message, Message, $metadata, $response, cause } = error as SdkError;
  if (name === "AbortError" || name === "TimeoutError") return timedOut(service, timeoutMs);
  if (NO_IDENTITY.includes(name)) {
    return new AwsError({
      service,
      kind: "identity",
      code: "NoIdentity",
      message: "There is no AWS identity to sign with: no keys in the settings, and none that the router itself has.",
    });
  }
  const status = $metadata?.httpStatusCode ?? $response?.statusCode;
  if (status === undefined) {
    const systemCode = code ?? cause?.code ?? name;
    return new AwsError({ service, kind: "network", code: systemCode, message: message || systemCode });
  }
  const requestId = $metadata?.requestId;
  const retryAfterMs = retryAfter($response?.headers?.["retry-after"]);
  return new AwsError({
    service,
    kind: "service",
    code: name,
    message: message || Message || name,
    status,
    ...(requestId && { requestId }),
    ...(retryAfterMs !== undefined && { retryAfterMs }),
  });
}

function retryAfter(header: string | undefined): number | undefined {
  const seconds = Number(header);
  return header !== undefined && Number.isFinite(seconds) && seconds >= 0 ? seconds * 1000 : undefined;
}
