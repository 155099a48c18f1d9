// What a delivery costs: CPU time of this process per event, beside LambdaClient.send() of the AWS SDK and beside a bare
// POST of the same bytes by the same HTTP client (undici), in the same run, their rounds alternating. The other end is a
// stub in a process of its own.
import { type ChildProcess, fork, spawnSync } from "node:child_process";
import { once } from "node:events";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { InvokeCommand, LambdaClient } from "@aws-sdk/client-lambda";
import pc from "picocolors";
import { Pool } from "undici";
import { nodeCrypto } from "../src/aws/node-crypto";
import { SignedRequest, Signer } from "../src/aws/signature";
import { createDestination } from "../src/index";

interface Server {
  readonly stub: string;
  readonly tls?: string;
  readonly roleArn: string;
  readonly functionArn: string;
  readonly keys: { readonly accessKeyId: string; readonly secretAccessKey: string };
}

/** Sends the event, or throws. */
type Send = () => Promise<unknown>;

interface Measured {
  readonly cpuMicros: number;
  readonly perSecond: number;
  readonly p50Ms: number;
  readonly p99Ms: number;
}

interface Row {
  readonly over: "http" | "tls";
  readonly kilobytes: number;
  readonly concurrency: number;
  readonly deliver: Measured;
  readonly sdk: Measured;
  readonly floor: Measured;
  readonly cpuVsSdk: number;
  readonly cpuVsFloor: number;
}

const help = `Usage: npm run bench -- [options]

CPU time per event of deliver(), beside the AWS SDK's LambdaClient.send() and a bare POST by the same HTTP client.
Figures are medians of rounds that alternate; the first round of each only warms up.

  --json               one JSON object, as on a pipe
  --events <n>         events per round (default 6000; fewer at concurrency 1)
  --rounds <n>         rounds measured (default 5)
  --settings <n>       distinct settings for settings10k (default 10000)
  --deliveries <n>     deliveries for rssGrowth, beside a twentieth of them (default 1000000)
  --short              a smoke test of a few seconds: its figures mean nothing
  --help
`;

const SESSION = { accessKeyId: "ASIAEXAMPLESESSION00", secretAccessKey: "bench", sessionToken: "t".repeat(600) };
const BATCH = 50;
/** Fields of an event of a kilobyte, as a shop sends it. */
const PRODUCT = { sku: "G-1", price: 18.99, name: "Game of thrones" };

function eventOf(kilobytes: number) {
  const event = {
    type: "track",
    event: "Order Completed",
    messageId: "b7a9e9f0-5f5e-4c7c-9a53-6e8a9d2f1c11",
    userId: "u-1042",
    anonymousId: "5f1d0a9c-visitor",
    timestamp: "2026-01-01T00:00:00.000Z",
    sentAt: "2026-01-01T00:00:00.000Z",
    properties: { orderId: "o-1", total: 37.98, products: [PRODUCT] },
    context: {
      ip: "203.0.113.7",
      userAgent: "Mozilla/5.0 (X11; Linux x86_64)",
      page: { path: "/checkout", url: "https://example.com/checkout" },
    },
  };
  while (JSON.stringify(event).length < kilobytes * 1024) event.properties.products.push(PRODUCT);
  return event;
}

const progress = (what: string) => {
  if (process.stderr.isTTY) process.stderr.write(`${what}…\n`);
};

async function main(): Promise<void> {
  const { values } = parseArgs({
    options: {
      json: { type: "boolean" },
      events: { type: "string" },
      rounds: { type: "string" },
      settings: { type: "string" },
      deliveries: { type: "string" },
      short: { type: "boolean" },
      cold: { type: "boolean" },
      help: { type: "boolean" },
    },
  });
  if (values.help) return void process.stdout.write(help);
  const number = (given: string | undefined, usual: number, short: number) => {
    const value = given === undefined ? (values.short ? short : usual) : Number(given);
    if (!(value > 0)) throw new Error(help);
    return value;
  };
  const events = number(values.events, 6000, 100);
  const rounds = number(values.rounds, 5, 1);
  const settings = number(values.settings, 10_000, 50);
  const deliveries = number(values.deliveries, 1_000_000, 2000);
  if (values.cold) return cold();

  const child = fork(join(__dirname, "server.cjs"), { stdio: ["ignore", "ignore", "inherit", "ipc"] });
  const [server] = (await once(child, "message")) as [Server];
  try {
    pointAt(server.stub, server);
    const rows: Row[] = [];
    for (const [over, url] of [
      ["http", server.stub],
      ["tls", server.tls],
    ] as const) {
      if (!url) continue;
      for (const kilobytes of values.short ? [1] : [1, 10, 100]) {
        for (const concurrency of values.short ? [50] : [1, 50, 200]) {
          progress(`${over}, ${kilobytes} KB, concurrency ${concurrency}`);
          const count = Math.ceil(events / (concurrency === 1 ? 3 : 1) / (kilobytes >= 100 ? 10 : 1));
          rows.push(await compare(over, url, kilobytes, concurrency, count, rounds, server));
        }
      }
    }
    pointAt(server.stub, server);
    progress(`batches of ${BATCH}`);
    const { batch50, perEvent } = await batches(server, events, rounds);
    progress(`${settings} settings`);
    const settings10k = await manySettings(server, settings, rounds);
    progress(`${deliveries} deliveries`);
    const rss = await growth(server, deliveries);
    const coldStartMs = coldStart(server);

    const at = (concurrency: number) =>
      rows.find((row) => row.over === "http" && row.kilobytes === 1 && row.concurrency === concurrency) ?? rows[0];
    const serial = at(1) as Row;
    const result = {
      ratios: {
        cpuVsSdk: (at(50) as Row).cpuVsSdk,
        cpuVsSdkSerial: serial.cpuVsSdk,
        cpuVsFloor: (at(50) as Row).cpuVsFloor,
        batch50,
        settings10k,
        rssGrowth: round(rss.last / rss.first),
      },
      /** Of an event in batches of 50: microseconds of CPU, and how many went through in a second. */
      batches: perEvent,
      addedLatencyMs: round(serial.deliver.p50Ms - serial.floor.p50Ms),
      rssMegabytes: { first: Math.round(rss.first / 1e6), last: Math.round(rss.last / 1e6) },
      coldStartMs,
      rows,
    };
    const asTable = process.stdout.isTTY && !values.json;
    process.stdout.write(asTable ? table(result) : `${JSON.stringify(result, null, 2)}\n`);
  } finally {
    stop(child);
  }
}

function pointAt(url: string, { keys }: Pick<Server, "keys">): void {
  Object.assign(process.env, {
    AWS_ENDPOINT_URL: url,
    AWS_ACCESS_KEY_ID: keys.accessKeyId,
    AWS_SECRET_ACCESS_KEY: keys.secretAccessKey,
    AWS_REGION: "us-east-1",
    AWS_SDK_JS_NODE_VERSION_SUPPORT_WARNING_DISABLED: "true",
  });
}

function stop(child: ChildProcess): void {
  child.disconnect();
}

/** Regions stand for endpoints: what is known of one is kept for the process. */
const REGIONS = { http: "us-east-1", tls: "eu-west-1" } as const;

function destinationOf({ functionArn, roleArn }: Server, over: Row["over"], more: object = {}) {
  const lambda = functionArn.replace("us-east-1", REGIONS[over]);
  return createDestination({ lambda, roleAddress: roleArn, externalId: "bench", timeoutMs: 60_000, ...more });
}

async function delivered(result: Promise<{ outcome: string; error?: { message: string } }>): Promise<void> {
  const { outcome, error } = await result;
  if (outcome !== "delivered") throw new Error(error?.message);
}

async function compare(
  over: Row["over"],
  url: string,
  kilobytes: number,
  concurrency: number,
  count: number,
  rounds: number,
  server: Server,
): Promise<Row> {
  pointAt(url, server);
  const event = eventOf(kilobytes);
  const destination = destinationOf(server, over);
  const region = REGIONS[over];
  const functionName = server.functionArn.replace("us-east-1", region);
  const client = new LambdaClient({ region, endpoint: url, credentials: SESSION });
  const pool = new Pool(url, { connections: 5000, headersTimeout: 0, bodyTimeout: 0 });
  // The bytes that deliver() sends, signed once.
  const signed = new SignedRequest(new Signer(nodeCrypto, SESSION, region, "lambda"), {
    host: new URL(url).host,
    path: `/2015-03-31/functions/${encodeURIComponent(functionName)}/invocations`,
    headers: { "content-type": "application/octet-stream", "x-amz-invocation-type": "RequestResponse" },
  });
  const body = JSON.stringify({ ...event, projectId: "bench", version: 2 });
  const headers = signed.headers(body, Date.now());

  const contenders = {
    deliver: () => delivered(destination.deliver(event, { sourceId: "bench" })),
    sdk: () => client.send(new InvokeCommand({ FunctionName: functionName, Payload: JSON.stringify(event) })),
    floor: async () => {
      const answer = await pool.request({ path: signed.path, method: "POST", headers, body });
      await answer.body.text();
    },
  } satisfies Record<string, Send>;
  const measured = await alternating(contenders, concurrency, count, rounds);
  client.destroy();
  await pool.close();
  await destination.close();
  const { deliver, sdk, floor } = measured;
  return {
    over,
    kilobytes,
    concurrency,
    ...measured,
    cpuVsSdk: round(deliver.cpuMicros / sdk.cpuMicros),
    cpuVsFloor: round(deliver.cpuMicros / floor.cpuMicros),
  };
}

/** CPU time of an event in batches, and over that of one by the SDK. */
async function batches(server: Server, count: number, rounds: number) {
  const destination = destinationOf(server, "http", { maxBatchSize: BATCH });
  const client = new LambdaClient({ region: "us-east-1", endpoint: server.stub, credentials: SESSION });
  const event = eventOf(1);
  const batch = Array.from({ length: BATCH }, (_, i) => ({ ...event, messageId: `m-${i}`, userId: `u-${i}` }));
  const measured = await alternating(
    {
      deliver: async () => {
        const results = await destination.deliverBatch(batch, { sourceId: "bench" });
        if (results.some(({ outcome }) => outcome !== "delivered")) throw new Error(results[0]?.error?.message);
      },
      sdk: () => client.send(new InvokeCommand({ FunctionName: server.functionArn, Payload: JSON.stringify(event) })),
    },
    50,
    Math.ceil(count / 10),
    rounds,
  );
  client.destroy();
  await destination.close();
  const { deliver, sdk } = measured;
  const perEvent = { cpuMicros: round(deliver.cpuMicros / BATCH), perSecond: deliver.perSecond * BATCH };
  return { batch50: round(perEvent.cpuMicros / sdk.cpuMicros, 4), perEvent };
}

/** CPU time of an event where each comes with other settings, over that with the same. */
async function manySettings(server: Server, count: number, rounds: number): Promise<number> {
  const event = eventOf(1);
  const one = destinationOf(server, "http");
  const many = Array.from({ length: count }, (_, i) => destinationOf(server, "http", { externalId: `tenant-${i}` }));
  let next = 0;
  const contenders = {
    many: () => delivered((many[next++ % count] as typeof one).deliver(event, { sourceId: "bench" })),
    one: () => delivered(one.deliver(event, { sourceId: "bench" })),
  };
  // Every session is there.
  await measure(contenders.many, 50, count);
  const measured = await alternating(contenders, 50, count, rounds);
  return round(measured.many.cpuMicros / measured.one.cpuMicros);
}

/** Bytes of resident memory after a twentieth of the deliveries and after all of them. */
async function growth(server: Server, deliveries: number): Promise<{ first: number; last: number }> {
  const event = eventOf(1);
  const destination = destinationOf(server, "http");
  const send = () => delivered(destination.deliver(event, { sourceId: "bench" }));
  const early = Math.ceil(deliveries / 20);
  await drive(send, 50, early);
  const first = process.memoryUsage.rss();
  await drive(send, 50, deliveries - early);
  return { first, last: process.memoryUsage.rss() };
}

/** Milliseconds from the start of a process to its first delivery. */
function coldStart(server: Server): number {
  const env = { ...process.env, BENCH_COLD: JSON.stringify(server) };
  const { stdout, stderr } = spawnSync(process.execPath, [__filename, "--cold"], { env, encoding: "utf8" });
  if (!stdout) throw new Error(stderr);
  return Math.round(Number(stdout));
}

async function cold(): Promise<void> {
  const server = JSON.parse(process.env["BENCH_COLD"] ?? "{}") as Server;
  await delivered(destinationOf(server, "http").deliver(eventOf(1), { sourceId: "bench" }));
  process.stdout.write(String(performance.now()));
}

async function alternating<Name extends string>(
  contenders: Readonly<Record<Name, Send>>,
  concurrency: number,
  count: number,
  rounds: number,
): Promise<Record<Name, Measured>> {
  const names = Object.keys(contenders) as Name[];
  const all = new Map<Name, Measured[]>(names.map((name) => [name, []]));
  for (let i = 0; i <= rounds; i++) {
    for (const name of names) {
      const measured = await measure(contenders[name], concurrency, count);
      if (i > 0) all.get(name)?.push(measured);
    }
  }
  const middle = (name: Name): Measured => {
    const of = (key: keyof Measured) => round(median((all.get(name) ?? []).map((each) => each[key])));
    return {
      cpuMicros: of("cpuMicros"),
      perSecond: Math.round(of("perSecond")),
      p50Ms: of("p50Ms"),
      p99Ms: of("p99Ms"),
    };
  };
  return Object.fromEntries(names.map((name) => [name, middle(name)])) as Record<Name, Measured>;
}

async function measure(send: Send, concurrency: number, count: number): Promise<Measured> {
  const times: number[] = [];
  const cpu = process.cpuUsage();
  const startedAt = performance.now();
  await drive(send, concurrency, count, times);
  const seconds = (performance.now() - startedAt) / 1000;
  const { user, system } = process.cpuUsage(cpu);
  times.sort((a, b) => a - b);
  const at = (share: number) => times[Math.min(Math.floor(times.length * share), times.length - 1)] ?? 0;
  return { cpuMicros: (user + system) / count, perSecond: count / seconds, p50Ms: at(0.5), p99Ms: at(0.99) };
}

async function drive(send: Send, concurrency: number, count: number, times?: number[]): Promise<void> {
  let left = count;
  const worker = async () => {
    while (left-- > 0) {
      const startedAt = performance.now();
      await send();
      times?.push(performance.now() - startedAt);
    }
  };
  await Promise.all(Array.from({ length: concurrency }, worker));
}

function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.floor(sorted.length / 2)] ?? Number.NaN;
}

function round(value: number, digits = 3): number {
  return Number(value.toFixed(digits));
}

function table({ rows, ...figures }: { readonly rows: readonly Row[] } & Readonly<Record<string, unknown>>): string {
  const header = [
    "over",
    "KB",
    "at once",
    "deliver µs",
    "SDK µs",
    "POST µs",
    "/SDK",
    "/POST",
    "/s",
    "p50 ms",
    "p99 ms",
  ];
  const cells = rows.map(({ over, kilobytes, concurrency, deliver, sdk, floor, cpuVsSdk, cpuVsFloor }) =>
    [
      over,
      kilobytes,
      concurrency,
      deliver.cpuMicros,
      sdk.cpuMicros,
      floor.cpuMicros,
      cpuVsSdk,
      cpuVsFloor,
      deliver.perSecond,
      deliver.p50Ms,
      deliver.p99Ms,
    ].map(String),
  );
  const widths = header.map((title, column) => Math.max(title.length, ...cells.map((row) => row[column]?.length ?? 0)));
  const line = (row: readonly string[]) => row.map((cell, column) => cell.padStart(widths[column] ?? 0)).join("  ");
  return `${pc.bold(line(header))}\n${cells.map(line).join("\n")}\n\n${JSON.stringify(figures, null, 2)}\n`;
}

main().catch((error: unknown) => {
  process.stderr.write(`${error instanceof Error ? error.stack : String(error)}\n`);
  process.exitCode = 1;
});
