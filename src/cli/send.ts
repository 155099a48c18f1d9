import type { Writable } from "node:stream";
import { finished } from "node:stream/promises";
import { parseArgs } from "node:util";
import type { DeliveryErrorCode, DeliveryResult } from "../delivery/delivery-result";
import { failed, unsent } from "../delivery/result";
import type { HostedDestination } from "../destination";
import { parseSettings, SettingsError } from "../index";
import { createHostedDestination } from "../node";
import { isPlanned, type PlannedDelivery } from "../planning/planned-delivery";
import { operatorPolicyFromEnvironment } from "../settings/operator-policy";
import { type Command, type ExitCode, type Io, UsageError } from "./command";
import { openDeadLetterFile } from "./dead-letter-file";
import { type EventsInput, openEvents } from "./events-input";
import { fileProblem } from "./file-problem";
import { type Line, linesOf } from "./lines";
import { PacedWriter } from "./paced-writer";
import { type Progress, showProgress } from "./progress";
import { readSettingsFile } from "./settings-file";
import { renderSummary, type Tally } from "./summary";

const DEFAULT_CONCURRENCY = 50;
const MAX_CONCURRENCY = 5000;
/** Milliseconds before a throttled event is sent again where nobody says when. */
const DEFAULT_WAIT_MS = 1000;
/** Bytes of a line at most: far beyond what Lambda takes, so that an event that is too large is told apart from a file that is no NDJSON. */
const MAX_LINE_BYTES = 16 * 1024 * 1024;

const TOO_LONG = `The line is longer than ${MAX_LINE_BYTES} bytes: it is not sent, nor put into a dead-letter file.`;
const NO_OBJECT =
  "The line is no JSON object: events must be NDJSON, one event per line; `jq -c '.[]' file` makes it so.";

const help = `Usage: amazon-lambda-destination send --settings <file> [options] [events.ndjson]

Sends events, one JSON object per line of the file or of standard input, to the Lambda functions of the settings.

  --settings <file>       JSON file with the destination's settings
  --concurrency <n>       invocations under way at once (default ${DEFAULT_CONCURRENCY}, at most ${MAX_CONCURRENCY})
  --source-id <id>        the source's ID: the external ID where the settings have none, and the events' projectId
  --workspace-id <id>     the workspace's ID, where the operator pins the external ID to it
  --dead-letter <file>    appends the lines that were not delivered to this file, ready to be sent again; it must be new or
                          empty, unless --from-line is given; a line of more than ${MAX_LINE_BYTES} bytes is left out;
                          a new file is readable for you alone
  --from-line <n>         starts at this line (default 1)
  --help

An event whose function is throttled waits and is sent again until it is taken, or you stop the command.
Results go to standard output as NDJSON, one per event with its line number, unless that is a terminal.
AWS is reached as the AWS SDK does it: AWS_PROFILE, AWS_ENDPOINT_URL and so on.
Exit codes: 0 all delivered or skipped, 1 some were not, 2 wrong usage or settings.
`;

export const send: Command = { summary: "Sends events from a file or standard input to the functions", help, run };

interface Options {
  readonly destination: HostedDestination;
  readonly batchSize: number;
  readonly concurrency: number;
  readonly fromLine: number;
  readonly sourceId: string | undefined;
  readonly workspaceId: string | undefined;
}

async function run(argv: readonly string[], io: Io): Promise<ExitCode> {
  const { values, positionals } = parseArgs({
    args: [...argv],
    allowPositionals: true,
    options: {
      settings: { type: "string" },
      concurrency: { type: "string" },
      "source-id": { type: "string" },
      "workspace-id": { type: "string" },
      "dead-letter": { type: "string" },
      "from-line": { type: "string" },
    },
  });
  if (positionals.length > 1)
    throw new UsageError("One file of events at a time; join several with cat and send them through standard input.");
  const [path] = positionals;
  const settings = await readSettingsFile(values.settings);
  const options: Options = {
    ...checked(settings, io),
    concurrency: wholeNumber("--concurrency", values.concurrency, DEFAULT_CONCURRENCY, MAX_CONCURRENCY),
    fromLine: wholeNumber("--from-line", values["from-line"], 1),
    sourceId: values["source-id"],
    workspaceId: values["workspace-id"],
  };
  const events = await openEvents(path, io);
  try {
    const { "dead-letter": name, "from-line": resumed } = values;
    const deadLetter = name === undefined ? undefined : await openDeadLetterFile(name, events, resumed !== undefined);
    const sending = new Sending(options, io, events, deadLetter);
    const stopAt = (file: string) => (error: Error) => sending.stop(fileProblem("write", file, error).message);
    io.stdout.on("error", stopAt("standard output"));
    if (name !== undefined) deadLetter?.on("error", stopAt(name));
    const stopListening = io.onInterrupt(() => sending.stop());
    try {
      await sending.send();
    } finally {
      stopListening();
      sending.progress.stop();
      // What went wrong with it was told when it happened.
      if (deadLetter) await finished(deadLetter.end()).catch(() => {});
    }
    sending.report(path);
    return sending.complete ? 0 : 1;
  } finally {
    events.stream.destroy();
  }
}

function checked(settings: unknown, io: Io): Pick<Options, "destination" | "batchSize"> {
  try {
    const operator = operatorPolicyFromEnvironment(io.env);
    const { maxBatchSize } = parseSettings(settings, operator);
    return { destination: createHostedDestination(settings, { operator }), batchSize: maxBatchSize };
  } catch (error) {
    if (error instanceof SettingsError) throw new UsageError(error.message);
    throw error;
  }
}

function wholeNumber(option: string, text: string | undefined, standard: number, max = Infinity): number {
  if (text === undefined) return standard;
  const value = Number(text);
  if (!/^\d+$/.test(text) || value < 1 || value > max) {
    const range = max === Infinity ? "of at least 1" : `from 1 to ${max}`;
    throw new UsageError(`${option} must be a whole number ${range}.`);
  }
  return value;
}

/** One run of the command: so many workers that each take the next lines, deliver them and write the results. */
class Sending {
  readonly progress: Progress;
  readonly #options: Options;
  readonly #io: Io;
  readonly #results: PacedWriter;
  readonly #deadLetter: PacedWriter | undefined;
  readonly #tally: Tally = { delivered: 0, skipped: 0, retry: 0, rejected: 0, failures: new Map() };
  readonly #input: EventsInput;
  #stopped = false;
  readonly #pauses = new Set<() => void>();
  /** Up to here, every line was delivered or is being delivered. */
  #lastLine: number;
  #linesRead = 0;

  constructor(options: Options, io: Io, input: EventsInput, deadLetter: Writable | undefined) {
    this.#options = options;
    this.#io = io;
    this.#input = input;
    this.#results = new PacedWriter(io.stdout);
    this.#deadLetter = deadLetter && new PacedWriter(deadLetter);
    this.progress = showProgress(io.stderr, input.bytes);
    this.#lastLine = options.fromLine - 1;
  }

  get complete(): boolean {
    return !this.#stopped && this.#tally.retry === 0 && this.#tally.rejected === 0;
  }

  /** Takes no more lines; what is in flight is finished. */
  stop(reason?: string): void {
    if (this.#stopped) return;
    this.#stopped = true;
    for (const end of this.#pauses) end();
    this.#input.stream.destroy();
    // What is written beside the bar would be drawn over.
    this.progress.stop();
    this.#io.stderr.write(`${reason ? `${reason} ` : ""}Finishing what is in flight…\n`);
  }

  async send(): Promise<void> {
    const { name, stream } = this.#input;
    const groups = this.#groups(linesOf(stream, MAX_LINE_BYTES));
    const worker = async () => {
      for (let next = await groups.next(); !next.done; next = await groups.next()) await this.#deliver(next.value);
    };
    const ends = await Promise.allSettled(Array.from({ length: this.#options.concurrency }, worker));
    const failure = ends.find((end) => end.status === "rejected");
    // Input that was cut off here is no failure.
    if (!failure || this.#stopped) return;
    if (failure.reason !== stream.errored) throw failure.reason;
    this.stop(fileProblem("read", name, failure.reason).message);
  }

  report(path: string | undefined): void {
    const { stderr } = this.#io;
    stderr.write(renderSummary(this.#tally, stderr.isTTY === true));
    if (this.#stopped) {
      stderr.write(
        `Stopped after line ${this.#lastLine}. To go on: the same command with --from-line ${this.#lastLine + 1}${path ? "" : " and the same input"}.\n`,
      );
    } else if (this.#lastLine < this.#options.fromLine) stderr.write(`${this.#nothingSent()}\n`);
  }

  #nothingSent(): string {
    const lines = this.#linesRead;
    if (lines === 0 || lines >= this.#options.fromLine) return "There were no events.";
    return `The input has only ${lines} ${lines === 1 ? "line" : "lines"}.`;
  }

  /** As many lines as go into one invocation, as long as the user lets us. */
  async *#groups(lines: AsyncIterable<Line>): AsyncGenerator<Line[]> {
    let group: Line[] = [];
    for await (const line of lines) {
      if (this.#stopped) break;
      this.#linesRead = line.number;
      if (line.number < this.#options.fromLine) continue;
      if (line.text?.trim() === "") continue;
      group.push(line);
      if (group.length >= this.#options.batchSize) {
        yield group;
        group = [];
      }
    }
    if (group.length > 0) yield group;
  }

  /** The invocations of a group one after the other: as many are under way as there are workers. */
  async #deliver(lines: readonly Line[]): Promise<void> {
    this.#lastLine = lines.at(-1)?.number ?? this.#lastLine;
    const { destination, sourceId, workspaceId } = this.#options;
    const results = new Map<Line, DeliveryResult>();
    const waiting: (PlannedDelivery & { readonly line: Line })[] = [];
    for (const line of lines) {
      const { event, broken } = parseLine(line);
      const plan = broken ?? destination.plan(event, { sourceId, workspaceId, receivedAt: new Date() });
      if ("outcome" in plan) results.set(line, plan);
      else if (isPlanned(plan)) waiting.push({ ...plan, line });
      else results.set(line, unsent(plan));
    }
    for (let left = waiting; left.length > 0; ) {
      const sent = await destination.send(left);
      for (const [i, { line }] of left.entries()) results.set(line, sent[i] as DeliveryResult);
      left = left.filter(({ line }) => results.get(line)?.error?.code === "Throttled");
      if (left.length === 0 || this.#stopped) break;
      // A function that is busy is no failure: the command has time.
      await this.#pause(Math.max(...left.map(({ line }) => results.get(line)?.retryAfterMs ?? DEFAULT_WAIT_MS)));
    }
    for (const line of lines) await this.#record(line, results.get(line) as DeliveryResult);
  }

  /** Or until the user stops the command. */
  #pause(ms: number): Promise<void> {
    return new Promise((resolve) => {
      const done = () => {
        clearTimeout(timer);
        this.#pauses.delete(done);
        resolve();
      };
      const timer = setTimeout(done, ms);
      this.#pauses.add(done);
    });
  }

  async #record(line: Line, result: DeliveryResult): Promise<void> {
    const { outcome, error } = result;
    this.#tally[outcome]++;
    if (error) {
      const { count, example } = this.#tally.failures.get(error.code) ?? {
        count: 0,
        example: `line ${line.number}: ${error.message}`,
      };
      this.#tally.failures.set(error.code, { count: count + 1, example, hint: error.hint });
      if (line.text !== undefined && this.#deadLetter) await this.#deadLetter.write(`${line.text}\n`);
    }
    if (!this.#io.stdout.isTTY) await this.#results.write(`${JSON.stringify({ line: line.number, ...result })}\n`);
    this.progress.update(this.#tally, line.end);
  }
}

function parseLine({ text }: Line): { event?: unknown; broken?: DeliveryResult } {
  if (text === undefined) return { broken: rejected("PayloadTooLarge", TOO_LONG) };
  try {
    const event: unknown = JSON.parse(text.replace(/^\uFEFF/, ""));
    const isObject = typeof event === "object" && event !== null && !Array.isArray(event);
    return isObject ? { event } : { broken: rejected("InvalidEvent", NO_OBJECT) };
  } catch (error) {
    return { broken: rejected("InvalidEvent", `${NO_OBJECT} (${(error as Error).message})`) };
  }
}

function rejected(code: DeliveryErrorCode, message: string): DeliveryResult {
  return failed(code, message, { messageId: "", durationMs: 0, attempts: 0 });
}
