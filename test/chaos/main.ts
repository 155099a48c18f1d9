// `npm run test:chaos`: hostile surroundings, model hosts, and a ledger of what the functions really took.
import { fork } from "node:child_process";
import { join } from "node:path";
import { parseArgs } from "node:util";
import pc from "picocolors";
import type { FromRun, RunOptions } from "./run";
import { TRAITS } from "./traits";
import { problemsOf, type Report } from "./verdict";

const FACES = Object.keys(TRAITS);
const BACKENDS = ["stub", "embedded"] as const;

const help = `Usage: npm run test:chaos -- [options]

Feeds numbered events through every face of the destination while AWS, the network, the clock and the host misbehave,
and compares what the hosts were told with what the functions really took. Without options: the short run.

  --seed <n>         first seed (1)
  --seeds <n>        how many seeds (1); the long run is --seeds 20 --events 50000
  --events <n>       events per face and seed (1000)
  --face <name>      one face only: ${FACES.join(", ")}
  --aws <kind>       stub: fast, checks sessions and clocks; embedded: checks signatures and policies too, and runs functions;
                     default: by turns, by seed and face
  --jobs <n>         runs at once (1): they mostly wait
  --rate <share>     share of requests that something happens to (0.05)
  --json             a line of JSON per run
  --defects          puts defects back into the source one by one (test/chaos/defects.mjs), and tells which seed finds each;
                     with --face: those of that face
  --help

Exit codes: 0 nothing lost and nothing false, 1 something was, 2 wrong usage.
`;

/** Milliseconds that a run may take to end by itself once all is closed. */
const ENDING_MS = 5000;

async function main(): Promise<void> {
  const { values } = parseArgs({
    options: {
      seed: { type: "string", default: "1" },
      seeds: { type: "string", default: "1" },
      events: { type: "string", default: "1000" },
      face: { type: "string" },
      aws: { type: "string" },
      jobs: { type: "string", default: "1" },
      rate: { type: "string", default: "0.05" },
      json: { type: "boolean", default: false },
      help: { type: "boolean", default: false },
    },
  });
  if (values.help) {
    process.stdout.write(help);
    return;
  }
  const [first = 1, seeds = 1, events = 1, jobs = 1, rate = 0] = [
    values.seed,
    values.seeds,
    values.events,
    values.jobs,
    values.rate,
  ].map(Number);
  const faces = FACES.filter((face) => values.face === undefined || face === values.face);
  const known = values.aws === undefined || (BACKENDS as readonly string[]).includes(values.aws);
  if (faces.length === 0 || !known || !(first >= 0 && seeds > 0 && events > 0 && jobs > 0 && rate >= 0)) {
    process.stderr.write(help);
    process.exitCode = 2;
    return;
  }
  const reports: Report[] = [];
  const runs = Array.from({ length: seeds }, (_, i) => first + i).flatMap((seed) =>
    faces.map((face, i): RunOptions => {
      const either = (values.aws ?? BACKENDS[(seed + i) % BACKENDS.length]) as RunOptions["backend"];
      const backend = TRAITS[face]?.once ? "embedded" : either;
      return { face, seed, events, rate, backend };
    }),
  );
  const worker = async () => {
    for (let next = runs.shift(); next; next = runs.shift()) {
      const report = await run(next);
      reports.push(report);
      process.stdout.write(values.json ? `${JSON.stringify(report)}\n` : line(report));
    }
  };
  await Promise.all(Array.from({ length: jobs }, worker));
  if (!values.json) process.stdout.write(summary(reports));
  if (reports.some((report) => problemsOf(report).length > 0)) process.exitCode = 1;
}

function run(options: RunOptions): Promise<Report> {
  return new Promise((resolve, reject) => {
    const child = fork(join(__dirname, "run.cjs"), [JSON.stringify(options)], {
      execArgv: ["--expose-gc", "--enable-source-maps"],
      stdio: ["ignore", "inherit", "inherit", "ipc"],
      serialization: "advanced",
    });
    let report: Report | undefined;
    let impatience: NodeJS.Timeout | undefined;
    child.on("message", (message: FromRun) => {
      if ("progress" in message) return progress(options, message.progress);
      report = message.report;
      impatience = setTimeout(() => child.kill("SIGKILL"), ENDING_MS);
    });
    child.on("exit", (code, signal) => {
      clearTimeout(impatience);
      progress(options);
      if (!report)
        reject(new Error(`The run of ${options.face} with seed ${options.seed} ended with ${code ?? signal}.`));
      else if (signal) resolve({ ...report, leaks: [...report.leaks, "the process did not end by itself"] });
      else resolve(report);
    });
  });
}

function progress({ face, seed, events }: RunOptions, ended?: number): void {
  if (!process.stderr.isTTY) return;
  process.stderr.write(
    ended === undefined ? "\r\u001b[K" : `\r${face}, seed ${seed}: ${Math.round((ended / events) * 100)} %`,
  );
}

function line(report: Report): string {
  const { face, backend, seed, events, delivered, skipped, rejected, retries, requests, repeated, heapMb, seconds } =
    report;
  const problems = problemsOf(report);
  const figures = `${delivered} delivered, ${skipped} skipped, ${rejected} rejected; ${retries} retries, ${requests} requests, ${repeated} came again; heap ${heapMb.join(" > ")} MB, ${seconds} s`;
  const mark = problems.length === 0 ? pc.green("✓") : pc.red("✗");
  return [
    `${mark} ${pc.bold(face)} (${backend}, seed ${seed}, ${events} events): ${figures}`,
    ...problems.slice(0, 10).map((problem) => `  ${pc.red(problem)}`),
    ...(problems.length > 10 ? [`  and ${problems.length - 10} more`] : []),
    ...(problems.length > 0
      ? [
          `  Retries: ${Object.entries(report.retriesByCode)
            .map(([code, n]) => `${code} ${n}`)
            .join(", ")}; dead-lettered ${report.deadLettered}`,
          `  Again: npm run test:chaos -- --face ${face} --aws ${backend} --seed ${seed} --events ${events}`,
        ]
      : []),
    "",
  ].join("\n");
}

function summary(reports: readonly Report[]): string {
  const total = (of: (report: Report) => number) => reports.reduce((sum, report) => sum + of(report), 0);
  const merged = (of: (report: Report) => Readonly<Record<string, number>>) => {
    const all: Record<string, number> = {};
    for (const report of reports) for (const [name, n] of Object.entries(of(report))) all[name] = (all[name] ?? 0) + n;
    return all;
  };
  const strikes = merged(({ strikes: own }) => own);
  const again = merged(({ again: own }) => own);
  const width = Math.max(...Object.keys(strikes).map((name) => name.length));
  return [
    "",
    pc.bold(`${"Fault".padEnd(width)}  struck  came again`),
    ...Object.entries(strikes)
      .sort(([a], [b]) => a.localeCompare(b))
      .map(([name, n]) => `${name.padEnd(width)}  ${String(n).padStart(6)}  ${String(again[name] ?? 0).padStart(10)}`),
    "",
    `${total(({ events }) => events)} events: ${total(({ lost }) => lost)} lost, ${total(({ falselyDelivered }) => falselyDelivered)} falsely delivered, ` +
      `${total(({ falselyRejected }) => falselyRejected)} falsely rejected, ${total(({ unexplained }) => unexplained)} unexplained duplicates, ` +
      `${total(({ late }) => late)} past their deadline, ${total(({ trapped }) => trapped)} redirects followed.`,
    "",
  ].join("\n");
}

main().catch((error: unknown) => {
  process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n`);
  process.exitCode = 1;
});
