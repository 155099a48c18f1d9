import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { ReceiveMessageCommand, SQSClient } from "@aws-sdk/client-sqs";
import { type EmbeddedAws, startEmbeddedAws } from "../../../src/local/aws/embedded-aws";
import { permit, trust } from "../../local/aws/policies";
import { SECRET, ServiceProcess } from "./service-process";

const keys = { accessKeyId: "AKIDEXAMPLE", secretAccessKey: "not-a-secret-EXAMPLEKEY" };
const roleAddress = "arn:aws:iam::123456789012:role/router-events-invoker";
const LIMIT_MS = 300_000;

export interface Received {
  readonly messageId: string;
  readonly userId: string;
  readonly event: string;
  readonly properties: { readonly place: number };
  /** Milliseconds since 1970. */
  readonly at: number;
}

export const event = (userId: string, name: string, place = 0) => ({
  type: "track",
  event: name,
  userId,
  messageId: `${userId}/${place}`,
  properties: { place },
});

/** Waits for something that other processes bring about. */
export async function until(what: string, holds: () => boolean): Promise<void> {
  for (const started = Date.now(); !holds(); await sleep(20))
    if (Date.now() - started > LIMIT_MS) throw new Error(`Waited in vain until ${what}.`);
}

/** Receivers and drains as processes of their own, on a queue of the embedded AWS. */
export class QueueStage {
  readonly received: Received[] = [];
  /** Seconds for which messages were hidden that are to be tried again. */
  readonly hiddenFor: number[] = [];
  /** Whether the function fails at the event "Fails". */
  isBroken = true;
  /** Ends what the function waits for, at the event "Waits". */
  release = () => {};
  readonly #held = new Promise<void>((resolve) => {
    this.release = resolve;
  });
  readonly #services: ServiceProcess[] = [];

  private constructor(
    readonly aws: EmbeddedAws,
    readonly folder: string,
    readonly deadLetterQueue: string,
    private readonly environment: NodeJS.ProcessEnv,
  ) {}

  static async open(): Promise<QueueStage> {
    let stage: QueueStage | undefined;
    const aws = await startEmbeddedAws({
      history: 10,
      observer: { called: ({ action }, body) => stage?.called(action, body) },
    });
    const user = aws.addUser({ name: "operator", ...keys });
    aws.addRole({
      name: "router-events-invoker",
      trustPolicy: trust(user.arn, "my-source-id"),
      permissionPolicies: [
        permit("lambda:InvokeFunction", "arn:aws:lambda:us-east-1:123456789012:function:router-events*"),
      ],
    });
    aws.addFunction({ name: "router-events", handler: (event) => stage?.receive(event as Received) });
    const { url: deadLetterQueue } = aws.addQueue({ name: "events-dead.fifo" });
    const { url: queue } = aws.addQueue({
      name: "events.fifo",
      deadLetter: { queue: "events-dead.fifo", maxReceiveCount: 1000 },
    });
    const folder = await mkdtemp(join(tmpdir(), "drain-"));
    const connection = {
      acknowledge: "accepted",
      deadLetter: join(folder, "dead.ndjson"),
      webhook: [{ type: "bearer", secrets: ["env:HOOK_SECRET"] }],
      settings: { lambda: "router-events", region: "us-east-1", roleAddress, externalId: "my-source-id" },
    };
    await writeFile(join(folder, "connections.json"), JSON.stringify({ connections: { shop: connection } }));
    stage = new QueueStage(aws, folder, deadLetterQueue, {
      AWS_ENDPOINT_URL: aws.url,
      AWS_REGION: aws.region,
      AWS_ACCESS_KEY_ID: keys.accessKeyId,
      AWS_SECRET_ACCESS_KEY: keys.secretAccessKey,
      AWS_EC2_METADATA_DISABLED: "true",
      AMAZON_LAMBDA_QUEUE_URL: queue,
      HOOK_SECRET: SECRET,
    });
    return stage;
  }

  async start(...options: string[]): Promise<ServiceProcess> {
    const service = await ServiceProcess.start(join(this.folder, "connections.json"), this.environment, options);
    this.#services.push(service);
    return service;
  }

  /** Puts events into the queue as users do: over a receiver. */
  async accept(...events: object[]): Promise<void> {
    const receiver = await this.start();
    const { status } = await receiver.post("/webhook/shop", events);
    if (status !== 200) throw new Error(`The receiver answered ${status}.`);
    await receiver.end();
  }

  counts(name = "events.fifo"): { readonly visible: number; readonly hidden: number } {
    return this.aws.queueCounts(name);
  }

  get isEmpty(): boolean {
    const { visible, hidden } = this.counts();
    return visible + hidden === 0;
  }

  /** Resolves once the queue is empty. Nobody waits for what is hidden to be tried again: the clock is moved. */
  async emptied(): Promise<void> {
    let passed = this.hiddenFor.length;
    await until("the queue is empty", () => {
      for (; passed < this.hiddenFor.length; passed++) this.aws.clock.advance(1_000 * (this.hiddenFor[passed] ?? 0));
      return this.isEmpty;
    });
  }

  /** How many of the events the function has received. */
  get distinct(): number {
    return new Set(this.received.map(({ messageId }) => messageId)).size;
  }

  /** The messages of the dead-letter queue. */
  async givenUp(): Promise<unknown[]> {
    const sqs = new SQSClient({ endpoint: this.aws.url, region: this.aws.region, credentials: keys });
    const command = new ReceiveMessageCommand({ QueueUrl: this.deadLetterQueue, MaxNumberOfMessages: 10 });
    const { Messages = [] } = await sqs.send(command);
    sqs.destroy();
    return Messages.map(({ Body = "" }) => JSON.parse(Body));
  }

  async close(): Promise<void> {
    this.release();
    await Promise.all(this.#services.map((service) => service.end("SIGKILL")));
    await this.aws.close();
    await rm(this.folder, { recursive: true });
  }

  private async receive(event: Received): Promise<void> {
    if (event.event === "Fails" && this.isBroken) throw new Error("It is broken.");
    if (event.event === "Dropped") throw Object.assign(new Error("Not this one."), { name: "DropEvent" });
    this.received.push({ ...event, at: Date.now() });
    await (event.event === "Waits" ? this.#held : sleep(2));
  }

  private called(action: string, body: string): void {
    if (action !== "ChangeMessageVisibilityBatch") return;
    const { Entries } = JSON.parse(body) as { Entries: { VisibilityTimeout: number }[] };
    this.hiddenFor.push(...Entries.map(({ VisibilityTimeout }) => VisibilityTimeout));
  }
}
