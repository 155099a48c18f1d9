// `serve --drain` on a queue, one process and several: deliveries per second, and CPU time per event. The queue is the embedded AWS's.
import { type ChildProcess, fork, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { SendMessageBatchCommand, SQSClient } from "@aws-sdk/client-sqs";
import { EVENT, measureRun, runBenchmark, runOptions, USERS } from "./runs";

const help = `Usage: npm run bench:queue -- [--events <n>] [--processes <n>]

Fills a queue of the embedded AWS and lets serve --drain deliver it to functions that answer at once: with one process, then with more. Prints, as JSON, deliveries per second
and the drains' CPU time per event. The embedded AWS is one process: it is what limits deliveries per second.

  --events <n>      of each run (default 20000)
  --processes <n>   of the second run (default 3)
  --help
`;

const DELIVERED = /^amazon_lambda_deliveries_total\{[^}]*outcome="delivered"[^}]*\} (\d+)/m;

interface Aws {
  readonly embedded: string;
  readonly stub: string;
  readonly queue: string;
  readonly keys: { readonly accessKeyId: string; readonly secretAccessKey: string };
  readonly roleArn: string;
  readonly functionArn: string;
}

interface Drain {
  readonly child: ChildProcess;
  readonly adminUrl: string;
}

async function main(): Promise<void> {
  const options = runOptions(help);
  if (!options) return;
  const { events, processes: several } = options;

  const folder = mkdtempSync(join(tmpdir(), "bench-queue-"));
  const server = fork(join(__dirname, "server.cjs"), { stdio: ["ignore", "ignore", "inherit", "ipc"] });
  try {
    const [aws] = (await once(server, "message")) as [Aws];
    const file = join(folder, "connections.json");
    const settings = { lambda: aws.functionArn, roleAddress: aws.roleArn, externalId: "bench", timeoutMs: 30_000 };
    const webhook = [{ type: "bearer", secrets: ["a-secret-of-the-benchmark"] }];
    writeFileSync(file, JSON.stringify({ connections: { bench: { acknowledge: "accepted", settings, webhook } } }));
    const results: Record<string, object> = {};
    for (const processes of [1, several]) {
      const name = `${processes} ${processes === 1 ? "process" : "processes"}`;
      await fill(aws, `run-${processes}`, events);
      results[name] = await measure(aws, file, processes, events);
      process.stderr.write(`${name}: ${JSON.stringify(results[name])}\n`);
    }
    process.stdout.write(`${JSON.stringify(results, null, 2)}\n`);
  } finally {
    server.disconnect();
    rmSync(folder, { recursive: true });
  }
}

/** As the receiver puts events into the queue. */
async function fill({ embedded, queue, keys }: Aws, run: string, events: number): Promise<void> {
  const sqs = new SQSClient({ endpoint: embedded, region: "us-east-1", credentials: keys });
  for (let n = 0; n < events; n += 10) {
    const Entries = Array.from({ length: Math.min(10, events - n) }, (_none, i) => {
      const [userId, messageId] = [`user-${(n + i) % USERS}`, `${run}-${n + i}`];
      const body = { connection: "bench", event: { ...EVENT, userId, messageId } };
      return {
        Id: String(i),
        MessageBody: JSON.stringify(body),
        MessageGroupId: userId,
        MessageDeduplicationId: messageId,
      };
    });
    await sqs.send(new SendMessageBatchCommand({ QueueUrl: queue, Entries }));
  }
  sqs.destroy();
}

async function measure(aws: Aws, file: string, processes: number, events: number): Promise<object> {
  const drains = await Promise.all(Array.from({ length: processes }, () => startDrain(aws, file)));
  try {
    const metrics = drains.map(({ adminUrl }) => `${adminUrl}/metrics`);
    return await measureRun(metrics, DELIVERED, events);
  } finally {
    // What is delivered has to leave the queue, too.
    const ended = drains.map(({ child }) => once(child, "exit"));
    for (const { child } of drains) child.kill("SIGTERM");
    await Promise.all(ended);
  }
}

async function startDrain({ stub, embedded, queue, keys }: Aws, file: string): Promise<Drain> {
  const cli = join(__dirname, "..", "..", "..", "dist", "cli.cjs");
  const args = ["serve", "--drain", "--queue", queue, "--connections", file, "--admin-port", "0"];
  const env = {
    PATH: process.env["PATH"],
    AWS_ENDPOINT_URL: stub,
    AWS_ENDPOINT_URL_SQS: embedded,
    NODE_NO_WARNINGS: "1",
    AWS_REGION: "us-east-1",
    AWS_ACCESS_KEY_ID: keys.accessKeyId,
    AWS_SECRET_ACCESS_KEY: keys.secretAccessKey,
  };
  const child = spawn(process.execPath, [cli, ...args], { env, stdio: ["ignore", "pipe", "inherit"] });
  for await (const line of createInterface({ input: child.stdout })) {
    const { msg, adminUrl } = JSON.parse(line) as Record<string, string>;
    if (msg !== "draining") continue;
    child.stdout.resume();
    return { child, adminUrl: String(adminUrl) };
  }
  throw new Error("The drain did not start.");
}

runBenchmark(main);
