// What 99 tenants of a process notice of a bad one: their latency, their sessions, and the memory. One bad tenant per run.
import { fork, spawnSync } from "node:child_process";
import { once } from "node:events";
import { join } from "node:path";
import { parseArgs } from "node:util";
import pc from "picocolors";
import { networkHandler } from "../src/hosts/rudderstack/network-handler";
import { processRouterDest } from "../src/hosts/rudderstack/transform";
import { createDestination } from "../src/index";
import type { Counts } from "./neighbours-server";

const NEIGHBOURS = 99;
const PER_SECOND = 20;
const REGION = "us-east-1";
const ACCOUNT = "123456789012";
const MB = 1024 * 1024;

interface Row {
  readonly bad: string;
  readonly p50: number;
  readonly p99: number;
  /** Without the bad tenant, in the same process. */
  readonly quietP99: number;
  /** The one over the other. */
  readonly rise: number;
  /** Of the neighbours' deliveries. */
  readonly failed: number;
  /** AssumeRoles of neighbours while it ran: their sessions were there before. */
  readonly assumedAgain: number;
  /** Of the bad tenant. */
  readonly events: number;
  readonly requests: number;
  readonly peakMb: number;
  readonly heapMb: number;
}

type Send = (n: number) => Promise<unknown>;

interface Bad {
  readonly perSecond: number;
  /** @returns how the n-th event is sent */
  readonly tenant: () => Send;
}

const role = (name: string) => `arn:aws:iam::${ACCOUNT}:role/${name}`;
const fn = (name: string) => `arn:aws:lambda:${REGION}:${ACCOUNT}:function:${name}`;
/** With a message ID, as every router sends it. */
const track = (properties: { readonly n: number }) => ({
  type: "track",
  event: "Bench",
  userId: "u",
  messageId: `m-${properties.n}`,
  properties,
});

function tenant(settings: object, properties: object = {}, sourceId?: (n: number) => string): Send {
  const destination = createDestination(settings as Record<string, unknown>);
  return (n) => destination.deliver(track({ n, ...properties }), { sourceId: sourceId?.(n) ?? "my-source-id" });
}

interface Handler {
  proxy(request: unknown): Promise<unknown>;
}

/** A template in RudderStack's form makes other settings of each event. */
function templates(): Send {
  const eventLambdas = Object.fromEntries(Array.from({ length: 200 }, (_, i) => [`Event ${i}`, fn(`good-${i}`)]));
  return async (n) => {
    const Config = {
      trackLambda: fn("good-template"),
      roleAddress: role("template"),
      externalId: `id-${n}`,
      eventLambdas,
    };
    const metadata = { jobId: n, workspaceId: "my-workspace-id", sourceId: "my-source-id" };
    const [answer] = processRouterDest([{ message: track({ n }), metadata, destination: { Config } }]) as {
      batchedRequest?: object;
    }[];
    const handler = new (networkHandler as unknown as new () => Handler)();
    await handler.proxy({ ...answer?.batchedRequest, metadata: [metadata], destinationConfig: Config });
  };
}

const BAD: Readonly<Record<string, Bad>> = {
  "function hangs": {
    perSecond: 20,
    tenant: () => tenant({ lambda: fn("hangs"), roleAddress: role("bad"), timeoutMs: 900_000 }),
  },
  "role denied": { perSecond: 50, tenant: () => tenant({ lambda: fn("good-bad"), roleAddress: role("denied") }) },
  "STS throttled": {
    perSecond: 50,
    tenant: () => tenant({ lambda: fn("good-bad"), roleAddress: role("sts-throttled") }),
  },
  "6 MB payloads": {
    perSecond: 1,
    tenant: () => tenant({ lambda: fn("good-bad"), roleAddress: role("bad") }, { filler: "x".repeat(6_200_000) }),
  },
  "endless answers": { perSecond: 2, tenant: () => tenant({ lambda: fn("endless"), roleAddress: role("bad") }) },
  "settings by template": { perSecond: 170, tenant: templates },
  "external IDs": {
    perSecond: 170,
    tenant: () => tenant({ lambda: fn("good-bad"), roleAddress: role("bad") }, {}, (n) => `source-${n}`),
  },
  "function throttled": {
    perSecond: 200,
    tenant: () => tenant({ lambda: fn("throttled"), roleAddress: role("bad") }),
  },
};

const help = `Usage: npm run bench:neighbours -- [--seconds <n>] [--bad <kind>]

99 tenants send 20 events per second together to functions of 20 ms, while one tenant is bad. Prints what the 99 notice:
their latency against a run without a bad tenant, how often one of them had to assume its role again, and the memory.
A terminal gets a table, a pipe gets JSON.

  --seconds <n>   for each run (60)
  --bad <kind>    only this one: ${Object.keys(BAD).join(", ")}
  --json
`;

async function main(): Promise<void> {
  const { values } = parseArgs({
    options: {
      seconds: { type: "string", default: "60" },
      bad: { type: "string" },
      json: { type: "boolean", default: false },
      help: { type: "boolean", default: false },
    },
  });
  const seconds = Number(values.seconds);
  if (values.help || !(seconds > 0) || (values.bad !== undefined && !(values.bad in BAD))) {
    process.stdout.write(help);
    process.exitCode = values.help ? 0 : 2;
    return;
  }
  const json = values.json || !process.stdout.isTTY;
  const rows =
    values.bad === undefined ? Object.keys(BAD).map((bad) => apart(bad, seconds)) : [await beside(values.bad, seconds)];
  process.stdout.write(json ? `${JSON.stringify(rows, null, 2)}\n` : table(rows));
  // Deliveries to a function that hangs have a quarter of an hour left.
  process.exit();
}

/** In a process of its own: what one bad tenant did to the memory is not held against the next. */
function apart(bad: string, seconds: number): Row {
  if (process.stderr.isTTY) process.stderr.write(`${bad}…\n`);
  const args = [...process.execArgv, process.argv[1] as string, "--bad", bad, "--seconds", String(seconds), "--json"];
  const { stdout } = spawnSync(process.execPath, args, { encoding: "utf8", stdio: ["ignore", "pipe", "inherit"] });
  return (JSON.parse(stdout) as [Row])[0];
}

/** First without the bad tenant, then with it. */
async function beside(bad: string, seconds: number): Promise<Row> {
  const server = fork(join(__dirname, "neighbours-server.cjs"), { stdio: ["ignore", "ignore", "inherit", "ipc"] });
  const [url] = (await once(server, "message")) as [string];
  Object.assign(process.env, {
    AWS_ENDPOINT_URL: url,
    AWS_REGION: REGION,
    AWS_ACCESS_KEY_ID: "AKIDEXAMPLEBENCH0000",
    AWS_SECRET_ACCESS_KEY: "benchSecretThatOpensNothingAtAll00000000",
    AWS_SDK_JS_NODE_VERSION_SUPPORT_WARNING_DISABLED: "true",
  });
  const neighbours = Array.from({ length: NEIGHBOURS }, (_, i) =>
    tenant({ lambda: fn(`good-${i}`), roleAddress: role(`neighbour-${i}`) }),
  );
  for (const neighbour of neighbours) await neighbour(0);
  await measure(neighbours, undefined, seconds / 10);
  const quiet = await measure(neighbours, undefined, seconds);
  server.send("reset");
  const measured = await measure(neighbours, BAD[bad], seconds);
  server.send("count");
  const [{ assumed, invoked }] = (await once(server, "message")) as [Counts];
  server.disconnect();
  const sum = (counts: Readonly<Record<string, number>>, is: (name: string) => boolean) =>
    Object.entries(counts).reduce((total, [name, n]) => (is(name) ? total + n : total), 0);
  const isNeighbours = (name: string) => name.startsWith("neighbour-");
  return {
    bad,
    ...measured,
    quietP99: quiet.p99,
    rise: measured.p99 / quiet.p99,
    assumedAgain: sum(assumed, isNeighbours),
    requests: sum(assumed, (name) => !isNeighbours(name)) + sum(invoked, (name) => !/^good-\d+$/.test(name)),
  };
}

/**
 * Lets all of them send at their pace; what takes long holds nobody up. What the neighbours notice counts from a tenth of the time on: with its first
 * events a bad tenant makes the process compile the code that it uses, which happens once in the process's life.
 */
async function measure(neighbours: readonly Send[], bad: Bad | undefined, seconds: number) {
  const countsFrom = performance.now() + seconds * 100;
  const latencies: number[] = [];
  let failed = 0;
  let events = 0;
  let peak = 0;
  const underWay = new Set<Promise<unknown>>();
  const deliver = (n: number) => {
    const send = neighbours[n % neighbours.length] as Send;
    const startedAt = performance.now();
    const delivery = send(n).then((result) => {
      if (startedAt >= countsFrom) latencies.push(performance.now() - startedAt);
      if ((result as { outcome?: string }).outcome !== "delivered") failed++;
    });
    underWay.add(delivery);
    void delivery.finally(() => underWay.delete(delivery));
  };
  const sendBad = bad?.tenant();
  const timers = [
    everySecond(PER_SECOND, deliver),
    ...(bad && sendBad
      ? [
          everySecond(bad.perSecond, (n) => {
            events++;
            void sendBad(n);
          }),
        ]
      : []),
    setInterval(() => {
      peak = Math.max(peak, process.memoryUsage().rss);
    }, 100),
  ];
  await new Promise((resolve) => setTimeout(resolve, seconds * 1000));
  for (const timer of timers) clearInterval(timer);
  await Promise.all(underWay);
  latencies.sort((a, b) => a - b);
  const at = (share: number) => latencies[Math.floor(latencies.length * share)] ?? Number.NaN;
  collectGarbage();
  const heapMb = Math.round(process.memoryUsage().heapUsed / MB);
  return { p50: at(0.5), p99: at(0.99), failed, events, peakMb: Math.round(peak / MB), heapMb };
}

/** Evenly, and as many as should have been by now, however late the timer is. */
function everySecond(times: number, send: (n: number) => void): NodeJS.Timeout {
  const startedAt = performance.now();
  let sent = 0;
  return setInterval(
    () => {
      const due = ((performance.now() - startedAt) / 1000) * times;
      while (sent < due) send(sent++);
    },
    Math.min(1000 / times, 50),
  );
}

function collectGarbage(): void {
  (globalThis as { gc?: () => void }).gc?.();
}

function table(rows: readonly Row[]): string {
  const header = [
    "bad tenant",
    "p50 ms",
    "p99 ms",
    "rise",
    "failed",
    "assumed again",
    "its events",
    "its requests",
    "peak MB",
    "heap MB",
  ];
  const cells = rows.map((row) =>
    [
      row.bad,
      row.p50.toFixed(1),
      row.quietP99.toFixed(1),
      row.p99.toFixed(1),
      `${Math.round((row.rise - 1) * 100)} %`,
      row.failed,
      row.assumedAgain,
      row.events,
      row.requests,
      row.peakMb,
      row.heapMb,
    ].map(String),
  );
  const widths = header.map((title, column) => Math.max(title.length, ...cells.map((row) => row[column]?.length ?? 0)));
  const line = (row: readonly string[]) =>
    row.map((cell, i) => (i === 0 ? cell.padEnd(widths[i] ?? 0) : cell.padStart(widths[i] ?? 0))).join("  ");
  return `${pc.bold(line(header))}\n${cells.map(line).join("\n")}\n`;
}

main().catch((error: unknown) => {
  process.stderr.write(`${error instanceof Error ? error.stack : String(error)}\n`);
  process.exitCode = 1;
});
