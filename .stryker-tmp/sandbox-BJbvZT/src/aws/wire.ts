// @ts-nocheck
import { functionNameForInvoke } from "../names/function-reference";
import { dnsSuffix } from "../names/partitions";
import type { AssumeRoleRequest, Aws, AwsCredentials, InvokeAnswer, InvokeRequest } from "./aws";
import { AwsError, type AwsErrorDetails } from "./aws-error";
import { incompleteAnswer, noIdentity, timedOut } from "./failed-call";
import { retryAfterMs } from "./retry-after";
import { queryString, type Sha256, signedHeaders, uriEncode } from "./sigv4";
import { TransportError } from "./transport-error";

type Service = "lambda" | "sts";

/** A request ready to send; the `host` header that was signed is the one of the URL. */
export interface WireRequest {
  readonly method: "POST";
  readonly url: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
}

export interface WireAnswer {
  readonly status: number;
  /** By name in lower case. */
  header(name: string): string | undefined;
  readonly body: string;
}

/** What an `Aws` over a plain HTTP transport needs of its surroundings. */
export interface WirePorts {
  /** Milliseconds since 1970. */
  now(): number;
  /** Absent where the surroundings have none: then nothing is waited for, and nothing is given up. */
  readonly timer?: {
    start(callback: () => void, ms: number): unknown;
    stop(timer: unknown): void;
  };
  /** What else to say where a call took too long. */
  readonly timeoutNote?: string;
  /**
   * Sends a request and brings the whole answer, whatever its status.
   *
   * @param timeoutMs after which nobody waits for the answer any more
   * @throws TransportError where there is none
   */
  send(request: WireRequest, timeoutMs: number): Promise<WireAnswer>;
  /** Where a service is, without a slash at the end; AWS's own endpoint of the region by default. */
  endpoint?(service: Service, region: string): Promise<string>;
  /** Who signs where a request brings no credentials; nobody by default. */
  identity?(region: string): Promise<AwsCredentials>;
  readonly sha256: Sha256;
}

/**
 * STS and Lambda over nothing but a way to send HTTP requests, for sandboxes that cannot hold the AWS SDK: same
 * requests, same signatures, same errors.
 *
 * @see https://docs.aws.amazon.com/lambda/latest/api/API_Invoke.html
 * @see https://docs.aws.amazon.com/STS/latest/APIReference/API_AssumeRole.html
 */
export function wireAws(ports: WirePorts): Aws {
  const { timer, timeoutNote } = ports;

  function sleep(ms: number): Promise<void> {
    return new Promise((resolve) => timer?.start(resolve, ms));
  }

  async function within<T>(promise: Promise<T>, ms: number, service: Service = "sts"): Promise<T> {
    if (!timer) return promise;
    let started: unknown;
    const timeout = new Promise<never>((_resolve, reject) => {
      started = timer.start(() => reject(timedOut(service, ms, timeoutNote)), ms);
    });
    try {
      return await Promise.race([promise, timeout]);
    } finally {
      timer.stop(started);
    }
  }

  async function ask(
    service: Service,
    region: string,
    credentials: AwsCredentials | undefined,
    {
      path,
      query = {},
      headers,
      body,
    }: { path: string; query?: Record<string, string>; headers: Record<string, string>; body: string },
    timeoutMs: number,
  ): Promise<WireAnswer> {
    const deadline = ports.now() + timeoutMs;
    const signer = credentials ?? (ports.identity && (await ports.identity(region)));
    if (!signer) throw noIdentity(service);
    const endpoint = ports.endpoint ? await ports.endpoint(service, region) : awsEndpoint(service, region);
    // What would be sent after the deadline might run, and be taken for lost.
    const left = deadline - ports.now();
    if (left <= 0) throw timedOut(service, timeoutMs, timeoutNote);
    const [, host = "", base = ""] = /^https?:\/\/([^/]+)(.*)$/.exec(endpoint) ?? [];
    const signable = { method: "POST", path: base + path, query, headers: { host, ...headers }, body } as const;
    const { host: _, ...signed } = signedHeaders(signable, {
      credentials: signer,
      region,
      service,
      now: ports.now(),
      sha256: ports.sha256,
    });
    const url = `${endpoint}${path}${Object.keys(query).length > 0 ? `?${queryString(query)}` : ""}`;
    try {
      return await ports.send({ method: "POST", url, headers: signed, body }, left);
    } catch (error) {
      if (!(error instanceof TransportError)) throw error;
      const { kind, code, message } = error;
      throw kind === "timeout" && !message
        ? timedOut(service, timeoutMs, timeoutNote)
        : new AwsError({ service, kind, code, message });
    }
  }

  /** The answer, within `timeoutMs` whatever it is that takes long: who signs, where to, or AWS. */
  const call: typeof ask = (service, region, credentials, request, timeoutMs) =>
    within(ask(service, region, credentials, request, timeoutMs), timeoutMs, service);

  return {
    now: ports.now,
    ...(timer && { sleep }),
    within: (promise, ms) => within(promise, ms),

    async assumeRole(request: AssumeRoleRequest, timeoutMs: number): Promise<AwsCredentials> {
      const { roleArn, externalId, sessionName, policy, region, base } = request;
      const fields = {
        Action: "AssumeRole",
        Version: "2011-06-15",
        RoleArn: roleArn,
        RoleSessionName: sessionName,
        ...(policy !== undefined && { Policy: policy }),
        ...(externalId !== undefined && { ExternalId: externalId }),
      };
      const headers = { "content-type": "application/x-www-form-urlencoded" };
      const answer = await call("sts", region, base, { path: "/", headers, body: formOf(fields) }, timeoutMs);
      if (answer.status !== 200) throw stsError(answer);
      return credentialsFrom(answer);
    },

    async invoke(request: InvokeRequest, timeoutMs: number): Promise<InvokeAnswer> {
      const { function: reference, region, payload, invocationType, logType, clientContext, credentials } = request;
      const answer = await call(
        "lambda",
        region,
        credentials,
        {
          path: `/2015-03-31/functions/${uriEncode(functionNameForInvoke(reference))}/invocations`,
          ...(reference.qualifier && { query: { Qualifier: reference.qualifier } }),
          headers: {
            "content-type": "application/octet-stream",
            "x-amz-invocation-type": invocationType,
            ...(logType === "Tail" && { "x-amz-log-type": logType }),
            ...(clientContext && { "x-amz-client-context": clientContext }),
          },
          body: payload,
        },
        timeoutMs,
      );
      if (answer.status >= 300) throw lambdaError(answer);
      return defined({
        status: answer.status,
        requestId: answer.header("x-amzn-requestid"),
        executedVersion: answer.header("x-amz-executed-version"),
        functionError: answer.header("x-amz-function-error"),
        logResult: answer.header("x-amz-log-result"),
        payload: answer.body,
      });
    },
  };
}

/** AWS's own endpoint of a service in a region. */
function awsEndpoint(service: Service, region: string): string {
  return `https://${service}.${region}.${dnsSuffix(region)}`;
}

function formOf(fields: Readonly<Record<string, string>>): string {
  return Object.entries(fields)
    .map(([name, value]) => `${name}=${uriEncode(value)}`)
    .join("&");
}

function credentialsFrom(answer: WireAnswer): AwsCredentials {
  const accessKeyId = xmlText(answer.body, "AccessKeyId");
  const secretAccessKey = xmlText(answer.body, "SecretAccessKey");
  const sessionToken = xmlText(answer.body, "SessionToken");
  const expiresAt = Date.parse(xmlText(answer.body, "Expiration") ?? "");
  if (!accessKeyId || !secretAccessKey || !sessionToken || Number.isNaN(expiresAt)) {
    throw incompleteAnswer();
  }
  return { accessKeyId, secretAccessKey, sessionToken, expiresAt };
}

/** What STS calls differently from the AWS SDK. */
const SDK_NAMES: Readonly<Record<string, string>> = {
  MalformedPolicyDocument: "MalformedPolicyDocumentException",
  PackedPolicyTooLarge: "PackedPolicyTooLargeException",
};

function stsError(answer: WireAnswer): AwsError {
  const name = xmlText(answer.body, "Code") ?? "";
  const code = SDK_NAMES[name] ?? name;
  const message = xmlText(answer.body, "Message");
  return serviceError(
    "sts",
    answer,
    code,
    message,
    xmlText(answer.body, "RequestId") ?? answer.header("x-amzn-requestid"),
  );
}

function lambdaError(answer: WireAnswer): AwsError {
  const body = jsonObject(answer.body);
  const text = (...keys: string[]) => keys.map((key) => body[key]).find((value) => typeof value === "string");
  // `AccessDeniedException:http://internal.amazon.com/coral/com.amazon.coral.service/`
  const code = (answer.header("x-amzn-errortype") ?? text("code", "__type"))?.split(/[:,]/)[0]?.split("#").at(-1);
  return serviceError(
    "lambda",
    answer,
    code,
    text("message", "Message", "errorMessage"),
    answer.header("x-amzn-requestid"),
  );
}

function serviceError(
  service: Service,
  answer: WireAnswer,
  code: string | undefined,
  message: string | undefined,
  requestId?: string,
): AwsError {
  return new AwsError(
    defined<AwsErrorDetails>({
      service,
      kind: "service",
      // As the AWS SDK puts it.
      code: code || "Unknown",
      message: message || "UnknownError",
      status: answer.status,
      requestId,
      retryAfterMs: retryAfterMs(answer.header("retry-after")),
    }),
  );
}

type Optional<T> = { [K in keyof T]: T[K] | undefined };

/** Without the keys that have no value. */
function defined<T extends object>(values: Optional<T>): T {
  return Object.fromEntries(Object.entries(values).filter(([, value]) => value !== undefined)) as T;
}

function jsonObject(text: string): Record<string, unknown> {
  try {
    const value: unknown = JSON.parse(text);
    return value !== null && typeof value === "object" ? (value as Record<string, unknown>) : {};
  } catch {
    return {};
  }
}

const ENTITIES: Readonly<Record<string, string>> = { amp: "&", lt: "<", gt: ">", quot: '"', apos: "'" };

/** The text of the first element of that name; STS answers without namespaces prefixes, comments or CDATA. */
function xmlText(xml: string, element: string): string | undefined {
  const text = new RegExp(`<${element}>([^<]*)</${element}>`).exec(xml)?.[1];
  return text?.replace(/&(?:#x([0-9a-f]+)|#(\d+)|(\w+));/gi, (entity, hexadecimal, decimal, name) => {
    if (name) return ENTITIES[name] ?? entity;
    const point = hexadecimal ? Number.parseInt(hexadecimal, 16) : Number(decimal);
    return point <= 0x10ffff ? String.fromCodePoint(point) : entity;
  });
}
