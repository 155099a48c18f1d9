// What becomes of events where a function has less room than there are callers: how much of its capacity is used, and how often AWS is asked in vain.
import { fork } from "node:child_process";
import { once } from "node:events";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { Places } from "../src/delivery/lanes";
import { AmazonLambdaDestination } from "../src/hosts/jitsu/index";
import { createDestination } from "../src/index";
import type { Counts } from "./neighbours-server";

const FUNCTION = "reserved-5";
/** Invocations that it takes in a second: 5 at once, 100 ms each. */
const PER_SECOND = 50;
const CALLERS = 200;
/** Jitsu's rotor tries a failed event again so often, then gives it to the dead-letter topic. */
const JITSU_RETRIES = 3;
/** Events that a rotor works on at once; the others wait in its topic. */
const JITSU_CONCURRENCY = 10;
const SETTINGS = {
  lambda: `arn:aws:lambda:us-east-1:123456789012:function:${FUNCTION}`,
  roleAddress: "arn:aws:iam::123456789012:role/router-events-invoker",
  timeoutMs: 5000,
};

const help = `Usage: npm run bench:throttled -- [--seconds <n>] [--jitsu]

A function of 100 ms with a reserved concurrency of 5 has ${CALLERS} callers, each with one event after the other, who come back
after retryAfterMs where they are told to. With --jitsu the events come at twice the function's capacity, through Jitsu's
destination function and its host's ${JITSU_RETRIES} retries, ${JITSU_CONCURRENCY} at once; the 10 minutes and more before a retry, in which nothing happens, are shortened.

  --seconds <n>   of load (60)
  --jitsu
`;

async function main(): Promise<void> {
  const { values } = parseArgs({
    options: {
      seconds: { type: "string", default: "60" },
      jitsu: { type: "boolean", default: false },
      help: { type: "boolean", default: false },
    },
  });
  const seconds = Number(values.seconds);
  if (values.help || !(seconds > 0)) {
    process.stdout.write(help);
    process.exitCode = values.help ? 0 : 2;
    return;
  }
  const server = fork(join(__dirname, "neighbours-server.cjs"), { stdio: ["ignore", "ignore", "inherit", "ipc"] });
  const [url] = (await once(server, "message")) as [string];
  Object.assign(process.env, {
    AWS_ENDPOINT_URL: url,
    AWS_REGION: "us-east-1",
    AWS_ACCESS_KEY_ID: "AKIDEXAMPLEBENCH0000",
    AWS_SECRET_ACCESS_KEY: "benchSecretThatOpensNothingAtAll00000000",
    AWS_SDK_JS_NODE_VERSION_SUPPORT_WARNING_DISABLED: "true",
  });
  const figures = values.jitsu ? await throughJitsu(seconds) : await byCallers(seconds);
  server.send("count");
  const [{ invoked }] = (await once(server, "message")) as [Counts];
  server.disconnect();
  const sent = invoked[FUNCTION] ?? 0;
  process.stdout.write(
    `${JSON.stringify({ ...figures, sent, sentPerDelivered: rounded(sent / figures.delivered) }, null, 2)}\n`,
  );
}

async function byCallers(seconds: number) {
  const destination = createDestination(SETTINGS);
  const end = performance.now() + seconds * 1000;
  let delivered = 0;
  let retries = 0;
  let n = 0;
  const caller = async () => {
    for (;;) {
      const event = { type: "track", event: "Bench", userId: "u", messageId: `m-${n++}` };
      for (let done = false; !done; ) {
        if (performance.now() >= end) return;
        const { outcome, retryAfterMs = 1000 } = await destination.deliver(event, { sourceId: "my-source-id" });
        done = outcome === "delivered";
        if (done) delivered++;
        else {
          retries++;
          await new Promise((resolve) => setTimeout(resolve, retryAfterMs));
        }
      }
    }
  };
  await Promise.all(Array.from({ length: CALLERS }, caller));
  await destination.close();
  return { delivered, ofCapacity: rounded(delivered / (PER_SECOND * seconds)), retries };
}

async function throughJitsu(seconds: number) {
  const log = { info() {}, warn() {}, debug() {}, error() {} };
  const context = { log, props: SETTINGS, source: { id: "my-source-id" }, workspace: { id: "my-workspace-id" } };
  /** Longer than the load, as the host's 10 minutes are. */
  const retryMs = seconds * 1000 + 5000;
  let delivered = 0;
  let retries = 0;
  let deadLettered = 0;
  const underWay: Promise<void>[] = [];
  const rotor = new Places(JITSU_CONCURRENCY);
  const deliver = async (event: Record<string, unknown>) => {
    for (let retry = 0; ; retry++) {
      try {
        await rotor.taken(() => AmazonLambdaDestination(event, { ...context, retries: retry } as typeof context));
        delivered++;
        return;
      } catch (error) {
        if ((error as Error).name !== "RetryError") throw error;
        if (retry === JITSU_RETRIES) {
          deadLettered++;
          return;
        }
        retries++;
        await new Promise((resolve) => setTimeout(resolve, retryMs));
      }
    }
  };
  const startedAt = performance.now();
  const events = 2 * PER_SECOND * seconds;
  for (let n = 0; n < events; n++) {
    const wait = startedAt + (n * 1000) / (2 * PER_SECOND) - performance.now();
    if (wait > 0) await new Promise((resolve) => setTimeout(resolve, wait));
    underWay.push(deliver({ type: "track", event: "Bench", userId: "u", messageId: `m-${n}` }));
  }
  await Promise.all(underWay);
  return { events, delivered, retries, deadLettered };
}

function rounded(share: number): number {
  return Math.round(share * 1000) / 1000;
}

main().catch((error: unknown) => {
  process.stderr.write(`${error instanceof Error ? error.stack : String(error)}\n`);
  process.exitCode = 1;
});
