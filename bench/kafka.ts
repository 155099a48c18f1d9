// The worker of examples/kafka on a real broker, one process and several: deliveries per second, and CPU time per event.
import { fork } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Admin, Producer, stringSerializers } from "@platformatic/kafka";
import { Broker } from "../test/kafka/broker";
import { freePort } from "../test/kafka/free-port";
import { WorkerProcess } from "../test/kafka/worker-process";
import { EVENT, measureRun, runBenchmark, runOptions, USERS } from "./runs";

const help = `Usage: npm run bench:kafka -- [--events <n>] [--processes <n>]

Fills a topic of a real Kafka broker and lets the worker of examples/kafka deliver it to an AWS that answers at once: with one process, then with more. Prints, as JSON,
deliveries per second and the workers' CPU time per event, for one event per invocation and for 100. Needs Java 17 and Maven, like test:kafka.

  --events <n>      of each run (default 20000)
  --processes <n>   of the second run (default 3)
  --help
`;

const PARTITIONS = 12;
const DELIVERED = /^kafka_lambda_events_total\{outcome="delivered",code=""\} (\d+)/m;

interface Aws {
  readonly stub: string;
  readonly keys: { readonly accessKeyId: string; readonly secretAccessKey: string };
  readonly roleArn: string;
  readonly functionArn: string;
}

async function main(): Promise<void> {
  const options = runOptions(help);
  if (!options) return;
  const { events, processes: several } = options;

  const folder = mkdtempSync(join(tmpdir(), "bench-kafka-"));
  const server = fork(join(__dirname, "server.cjs"), { stdio: ["ignore", "ignore", "inherit", "ipc"] });
  const [aws, broker] = await Promise.all([
    once(server, "message").then(([message]) => message as Aws),
    Broker.start(),
  ]);
  try {
    const results: Record<string, object> = {};
    for (const maxBatchSize of [1, 100]) {
      for (const processes of [1, several]) {
        const name = `${processes} ${processes === 1 ? "process" : "processes"}, ${maxBatchSize} per invocation`;
        const topic = `bench-${processes}-${maxBatchSize}`;
        await fill(broker, topic, events);
        results[name] = await measure({ folder, aws, broker, topic, events, processes, maxBatchSize });
        process.stderr.write(`${name}: ${JSON.stringify(results[name])}\n`);
      }
    }
    process.stdout.write(`${JSON.stringify(results, null, 2)}\n`);
  } finally {
    server.disconnect();
    await broker.remove();
    rmSync(folder, { recursive: true });
  }
}

async function fill(broker: Broker, topic: string, events: number): Promise<void> {
  const connection = { clientId: "bench", bootstrapBrokers: [broker.address], retries: 30 };
  const admin = new Admin(connection);
  const topics = [topic, `${topic}.retry`, `${topic}.dead-letter`];
  await admin.createTopics({ topics, partitions: PARTITIONS, replicas: 1 });
  await admin.close();
  const producer = new Producer({ ...connection, serializers: stringSerializers, idempotent: true });
  for (let n = 0; n < events; n += 1000) {
    const messages = Array.from({ length: Math.min(1000, events - n) }, (_none, i) => {
      const userId = `user-${(n + i) % USERS}`;
      return { topic, key: userId, value: JSON.stringify({ ...EVENT, userId, messageId: `m-${n + i}` }) };
    });
    await producer.send({ messages });
  }
  await producer.close();
}

interface Run {
  readonly folder: string;
  readonly aws: Aws;
  readonly broker: Broker;
  readonly topic: string;
  readonly events: number;
  readonly processes: number;
  readonly maxBatchSize: number;
}

async function measure({ folder, aws, broker, topic, events, processes, maxBatchSize }: Run): Promise<object> {
  const settings = { lambda: aws.functionArn, roleAddress: aws.roleArn, externalId: "bench", maxBatchSize };
  writeFileSync(join(folder, "settings.json"), JSON.stringify({ ...settings, timeoutMs: 30_000 }));
  const ports = await Promise.all(Array.from({ length: processes }, freePort));
  const workers = ports.map(
    (port) =>
      new WorkerProcess({
        AWS_ENDPOINT_URL: aws.stub,
        AWS_REGION: "us-east-1",
        AWS_ACCESS_KEY_ID: aws.keys.accessKeyId,
        AWS_SECRET_ACCESS_KEY: aws.keys.secretAccessKey,
        KAFKA_BROKERS: broker.address,
        KAFKA_TOPIC: topic,
        KAFKA_GROUP: topic,
        SETTINGS: join(folder, "settings.json"),
        METRICS_PORT: String(port),
        METRICS_HOST: "127.0.0.1",
      }),
  );
  try {
    const metrics = ports.map((port) => `http://127.0.0.1:${port}`);
    return await measureRun(metrics, DELIVERED, events);
  } finally {
    await Promise.all(workers.map((worker) => worker.end("SIGTERM")));
  }
}

runBenchmark(main);
