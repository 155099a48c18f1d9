import { spawn } from "node:child_process";
import { join, resolve, sep } from "node:path";
import { parseArgs } from "node:util";
import { version } from "../../package.json";
import { CALL_TYPES } from "../events/segment-event";
import { FollowedFolder } from "../local/followed-folder";
import { NoFunctions } from "../local/handler-files";
import { createJitsuHost } from "../local/jitsu-host";
import { type LocalAccount, type LocalAccountOptions, startLocalAccount } from "../local/local-account";
import type { LocalHost, OnTry, Source, Try } from "../local/local-host";
import { LocalRouter } from "../local/local-router";
import { Journal } from "../local/page-server/journal";
import { createPageHandler } from "../local/page-server/page-server";
import type { SampleCall } from "../local/page-server/protocol";
import { createRudderStackHost } from "../local/rudderstack-host";
import { RunWatch } from "../local/run-watch";
import { BACKEND, callTypeSamples, type Sample, sampleEvents, WEBSITE } from "../local/samples";
import { operatorPolicyFromEnvironment } from "../settings/operator-policy";
import { SettingsError } from "../settings/settings-error";
import { type Command, type ExitCode, type Io, UsageError } from "./command";
import { writeEnvFile } from "./env-file";
import { packageRoot } from "./package-root";
import { importSettings } from "./settings-import";
import { jsonOutput, readableOutput } from "./start-output";
import { awsKeys, readStartSettings } from "./start-settings";

const DEFAULT_PORT = 8788;
/** Milliseconds of a minute between two tries: nobody waits ten minutes to see a retry. */
const MS_PER_MINUTE = 1;
/** Milliseconds in which RudderStack's events are collected: enough for those of one request, too short to be felt. */
const BATCH_TIMEOUT_MS = 20;

const HOSTS: Readonly<Record<string, (onTry: OnTry) => LocalHost>> = {
  jitsu: (onTry) => createJitsuHost(onTry, MS_PER_MINUTE),
  rudderstack: (onTry) => createRudderStackHost(onTry, { minuteMs: MS_PER_MINUTE, batchTimeoutMs: BATCH_TIMEOUT_MS }),
};

const help = `Usage: amazon-lambda-destination start [options]

Runs Lambda functions on this machine, and a router that delivers events to them: no AWS account needed. Open the
router's address in a browser to watch every delivery, send events and fill in the settings.

  --functions <dir>   folder with your handlers in JavaScript, TypeScript or Python: track.mjs, identify.ts, page.py or a
                      folder such as group/index.mjs; lambda.mjs gets the call types that have none of their own, and
                      settings.json may hold any setting. Changes in the folder take effect from the next event on
                      (default: the examples of this package)
  --settings <file>   a destination's real settings: role, external ID and functions are set up to match, and each
                      function runs the handler of its name in the folder
  --source-id <id>    the source's ID: also the router's write key, and the external ID if the settings have none
                      (default ${WEBSITE})
  --host <name>       the router to imitate: ${Object.keys(HOSTS).join(" or ")} (default jitsu)
  --port <n>          port of the router (default ${DEFAULT_PORT}; any free one with --once)
  --open              opens the page in a browser
  --aws               lets the page check the connection to the real AWS too, with this terminal's identity
  --aws-port <n>      port of the AWS on this machine (default: any free one)
  --aws-keys <id:key> access key ID and secret of the router in that AWS (default: random ones)
  --write-env <file>  where to write the variables that another terminal needs to reach that AWS (default: a temporary
                      file)
  --once              sends the sample events, prints a summary and exits
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
      settings: { type: "string" },
      "source-id": { type: "string", default: WEBSITE },
      "aws-port": { type: "string" },
      "aws-keys": { type: "string" },
      "write-env": { type: "string" },
      open: { type: "boolean", default: false },
      aws: { type: "boolean", default: false },
      once: { type: "boolean", default: false },
      json: { type: "boolean", default: false },
    },
  });
  const createHost = Object.hasOwn(HOSTS, values.host) ? HOSTS[values.host] : undefined;
  if (!createHost) throw new UsageError(`--host must be one of ${Object.keys(HOSTS).join(", ")}.`);
  const port = portNumber("--port", values.port ?? (values.once ? "0" : String(DEFAULT_PORT)));
  const sourceId = values["source-id"];
  const real = values.settings === undefined ? undefined : await readStartSettings(values.settings, io);
  const ownFunctions = values.functions !== undefined || real !== undefined;
  const folder = values.functions ?? join(packageRoot(), "examples", "functions");
  const realEnvironment = { ...process.env };
  const journal = new Journal();
  const output = values.json ? jsonOutput(io) : readableOutput(io);
  const watch = new RunWatch((run) => output.ran(run));
  const account = await openAccount(folder, {
    ...real?.account,
    port: portNumber("--aws-port", values["aws-port"] ?? "0"),
    ...(values["aws-keys"] !== undefined && { keys: awsKeys(values["aws-keys"]) }),
    eventRetryDelaysMs: [MS_PER_MINUTE, 2 * MS_PER_MINUTE],
    observer: {
      ran(...run) {
        journal.ran(...run);
        watch.ran(...run);
      },
      called: (...call) => journal.called(...call),
    },
  });
  setEnvironment(account.environment);
  /** What the folder makes of a source's settings. */
  const settingsFor = (id: string) =>
    id === BACKEND && !ownFunctions
      ? { ...account.settings(["track", "identify"]), eventLambdas: {} }
      : account.settings();
  const sources: Source[] = [{ id: sourceId, settings: real?.settings ?? settingsFor(sourceId) }];
  if (!ownFunctions) sources.push({ id: BACKEND, settings: settingsFor(BACKEND) });
  await follow(account, sources, io);
  const writeKeys = sources.map(({ id }) => id);
  // What else there is to see depends on the examples' own functions.
  const samples = (ownFunctions ? callTypeSamples() : sampleEvents()).map((sample) =>
    sample.writeKey === WEBSITE ? { ...sample, writeKey: sourceId } : sample,
  );
  const tries: Try[] = [];
  const operator = operatorPolicyFromEnvironment(process.env);
  const page = createPageHandler({
    journal,
    folder: join(packageRoot(), "dist", "page"),
    catchUp: () => followed.catchUp(),
    about: () => ({
      version,
      host: values.host,
      account: account.aws.account,
      region: account.aws.region,
      awsUrl: account.aws.url,
      functions: [...account.functions].map(([name, { file }]) => ({ name, file })),
      folder: resolve(folder),
      separator: sep,
      notes: [...account.notes, ...(followed.problem === undefined ? [] : [followed.problem])],
      callTypes: CALL_TYPES,
      samples: samplesOf(samples),
    }),
    operator,
    sources: () => router.sources(),
    async apply(id, settings) {
      router.setSettings(id, settings);
      return account.follow(router.sources(), operator);
    },
    redeliver(event, source, replayOf) {
      // An event of its own for the journal, even where it is the same as before.
      const copy: unknown = structuredClone(event);
      const id = journal.took(copy, source, replayOf);
      router.deliver(copy, source);
      return id;
    },
    importSettings,
    checks: { local: process.env, ...(values.aws && { aws: realEnvironment }) },
  });
  const router: LocalRouter = new LocalRouter({
    sources,
    createHost,
    page,
    beforeTaking: () => followed.catchUp(),
    onTaken: (event, source) => journal.took(event, source),
    onTry(attempt) {
      // A router that runs for days must not grow; without --once nothing is checked at the end.
      if (values.once) tries.push(attempt);
      journal.tried(attempt);
      output.tried(attempt, watch.logOf(attempt));
    },
  });
  const followed: FollowedFolder = new FollowedFolder({
    account,
    operator,
    sources: () => router.sources(),
    settingsFor: (id) => (real ? undefined : settingsFor(id)),
    change: (id, settings) => router.setSettings(id, settings),
    onNote: (note) => void io.stderr.write(`Note: ${note}\n`),
  });

  const envFile = values.once
    ? undefined
    : await writeEnvFile(account.environment, sources[0]?.settings, values["write-env"]);
  const interruption = awaitInterruption(io);
  try {
    const url = await listen(router, port);
    output.introduce(account, url, sources, resolve(folder));
    for (const sample of samples) {
      if (interruption.happened) break;
      await post(url, sample);
      await router.idle();
    }
    if (envFile) {
      output.invite(account, url, writeKeys, envFile);
      if (values.open) openBrowser(`${url}/`, io);
      await interruption.promise;
    }
  } finally {
    if (router.underWay > 0)
      io.stderr.write(`Waiting for deliveries under way: ${router.underWay}. Ctrl-C again ends at once.\n`);
    await router.close();
    await account.aws.settled();
    await account.aws.close();
    watch.flush();
    await envFile?.remove();
  }
  output.summarise(router.counts, router.givenUp);
  const wrong = values.once ? samples.filter((sample) => !endedAsItShould(sample, tries, ownFunctions)) : [];
  for (const { body } of wrong) io.stderr.write(`${body.messageId} did not end as it should.\n`);
  return wrong.length === 0 ? 0 : 1;
}

function portNumber(option: string, text: string): number {
  const port = Number(text);
  if (!/^\d+$/.test(text) || port > 65_535) throw new UsageError(`${option} must be a number from 0 to 65535.`);
  return port;
}

async function openAccount(folder: string, options: LocalAccountOptions): Promise<LocalAccount> {
  try {
    return await startLocalAccount(folder, options);
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException;
    if (code === "ENOENT" || code === "ENOTDIR") throw new UsageError(`There is no folder ${folder}.`);
    if (code === "EADDRINUSE" || code === "EACCES")
      throw new UsageError(`The AWS cannot listen on port ${options.port} (${code}). Choose another with --aws-port.`);
    throw error instanceof NoFunctions ? new UsageError(message) : error;
  }
}

async function listen(router: LocalRouter, port: number): Promise<string> {
  try {
    return await router.listen(port);
  } catch (error) {
    throw new UsageError(
      `Cannot listen on port ${port} (${(error as NodeJS.ErrnoException).code}). Choose another with --port.`,
    );
  }
}

/** What the page's composer begins with: each call type once, and what else there is to see. */
function samplesOf(samples: readonly Sample[]): SampleCall[] {
  return samples.map(({ endpoint, writeKey, title, body: { messageId: _id, timestamp: _time, context, ...body } }) => ({
    title: title ?? [endpoint, body["event"] ?? body["name"]].filter((part) => typeof part === "string").join(" · "),
    source: writeKey,
    endpoint,
    body: { ...body, context },
  }));
}

/** How to open an address in the user's browser, by platform; anywhere else as on Linux. */
const OPENERS: Readonly<Record<string, readonly string[]>> = {
  darwin: ["open"],
  win32: ["rundll32", "url.dll,FileProtocolHandler"],
  linux: ["xdg-open"],
};

function openBrowser(url: string, { stderr }: Io): void {
  const [command = "", ...args] = OPENERS[process.platform] ?? OPENERS["linux"] ?? [];
  const opener = spawn(command, [...args, url], { stdio: "ignore", detached: true });
  opener.on("error", () => void stderr.write(`There is no ${command} to open a browser with: open ${url} yourself.\n`));
  opener.unref();
}

/** A mistake in `settings.json` is told once, not with each event. */
async function follow(account: LocalAccount, sources: readonly Source[], { stderr }: Io): Promise<void> {
  try {
    const notes = await account.follow(sources, operatorPolicyFromEnvironment(process.env));
    for (const note of [...account.notes, ...notes]) stderr.write(`Note: ${note}\n`);
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
