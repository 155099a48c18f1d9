// One run: one face, one seed. A process of its own, that has to end by itself.

import { fork } from "node:child_process";
import { join } from "node:path";
import { KEYS, REGION } from "./account";
import { Lag } from "./lag";
import { longTimers, watchLongTimers } from "./long-timers";
import type { Ledger, Order } from "./server";
import { TRAITS } from "./traits";
import type { Report } from "./verdict";
import { setWallClock } from "./wall-clock";

export interface RunOptions {
  readonly face: string;
  readonly seed: number;
  readonly events: number;
  readonly rate: number;
  readonly backend: "stub" | "embedded";
}

export type FromRun = { readonly progress: number } | { readonly report: Report };

/** Calls that a face has under way at most, before and after a crash, and some. */
const MOST_CONNECTIONS = 250;
/** Milliseconds after which it is told what keeps the process alive. */
const STILL_THERE_MS = 4000;
/** Milliseconds that connections may take to close. */
const CLOSING_MS = 3000;

async function main(options: RunOptions): Promise<void> {
  const server = fork(join(__dirname, "server.cjs"), {
    stdio: ["ignore", "ignore", "inherit", "ipc"],
    serialization: "advanced",
  });
  const answered = <T>(key: string): Promise<T> =>
    new Promise((resolve) => {
      const take = (message: object) => {
        if (!(key in message)) return;
        server.off("message", take);
        resolve((message as Record<string, T>)[key] as T);
      };
      server.on("message", take);
    });
  const order = (given: Order) => void server.send(given);
  const { seed, events, rate, backend } = options;
  const traits = TRAITS[options.face] ?? {};
  const listening = answered<number>("port");
  order({ do: "start", seed, events, rate, backend, traits });
  Object.assign(process.env, {
    // A name, not an address: it has to be looked up.
    AWS_ENDPOINT_URL: `http://localhost:${await listening}`,
    AWS_REGION: REGION,
    AWS_ACCESS_KEY_ID: KEYS.accessKeyId,
    AWS_SECRET_ACCESS_KEY: KEYS.secretAccessKey,
    AWS_SDK_JS_NODE_VERSION_SUPPORT_WARNING_DISABLED: "true",
  });
  setWallClock(0);
  watchLongTimers();
  // Not before the environment and the clock are set.
  const { FACES } = await import("./faces");
  const { ModelHost } = await import("./model-host");
  const { verdict } = await import("./verdict");
  const newFace = FACES[options.face];
  if (!newFace) throw new Error(`There is no face ${options.face}; there are ${Object.keys(FACES).join(", ")}.`);

  const lag = new Lag();
  let told = 0;
  const startedAt = performance.now();
  const host = new ModelHost({
    seed,
    events,
    newFace,
    order,
    lag,
    onProgress(ended) {
      if (ended - told < events / 100) return;
      told = ended;
      process.send?.({ progress: ended } satisfies FromRun);
    },
  });
  const outcomes = await host.run();
  lag.stop();
  const seconds = Math.round((performance.now() - startedAt) / 100) / 10;
  const leaks = await openConnections();
  const ledger = answered<Ledger>("ledger");
  order({ do: "ledger" });
  const report = verdict({ ...options, traits, seconds, leaks }, outcomes, await ledger);
  await new Promise((sent) => process.send?.({ report } satisfies FromRun, sent));
  server.disconnect();
  process.disconnect();
  setTimeout(() => {
    process.stderr.write(`Still there: ${process.getActiveResourcesInfo().join(", ")}\n${longTimers().join("\n")}\n`);
  }, STILL_THERE_MS).unref();

  /** Connections stay for the next delivery, shared by all of a process; but no more of them than were in use at once. */
  async function openConnections(): Promise<string[]> {
    for (const since = performance.now(); ; ) {
      const counted = answered<number>("connections");
      order({ do: "count" });
      const open = await counted;
      if (open <= MOST_CONNECTIONS) return [];
      if (performance.now() - since > CLOSING_MS) return [`${open} connections are open after close()`];
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
  }
}

main(JSON.parse(process.argv[2] ?? "{}") as RunOptions).catch((error: unknown) => {
  process.stderr.write(`${error instanceof Error ? error.stack : String(error)}\n`);
  process.exit(1);
});
