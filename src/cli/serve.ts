import { unwatchFile, watchFile } from "node:fs";
import { isIP } from "node:net";
import { parseArgs } from "node:util";
import pc from "picocolors";
import type { Logger } from "pino";
import { acceptingInto } from "../hosts/webhook/accepting";
import { adminApp } from "../hosts/webhook/admin";
import type { LoadedConnections } from "../hosts/webhook/connections-file";
import { DeadLetterFile } from "../hosts/webhook/dead-letters";
import { EventQueue } from "../hosts/webhook/event-queue";
import { LOG_LEVELS, type LogLevel, receiverLog } from "../hosts/webhook/log";
import { logAnswered } from "../hosts/webhook/log-answered";
import { Metrics } from "../hosts/webhook/metrics";
import { listen, type NodeServer } from "../hosts/webhook/node-server";
import { drainQueue, givingUpInto } from "../hosts/webhook/queue-drain";
import { createReceiver } from "../hosts/webhook/receiver";
import { createDestination, type Destination } from "../index";
import { FIFO_QUEUE_URL } from "../names/grammar";
import { sharedState } from "../node";
import { type Command, type ExitCode, type Io, UsageError } from "./command";
import { readConnectionsFile } from "./connections-file";
import { fileProblem } from "./file-problem";
import { operatorPolicy } from "./operator-policy";

const DEFAULT_FILE = "connections.json";
const DEFAULT_PORT = 8787;
const DEFAULT_ADMIN_PORT = 9464;
const LOOPBACK = "127.0.0.1";
/** Milliseconds between two looks at the files: a change of a mounted secret comes by no event. */
const LOOK_MS = 2_000;
const MIB = 1024 * 1024;
/** Of the names that are shown one under the other. */
const WIDEST_NAME = 24;

const help = `Usage: amazon-lambda-destination serve [options]

Receives events over HTTP and delivers them to Lambda functions, for every router and library that can POST: Segment's
tracking API (/v1/track …, /api/s/… for Jitsu's libraries) and a webhook per connection (/webhook/<name>).

  --connections <file>    who may send, and where to (default ${DEFAULT_FILE}; schemas/connections.schema.json has its form);
                          read again when it or a secret's file changes, and on SIGHUP
  --port <n>              (default ${DEFAULT_PORT}; 0 for any free one)
  --listen <address>      address to listen on; 0.0.0.0 for all (default ${LOOPBACK}); TLS is the business of the proxy before it
  --admin-port <n>        port of /metrics, /healthz and /readyz (default ${DEFAULT_ADMIN_PORT}; 0 for any free one)
  --admin-listen <address> (default ${LOOPBACK})
  --trust-proxy <n>       proxies before it that write X-Forwarded-For (default 0)
  --max-memory <MiB>      of bodies held at once; beyond it requests are answered 503 (default 256)
  --log-level <level>     ${LOG_LEVELS.join(", ")} (default info; debug tells every request)
  --queue <url>           SQS FIFO queue of connections that acknowledge what is accepted (default $AMAZON_LAMBDA_QUEUE_URL)
  --drain                 deliver what is in the queue, and receive nothing
  --dead-letter-queue <url> FIFO queue for what is given up while draining (default $AMAZON_LAMBDA_DEAD_LETTER_QUEUE_URL; without it,
                          the connection's deadLetter file)
  --insecure              webhooks without a secret, on a loopback address only: for trying things out
  --help

SIGTERM finishes what is in flight and ends; a second one ends at once. Start as many receivers and drains as you like.
AWS is found the way the AWS SDK finds it (AWS_PROFILE, AWS_ENDPOINT_URL, …); the operator's variables (AMAZON_LAMBDA_…) apply.
Exit codes: 0 ended when told to, 2 wrong usage or connections.
`;

export const serve: Command = { summary: "Receives events over HTTP, for every router that can POST", help, run };

interface Options {
  readonly file: string;
  readonly host: string;
  readonly port: number;
  readonly adminHost: string;
  readonly adminPort: number;
  readonly proxies: number;
  readonly roomBytes: number;
  readonly logLevel: LogLevel;
  readonly insecure: boolean;
  readonly queue: EventQueue | undefined;
  readonly deadLetterQueue: EventQueue | undefined;
  readonly drain: boolean;
}

async function run(argv: readonly string[], io: Io): Promise<ExitCode> {
  const options = optionsOf(argv, io);
  const log = receiverLog(options.logLevel, io.stdout);
  const reload = new Reload(options, io, log);
  await reload.load();
  if (options.drain) return await drainUntilInterrupted(options, reload, io, log);
  const receiver = createReceiver({
    connections: () => reload.current,
    proxies: options.proxies,
    roomBytes: options.roomBytes,
    observer: {
      answered(answered) {
        metrics.answered(answered);
        logAnswered(log, answered);
      },
      ended: (connection, outcome) => metrics.ended(connection, outcome),
      failed: (error) => log.error({ error: String((error as Error)?.stack ?? error) }, "failed"),
    },
  });
  const metrics = new Metrics({
    inFlight: () => receiver.inFlight,
    heldBytes: () => receiver.heldBytes,
    shared: sharedState,
  });
  reload.onReload = (result) => metrics.reloaded(result);
  let ready = true;
  // Heard before anybody can be answered: from then on there may be something in flight.
  const told = interrupted(io);
  const admin = await open(adminApp(metrics, () => ready).fetch, options.adminHost, options.adminPort, "--admin-port");
  let server: NodeServer;
  try {
    server = await open((request, bindings) => receiver.fetch(request, bindings), options.host, options.port, "--port");
  } catch (error) {
    await admin.close();
    throw error;
  }
  // Whoever reads that it is at work may send it a signal.
  reload.watch();
  introduce(io, server.url, admin.url, reload.current);
  log.info({ url: server.url, adminUrl: admin.url, connections: reload.current.all.length }, "listening");

  await told;
  ready = false;
  reload.stop();
  const stopListening = io.onInterrupt(() => process.exit(1));
  log.info({ inFlight: receiver.inFlight }, "ending");
  await Promise.all([server.close(), receiver.drain()]);
  await Promise.all([admin.close(), reload.close()]);
  stopListening();
  log.info("ended");
  return 0;
}

/** Delivers what is in the queue; receives nothing but questions for its numbers. */
async function drainUntilInterrupted(options: Options, reload: Reload, io: Io, log: Logger): Promise<ExitCode> {
  const { queue, deadLetterQueue, adminHost, adminPort } = options;
  if (!queue) throw new UsageError("--drain needs --queue.");
  const metrics = new Metrics({ inFlight: () => 0, heldBytes: () => 0, shared: sharedState });
  reload.onReload = (result) => metrics.reloaded(result);
  const told = interrupted(io);
  const calledOff = new AbortController();
  const admin = await open(
    adminApp(metrics, () => !calledOff.signal.aborted).fetch,
    adminHost,
    adminPort,
    "--admin-port",
  );
  reload.watch();
  log.info({ adminUrl: admin.url, connections: reload.current.all.length }, "draining");
  const drained = drainQueue(
    queue,
    {
      drained(name) {
        const [connection, destination] = [reload.current.named(name), reload.current.destinations.get(name)];
        return connection && destination && { connection, destination };
      },
      ...(deadLetterQueue && { giveUp: givingUpInto(deadLetterQueue) }),
      ended(connection, outcome) {
        metrics.ended(connection, outcome);
        if (outcome.outcome === "retry" || outcome.outcome === "rejected")
          log.warn(
            { connection: connection.name, outcome: outcome.outcome, code: outcome.error?.code },
            "not delivered",
          );
      },
      failed: (error) => log.error({ error: String((error as Error)?.stack ?? error) }, "failed"),
    },
    calledOff.signal,
  );
  await told;
  const stopListening = io.onInterrupt(() => process.exit(1));
  reload.stop();
  log.info("ending");
  calledOff.abort();
  await drained;
  await Promise.all([admin.close(), queue.close(), deadLetterQueue?.close()]);
  stopListening();
  log.info("ended");
  return 0;
}

/** The connections, as the file has them; a file that is no good changes nothing. */
class Reload {
  onReload: (result: "ok" | "failed") => void = () => {};
  #current: LoadedConnections | undefined;
  #destinations: ReadonlySet<Destination> = new Set();
  #watched: string[] = [];
  #reloading: Promise<void> | undefined;
  readonly #onChange = () => void this.#again();

  constructor(
    private readonly options: Options,
    private readonly io: Io,
    private readonly log: Logger,
  ) {}

  get current(): LoadedConnections {
    if (!this.#current) throw new Error("The connections are not loaded yet.");
    return this.#current;
  }

  /** @throws UsageError */
  async load(): Promise<void> {
    const { file, insecure, queue } = this.options;
    const operator = operatorPolicy(this.io);
    const deadLetterFiles = new Map<string, DeadLetterFile>();
    // Those that were there before go on with what they have begun, and are forgotten with it.
    const destinations = new Set<Destination>();
    const loaded = await readConnectionsFile(file, this.io, {
      insecure,
      behind: (settings) => {
        const destination = createDestination(settings, { operator });
        destinations.add(destination);
        return destination;
      },
      ...(queue && { accepting: (connection: string) => acceptingInto(queue, connection) }),
      keepIn(path, connection) {
        const deadLetters = deadLetterFiles.get(path) ?? new DeadLetterFile(path);
        deadLetterFiles.set(path, deadLetters);
        return (event, why) => deadLetters.keep(event, { ...why, connection, rejectedAt: new Date().toISOString() });
      },
    });
    for (const [path, deadLetters] of deadLetterFiles) {
      await deadLetters.check().catch((error) => {
        throw fileProblem("write", path, error);
      });
    }
    this.#current = loaded;
    this.#destinations = destinations;
  }

  /** Loads anew on SIGHUP and when a file changes, until {@link stop}. */
  watch(): void {
    process.on("SIGHUP", this.#onChange);
    this.#rewatch();
  }

  /** Nothing of the destinations keeps the process alive after it. */
  async close(): Promise<void> {
    await Promise.all([...this.#destinations].map((destination) => destination.close()));
  }

  stop(): void {
    process.off("SIGHUP", this.#onChange);
    for (const path of this.#watched) unwatchFile(path, this.#onChange);
  }

  #rewatch(): void {
    for (const path of this.#watched) unwatchFile(path, this.#onChange);
    this.#watched = [...new Set([this.options.file, ...this.current.secretFiles])];
    for (const path of this.#watched) watchFile(path, { interval: LOOK_MS }, this.#onChange);
  }

  #again(): Promise<void> {
    this.#reloading = (this.#reloading ?? Promise.resolve()).then(async () => {
      try {
        await this.load();
        this.#rewatch();
        this.log.info({ connections: this.current.all.length }, "reloaded");
        this.onReload("ok");
      } catch (error) {
        this.log.error({ reason: (error as Error).message }, "not reloaded: what was there before still counts");
        this.onReload("failed");
      }
    });
    return this.#reloading;
  }
}

function optionsOf(argv: readonly string[], { env }: Io): Options {
  const { values } = parseArgs({
    args: [...argv],
    options: {
      connections: { type: "string", default: DEFAULT_FILE },
      port: { type: "string", default: String(DEFAULT_PORT) },
      listen: { type: "string", default: LOOPBACK },
      "admin-port": { type: "string", default: String(DEFAULT_ADMIN_PORT) },
      "admin-listen": { type: "string", default: LOOPBACK },
      "trust-proxy": { type: "string", default: "0" },
      "max-memory": { type: "string", default: "256" },
      "log-level": { type: "string", default: "info" },
      insecure: { type: "boolean", default: false },
      queue: { type: "string", default: env["AMAZON_LAMBDA_QUEUE_URL"] ?? "" },
      drain: { type: "boolean", default: false },
      "dead-letter-queue": { type: "string", default: env["AMAZON_LAMBDA_DEAD_LETTER_QUEUE_URL"] ?? "" },
    },
  });
  const host = address("--listen", values.listen);
  if (values.insecure && !/^127\.|^::1$/.test(host))
    throw new UsageError(
      `--insecure is for a loopback address only: give every webhook a secret, or --listen ${LOOPBACK}.`,
    );
  if (values.drain && values.queue === "")
    throw new UsageError(
      "--drain needs the queue's address: --queue https://sqs.us-east-1.amazonaws.com/123456789012/events.fifo",
    );
  const logLevel = LOG_LEVELS.find((level) => level === values["log-level"]);
  if (!logLevel) throw new UsageError(`--log-level must be one of ${LOG_LEVELS.join(", ")}.`);
  return {
    file: values.connections,
    host,
    port: wholeNumber("--port", values.port, 0, 65_535),
    adminHost: address("--admin-listen", values["admin-listen"]),
    adminPort: wholeNumber("--admin-port", values["admin-port"], 0, 65_535),
    proxies: wholeNumber("--trust-proxy", values["trust-proxy"], 0, 10),
    roomBytes: wholeNumber("--max-memory", values["max-memory"], 32, 65_536) * MIB,
    logLevel,
    insecure: values.insecure,
    queue: queueAt("--queue", values.queue),
    deadLetterQueue: queueAt("--dead-letter-queue", values["dead-letter-queue"]),
    drain: values.drain,
  };
}

function queueAt(option: string, url: string): EventQueue | undefined {
  if (url === "") return undefined;
  if (!new RegExp(`^${FIFO_QUEUE_URL}$`).test(url))
    throw new UsageError(
      `${option} must be the address of a FIFO queue, such as https://sqs.us-east-1.amazonaws.com/123456789012/events.fifo.`,
    );
  return new EventQueue(url);
}

function address(option: string, text: string): string {
  const host = text === "localhost" ? LOOPBACK : text;
  if (isIP(host) === 0)
    throw new UsageError(`${option} must be an IP address of this machine, such as ${LOOPBACK} or 0.0.0.0.`);
  return host;
}

function wholeNumber(option: string, text: string, from: number, to: number): number {
  const value = Number(text);
  if (!/^\d+$/.test(text) || value < from || value > to)
    throw new UsageError(`${option} must be a whole number from ${from} to ${to}.`);
  return value;
}

async function open(
  fetch: Parameters<typeof listen>[0],
  host: string,
  port: number,
  option: string,
): Promise<NodeServer> {
  try {
    return await listen(fetch, { host, port });
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    throw new UsageError(`Cannot listen on ${host}, port ${port} (${code}). Choose another with ${option}.`);
  }
}

/** Shows a person what there is; whoever reads the log has it there. */
function introduce({ stderr, env }: Io, url: string, adminUrl: string, { all, keys }: LoadedConnections): void {
  if (stderr.isTTY !== true) return;
  const { bold, cyan, yellow } = pc.createColors(env["NO_COLOR"] === undefined);
  const widest = Math.max("Receiver".length, ...all.map(({ name }) => name.length));
  const width = Math.min(widest, WIDEST_NAME);
  const row = (head: string, ...lines: readonly string[]) => {
    for (const [i, line] of lines.entries()) stderr.write(`${bold((i === 0 ? head : "").padEnd(width))}  ${line}\n`);
  };
  row("Receiver", cyan(url));
  row("Metrics", `${adminUrl}/metrics`);
  for (const { name, credentials, router } of all)
    row(
      name,
      ...(credentials ? [`/webhook/${name} (${router})`] : []),
      ...(credentials?.length === 0 ? [yellow("open to everybody on this machine (--insecure)")] : []),
      ...(keys.some(({ connection }) => connection.name === name) ? ["/v1 and /api/s by write key"] : []),
    );
}

function interrupted(io: Io): Promise<void> {
  return new Promise((resolve) => {
    const stop = io.onInterrupt(() => {
      stop();
      resolve();
    });
  });
}
