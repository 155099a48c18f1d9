import { once } from "node:events";
import type { AddressInfo } from "node:net";
import { partitionOf } from "../../names/partitions";
import { Clock } from "./clock";
import { Concurrency } from "./concurrency";
import { Faults } from "./faults";
import type { QueueOptions } from "./fifo-queue";
import { type FunctionCode, type FunctionOptions, Functions } from "./functions";
import { type AccessKey, Identities, type RoleOptions, type UserOptions } from "./identities";
import { Lambda } from "./lambda";
import type { AwsObserver } from "./observer";
import { Records } from "./records";
import { createAwsServer } from "./server";
import { SignatureVerifier } from "./signature-v4";
import { Sqs } from "./sqs";
import { Sts } from "./sts";
import type { TestControls } from "./test-controls";

export interface EmbeddedAwsOptions {
  /** On 127.0.0.1; a free one by default. */
  readonly port?: number;
  /** 12 digits; `123456789012` by default. */
  readonly account?: string;
  /** Where functions live unless they say otherwise; `us-east-1` by default. */
  readonly region?: string;
  /**
   * Regions that may stand in a signature besides `region` and those of the functions. A client of any other region is
   * refused, as at an endpoint that is not its own.
   */
  readonly regions?: readonly string[];
  /** By default the one that the region belongs to. */
  readonly partition?: string;
  /** Source of the clock: milliseconds since 1970; the real time by default. */
  readonly now?: () => number;
  /** Runs that the account may have at once; 1000 by default, as at AWS. */
  readonly concurrency?: number;
  /** After what time an asynchronous invocation that failed is run again; `[60000, 120000]` by default, as at AWS. */
  readonly eventRetryDelaysMs?: readonly number[];
  /** How many invocations and how many calls are remembered; 10,000 of each by default. */
  readonly history?: number;
  readonly observer?: AwsObserver;
}

/** A small AWS: users, roles, functions and queues, at a URL. What tests do with it besides is in {@link TestControls}. */
export interface EmbeddedAws extends TestControls {
  /** For `AWS_ENDPOINT_URL`. */
  readonly url: string;
  readonly account: string;
  readonly region: string;
  readonly partition: string;

  /** Adds a user, or changes the one that has these keys. May do everything unless it gets a policy. */
  addUser(user: UserOptions): AccessKey & { readonly arn: string };
  removeUser(accessKeyId: string): void;
  /** Adds a role, or changes the policies of the one that has this name. */
  addRole(role: RoleOptions): { readonly arn: string; readonly roleId: string };
  removeRole(arn: string): void;

  /** In what follows, `fn` is a function's name, or its ARN where it is of another region or account. */
  addFunction(fn: FunctionOptions): { readonly arn: string };
  updateFunction(fn: string, code: FunctionCode): Promise<void>;
  /** @returns the new version's number */
  publishVersion(fn: string): string;
  setAlias(fn: string, alias: string, version: string): void;
  removeAlias(fn: string, alias: string): void;
  removeFunction(fn: string): Promise<void>;

  /** Adds a FIFO queue of SQS, or one anew. */
  addQueue(queue: QueueOptions): { readonly arn: string; readonly url: string };

  /** Resolves once no function runs and no failed asynchronous invocation waits to be run again. */
  settled(): Promise<void>;
  /** Cuts every connection and stops every worker. */
  close(): Promise<void>;
}

/**
 * Starts a small AWS in this process: STS (`AssumeRole`, `GetCallerIdentity`), Lambda (`Invoke`) and FIFO queues of SQS behind one HTTP port on
 * 127.0.0.1, which the AWS SDKs and the AWS CLI use unchanged once `AWS_ENDPOINT_URL` points at it. Signatures, sessions
 * and policies are checked for real.
 *
 * ```ts
 * const aws = await startEmbeddedAws();
 * const user = aws.addUser({ name: "router" });
 * aws.addFunction({ name: "hello", handler: async (event) => ({ got: event }) });
 * const client = new LambdaClient({ endpoint: aws.url, region: aws.region, credentials: user });
 * ```
 *
 * Not modelled: every other action; presigned URLs; managed policies, permissions boundaries, organisation policies, policy
 * variables; tags in a request and MFA; steps and waits of durable functions; function URLs, layers, runtimes other than Node.js, response streaming, dead-letter
 * queues and destinations of functions. Functions run in real time: the clock moves everything but their timeouts.
 *
 * @throws Error if the port is taken
 */
export async function startEmbeddedAws(options: EmbeddedAwsOptions = {}): Promise<EmbeddedAws> {
  const { account = "123456789012", region = "us-east-1", regions = [], history = 10_000 } = options;
  const partition = options.partition ?? partitionOf(region);
  const clock = new Clock(options.now);
  const identities = new Identities(account, partition);
  const functions = new Functions(account, region, partition);
  const records = new Records(history);
  const faults = new Faults();
  const concurrency = new Concurrency(options.concurrency ?? 1000);
  const lambda = new Lambda(
    functions,
    concurrency,
    clock,
    records,
    options.eventRetryDelaysMs ?? [60_000, 120_000],
    options.observer,
  );
  const sqs = new Sqs(account, region, partition, clock);
  const isRegion = (name: string): boolean => name === region || regions.includes(name) || functions.hasRegion(name);
  const verifier = new SignatureVerifier(identities, () => clock.now(), isRegion);
  const server = createAwsServer({
    clock,
    verifier,
    sts: new Sts(identities, clock),
    lambda,
    sqs,
    faults,
    records,
    observer: options.observer,
  });
  server.listen(options.port ?? 0, "127.0.0.1");
  await once(server, "listening");

  let closing: Promise<void> | undefined;
  const close = async (): Promise<void> => {
    const closed = once(server, "close");
    server.close();
    server.closeAllConnections();
    clock.stop();
    await Promise.all([closed, functions.close()]);
  };

  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  return {
    url,
    account,
    region,
    partition,
    clock,
    invocations: records.invocations,
    calls: records.calls,
    clearRecords: () => records.clear(),

    addUser: (user) => identities.addUser(user),
    removeUser: (accessKeyId) => identities.removeUser(accessKeyId),
    addRole(role) {
      const { arn, id } = identities.addRole(role);
      return { arn, roleId: id };
    },
    startTaggedSession: (arn, tags) => identities.startTaggedSession(arn, tags, clock.now()),
    removeRole: (arn) => identities.removeRole(arn),
    expireSessions: () => identities.expireSessions(clock.now()),

    addFunction: (fn) => ({ arn: functions.add(fn).arn }),
    updateFunction: (fn, code) => functions.update(fn, code),
    publishVersion: (fn) => functions.publish(fn),
    setAlias: (fn, alias, version) => functions.setAlias(fn, alias, version),
    removeAlias: (fn, alias) => functions.removeAlias(fn, alias),
    removeFunction: (fn) => functions.remove(fn),

    stopExecution: (arn) => lambda.stopExecution(arn),

    addQueue: (queue) => ({ ...sqs.add(queue), url: `${url}/${account}/${queue.name}` }),
    queueCounts: (name) => sqs.queue(name)?.counts() ?? { visible: 0, hidden: 0 },

    misbehave: (wish) => faults.add(wish),
    behave: () => faults.clear(),
    idle: () => lambda.idle(),
    settled: () => lambda.settled(),
    async close() {
      closing ??= close();
      await closing;
    },
  };
}
