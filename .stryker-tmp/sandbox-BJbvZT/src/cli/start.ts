// @ts-nocheck
import { once } from "node:events";
import type { Server } from "node:http";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import { parseArgs } from "node:util";
import type { DeliveryOutcome } from "../delivery/delivery-result";
import { createJitsuHost } from "../local/jitsu-host";
import { type LocalAccount, NoFunctions, startLocalAccount } from "../local/local-account";
import type { LocalHost, OnTry, Source, Try } from "../local/local-host";
import { createRudderStackHost } from "../local/rudderstack-host";
import { BACKEND, callTypeSamples, type Sample, sampleEvents, WEBSITE } from "../local/samples";
import { trackingApi } from "../local/tracking-api";
import { operatorPolicyFromEnvironment } from "../settings/operator-policy";
import { SettingsError } from "../settings/settings-error";
import { type Command, type ExitCode, type Io, UsageError } from "./command";
import { packageRoot } from "./package-root";
import { jsonOutput, readableOutput } from "./start-output";

const DEFAULT_PORT = 8788;
/** Milliseconds of a minute between two tries: nobody waits ten minutes to see a retry. */
const MS_PER_MINUTE = 1;

const HOSTS: Readonly<Record<string, (onTry: OnTry) => LocalHost>> = {
  jitsu: (onTry) => createJitsuHost(onTry, MS_PER_MINUTE),
  rudderstack: (onTry) => createRudderStackHost(onTry, MS_PER_MINUTE),
};

const help = `Usage: amazon-lambda-destination start [options]

Runs Lambda functions on this machine and a router that delivers events to them, without an AWS account.

  --functions <dir>   your own handlers in JavaScript: track.mjs, identify.mjs … and lambda.mjs for call types without
                      one; a change in the folder counts from the next event on, a new handler or settings.json from
                      the next start on; settings.json may hold any setting (default: the examples of this package)
  --host <name>       the router whose part is played: ${Object.keys(HOSTS).join(" or ")} (default jitsu)
  --port <n>          port of the router (default ${DEFAULT_PORT}; with --once any free one)
  --once              sends the sample events, prints a summary and ends
  --json              prints one delivery result per line, and a summary as the last line
  --help

The router takes Segment's tracking API: POST /v1/track, identify, page, screen, group, alias, batch.
Exit codes: 0 every sample ended as it should, 1 one did not, 2 wrong usage.
`;

export const start: Command = { summary: "Runs functions and a router on this machine, without AWS", help, run };

async function run(argv: readonly string[], io: Io): Promise<ExitCode> {
  const { values } = parseArgs({
    args: [...argv],
    options: {
      functions: { type: "string" },
      host: { type: "string", default: "jitsu" },
      port: { type: "string" },
      once: { type: "boolean", default: false },
      json: { type: "boolean", default: false },
    },
  });
  const createHost = Object.hasOwn(HOSTS, values.host) ? HOSTS[values.host] : undefined;
  if (!createHost) throw new UsageError(`--host must be one of ${Object.keys(HOSTS).join(", ")}.`);
  const port = portNumber(values.port ?? (values.once ? "0" : String(DEFAULT_PORT)));
  const ownFunctions = values.functions !== undefined;
  const account = await openAccount(values.functions ?? join(packageRoot(), "examples", "functions"));
  setEnvironment(account.environment);
  const sources: Source[] = [{ id: WEBSITE, settings: account.settings() }];
  if (!ownFunctions)
    sources.push({ id: BACKEND, settings: { ...account.settings(["track", "identify"]), eventLambdas: {} } });
  await follow(account, sources, io);
  const writeKeys = sources.map(({ id }) => id);
  // What else there is to see depends on the examples' own functions.
  const samples = ownFunctions ? callTypeSamples() : sampleEvents();
  const output = values.json ? jsonOutput(io) : readableOutput(io);
  const tries: Try[] = [];
  const router = new LocalRouter(
    sources,
    (onTry) => createHost(onTry),
    (attempt) => {
      // A router that runs for days must not grow; without --once nothing is checked at the end.
      if (values.once) tries.push(attempt);
      output.tried(attempt);
    },
  );

  const interruption = awaitInterruption(io);
  try {
    const url = await router.listen(port);
    output.introduce(account, url, writeKeys);
    for (const sample of samples) {
      if (interruption.happened) break;
      await post(url, sample);
      await router.idle();
    }
    if (!values.once) {
      output.invite(account, url, writeKeys);
      await interruption.promise;
    }
  } finally {
    if (router.underWay > 0)
      io.stderr.write(`Waiting for deliveries under way: ${router.underWay}. Ctrl-C again ends at once.\n`);
    await router.close();
    await account.aws.close();
  }
  output.summarise(router.counts, router.givenUp);
  const wrong = values.once ? samples.filter((sample) => !endedAsItShould(sample, tries, ownFunctions)) : [];
  for (const { body } of wrong) io.stderr.write(`${body.messageId} did not end as it should.\n`);
  return wrong.length === 0 ? 0 : 1;
}

/** The tracking API, and behind it a host that delivers what it takes in. */
class LocalRouter {
  readonly counts: Record<DeliveryOutcome, number> = { delivered: 0, skipped: 0, retry: 0, rejected: 0 };
  /** Events whose last retry failed. */
  givenUp = 0;
  readonly #server: Server;
  readonly #underWay = new Set<Promise<void>>();

  constructor(sources: readonly Source[], createHost: (onTry: OnTry) => LocalHost, onTry: OnTry) {
    const byWriteKey = new Map(sources.map((source) => [source.id, source]));
    const host = createHost((attempt) => {
      this.counts[attempt.result.outcome]++;
      if (attempt.next === "dead letter") this.givenUp++;
      onTry(attempt);
    });
    this.#server = trackingApi(
      (key) => byWriteKey.has(key),
      ({ writeKey, event }) => {
        const source = byWriteKey.get(writeKey);
        if (!source) return;
        const delivery = host.deliver(event, source).finally(() => this.#underWay.delete(delivery));
        this.#underWay.add(delivery);
      },
    );
  }

  async listen(port: number): Promise<string> {
    this.#server.listen(port, "127.0.0.1");
    try {
      await once(this.#server, "listening");
    } catch (error) {
      throw new UsageError(
        `Cannot listen on port ${port} (${(error as NodeJS.ErrnoException).code}). Choose another with --port.`,
      );
    }
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
  }

  /** Events that have not come to their end. */
  get underWay(): number {
    return this.#underWay.size;
  }

  /** Resolves once every event has come to its end. */
  async idle(): Promise<void> {
    while (this.#underWay.size > 0) await Promise.all(this.#underWay);
  }

  async close(): Promise<void> {
    this.#server.close();
    await this.idle();
    this.#server.closeAllConnections();
  }
}

function portNumber(text: string): number {
  const port = Number(text);
  if (!/^\d+$/.test(text) || port > 65_535) throw new UsageError("--port must be a number from 0 to 65535.");
  return port;
}

async function openAccount(folder: string): Promise<LocalAccount> {
  try {
    return await startLocalAccount(folder);
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException;
    if (code === "ENOENT" || code === "ENOTDIR") throw new UsageError(`There is no folder ${folder}.`);
    throw error instanceof NoFunctions ? new UsageError(message) : error;
  }
}

/** A mistake in `settings.json` is told once, not with each event. */
async function follow(account: LocalAccount, sources: readonly Source[], { stderr }: Io): Promise<void> {
  try {
    const notes = await account.follow(sources, operatorPolicyFromEnvironment(process.env));
    for (const note of notes) stderr.write(`Note: ${note}\n`);
  } catch (error) {
    await account.aws.close();
    throw error instanceof SettingsError ? new UsageError(error.message) : error;
  }
}

/** The AWS SDK takes identity and endpoint from the process's environment; whatever leads to the real AWS is removed. */
function setEnvironment(environment: LocalAccount["environment"]): void {
  for (const [name, value] of Object.entries(environment)) {
    if (value === undefined) delete process.env[name];
    else process.env[name] = value;
  }
}

async function post(url: string, { endpoint, writeKey, body }: Sample): Promise<void> {
  const response = await fetch(`${url}/v1/${endpoint}`, {
    method: "POST",
    headers: { "content-type": "application/json", authorization: `Basic ${btoa(`${writeKey}:`)}` },
    body: JSON.stringify(body),
  });
  if (!response.ok) throw new Error(`The router refused a sample: ${await response.text()}`);
}

function endedAsItShould({ body, ends }: Sample, tries: readonly Try[], ownFunctions: boolean): boolean {
  const mine = tries.filter(({ event }) => (event as { messageId?: unknown }).messageId === body.messageId);
  // One's own functions may take or skip a call type, in as many tries as they like.
  if (ownFunctions) return ["delivered", "skipped"].includes(mine.at(-1)?.result.outcome ?? "");
  return mine.map(({ result }) => result.outcome).join() === ends.join();
}

/** The user's Ctrl-C, from now on. */
function awaitInterruption(io: Io): { readonly promise: Promise<void>; readonly happened: boolean } {
  let happened = false;
  const promise = new Promise<void>((resolve) => {
    const stop = io.onInterrupt(() => {
      stop();
      happened = true;
      resolve();
    });
  });
  return {
    promise,
    get happened() {
      return happened;
    },
  };
}
