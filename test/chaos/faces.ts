import { request } from "undici";
import type { DeliveryResult } from "../../src/delivery/delivery-result";
import { AmazonLambdaDestination } from "../../src/hosts/jitsu/index";
import DeployedJitsuFunction from "../../src/hosts/jitsu/sandbox";
import { networkHandler } from "../../src/hosts/rudderstack/network-handler";
import { processRouterDest } from "../../src/hosts/rudderstack/transform";
import { createDestination } from "../../src/index";
import type { EpisodeName } from "./episodes";
import { ReceiverFace } from "./receiver-face";
import type { ReceiverProcess } from "./receiver-process";
import { SETTINGS, TIMEOUT_MS } from "./settings";

/** What a host does with an event next. */
export type Verdict =
  | { readonly end: "delivered" | "skipped" | "rejected"; readonly why?: string }
  | {
      readonly retryAfterMs: number | undefined;
      readonly alone: boolean;
      readonly code: string;
      readonly said: string;
    };

/** An event as the model host holds it. */
export interface Job {
  readonly n: number;
  readonly event: Record<string, unknown>;
  readonly attempt: number;
  readonly alone: boolean;
}

/** One way into the destination, as its host uses it. */
export interface Face {
  /** Jobs handed over together. */
  readonly batch: number;
  /** Calls under way at once. */
  readonly concurrency: number;
  /** Whether a call may take no longer than Timeout (ms). */
  readonly timed: boolean;
  deliver(jobs: readonly Job[]): Promise<Verdict[]>;
  close(): Promise<void>;
  /** Where requests are repeated as a whole: how many events, from this one on, go into one. */
  requestFrom?(n: number): number;
  /** Where the destination has a process of its own: it ends in place of the host's. */
  readonly process?: ReceiverProcess;
  /** Ends of the process, besides one crash; one crash by default. */
  readonly endings?: readonly EpisodeName[];
  /** By event: how often it was kept as rejected. */
  readonly keptLines?: ReadonlyMap<number, number>;
}

/** What a face may want to know of its run. */
export interface FaceOptions {
  readonly seed: number;
  readonly events: number;
  /** Is told what must never happen. */
  readonly broken: (what: string) => void;
}
const ORIGIN = { sourceId: "my-source-id", workspaceId: "my-workspace-id" };

function verdictOf({ outcome, error, retryAfterMs, ...more }: DeliveryResult): Verdict {
  if (outcome !== "retry") return { end: outcome, ...(error && { why: `${error.code}: ${error.message}` }) };
  return {
    retryAfterMs,
    alone: "alone" in more && more.alone === true,
    code: error?.code ?? "",
    said: error?.message ?? "",
  };
}

function ownRouter(more: object, face: Pick<Face, "batch" | "concurrency">): Face {
  const destination = createDestination({ ...SETTINGS, ...more });
  const close = async () => {
    await (destination as { close?: () => Promise<void> }).close?.();
  };
  return {
    ...face,
    timed: true,
    async deliver(jobs) {
      const [job] = jobs;
      if (jobs.length === 1 && job) return [verdictOf(await destination.deliver(job.event, ORIGIN))];
      const options = { alone: (position: number) => jobs[position]?.alone === true };
      const deliverBatch = destination.deliverBatch.bind(destination) as (
        events: readonly unknown[],
        context: object,
        options: object,
      ) => Promise<DeliveryResult[]>;
      return (
        await deliverBatch(
          jobs.map(({ event }) => event),
          ORIGIN,
          options,
        )
      ).map(verdictOf);
    },
    close,
  };
}

type JitsuFunction = (event: never, context: never) => Promise<unknown>;

/** @param more what is in the context besides */
function jitsu(destination: JitsuFunction, more: object = {}): Face {
  const log = { info: noop, warn: noop, debug: noop, error: noop };
  const context = {
    ...more,
    log,
    props: { ...SETTINGS },
    source: { id: ORIGIN.sourceId },
    workspace: { id: ORIGIN.workspaceId },
  };
  return {
    batch: 1,
    concurrency: 40,
    timed: true,
    async deliver([job]) {
      if (!job) return [];
      try {
        await destination(job.event as never, context as never);
        // The host does not know an event that was skipped from one that was delivered.
        return [{ end: job.event["type"] === "page" ? "skipped" : "delivered" }];
      } catch (error) {
        const { name, message, response } = error as Error & { response?: { code?: string } };
        if (name === "RetryError")
          return [{ retryAfterMs: undefined, alone: false, code: response?.code ?? "", said: message }];
        return [{ end: "rejected", why: message }];
      }
    },
    async close() {},
  };
}

function noop(): void {}

/** Milliseconds after which the host of deployed functions gives up a request that its function has given up already. */
const HOST_GIVES_UP_MS = TIMEOUT_MS + 500;

/** `ctx.fetch` of the host: deployed functions know AWS's own addresses only, which lead to the server here. */
async function hostFetch(url: string, options: { method: "POST"; headers: Record<string, string>; body: string }) {
  const { host, pathname, search } = new URL(url);
  const { statusCode, headers, body } = await request(`${process.env["AWS_ENDPOINT_URL"]}${pathname}${search}`, {
    ...options,
    headers: { ...options.headers, host },
    signal: AbortSignal.timeout(HOST_GIVES_UP_MS),
  });
  return { status: statusCode, headers, text: () => body.text() };
}

interface TransformAnswer {
  readonly batchedRequest?: object;
  readonly metadata: readonly { readonly jobId: number }[];
  readonly statusCode: number;
  readonly error?: string;
}

interface ProxyAnswer {
  readonly response: readonly {
    readonly statusCode: number;
    readonly metadata: { readonly jobId: number; readonly dontBatch?: boolean };
    readonly error: string;
  }[];
}

interface Handler {
  proxy(request: unknown): Promise<unknown>;
  processAxiosResponse(raw: unknown): unknown;
  responseHandler(answered: object): ProxyAnswer;
}

/** rudder-server, as far as a destination can tell: everything travels as JSON between the halves. */
function rudderStack(): Face {
  const Config = { ...SETTINGS, maxBatchSize: "20" };
  const json = <T>(value: unknown): T => JSON.parse(JSON.stringify(value)) as T;
  return {
    batch: 40,
    concurrency: 8,
    timed: false,
    async deliver(jobs) {
      const verdicts = new Map<number, Verdict>();
      const inputs = jobs.map(({ n, event, alone, attempt }) => ({
        message: event,
        metadata: { jobId: n, attemptNum: attempt, ...ORIGIN, userId: String(event["userId"]), dontBatch: alone },
        destination: { ID: "d", Config },
      }));
      const answers = json<TransformAnswer[]>(processRouterDest(json(inputs)));
      for (const { batchedRequest, metadata, statusCode, error = "" } of answers) {
        if (!batchedRequest) {
          for (const { jobId } of metadata) verdicts.set(jobId, serverVerdict(statusCode, false, error));
          continue;
        }
        const handler = new (networkHandler as unknown as new () => Handler)();
        const proxied = json<object>({ ...batchedRequest, metadata, destinationConfig: Config });
        const destinationResponse = handler.processAxiosResponse(await handler.proxy(proxied));
        const { response } = json<ProxyAnswer>(
          handler.responseHandler({ destinationResponse, rudderJobMetadata: metadata, destType: "AMAZON_LAMBDA" }),
        );
        for (const { statusCode: status, metadata: job, error: said } of response) {
          verdicts.set(job.jobId, serverVerdict(status, job.dontBatch === true, said));
        }
      }
      return jobs.map(({ n }) => verdicts.get(n) ?? { end: "rejected", why: "no verdict at all" });
    },
    async close() {},
  };
}

function serverVerdict(status: number, alone: boolean, said: string): Verdict {
  if (status === 298 || status === 299) return { end: "skipped" };
  if (status >= 200 && status < 300) return { end: "delivered" };
  if (status === 429 || status >= 500) {
    return { retryAfterMs: undefined, alone, code: /"code":"(\w+)"/.exec(said)?.[1] ?? String(status), said };
  }
  return { end: "rejected", why: said };
}

/** AWS tells names apart where a version is named only. */
const DURABLE = {
  trackLambda: `${SETTINGS.trackLambda}:$LATEST`,
  identifyLambda: `${SETTINGS.identifyLambda}:$LATEST`,
  executionName: "MessageId",
};

/** By name; each call makes a new one, as a host that starts. */
export const FACES: Readonly<Record<string, (options: FaceOptions) => Face>> = {
  "own-router": () => ownRouter({}, { batch: 1, concurrency: 64 }),
  batches: () => ownRouter({ maxBatchSize: 20 }, { batch: 50, concurrency: 8 }),
  jitsu: () => jitsu(AmazonLambdaDestination as JitsuFunction),
  rudderstack: rudderStack,
  "micro-batches": () => ownRouter({ maxBatchSize: 20, batchWindowMs: 5 }, { batch: 1, concurrency: 100 }),
  durable: () => ownRouter(DURABLE, { batch: 1, concurrency: 64 }),
  "jitsu-deployed": () => jitsu(DeployedJitsuFunction as unknown as JitsuFunction, { fetch: hostFetch }),
  receiver: (options) => new ReceiverFace(options),
};
