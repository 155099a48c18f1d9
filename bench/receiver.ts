// What an event costs through the receiver beside the destination alone: CPU time of `serve` as it is built, over 200 connections, with one event per
// request and with 100, in one process and in three. AWS is a stub that answers without looking; the load comes from this process.
//
// Like is compared with like:
// - Both sides run at the same time, so that what else the machine does weighs on both alike; a ratio is of one such run.
// - Both get the same events of a kilobyte with their message IDs, and have the same 200 invocations under way. A batch holds what one user did, whose
//   events go one after the other. (Of different users a call sends 50 at once, and 200 such calls are more than a process does for one account.)
// - Batches are held against deliver() of single events, which never has 20,000 events in memory at once, and against deliverBatch() of the same batches,
//   which has: the latter tells what the receiver adds, JSON included.
// - Every process is warmed up by itself before anything counts.
// - Both run with the young generation that the examples of deployments have (NODE_OPTIONS), unless told otherwise with --defaults.
//
// To judge a ratio by: Node.js's HTTP server and JSON.parse around deliver() and nothing else took 1.57 to 1.75 times deliver() when this was written.
import { type ChildProcess, fork, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { parseArgs } from "node:util";
import pc from "picocolors";
import { Pool } from "undici";
import type { Task } from "./receiver-baseline";

const CONNECTIONS = 200;
const SECRET = "a-secret-of-the-benchmark";

const help = `Usage: npm run bench:receiver -- [options]

CPU time per event through the receiver over that of deliver(). Figures are medians of rounds that alternate. Run \`npm run build\` before.

  --json               one JSON object, as on a pipe
  --events <n>         events per round (default 20000)
  --rounds <n>         rounds measured (default 5)
  --processes <n>      receivers beside one (default 3)
  --defaults           with the young generation that Node.js has by default
  --short              a smoke test of a few seconds: its figures mean nothing
  --help
`;

const EVENT = {
  type: "track",
  event: "Order Completed",
  anonymousId: "5f1d0a9c-visitor",
  timestamp: "2026-01-01T00:00:00.000Z",
  sentAt: "2026-01-01T00:00:00.000Z",
  properties: {
    orderId: "o-1",
    total: 37.98,
    products: Array.from({ length: 10 }, (_, i) => ({ sku: `G-${i}`, price: 18.99, name: "Game of thrones" })),
  },
  context: {
    userAgent: "Mozilla/5.0 (X11; Linux x86_64)",
    page: { path: "/checkout", url: "https://example.com/checkout" },
  },
};
const REST = JSON.stringify(EVENT).slice(1);

/** What is sent to the receiver. */
interface Load {
  readonly path: "/webhook/bench" | "/v1/track";
  /** Events a request. */
  readonly size: number;
}

const SINGLE: Load = { path: "/webhook/bench", size: 1 };
const TRACKING: Load = { path: "/v1/track", size: 1 };
const BATCH: Load = { path: "/webhook/bench", size: 100 };

/** As in examples/compose and examples/kubernetes. */
const NODE_OPTIONS = "--max-semi-space-size=64";

/** The receiver under a load, beside the destination alone. */
interface Contender {
  readonly what: string;
  readonly load: Load;
  /** Receivers that share the connections. */
  readonly several?: boolean;
  /** What the destination is called with: single events, or batches like the load's. */
  readonly beside: "deliver" | "deliverBatch";
  /** What the ratio may be at most. */
  readonly bound?: number;
}

const CONTENDERS = {
  single: { what: "single events, webhook", load: SINGLE, beside: "deliver", bound: 1.9 },
  tracking: { what: "single events, tracking API", load: TRACKING, beside: "deliver", bound: 1.9 },
  batch100: { what: "batches of 100", load: BATCH, beside: "deliver", bound: 1.15 },
  batch100OverBatch: { what: "batches of 100", load: BATCH, beside: "deliverBatch", bound: 1.15 },
  processes: { what: "single events, several processes", load: SINGLE, several: true, beside: "deliver" },
} as const satisfies Readonly<Record<string, Contender>>;
type Name = keyof typeof CONTENDERS;
const NAMES = Object.keys(CONTENDERS) as Name[];
/** What several processes may cost over one, per event. */
const PROCESSES_BOUND = 1.15;

/** Microseconds of CPU time per event. */
interface Measured {
  readonly receiver: number;
  readonly beside: number;
}

interface Aws {
  readonly stub: string;
  readonly roleArn: string;
  readonly functionArn: string;
  readonly keys: { readonly accessKeyId: string; readonly secretAccessKey: string };
}

interface Service {
  readonly url: string;
  readonly adminUrl: string;
  readonly child: ChildProcess;
}

interface Result {
  readonly cpuMicros: Readonly<Record<Name, Measured>>;
  readonly ratios: Readonly<Record<Name, number>>;
}

async function main(): Promise<void> {
  const { values } = parseArgs({
    options: {
      json: { type: "boolean" },
      events: { type: "string" },
      rounds: { type: "string" },
      processes: { type: "string", default: "3" },
      defaults: { type: "boolean" },
      short: { type: "boolean" },
      help: { type: "boolean" },
    },
  });
  if (values.help) return void process.stdout.write(help);
  const number = (given: string | undefined, usual: number) => {
    const value = given === undefined ? usual : Number(given);
    if (!(value > 0)) throw new Error(help);
    return value;
  };
  const events = number(values.events, values.short ? 500 : 20_000);
  const rounds = number(values.rounds, values.short ? 1 : 5);
  const processes = number(values.processes, 3);

  const folder = mkdtempSync(join(tmpdir(), "bench-receiver-"));
  const aws = fork(join(__dirname, "server.cjs"), { stdio: ["ignore", "ignore", "inherit", "ipc"] });
  const services: Service[] = [];
  try {
    const [{ stub, keys, roleArn, functionArn }] = (await once(aws, "message")) as [Aws];
    const env = {
      PATH: process.env["PATH"],
      AWS_ENDPOINT_URL: stub,
      AWS_REGION: "us-east-1",
      AWS_ACCESS_KEY_ID: keys.accessKeyId,
      AWS_SECRET_ACCESS_KEY: keys.secretAccessKey,
      ...(!values.defaults && { NODE_OPTIONS }),
    };
    const settings = { lambda: functionArn, roleAddress: roleArn, externalId: "bench", timeoutMs: 30_000 };
    const file = join(folder, "connections.json");
    // A sender that waits as long as deliver() does here.
    const connection = {
      settings,
      router: "jitsu-reverse-etl",
      webhook: [{ type: "bearer", secrets: [SECRET] }],
      writeKeys: [{ key: "bench" }],
    };
    writeFileSync(file, JSON.stringify({ connections: { bench: connection } }));
    for (let i = 0; i < processes; i++) services.push(await startService(file, env));
    const baseline = fork(join(__dirname, "receiver-baseline.cjs"), {
      env,
      stdio: ["ignore", "inherit", "inherit", "ipc"],
    });
    const [one] = services as [Service];
    const run = async ({ load: what, several, beside }: Contender): Promise<Measured> => {
      const task: Task = {
        settings,
        event: EVENT,
        concurrency: CONNECTIONS,
        size: beside === "deliver" ? 1 : what.size,
      };
      baseline.send(task);
      await once(baseline, "message");
      const receiver = await load(several ? services : [one], what, events);
      baseline.send("stop");
      const [micros] = (await once(baseline, "message")) as [number];
      return { receiver, beside: micros };
    };
    const report = (text: string) => void (process.stderr.isTTY && process.stderr.write(`${text}\n`));
    for (const service of services) {
      for (const each of [SINGLE, TRACKING, BATCH]) await load([service], each, events);
      report("warmed up one process");
    }
    const measured: Record<Name, Measured[]> = {
      single: [],
      tracking: [],
      batch100: [],
      batch100OverBatch: [],
      processes: [],
    };
    // The first round of each warms up what is left.
    for (let round = 0; round <= rounds; round++) {
      for (const name of NAMES) {
        const each = await run(CONTENDERS[name]);
        if (round > 0) measured[name].push(each);
        report(
          `round ${round} of ${rounds}, ${name}: ${each.receiver.toFixed(1)} µs, ${each.beside.toFixed(1)} µs alone`,
        );
      }
    }
    const result = resultOf(measured);
    const asTable = process.stdout.isTTY && !values.json;
    process.stdout.write(asTable ? table(result) : `${JSON.stringify(result, null, 2)}\n`);
    baseline.disconnect();
  } finally {
    for (const { child } of services) child.kill("SIGKILL");
    aws.disconnect();
    rmSync(folder, { recursive: true });
  }
}

function resultOf(measured: Readonly<Record<Name, readonly Measured[]>>): Result {
  const ratios = (name: Name) => measured[name].map(({ receiver, beside }) => receiver / beside);
  const middle = (name: Name): Measured => ({
    receiver: Math.round(median(measured[name].map(({ receiver }) => receiver))),
    beside: Math.round(median(measured[name].map(({ beside }) => beside))),
  });
  const ofOne = ratios("single");
  const all = Object.fromEntries(NAMES.map((name) => [name, median(ratios(name))])) as Record<Name, number>;
  // Over one process in the same round.
  all.processes = median(ratios("processes").map((ratio, i) => ratio / (ofOne[i] ?? Number.NaN)));
  return {
    cpuMicros: Object.fromEntries(NAMES.map((name) => [name, middle(name)])) as Record<Name, Measured>,
    ratios: Object.fromEntries(NAMES.map((name) => [name, Number(all[name].toFixed(3))])) as Record<Name, number>,
  };
}

async function startService(file: string, env: NodeJS.ProcessEnv): Promise<Service> {
  const cli = join(__dirname, "..", "..", "..", "dist", "cli.cjs");
  const args = ["serve", "--connections", file, "--port", "0", "--admin-port", "0"];
  const child = spawn(process.execPath, [cli, ...args], { env, stdio: ["ignore", "pipe", "inherit"] });
  for await (const line of createInterface({ input: child.stdout })) {
    const { msg, url, adminUrl } = JSON.parse(line) as Record<string, string>;
    if (msg !== "listening") continue;
    child.stdout.resume();
    return { url: String(url), adminUrl: String(adminUrl), child };
  }
  throw new Error("The receiver did not start.");
}

/** @returns microseconds of CPU time per event, of all processes together */
async function load(services: readonly Service[], load: Load, events: number): Promise<number> {
  const each = Math.ceil(CONNECTIONS / services.length);
  const pools = services.map(({ url }) => new Pool(url, { connections: each, pipelining: 1 }));
  let left = events;
  const worker = async (pool: Pool) => {
    while (left > 0) {
      const from = left;
      left -= load.size;
      await post(pool, load.path, bodyOf(load, from));
    }
  };
  const before = await cpuSeconds(services);
  await Promise.all(pools.flatMap((pool) => Array.from({ length: each }, () => worker(pool))));
  const after = await cpuSeconds(services);
  await Promise.all(pools.map((pool) => pool.close()));
  return ((after - before) * 1e6) / (events - left);
}

function bodyOf({ size }: Load, from: number): string {
  const one = (i: number) => `{"messageId":"m-${from}-${i}","userId":"u-${from}",${REST}`;
  return size === 1 ? one(0) : `[${Array.from({ length: size }, (_, i) => one(i)).join(",")}]`;
}

const JSON_TYPE = { "content-type": "application/json" };
const HEADERS: Readonly<Record<Load["path"], Readonly<Record<string, string>>>> = {
  "/webhook/bench": { ...JSON_TYPE, authorization: `Bearer ${SECRET}` },
  "/v1/track": { ...JSON_TYPE, authorization: `Basic ${Buffer.from("bench:").toString("base64")}` },
};

async function post(pool: Pool, path: Load["path"], body: string): Promise<void> {
  const { statusCode, body: answer } = await pool.request({ path, method: "POST", headers: HEADERS[path], body });
  const text = await answer.text();
  if (statusCode !== 200) throw new Error(`Answered ${statusCode}: ${text.slice(0, 500)}`);
}

async function cpuSeconds(services: readonly Service[]): Promise<number> {
  const each = services.map(async ({ adminUrl }) => {
    const text = await (await fetch(`${adminUrl}/metrics`)).text();
    return Number(/^process_cpu_seconds_total (\S+)/m.exec(text)?.[1]);
  });
  return (await Promise.all(each)).reduce((sum, seconds) => sum + seconds, 0);
}

function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.floor(sorted.length / 2)] ?? Number.NaN;
}

function table({ cpuMicros, ratios }: Result): string {
  const header = ["", "receiver µs", "beside", "its µs", "ratio", "at most"];
  const rows = NAMES.map((name) => {
    const { what, beside, bound }: Contender = CONTENDERS[name];
    const { receiver, beside: alone } = cpuMicros[name];
    const [over, most] = name === "processes" ? ["one process", PROCESSES_BOUND] : [`${beside}()`, bound];
    return [what, receiver, over, name === "processes" ? cpuMicros.single.receiver : alone, ratios[name], most ?? ""];
  });
  const cells = [header, ...rows.map((row) => row.map(String))];
  const widths = header.map((_title, column) => Math.max(...cells.map((row) => row[column]?.length ?? 0)));
  const lines = cells.map((row) =>
    row.map((cell, i) => (i === 0 ? cell.padEnd(widths[i] ?? 0) : cell.padStart(widths[i] ?? 0))).join("  "),
  );
  return `${pc.bold(lines[0])}\n${lines.slice(1).join("\n")}\n`;
}

main().catch((error: unknown) => {
  process.stderr.write(`${error instanceof Error ? error.stack : String(error)}\n`);
  process.exitCode = 1;
});
