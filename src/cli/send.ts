import { createReadStream, createWriteStream } from "node:fs";
import { stat } from "node:fs/promises";
import type { Readable, Writable } from "node:stream";
import { finished } from "node:stream/promises";
import { parseArgs } from "node:util";
import type { DeliveryResult } from "../delivery/delivery-result";
import { failed } from "../delivery/result";
import { createDestination, type Destination, type PreparedDelivery, parseSettings, SettingsError } from "../index";
import { operatorPolicyFromEnvironment } from "../settings/operator-policy";
import { type Command, type ExitCode, type Io, UsageError } from "./command";
import { type Line, linesOf } from "./lines";
import { PacedWriter } from "./paced-writer";
import { type Progress, showProgress } from "./progress";
import { readSettingsFile } from "./settings-file";
import { renderSummary, type Tally } from "./summary";

const DEFAULT_CONCURRENCY = 50;
const MAX_CONCURRENCY = 5000;
/** Bytes of a line at most: far beyond what Lambda takes, so that an event that is too large is told apart from a file that is no NDJSON. */
const MAX_LINE_BYTES = 16 * 1024 * 1024;

const help = `Usage: amazon-lambda-destination send --settings <file> [options] [events.ndjson]

Sends events, one JSON object per line of the file or of standard input, to the Lambda functions of the settings.

  --settings <file>       JSON file with the destination's settings
  --concurrency <n>       invocations under way at once (default ${DEFAULT_CONCURRENCY}, at most ${MAX_CONCURRENCY})
  --source-id <id>        the source's ID: the external ID where the settings have none, and the events' projectId
  --workspace-id <id>     the workspace's ID, where the operator pins the external ID to it
  --dead-letter <file>    writes the lines that were not delivered to this file, ready to be sent again
  --from-line <n>         starts at this line (default 1)
  --help

Results go to standard output as NDJSON, one per event with its line number, unless that is a terminal.
AWS is reached as the AWS SDK does it: AWS_PROFILE, AWS_ENDPOINT_URL and so on.
Exit codes: 0 all delivered or skipped, 1 some were not, 2 wrong usage or settings.
`;

export const send: Command = { summary: "Sends events from a file or standard input to the functions", help, run };

interface Options {
  readonly destination: Destination;
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
    fromLine: wholeNumber("--from-line", values["from-line"], 1, Number.MAX_SAFE_INTEGER),
    sourceId: values["source-id"],
    workspaceId: values["workspace-id"],
  };
  const { input, bytes } = await openEvents(path, io);
  const deadLetter = values["dead-letter"] === undefined ? undefined : openDeadLetter(values["dead-letter"]);

  const sending = new Sending(options, io, deadLetter?.stream, showProgress(io.stderr, bytes));
  const stopListening = io.onInterrupt(() => sending.interrupt());
  try {
    await sending.send(input);
  } finally {
    stopListening();
    sending.progress.stop();
    if (deadLetter) await deadLetter.close();
  }
  sending.report(path);
  return sending.complete ? 0 : 1;
}

function checked(settings: unknown, io: Io): Pick<Options, "destination" | "batchSize"> {
  try {
    const operator = operatorPolicyFromEnvironment(io.env);
    const { maxBatchSize } = parseSettings(settings, operator);
    return { destination: createDestination(settings, { operator }), batchSize: maxBatchSize };
  } catch (error) {
    if (error instanceof SettingsError) throw new UsageError(error.message);
    throw error;
  }
}

function wholeNumber(option: string, text: string | undefined, standard: number, max: number): number {
  if (text === undefined) return standard;
  const value = Number(text);
  if (!/^\d+$/.test(text) || value < 1 || value > max)
    throw new UsageError(`${option} must be a whole number from 1 to ${max}.`);
  return value;
}

async function openEvents(path: string | undefined, io: Io): Promise<{ input: Readable; bytes?: number }> {
  if (path === undefined || path === "-") {
    if (io.stdin.isTTY) throw new UsageError("Name a file of events, or pipe events into standard input.");
    return { input: io.stdin };
  }
  try {
    const { size } = await stat(path);
    const input = createReadStream(path);
    await new Promise<void>((resolve, reject) => input.once("open", () => resolve()).once("error", reject));
    return { input, ...(size > 0 && { bytes: size }) };
  } catch (error) {
    throw new UsageError(`Cannot read ${path}: ${(error as NodeJS.ErrnoException).code ?? "unknown error"}.`);
  }
}

function openDeadLetter(path: string): { stream: Writable; close(): Promise<void> } {
  const stream = createWriteStream(path, { flags: "a" });
  const done = finished(stream);
  // An error is reported when the file is closed.
  done.catch(() => {});
  return {
    stream,
    async close() {
      stream.end();
      await done.catch((error: NodeJS.ErrnoException) => {
        throw new UsageError(`Cannot write ${path}: ${error.code}.`);
      });
    },
  };
}

/** One run of the command: so many workers that each take the next lines, deliver them and write the results. */
class Sending {
  readonly progress: Progress;
  readonly #options: Options;
  readonly #io: Io;
  readonly #results: PacedWriter;
  readonly #deadLetter: PacedWriter | undefined;
  readonly #tally: Tally = { delivered: 0, skipped: 0, retry: 0, rejected: 0, failures: new Map() };
  #input: Readable | undefined;
  #interrupted = false;
  /** Up to here, every line was delivered or is being delivered. */
  #lastLine: number;

  constructor(options: Options, io: Io, deadLetter: Writable | undefined, progress: Progress) {
    this.#options = options;
    this.#io = io;
    this.#results = new PacedWriter(io.stdout);
    this.#deadLetter = deadLetter && new PacedWriter(deadLetter);
    this.progress = progress;
    this.#lastLine = options.fromLine - 1;
  }

  get complete(): boolean {
    return !this.#interrupted && this.#tally.retry === 0 && this.#tally.rejected === 0;
  }

  /** Takes no more lines; what is in flight is finished. */
  interrupt(): void {
    this.#interrupted = true;
    this.#input?.destroy();
    this.#io.stderr.write("\nFinishing what is in flight…\n");
  }

  async send(input: Readable): Promise<void> {
    this.#input = input;
    const groups = this.#groups(linesOf(input, MAX_LINE_BYTES));
    const worker = async () => {
      for (let next = await groups.next(); !next.done; next = await groups.next()) await this.#deliver(next.value);
    };
    const ends = await Promise.allSettled(Array.from({ length: this.#options.concurrency }, worker));
    const failure = ends.find((end) => end.status === "rejected");
    // Input that was cut off by the user's own Ctrl-C is no failure.
    if (failure && !this.#interrupted) throw failure.reason;
  }

  report(path: string | undefined): void {
    const { stderr } = this.#io;
    stderr.write(renderSummary(this.#tally, stderr.isTTY === true));
    if (this.#interrupted) {
      stderr.write(
        `Stopped after line ${this.#lastLine}. To go on: the same command with --from-line ${this.#lastLine + 1}${path ? "" : " and the same input"}.\n`,
      );
    }
  }

  /** As many lines as go into one invocation, as long as the user lets us. */
  async *#groups(lines: AsyncIterable<Line>): AsyncGenerator<Line[]> {
    let group: Line[] = [];
    for await (const line of lines) {
      if (this.#interrupted) break;
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
    const { destination } = this.#options;
    const results = new Map<Line, DeliveryResult>();
    const waiting: (PreparedDelivery & { readonly line: Line })[] = [];
    for (const line of lines) {
      const prepared = this.#prepare(line);
      if ("outcome" in prepared) results.set(line, prepared);
      else waiting.push({ ...prepared, line });
    }
    for (const batch of destination.batches(waiting)) {
      const sent = await destination.send(batch);
      for (const [i, { line }] of batch.entries()) results.set(line, sent[i] as DeliveryResult);
    }
    for (const line of lines) await this.#record(line, results.get(line) as DeliveryResult);
  }

  #prepare(line: Line): PreparedDelivery | DeliveryResult {
    const { destination, sourceId, workspaceId } = this.#options;
    const { event, broken } = parseLine(line);
    return broken ?? destination.prepare(event, { sourceId, workspaceId, receivedAt: new Date() });
  }

  async #record(line: Line, result: DeliveryResult): Promise<void> {
    const { outcome, error } = result;
    this.#tally[outcome]++;
    if (error) {
      const { count = 0 } = this.#tally.failures.get(error.code) ?? {};
      this.#tally.failures.set(error.code, {
        count: count + 1,
        example: `line ${line.number}: ${error.message}`,
        hint: error.hint,
      });
      if (line.text !== undefined && this.#deadLetter) await this.#deadLetter.write(`${line.text}\n`);
    }
    if (!this.#io.stdout.isTTY) await this.#results.write(`${JSON.stringify({ line: line.number, ...result })}\n`);
    this.progress.update(this.#tally, line.end);
  }
}

function parseLine({ text }: Line): { event?: unknown; broken?: DeliveryResult } {
  const facts = { messageId: "", durationMs: 0, attempts: 0 };
  if (text === undefined)
    return { broken: failed("PayloadTooLarge", `The line is longer than ${MAX_LINE_BYTES} bytes.`, facts) };
  try {
    return { event: JSON.parse(text.replace(/^\uFEFF/, "")) };
  } catch (error) {
    return { broken: failed("InvalidEvent", `The line is not JSON: ${(error as Error).message}`, facts) };
  }
}
