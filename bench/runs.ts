// What the benchmarks of processes beside each other share: their options, their event, and how far the processes have come.
import { setTimeout as sleep } from "node:timers/promises";
import { parseArgs } from "node:util";

export const USERS = 1000;
export const EVENT = {
  type: "track",
  event: "Order Completed",
  properties: { orderId: "50314b8e9bcf000000000000", total: 27.5, currency: "USD", products: [{ sku: "45790-32" }] },
  context: { ip: "192.0.2.1", library: { name: "bench", version: "1.0.0" }, userAgent: "Mozilla/5.0" },
};

/** @returns nothing where the help was asked for, and is printed */
export function runOptions(help: string): { readonly events: number; readonly processes: number } | undefined {
  const { values } = parseArgs({
    options: {
      events: { type: "string", default: "20000" },
      processes: { type: "string", default: "3" },
      help: { type: "boolean" },
    },
  });
  if (values.help) return void process.stdout.write(help);
  const [events, processes] = [Number(values.events), Number(values.processes)];
  if (!(events >= 1000 && processes >= 1)) throw new Error(help);
  return { events, processes };
}

/** What the processes' metrics add up to. */
interface Progress {
  readonly at: number;
  readonly delivered: number;
  readonly cpuSeconds: number;
}

/**
 * Waits until the processes have delivered everything. From a tenth of it on it counts: what starting costs is left out.
 *
 * @param metrics where each process tells its own; one that does not answer yet has delivered nothing
 * @param deliveredMetric finds the number of deliveries
 */
export async function measureRun(metrics: readonly string[], deliveredMetric: RegExp, events: number): Promise<object> {
  const begin = await reached(metrics, deliveredMetric, events / 10);
  const end = await reached(metrics, deliveredMetric, events);
  const delivered = end.delivered - begin.delivered;
  return {
    deliveriesPerSecond: Math.round((delivered * 1000) / (end.at - begin.at)),
    cpuMicrosPerEvent: Math.round(((end.cpuSeconds - begin.cpuSeconds) * 1e6) / delivered),
    twice: end.delivered - events,
  };
}

async function reached(metrics: readonly string[], deliveredMetric: RegExp, wanted: number): Promise<Progress> {
  for (;;) {
    const progress = await progressOf(metrics, deliveredMetric);
    if (progress.delivered >= wanted) return progress;
    await sleep(20);
  }
}

async function progressOf(metrics: readonly string[], deliveredMetric: RegExp): Promise<Progress> {
  const each = metrics.map((url) =>
    fetch(url).then(
      (answer) => answer.text(),
      () => "",
    ),
  );
  const texts = await Promise.all(each);
  const sum = (metric: RegExp) => texts.reduce((total, text) => total + Number(metric.exec(text)?.[1] ?? 0), 0);
  return {
    at: performance.now(),
    delivered: sum(deliveredMetric),
    cpuSeconds: sum(/^process_cpu_seconds_total (\S+)/m),
  };
}

/** Runs a benchmark, and says in a line why it could not. */
export function runBenchmark(main: () => Promise<void>): void {
  main().catch((error: unknown) => {
    process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n`);
    process.exitCode = 1;
  });
}
