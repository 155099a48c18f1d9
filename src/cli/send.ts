import { stat } from "node:fs/promises";
import type { Writable } from "node:stream";
import { finished } from "node:stream/promises";
import { setTimeout as wait } from "node:timers/promises";
import { parseArgs } from "node:util";
import type { DeliveryErrorCode, DeliveryResult } from "../delivery/delivery-result";
import { failed, unsent } from "../delivery/result";
import type { HostedDestination } from "../destination/contract";
import { parseSettings, SettingsError } from "../index";
import { createHostedDestination } from "../node";
import { isPlanned, type PlannedDelivery } from "../planning/planned-delivery";
import { operatorPolicyFromEnvironment } from "../settings/operator-policy";
import { type Command, type ExitCode, type Io, UsageError } from "./command";
import { openDeadLetterFile, reasonsPath } from "./dead-letter-file";
import { type EventsInput, openEvents } from "./events-input";
import { fileProblem } from "./file-problem";
import { DamagedGzip, gunzipped } from "./gunzipped";
import { type Line, linesOf } from "./lines";
import { PacedWriter } from "./paced-writer";
import { printableJson } from "./printable";
import { type Progress, showProgress } from "./progress";
import { readSettingsFile } from "./settings-file";
import { renderSummary, type Tally } from "./summary";

const DEFAULT_CONCURRENCY = 50;
const MAX_CONCURRENCY = 5000;
/** Bytes of a line at most: far beyond what Lambda takes, so that an event that is too large is told apart from a file that is no NDJSON. */
const MAX_LINE_BYTES = 16 * 1024 * 1024;

const TOO_LONG = `The line is longer than ${MAX_LINE_BYTES} bytes: it is neither sent nor written to a dead-letter file.`;
const NO_OBJECT = "The line is not a JSON object: events must be NDJSON, one event per line";
const NOT_UTF8 =
  "The line is not UTF-8: find out its encoding and convert the file, for example with iconv -f ISO-8859-1 -t UTF-8 <file>.";

/** Milliseconds before the first retry; twice as many before each further one. */
const FIRST_WAIT_MS = 500;
const LONGEST_WAIT_MS = 30_000;
const DEFAULT_MAX_FAILURES = 1000;

const help = `Usage: amazon-lambda-destination send --settings <file> [options] [events.ndjson]

Sends events to the Lambda functions of the settings: one JSON object per line, from the file or from standard input.
Gzip is unpacked.

  --settings <file>       JSON file with the destination's settings
  --concurrency <n>       invocations under way at once (default ${DEFAULT_CONCURRENCY}, at most ${MAX_CONCURRENCY})
  --source-id <id>        the source's ID: the external ID where the settings have none, and the events' projectId
  --workspace-id <id>     the workspace's ID, where the operator pins the external ID to it
  --dead-letter <file>    appends the lines that were not delivered to this file, ready to be sent again, and the reason
                          for each to <file>.reasons.ndjson; the file must be new or empty unless --from-line is given,
                          a new one is readable by you alone, and a line of more than ${MAX_LINE_BYTES} bytes is left out
  --from-line <n>         starts at this line (default 1)
  --retries <n>           sends again what may be sent again, up to n more times, waiting longer each time (default 0)
  --max-failures <n>      stops after n failures of one kind in a row, as when the role is wrong (default ${DEFAULT_MAX_FAILURES}; 0: never)
  --help

An event whose function is throttled waits and is sent again until Lambda accepts it or you stop the command.
Results go to standard output as NDJSON, one per event with its line number, unless that is a terminal.
AWS is found the way the AWS SDK finds it: AWS_PROFILE, AWS_ENDPOINT_URL and so on.
Exit codes: 0 all delivered or skipped, 1 some were not, 2 wrong usage or settings.
`;

export const send: Command = { summary: "Sends events from a file or standard input to the functions", help, run };

interface Options {
  readonly destination: HostedDestination;
  readonly batchSize: number;
  readonly concurrency: number;
  readonly fromLine: number;
  readonly retries: number;
  readonly maxFailures: number;
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
      retries: { type: "string" },
      "max-failures": { type: "string" },
    },
  });
  if (positionals.length > 1)
    throw new UsageError("Give one file of events; join several with cat and send them through standard input.");
  const [path] = positionals;
  const settings = await readSettingsFile(values.settings);
  const options: Options = {
    ...checked(settings, io),
    concurrency: wholeNumber("--concurrency", values.concurrency, DEFAULT_CONCURRENCY, { max: MAX_CONCURRENCY }),
    fromLine: wholeNumber("--from-line", values["from-line"], 1),
    retries: wholeNumber("--retries", values.retries, 0, { min: 0, max: 100 }),
    maxFailures: wholeNumber("--max-failures", values["max-failures"], DEFAULT_MAX_FAILURES, { min: 0 }),
    sourceId: values["source-id"],
    workspaceId: values["workspace-id"],
  };
  const events = await openEvents(path, io);
  try {
    const { "dead-letter": name, "from-line": resumed } = values;
    const deadLetter = name === undefined ? undefined : await openDeadLetterFile(name, events, resumed !== undefined);
    const reasons =
      name !== undefined && (await stat(name)).isFile()
        ? await openDeadLetterFile(reasonsPath(name), events, resumed !== undefined)
        : undefined;
    const sending = new Sending(options, io, events, deadLetter, reasons);
    const stopAt = (file: string) => (error: Error) => sending.stop(fileProblem("write", file, error).message);
    io.stdout.on("error", stopAt("standard output"));
    if (name !== undefined) {
      deadLetter?.on("error", stopAt(name));
      reasons?.on("error", stopAt(reasonsPath(name)));
    }
    const stopListening = io.onInterrupt(() => {
      // Nobody listens any more: the next one ends the process.
      stopListening();
      sending.stop("Ctrl-C again ends at once.");
    });
    try {
      await sending.send();
    } finally {
      stopListening();
      sending.progress.stop();
      // What went wrong with it was told when it happened.
      for (const file of [deadLetter, reasons]) if (file) await finished(file.end()).catch(() => {});
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

function wholeNumber(
  option: string,
  text: string | undefined,
  standard: number,
  range: { min?: number; max?: number } = {},
): number {
  const { min = 1, max = Infinity } = range;
  if (text === undefined) return standard;
  const value = Number(text);
  if (!/^\d+$/.test(text) || value < min || value > max) {
    const allowed = max === Infinity ? `of at least ${min}` : `from ${min} to ${max}`;
    throw new UsageError(`${option} must be a whole number ${allowed}.`);
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
  readonly #reasons: PacedWriter | undefined;
  readonly #tally: Tally = { delivered: 0, skipped: 0, retry: 0, rejected: 0, failures: new Map() };
  readonly #input: EventsInput;
  #stopped = false;
  readonly #stopping = new AbortController();
  /** The failures of one kind since anything else happened. */
  #streak: { readonly code: DeliveryErrorCode; readonly firstLine: number; length: number } | undefined;
  /** Up to here, every line was delivered or is being delivered. */
  #lastLine: number;
  #linesRead = 0;

  constructor(
    options: Options,
    io: Io,
    input: EventsInput,
    deadLetter: Writable | undefined,
    reasons: Writable | undefined,
  ) {
    this.#options = options;
    this.#io = io;
    this.#input = input;
    this.#results = new PacedWriter(io.stdout);
    this.#deadLetter = deadLetter && new PacedWriter(deadLetter);
    this.#reasons = reasons && new PacedWriter(reasons);
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
    this.#stopping.abort();
    this.#input.stream.destroy();
    // What is written beside the bar would be drawn over.
    this.progress.stop();
    this.#io.stderr.write(`${reason ? `${reason} ` : ""}Finishing what is under way…\n`);
  }

  async send(): Promise<void> {
    const { name, stream } = this.#input;
    const groups = this.#groups(linesOf(gunzipped(stream), MAX_LINE_BYTES));
    const worker = async () => {
      for (let next = await groups.next(); !next.done; next = await groups.next()) await this.#deliver(next.value);
    };
    const ends = await Promise.allSettled(Array.from({ length: this.#options.concurrency }, worker));
    const failure = ends.find((end) => end.status === "rejected");
    // Input that was cut off here is no failure.
    if (!failure || this.#stopped) return;
    if (failure.reason instanceof DamagedGzip)
      return this.stop(
        `Cannot read ${name} to the end: its gzip data is cut off or damaged (${failure.reason.message}).`,
      );
    if (failure.reason !== stream.errored) throw failure.reason;
    this.stop(fileProblem("read", name, failure.reason).message);
  }

  report(path: string | undefined): void {
    const { stderr } = this.#io;
    stderr.write(renderSummary(this.#tally, stderr.isTTY === true));
    if (this.#stopped) {
      const next = this.#failingAlike ? this.#streak?.firstLine : this.#lastLine + 1;
      stderr.write(
        `Stopped after line ${this.#lastLine}. To go on: the same command with --from-line ${next}${path ? "" : " and the same input"}.\n`,
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
    for (let retry = 0, due = waiting; due.length > 0; ) {
      const sent = await destination.send(due);
      for (const [i, { line }] of due.entries()) results.set(line, sent[i] as DeliveryResult);
      // A function that is busy is no failure: the command has time for it, whatever --retries says.
      const busy = due.filter(({ line }) => results.get(line)?.error?.code === "Throttled");
      const failed = due.filter(
        ({ line }) => results.get(line)?.outcome === "retry" && !busy.some((each) => each.line === line),
      );
      due = retry < this.#options.retries ? [...busy, ...failed].sort((a, b) => a.line.number - b.line.number) : busy;
      if (due.length === 0 || this.#stopped || !(await this.#waited(retry, sent))) break;
      if (due.length > busy.length) retry++;
    }
    for (const line of lines) await this.#record(line, results.get(line) as DeliveryResult);
  }

  /** Waits before a retry, as long as functions ask for. @returns false where it was cut short: no more is sent */
  async #waited(retry: number, results: readonly DeliveryResult[]): Promise<boolean> {
    const asked = Math.max(0, ...results.map(({ retryAfterMs = 0 }) => retryAfterMs));
    const ms = Math.min(LONGEST_WAIT_MS, Math.max(asked, FIRST_WAIT_MS * 2 ** retry));
    return wait(ms, true, { signal: this.#stopping.signal }).catch(() => false);
  }

  get #failingAlike(): boolean {
    const { maxFailures } = this.#options;
    return maxFailures > 0 && (this.#streak?.length ?? 0) >= maxFailures;
  }

  /** Stops where all that is sent fails alike. */
  #watch(line: Line, { error }: DeliveryResult): void {
    if (error?.code !== this.#streak?.code) this.#streak = undefined;
    if (!error || this.#failingAlike) return;
    this.#streak ??= { code: error.code, firstLine: line.number, length: 0 };
    this.#streak.length++;
    if (this.#failingAlike)
      this.stop(`The last ${this.#streak.length} events all failed with ${error.code}: see --max-failures.`);
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
      if (line.text !== undefined) {
        const text = line.bytes ? Buffer.concat([line.bytes, Buffer.from("\n")]) : `${line.text}\n`;
        const reason = { line: line.number, messageId: result.messageId, outcome, ...error };
        await Promise.all([this.#deadLetter?.write(text), this.#reasons?.write(`${printableJson(reason)}\n`)]);
      }
    }
    this.#watch(line, result);
    if (!this.#io.stdout.isTTY) await this.#results.write(`${JSON.stringify({ line: line.number, ...result })}\n`);
    this.progress.update(this.#tally, line.end);
  }
}

function parseLine({ text, bytes }: Line): { event?: unknown; broken?: DeliveryResult } {
  if (bytes !== undefined) return { broken: rejected("InvalidEvent", NOT_UTF8) };
  if (text === undefined) return { broken: rejected("PayloadTooLarge", TOO_LONG) };
  try {
    const event: unknown = JSON.parse(text.replace(/^\uFEFF/, ""));
    const isObject = typeof event === "object" && event !== null && !Array.isArray(event);
    return isObject ? { event } : { broken: rejected("InvalidEvent", noObject(text)) };
  } catch (error) {
    return { broken: rejected("InvalidEvent", noObject(text, (error as Error).message)) };
  }
}

/** What is wrong with a line and how the file is put right. */
function noObject(text: string, problem?: string): string {
  if (/^\s*\[/.test(text)) return `${NO_OBJECT}. Convert the file with \`jq -c '.[]' file\`.`;
  // A brace alone, or a key: what is written to be read.
  if (/^\s*(?:[{}\]],?|\},\s*\{)\s*$|^\s*"(?:[^"\\]|\\.)*"\s*:/.test(text))
    return `${NO_OBJECT}, and this one spans several lines. Convert the file with \`jq -c . file\`.`;
  if (problem && /^\s*\{/.test(text) && isCut(text))
    return `${NO_OBJECT}, and this one is cut off: whatever wrote it did not finish. Get the line again. (${problem})`;
  return `${NO_OBJECT}.${problem === undefined ? "" : ` (${problem})`}`;
}

/** Whether all that is wrong with JSON is that it ends too early. */
function isCut(text: string): boolean {
  let depth = 0;
  let inString = false;
  for (let i = 0; i < text.length; i++) {
    if (inString && text[i] === "\\") i++;
    else if (text[i] === '"') inString = !inString;
    else if (!inString && "{[".includes(text[i] ?? "")) depth++;
    else if (!inString && "}]".includes(text[i] ?? "")) depth--;
  }
  return inString || depth > 0;
}

function rejected(code: DeliveryErrorCode, message: string): DeliveryResult {
  return failed(code, message, { messageId: "", durationMs: 0, attempts: 0 });
}
