import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Admin, Consumer, Producer, stringSerializers } from "@platformatic/kafka";
import { type EmbeddedAws, startEmbeddedAws } from "../../src/local/aws/embedded-aws";
import { permit, trust } from "../local/aws/policies";
import { Broker } from "./broker";
import { WorkerProcess } from "./worker-process";

export const PARTITIONS = 6;
const keys = { accessKeyId: "AKIDEXAMPLE", secretAccessKey: "not-a-secret-EXAMPLEKEY" };

/** A record on its way into a topic; without a value it is a tombstone. */
export interface NewRecord {
  readonly topic: string;
  readonly key: string;
  readonly value?: string;
}

/** A record of a dead-letter topic. */
export interface DeadLetter {
  readonly value: string;
  readonly headers: Readonly<Record<string, string>>;
}

/** Workers as processes of their own, between a real broker and the embedded AWS. */
export class WorkerStage {
  readonly workers: WorkerProcess[] = [];
  readonly #clients: { close(): Promise<void> }[] = [];
  #producer: Producer<string, string, string, string> | undefined;

  private constructor(
    readonly broker: Broker,
    readonly aws: EmbeddedAws,
    private readonly folder: string,
  ) {}

  /** @param receive the function */
  static async open(receive: (event: unknown) => unknown): Promise<WorkerStage> {
    const folder = mkdtempSync(join(tmpdir(), "kafka-worker-"));
    const [broker, aws] = await Promise.all([Broker.start(), startEmbeddedAws({ history: 10 })]);
    const user = aws.addUser({ name: "worker", ...keys });
    aws.addRole({
      name: "router-events-invoker",
      trustPolicy: trust(user.arn, "my-source-id"),
      permissionPolicies: [
        permit("lambda:InvokeFunction", "arn:aws:lambda:us-east-1:123456789012:function:router-events*"),
      ],
    });
    aws.addFunction({ name: "router-events", handler: receive, timeoutMs: 60_000 });
    writeFileSync(
      join(folder, "settings.json"),
      JSON.stringify({
        lambda: "router-events",
        region: "us-east-1",
        roleAddress: "arn:aws:iam::123456789012:role/router-events-invoker",
        externalId: "my-source-id",
        timeoutMs: 20_000,
      }),
    );
    return new WorkerStage(broker, aws, folder);
  }

  startWorker(topic: string, more: Readonly<Record<string, string>> = {}): WorkerProcess {
    const worker = new WorkerProcess({
      AWS_ENDPOINT_URL: this.aws.url,
      AWS_ACCESS_KEY_ID: keys.accessKeyId,
      AWS_SECRET_ACCESS_KEY: keys.secretAccessKey,
      KAFKA_BROKERS: this.broker.address,
      KAFKA_TOPIC: topic,
      SETTINGS: join(this.folder, "settings.json"),
      SOURCE_ID: "my-source-id",
      ...more,
    });
    this.workers.push(worker);
    return worker;
  }

  async createTopics(topic: string): Promise<void> {
    const admin = this.#opened(new Admin(this.#connection("admin")));
    const topics = [topic, `${topic}.retry`, `${topic}.dead-letter`];
    await admin.createTopics({ topics, partitions: PARTITIONS, replicas: 1 });
  }

  async produce(messages: readonly NewRecord[]): Promise<void> {
    this.#producer ??= this.#opened(
      new Producer({ ...this.#connection("producer"), serializers: stringSerializers, idempotent: true }),
    );
    await this.#producer.send({ messages: messages as (NewRecord & { value: string })[] });
  }

  async deadLetters(topic: string): Promise<DeadLetter[]> {
    const name = `${topic}.dead-letter`;
    const consumer = this.#opened(new Consumer({ ...this.#connection("reader"), groupId: "reader" }));
    const ends = (await consumer.listOffsets({ topics: [name] })).get(name) ?? [];
    const expected = ends.reduce((sum, end) => sum + Number(end), 0);
    const stream = await consumer.consume({ topics: [name], mode: "earliest", autocommit: false });
    const found: DeadLetter[] = [];
    for await (const { value, headers } of stream) {
      const named = Object.fromEntries([...headers].map(([each, text]) => [String(each), String(text)]));
      found.push({ value: String(value), headers: named });
      if (found.length === expected) break;
    }
    return found;
  }

  /** What the group has left of a topic. */
  async lag(topic: string): Promise<number> {
    const consumer = new Consumer({ ...this.#connection("lag"), groupId: "amazon-lambda-destination" });
    const ends = (await consumer.listOffsets({ topics: [topic] })).get(topic) ?? [];
    const partitions = ends.map((_end, partition) => partition);
    const committed = (await consumer.listCommittedOffsets({ topics: [{ topic, partitions }] })).get(topic) ?? [];
    await consumer.close();
    return ends.reduce((sum, end, i) => sum + Number(end - BigInt(Math.max(0, Number(committed[i])))), 0);
  }

  async close(): Promise<void> {
    await Promise.all(this.workers.map((worker) => worker.end("SIGKILL")));
    await Promise.all(this.#clients.map((client) => client.close()));
    await Promise.all([this.broker.remove(), this.aws.close()]);
    rmSync(this.folder, { recursive: true, force: true });
  }

  #connection(clientId: string) {
    return { clientId, bootstrapBrokers: [this.broker.address], retries: 30 };
  }

  #opened<Client extends { close(): Promise<void> }>(client: Client): Client {
    this.#clients.push(client);
    return client;
  }
}
