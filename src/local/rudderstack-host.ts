import type { DeliveryResult } from "../delivery/delivery-result";
import { unsent } from "../delivery/result";
import type { RouterResponse } from "../hosts/rudderstack/contract";
import { createNetworkHandler } from "../hosts/rudderstack/delivery";
import { MadeByConfig } from "../hosts/rudderstack/destinations";
import { createTransformation } from "../hosts/rudderstack/transformation";
import { createHostedDestination } from "../node";
import { isPlanned } from "../planning/planned-delivery";
import type { LocalHost, OnTry, Source } from "./local-host";

/** The workspace's ID in the local router. */
const WORKSPACE = "local";

/** Minutes of rudder-server's back-off: before the second try, at most, and for how long a job is tried at all. */
const FIRST_WAIT = 10 / 60;
const LONGEST_WAIT = 5;
const RETRY_WINDOW = 180;
const MIN_TRIES = 3;
/** Jobs that a worker of rudder-server has transformed at once (`noOfJobsToBatchInAWorker`). */
const JOBS_AT_ONCE = 20;

/** How long the server's times take here: a local router is not made to wait. */
export interface RudderStackTimes {
  /** Milliseconds of a minute between two tries. */
  readonly minuteMs: number;
  /** Milliseconds in which jobs are collected, instead of the 5 s of `jobsBatchTimeout`. */
  readonly batchTimeoutMs: number;
}

/** An event in the server's queue. */
interface Job {
  readonly id: number;
  readonly event: unknown;
  readonly source: Source;
  /** Whose jobs keep their order. */
  readonly user: string;
  readonly end: () => void;
  retries: number;
  /** Minutes. */
  waited: number;
  dontBatch: boolean;
}

/** What came of a job in one try: the status that the server acts on, and the result that it is not told. */
interface Verdict {
  readonly status: number;
  readonly result: DeliveryResult;
  readonly dontBatch: boolean;
}

/**
 * Runs the destination as one of RudderStack's workers does: jobs are collected, go through the router transformation
 * together, and each request that comes of it through the delivery. What fails is tried again until the server would give
 * it up, and meanwhile the user's later events wait.
 */
export function createRudderStackHost(onTry: OnTry, { minuteMs, batchTimeoutMs }: RudderStackTimes): LocalHost {
  const deliver = createDelivery();
  let lastJob = 0;
  let collected: Job[] = [];
  let timeout: NodeJS.Timeout | undefined;
  /** By user whose jobs are being delivered or wait for another try: the jobs that came after these. */
  const behind = new Map<string, Job[]>();

  function accept(job: Job): void {
    const waiting = behind.get(job.user);
    if (waiting) return void waiting.push(job);
    collected.push(job);
    if (collected.length >= JOBS_AT_ONCE) return void deliverCollected();
    timeout ??= setTimeout(deliverCollected, batchTimeoutMs);
  }

  async function deliverCollected(): Promise<void> {
    clearTimeout(timeout);
    timeout = undefined;
    const jobs = collected;
    collected = [];
    const failed = new Map<string, Job[]>(jobs.map(({ user }) => [user, []]));
    for (const user of failed.keys()) behind.set(user, []);
    const verdicts = await deliver(jobs);
    for (const job of jobs) if (!isSettled(job, verdicts.get(job))) failed.get(job.user)?.push(job);
    for (const [user, again] of failed) void release(user, again);
  }

  /** Tells what came of a try. @returns whether that is the job's end */
  function isSettled(job: Job, verdict: Verdict | undefined): boolean {
    if (!verdict) return false;
    const { event, source, retries, waited } = job;
    const { status, result, dontBatch } = verdict;
    const isGivenUp = retries + 1 >= MIN_TRIES && waited >= RETRY_WINDOW;
    const next = !isRetried(status) ? "done" : isGivenUp ? "dead letter" : "retry";
    onTry({ event, source, retries, result, next });
    job.dontBatch = dontBatch;
    if (next === "retry") return false;
    job.end();
    return true;
  }

  /** Lets a user's jobs go on: after the back-off of the first that failed, all that did, and then what has come since. */
  async function release(user: string, again: readonly Job[]): Promise<void> {
    const [first] = again;
    if (first) {
      // The others only wait for the first; that is no try of theirs.
      const wait = Math.min(LONGEST_WAIT, FIRST_WAIT * 2 ** first.retries++);
      first.waited += wait;
      await new Promise((resolve) => setTimeout(resolve, wait * minuteMs));
    }
    const since = behind.get(user) ?? [];
    behind.delete(user);
    for (const job of [...again, ...since]) accept(job);
  }

  return {
    deliver(event, source) {
      return new Promise((end) => {
        const job = { event, source, user: userOf(event, source), end, retries: 0, waited: 0, dontBatch: false };
        accept({ ...job, id: ++lastJob });
      });
    },
  };
}

function isRetried(status: number): boolean {
  return status === 429 || status >= 500;
}

/** By what the server tells users apart. */
function userOf(event: unknown, { id }: Source): string {
  const { anonymousId, userId } = Object(event) as { anonymousId?: unknown; userId?: unknown };
  return JSON.stringify([id, anonymousId, userId]);
}

/** Transforms jobs together and delivers them, as the server has it done. A job that is not sent after all has no verdict. */
function createDelivery(): (jobs: readonly Job[]) => Promise<Map<Job, Verdict>> {
  const destinations = new MadeByConfig((settings) => createHostedDestination(settings));
  const transformation = createTransformation(destinations);
  const handler = createNetworkHandler(destinations);

  async function verdictsOf(answer: RouterResponse, jobs: readonly Job[]): Promise<readonly Verdict[]> {
    const { batchedRequest, statusCode: status, metadata } = answer;
    if (!batchedRequest) return jobs.map((job) => ({ status, result: resultWithoutSending(job), dontBatch: false }));
    const destinationConfig = jobs[0]?.source.settings;
    const results = await handler.proxy({ ...batchedRequest, metadata, destinationConfig });
    const destinationResponse = handler.processAxiosResponse(results);
    const { response } = reencoded(handler.responseHandler({ destinationResponse, rudderJobMetadata: metadata }));
    return response.map((each, i) => ({
      status: each.statusCode,
      result: results[i] as DeliveryResult,
      dontBatch: each.metadata.dontBatch === true,
    }));
  }

  /** The server is told a status and a text only. */
  function resultWithoutSending({ event, source }: Job): DeliveryResult {
    const plan = destinations
      .for(source.settings, WORKSPACE)
      .plan(reencoded(event), { sourceId: source.id, workspaceId: WORKSPACE });
    if (isPlanned(plan)) throw new Error("The transformation refused an event that can be planned.");
    return unsent(plan);
  }

  return async (jobs) => {
    const byId = new Map(jobs.map((job) => [job.id, job]));
    const verdicts = new Map<Job, Verdict>();
    const failedUsers = new Set<string>();
    const answers = bySource(jobs).flatMap((inputs) => reencoded(transformation.processRouterDest(reencoded(inputs))));
    for (const answer of answers) {
      const members = answer.metadata.map(({ jobId }) => byId.get(jobId as number) as Job);
      if (answer.batchedRequest && members.some(({ user }) => failedUsers.has(user))) continue;
      for (const [i, verdict] of (await verdictsOf(answer, members)).entries()) {
        const job = members[i] as Job;
        verdicts.set(job, verdict);
        if (isRetried(verdict.status)) failedUsers.add(job.user);
      }
    }
    return verdicts;
  };
}

/** The transformer groups what it is given by destination. */
function bySource(jobs: readonly Job[]): unknown[][] {
  const groups = new Map<Source, unknown[]>();
  for (const { id: jobId, event: message, source, retries: attemptNum, dontBatch } of jobs) {
    const destinationId = `${source.id}-amazon-lambda`;
    const metadata = { jobId, attemptNum, userId: "", sourceId: source.id, destinationId, workspaceId: WORKSPACE };
    const destination = { ID: destinationId, Config: source.settings };
    const group = groups.get(source) ?? [];
    groups.set(source, group);
    group.push({ message, metadata: { ...metadata, dontBatch }, destination });
  }
  return [...groups.values()];
}

/** Everything goes through the server as JSON. */
function reencoded<T>(value: T): T {
  return JSON.parse(JSON.stringify(value)) as T;
}
