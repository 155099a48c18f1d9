// @ts-nocheck
import type { JsonObject } from "../../../../src/events/segment-event";

/** One event in the server's queue. */
export interface Job {
  readonly message: unknown;
  readonly metadata: JsonObject & { readonly jobId: number; readonly userId?: string };
  readonly destination: JsonObject;
}

/** What the server makes of one job in the end. */
export interface Verdict {
  readonly jobId: number;
  readonly state: "succeeded" | "filtered" | "aborted" | "failed";
  readonly statusCode: number;
  readonly error: string;
  /** Kept for the job's next attempt. */
  readonly dontBatch: boolean;
  readonly metadata: JsonObject;
}

/** One answer of the router transformation. */
export interface DestinationJob {
  readonly batchedRequest?: JsonObject;
  readonly metadata: (JsonObject & { jobId: number; userId?: string })[];
  readonly destination: JsonObject;
  readonly batched: boolean;
  readonly statusCode: number;
  readonly error: string;
  readonly statTags: Record<string, string>;
}

/** What the delivery answers for a whole request. */
export interface ProxyOutput {
  readonly message: string;
  readonly statTags: Record<string, string>;
  readonly response: readonly { readonly statusCode: number; readonly error: string; readonly metadata: JsonObject }[];
}

const TYPE = "amazon_lambda";
const DONE = (status: number) => status >= 200 && status < 300;
const RETRIED = (status: number) => status === 429 || status === 408 || status >= 500;

/**
 * The part of rudder-server that talks to a transformer: what it sends, which keys it keeps in between, which types it
 * insists on, in which order it delivers and what it makes of the answers.
 */
export class RudderServer {
  constructor(readonly transformerUrl: string) {}

  async features(): Promise<JsonObject> {
    return (await (await fetch(`${this.transformerUrl}/features`)).json()) as JsonObject;
  }

  async post(path: string, body: unknown): Promise<{ status: number; body: JsonObject }> {
    const response = await fetch(`${this.transformerUrl}${path}`, {
      method: "POST",
      headers: { "content-type": "application/json", "x-feature-filter-code": "?1" },
      body: encode(body),
    });
    const text = await response.text();
    return {
      status: response.status,
      body: text.startsWith("{") || text.startsWith("[") ? JSON.parse(text) : { text },
    };
  }

  /** What the processor asks for, where the destination is not transformed at the router. */
  async transformAtProcessor(jobs: readonly Job[]): Promise<JsonObject[]> {
    return (await this.post(`/v0/destinations/${TYPE}`, jobs)).body as unknown as JsonObject[];
  }

  async transformAtRouter(jobs: readonly Job[]): Promise<DestinationJob[]> {
    const { body } = await this.post("/routerTransform", { input: jobs, destType: TYPE });
    const answers = (body["output"] as JsonObject[]).map(destinationJob);
    const expected = jobs.map(({ metadata }) => metadata.jobId).sort();
    const found = answers.flatMap(({ metadata }) => metadata.map(({ jobId }) => jobId)).sort();
    if (JSON.stringify(expected) !== JSON.stringify(found))
      throw new Error(`in out mismatch: ${expected} and ${found}`);
    return answers;
  }

  async deliver(request: JsonObject, metadata: readonly JsonObject[], destination: JsonObject): Promise<ProxyOutput> {
    const { body } = await this.post(`/v1/destinations/${TYPE}/proxy`, {
      ...postParameters(request),
      metadata: metadata.map(proxyMetadata),
      destinationConfig: destination["Config"],
    });
    return proxyOutput(body["output"]);
  }

  /** A whole round of the router: transformation, then one delivery after the other. */
  async route(jobs: readonly Job[]): Promise<Verdict[]> {
    const destinationJobs = (await this.transformAtRouter(jobs)).sort((a, b) => firstJob(a) - firstJob(b));
    const verdicts: Verdict[] = [];
    const failedUsers = new Set<unknown>();
    for (const { batchedRequest, metadata, destination, statusCode, error } of destinationJobs) {
      const blocked = metadata.some(({ userId }) => userId && failedUsers.has(userId));
      const results =
        statusCode !== 200
          ? metadata.map((job) => ({ statusCode, error, metadata: job }))
          : blocked
            ? metadata.map((job) => ({ statusCode: 500, error: "a previous job of the user failed", metadata: job }))
            : (await this.deliver(batchedRequest ?? {}, metadata, destination)).response;
      for (const job of metadata) {
        const found = results.find((result) => result.metadata["jobId"] === job.jobId);
        const status = found?.statusCode ?? 500;
        if (RETRIED(status)) failedUsers.add(job.userId);
        verdicts.push({
          jobId: job.jobId,
          state: status === 298 ? "filtered" : DONE(status) ? "succeeded" : RETRIED(status) ? "failed" : "aborted",
          statusCode: status,
          error: found?.error ?? "Response for this job is expected but not found",
          dontBatch: Boolean(found?.metadata["dontBatch"]),
          metadata: found?.metadata ?? {},
        });
      }
    }
    return verdicts.sort((a, b) => a.jobId - b.jobId);
  }
}

function firstJob({ metadata }: DestinationJob): number {
  return Math.min(...metadata.map(({ jobId }) => jobId));
}

/** The keys of a request that the server keeps; headers only as strings. */
function postParameters(request: JsonObject): JsonObject {
  const { type, endpoint, endpointPath, method, userId, headers, params, body, files } = request;
  for (const text of [type, endpoint, method, userId, endpointPath ?? ""]) isString(text);
  Object.values((headers ?? {}) as JsonObject).forEach(isString);
  return { type, endpoint, ...(endpointPath ? { endpointPath } : {}), method, userId, headers, params, body, files };
}

function proxyMetadata({
  jobId,
  attemptNum,
  sourceId,
  destinationId,
  workspaceId,
  secret,
  dontBatch,
}: JsonObject): JsonObject {
  return {
    jobId,
    attemptNum: attemptNum ?? 0,
    userId: "",
    sourceId: sourceId ?? "",
    destinationId: destinationId ?? "",
    workspaceId: workspaceId ?? "",
    secret: secret ?? null,
    dontBatch: dontBatch ?? false,
  };
}

function destinationJob(answer: JsonObject): DestinationJob {
  const { batchedRequest, metadata, destination, batched, statusCode, error = "", statTags = {} } = answer;
  isNumber(statusCode);
  isString(error);
  Object.values(statTags as JsonObject).forEach(isString);
  if (!Array.isArray(metadata) || metadata.length === 0) throw new Error("an answer with an empty metadata array");
  return {
    batchedRequest,
    metadata,
    destination,
    batched: batched === true,
    statusCode,
    error,
    statTags,
  } as DestinationJob;
}

function proxyOutput(output: unknown): ProxyOutput {
  const { message, response, statTags = {} } = output as JsonObject;
  isString(message);
  Object.values(statTags as JsonObject).forEach(isString);
  const entries = (response as JsonObject[]).map(({ statusCode, error, metadata }) => {
    isNumber(statusCode);
    isString(error);
    return { statusCode, error, metadata: proxyMetadata(metadata as JsonObject) };
  });
  return { message, response: entries, statTags } as ProxyOutput;
}

function isString(value: unknown): void {
  if (typeof value !== "string") throw new Error(`cannot unmarshal ${JSON.stringify(value)} into a string`);
}

function isNumber(value: unknown): void {
  if (!Number.isInteger(value)) throw new Error(`cannot unmarshal ${JSON.stringify(value)} into an int`);
}

/** JSON as Go writes it: keys of maps in order, `<`, `>` and `&` escaped. */
function encode(value: unknown): string {
  const sorted = JSON.stringify(value, (_key, inner) =>
    typeof inner === "object" && inner !== null && !Array.isArray(inner)
      ? Object.fromEntries(Object.entries(inner).sort(([a], [b]) => (a < b ? -1 : 1)))
      : inner,
  );
  return sorted.replace(/[<>&]/g, (character) => `\\u00${character.charCodeAt(0).toString(16)}`);
}
