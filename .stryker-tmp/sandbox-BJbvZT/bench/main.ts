// @ts-nocheck
// What a delivery costs beside a plain `LambdaClient.send`, in the same run: deliveries per second and CPU time of this
// process, at concurrency 1 and 50, against the embedded AWS and against an HTTP server that answers without looking.
import { fork } from "node:child_process";
import { once } from "node:events";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { InvokeCommand, LambdaClient } from "@aws-sdk/client-lambda";
import { AssumeRoleCommand, STSClient } from "@aws-sdk/client-sts";
import pc from "picocolors";
import { createDestination } from "../src/index";

interface Server {
  readonly embedded: string;
  readonly stub: string;
  readonly roleArn: string;
  readonly functionArn: string;
  readonly keys: { readonly accessKeyId: string; readonly secretAccessKey: string };
}

/** One call of a contender: delivers the event, or throws. */
type Deliver = (event: object) => Promise<void>;

interface Measured {
  readonly perSecond: number;
  readonly cpuMicros: number;
}

interface Row {
  readonly target: string;
  readonly concurrency: number;
  readonly plain: Measured;
  readonly deliver: Measured;
  /** CPU time of `deliver()` over that of the plain call, median of the rounds. */
  readonly cpuRatio: number;
}

const help = `Usage: npm run bench -- [--deliveries <n>] [--rounds <n>]

Compares deliver() with a plain LambdaClient.send() loop. The rounds of both alternate; figures are medians.
A terminal gets a table, a pipe gets JSON.
`;

const EVENT = {
  type: "track",
  event: "Order Completed",
  messageId: "b7a9e9f0-5f5e-4c7c-9a53-6e8a9d2f1c11",
  userId: "u-1042",
  anonymousId: "5f1d0a9c-visitor",
  timestamp: "2026-01-01T00:00:00.000Z",
  sentAt: "2026-01-01T00:00:00.000Z",
  properties: {
    orderId: "o-1",
    total: 37.98,
    products: Array.from({ length: 10 }, (_, i) => ({ sku: `G-${i}`, price: 18.99, name: "Game of thrones" })),
  },
  context: {
    ip: "203.0.113.7",
    userAgent: "Mozilla/5.0 (X11; Linux x86_64)",
    page: { path: "/checkout", url: "https://example.com/checkout" },
  },
};

async function main(): Promise<void> {
  const { values } = parseArgs({
    options: {
      deliveries: { type: "string", default: "3000" },
      rounds: { type: "string", default: "7" },
      help: { type: "boolean" },
    },
  });
  if (values.help) {
    process.stdout.write(help);
    return;
  }
  const deliveries = Number(values.deliveries);
  const rounds = Number(values.rounds);
  if (!(deliveries > 0 && rounds > 0)) throw new Error(help);

  const child = fork(join(__dirname, "server.cjs"), { stdio: ["ignore", "ignore", "inherit", "ipc"] });
  const [server] = (await once(child, "message")) as [Server];
  process.env["AWS_SDK_JS_NODE_VERSION_SUPPORT_WARNING_DISABLED"] = "true";
  Object.assign(process.env, {
    AWS_ACCESS_KEY_ID: server.keys.accessKeyId,
    AWS_SECRET_ACCESS_KEY: server.keys.secretAccessKey,
    AWS_REGION: "us-east-1",
  });

  const rows: Row[] = [];
  for (const target of ["embedded", "stub"] as const) {
    process.env["AWS_ENDPOINT_URL"] = server[target];
    const plain = await plainCall(server, server[target]);
    const deliver = delivery(server, target);
    for (const concurrency of [1, 50]) {
      if (process.stderr.isTTY) process.stderr.write(`${target}, concurrency ${concurrency}…\n`);
      rows.push({ target, concurrency, ...(await compare(plain, deliver, concurrency, deliveries, rounds)) });
    }
  }
  child.disconnect();
  process.stdout.write(process.stdout.isTTY ? table(rows) : `${JSON.stringify(rows, null, 2)}\n`);
}

/** What a user would write without this package, with the role assumed beforehand. */
async function plainCall({ roleArn, functionArn }: Server, endpoint: string): Promise<Deliver> {
  const sts = new STSClient({ region: "us-east-1", endpoint });
  const { Credentials } = await sts.send(new AssumeRoleCommand({ RoleArn: roleArn, RoleSessionName: "bench" }));
  if (!Credentials?.AccessKeyId || !Credentials.SecretAccessKey || !Credentials.SessionToken)
    throw new Error("No session.");
  const { AccessKeyId: accessKeyId, SecretAccessKey: secretAccessKey, SessionToken: sessionToken } = Credentials;
  const client = new LambdaClient({
    region: "us-east-1",
    endpoint,
    credentials: { accessKeyId, secretAccessKey, sessionToken },
  });
  return async (event) => {
    const answer = await client.send(new InvokeCommand({ FunctionName: functionArn, Payload: JSON.stringify(event) }));
    if (answer.FunctionError) throw new Error(answer.Payload?.transformToString());
  };
}

function delivery({ roleArn, functionArn }: Server, target: string): Deliver {
  // Another external ID, another session: each target gives out its own.
  const destination = createDestination({ lambda: functionArn, roleAddress: roleArn, externalId: target });
  return async (event) => {
    const { outcome, error } = await destination.deliver(event);
    if (outcome !== "delivered") throw new Error(error?.message);
  };
}

async function compare(plain: Deliver, deliver: Deliver, concurrency: number, deliveries: number, rounds: number) {
  await measure(plain, concurrency, deliveries);
  await measure(deliver, concurrency, deliveries);
  const plainRounds: Measured[] = [];
  const deliverRounds: Measured[] = [];
  for (let round = 0; round < rounds; round++) {
    plainRounds.push(await measure(plain, concurrency, deliveries));
    deliverRounds.push(await measure(deliver, concurrency, deliveries));
  }
  const ratios = deliverRounds.map(({ cpuMicros }, i) => cpuMicros / (plainRounds[i]?.cpuMicros ?? Number.NaN));
  return { plain: middle(plainRounds), deliver: middle(deliverRounds), cpuRatio: median(ratios) };
}

async function measure(deliver: Deliver, concurrency: number, deliveries: number): Promise<Measured> {
  let left = deliveries;
  const worker = async () => {
    while (left-- > 0) await deliver(EVENT);
  };
  const cpu = process.cpuUsage();
  const startedAt = process.hrtime.bigint();
  await Promise.all(Array.from({ length: concurrency }, worker));
  const seconds = Number(process.hrtime.bigint() - startedAt) / 1e9;
  const { user, system } = process.cpuUsage(cpu);
  return { perSecond: Math.round(deliveries / seconds), cpuMicros: Math.round((user + system) / deliveries) };
}

function middle(rounds: readonly Measured[]): Measured {
  return {
    perSecond: median(rounds.map(({ perSecond }) => perSecond)),
    cpuMicros: median(rounds.map(({ cpuMicros }) => cpuMicros)),
  };
}

function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.floor(sorted.length / 2)] ?? Number.NaN;
}

function table(rows: readonly Row[]): string {
  const header = ["target", "concurrency", "plain /s", "deliver() /s", "plain CPU µs", "deliver() CPU µs", "CPU ratio"];
  const cells = rows.map(({ target, concurrency, plain, deliver, cpuRatio }) =>
    [
      target,
      concurrency,
      plain.perSecond,
      deliver.perSecond,
      plain.cpuMicros,
      deliver.cpuMicros,
      cpuRatio.toFixed(2),
    ].map(String),
  );
  const widths = header.map((title, column) => Math.max(title.length, ...cells.map((row) => row[column]?.length ?? 0)));
  const line = (row: readonly string[]) => row.map((cell, column) => cell.padStart(widths[column] ?? 0)).join("  ");
  return `${pc.bold(line(header))}\n${cells.map(line).join("\n")}\n`;
}

main().catch((error: unknown) => {
  process.stderr.write(`${error instanceof Error ? error.stack : String(error)}\n`);
  process.exitCode = 1;
});
