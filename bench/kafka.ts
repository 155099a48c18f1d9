// The worker of examples/kafka on a real broker, one process and several: deliveries per second, and CPU time per event.
import { fork } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { parseArgs } from "node:util";
import { Admin, Producer, stringSerializers } from "@platformatic/kafka";
import { Broker } from "../test/kafka/broker";
import { freePort } from "../test/kafka/free-port";
import { WorkerProcess } from "../test/kafka/worker-process";

const help = `Usage: npm run bench:kafka -- [--events <n>] [--processes <n>]

Fills a topic of a real Kafka broker and lets the worker of examples/kafka deliver it to an AWS that answers at once: with one process, then with more. Prints, as JSON,
deliveries per second and the workers' CPU time per event, for one event per invocation and for 100. Needs Java 17 and Maven, like test:kafka.

  --events <n>      of each run (default 20000)
  --processes <n>   of the second run (default 3)
  --help
`;

const PARTITIONS = 12;
const USERS = 1000;
const EVENT = {
  type: "track",
  event: "Order Completed",
  properties: { orderId: "50314b8e9bcf000000000000", total: 27.5, currency: "USD", products: [{ sku: "45790-32" }] },
  context: { ip: "192.0.2.1", library: { name: "bench", version: "1.0.0" }, userAgent: "Mozilla/5.0" },
};

interface Aws {
  readonly stub: string;
  readonly keys: { readonly accessKeyId: string; readonly secretAccessKey: string };
  readonly roleArn: string;
  readonly functionArn: string;
}

/** What the workers' metrics add up to. */
interface Progress {
  readonly at: number;
  readonly delivered: number;
  readonly cpuSeconds: number;
}

async function main(): Promise<void> {
  const { values } = parseArgs({
    options: {
      events: { type: "string", default: "20000" },
      processes: { type: "string", default: "3" },
      help: { type: "boolean" },
    },
  });
  if (values.help) return void process.stdout.write(help);
  const [events, several] = [Number(values.events), Number(values.processes)];
  if (!(events >= 1000 && several >= 1)) throw new Error(help);

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

/** From the first events on: what starting costs is left out. */
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
    const begin = await reached(ports, events / 10);
    const end = await reached(ports, events);
    const delivered = end.delivered - begin.delivered;
    return {
      deliveriesPerSecond: Math.round((delivered * 1000) / (end.at - begin.at)),
      cpuMicrosPerEvent: Math.round(((end.cpuSeconds - begin.cpuSeconds) * 1e6) / delivered),
      twice: end.delivered - events,
    };
  } finally {
    await Promise.all(workers.map((worker) => worker.end("SIGTERM")));
  }
}

async function reached(ports: readonly number[], wanted: number): Promise<Progress> {
  for (;;) {
    const progress = await progressOf(ports);
    if (progress.delivered >= wanted) return progress;
    await sleep(20);
  }
}

async function progressOf(ports: readonly number[]): Promise<Progress> {
  const each = ports.map((port) =>
    fetch(`http://127.0.0.1:${port}`).then(
      (answer) => answer.text(),
      () => "",
    ),
  );
  const texts = await Promise.all(each);
  const sum = (metric: RegExp) => texts.reduce((total, text) => total + Number(metric.exec(text)?.[1] ?? 0), 0);
  return {
    at: performance.now(),
    delivered: sum(/^kafka_lambda_events_total\{outcome="delivered",code=""\} (\d+)/m),
    cpuSeconds: sum(/^process_cpu_seconds_total (\S+)/m),
  };
}

main().catch((error: unknown) => {
  process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n`);
  process.exitCode = 1;
});
