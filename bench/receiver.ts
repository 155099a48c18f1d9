// What an event costs through the receiver beside deliver() alone: CPU time of `serve` as it is built, over 200 connections, with one event per
// request and with 100, in one process and in three. AWS is a stub that answers without looking; the load comes from this process.
import { type ChildProcess, fork, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { Agent, request } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { text } from "node:stream/consumers";
import { parseArgs } from "node:util";

const CONNECTIONS = 200;
const SECRET = "a-secret-of-the-benchmark";

const help = `Usage: npm run bench:receiver -- [--events <n>] [--rounds <n>] [--processes <n>]

CPU time per event through the receiver over that of deliver(). Run \`npm run build\` before. Prints JSON.
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

async function main(): Promise<void> {
  const { values } = parseArgs({
    options: {
      events: { type: "string", default: "20000" },
      rounds: { type: "string", default: "5" },
      processes: { type: "string", default: "3" },
      help: { type: "boolean" },
    },
  });
  if (values.help) return void process.stdout.write(help);
  const [events, rounds, processes] = [values.events, values.rounds, values.processes].map(Number);
  if (!events || !rounds || !processes) throw new Error(help);

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
    };
    const settings = { lambda: functionArn, roleAddress: roleArn, externalId: "bench", timeoutMs: 30_000 };
    const file = join(folder, "connections.json");
    const webhook = [{ type: "bearer", secrets: [SECRET] }];
    writeFileSync(
      file,
      JSON.stringify({ connections: { bench: { settings, webhook, writeKeys: [{ key: "bench" }] } } }),
    );
    for (let i = 0; i < processes; i++) services.push(await startService(file, env));
    const baseline = fork(join(__dirname, "receiver-baseline.cjs"), {
      env,
      stdio: ["ignore", "inherit", "inherit", "ipc"],
    });
    const deliver = async (): Promise<number> => {
      baseline.send({ settings, event: EVENT, events, concurrency: CONNECTIONS });
      return ((await once(baseline, "message")) as [number])[0];
    };
    const [one] = services as [Service];
    const contenders: Readonly<Record<string, () => Promise<number>>> = {
      deliver,
      webhook: () => load([one], "/webhook/bench", 1, events),
      tracking: () => load([one], "/v1/track", 1, events),
      webhook100: () => load([one], "/webhook/bench", 100, events),
      processes: () => load(services, "/webhook/bench", 1, events),
    };
    const measured = new Map<string, number[]>(Object.keys(contenders).map((name) => [name, []]));
    // The first round warms up.
    for (let round = 0; round <= rounds; round++) {
      for (const [name, run] of Object.entries(contenders)) {
        const micros = await run();
        if (round > 0) measured.get(name)?.push(micros);
        process.stderr.write(`round ${round} ${name}: ${micros.toFixed(1)} µs\n`);
      }
    }
    const ratio = (name: string, over: string) => {
      const below = measured.get(over) ?? [];
      return Number(
        median((measured.get(name) ?? []).map((micros, i) => micros / (below[i] ?? Number.NaN))).toFixed(3),
      );
    };
    const result = {
      cpuMicros: Object.fromEntries([...measured].map(([name, each]) => [name, Math.round(median(each))])),
      ratios: {
        single: ratio("webhook", "deliver"),
        tracking: ratio("tracking", "deliver"),
        batch100: ratio("webhook100", "deliver"),
        [`processes${processes}`]: ratio("processes", "webhook"),
      },
    };
    process.stdout.write(`${JSON.stringify(result, null, 2)}\n`);
    baseline.disconnect();
  } finally {
    for (const { child } of services) child.kill("SIGKILL");
    aws.disconnect();
    rmSync(folder, { recursive: true });
  }
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
async function load(services: readonly Service[], path: string, size: number, events: number): Promise<number> {
  const agents = services.map(
    () => new Agent({ keepAlive: true, maxSockets: Math.ceil(CONNECTIONS / services.length) }),
  );
  let left = events;
  const worker = async (_: unknown, i: number) => {
    const service = services[i % services.length] as Service;
    const agent = agents[i % services.length] as Agent;
    for (; left > 0; ) {
      left -= size;
      const all = Array.from({ length: size }, (_, n) => ({
        ...EVENT,
        messageId: `m-${left}-${n}`,
        userId: `u-${left + n}`,
      }));
      await post(service.url + path, agent, JSON.stringify(size === 1 ? all[0] : all));
    }
  };
  const before = await cpuSeconds(services);
  await Promise.all(Array.from({ length: CONNECTIONS }, worker));
  const after = await cpuSeconds(services);
  for (const agent of agents) agent.destroy();
  return ((after - before) * 1e6) / events;
}

function post(url: string, agent: Agent, body: string): Promise<void> {
  return new Promise((resolve, reject) => {
    const isTracking = url.endsWith("/v1/track");
    const authorization = isTracking ? `Basic ${Buffer.from("bench:").toString("base64")}` : `Bearer ${SECRET}`;
    const headers = { authorization, "content-type": "application/json", "content-length": Buffer.byteLength(body) };
    const outgoing = request(url, { method: "POST", agent, headers }, async (response) => {
      const answer = await text(response);
      if (response.statusCode === 200) resolve();
      else reject(new Error(`Answered ${response.statusCode}: ${answer.slice(0, 500)}`));
    });
    outgoing.on("error", reject).end(body);
  });
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

main().catch((error: unknown) => {
  process.stderr.write(`${error instanceof Error ? error.stack : String(error)}\n`);
  process.exitCode = 1;
});
