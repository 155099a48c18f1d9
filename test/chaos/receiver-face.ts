import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { gzipSync } from "node:zlib";
import { Agent } from "undici";
import { DeadLetterReader } from "./dead-letter-reader";
import type { EpisodeName } from "./episodes";
import { kindOf, messageIdOf } from "./events";
import type { Face, FaceOptions, Job, Verdict } from "./faces";
import { ReceiverProcess } from "./receiver-process";
import { SENDERS, type Sender } from "./senders";
import { SETTINGS, TIMEOUT_MS } from "./settings";

/** Milliseconds that senders wait: longer than real ones, who would hide that an answer comes late. */
const PATIENCE_MS = 20_000;
/** Kills of a run, however short it is, and one more for so many events. */
const LEAST_KILLS = 3;
const EVENTS_PER_KILL = 5000;
/** Events of a turn of all senders. */
const TURN = SENDERS.reduce((sum, { batch }) => sum + batch, 0);
/** Senders put no more than so many bytes into a request that has several events. */
const BIG: readonly string[] = ["large", "huge", "oversize"];

interface Answered {
  readonly status: number;
  readonly body: AnswerBody;
  readonly retryAfterMs: number | undefined;
  readonly tookMs: number;
}

interface AnswerBody {
  readonly success?: boolean;
  readonly code?: string;
  readonly message?: string;
  readonly results?: readonly { readonly messageId: string; readonly outcome: string; readonly code?: string }[];
  readonly [count: string]: unknown;
}

/** The receiver, as all its senders see it. */
export class ReceiverFace implements Face {
  readonly batch = 1;
  readonly concurrency = 48;
  readonly timed = false;
  readonly process: ReceiverProcess;
  readonly #folder = mkdtempSync(join(tmpdir(), "chaos-receiver-"));
  readonly #agent = new Agent({ headersTimeout: PATIENCE_MS, bodyTimeout: PATIENCE_MS });
  readonly #deadLetters: DeadLetterReader;

  readonly endings: readonly EpisodeName[];
  readonly #seed: number;
  readonly #broken: FaceOptions["broken"];

  constructor({ seed, events, broken }: FaceOptions) {
    this.#seed = seed;
    this.#broken = broken;
    const kills = LEAST_KILLS + Math.floor(events / EVENTS_PER_KILL);
    this.endings = ["told to end", "told to end", ...Array<EpisodeName>(kills - 1).fill("crash")];
    const deadLetter = join(this.#folder, "dead-letters.ndjson");
    const file = join(this.#folder, "connections.json");
    const connections = SENDERS.map(({ name, connection, kept, batched }) => [
      name,
      {
        ...connection,
        settings: { $ref: `#/settings/${batched ? "batched" : "single"}` },
        ...(kept && { deadLetter }),
      },
    ]);
    const settings = { single: SETTINGS, batched: { ...SETTINGS, maxBatchSize: 20 } };
    writeFileSync(file, JSON.stringify({ settings, connections: Object.fromEntries(connections) }));
    this.#deadLetters = new DeadLetterReader(deadLetter);
    this.process = new ReceiverProcess(["--connections", file, "--admin-port", "0"]);
  }

  /** How many events, from this one on, their sender puts into one request. */
  requestFrom(n: number): number {
    const { sender, left } = senderOf(n);
    let size = 1;
    const isBig = (of: number) => BIG.includes(kindOf(this.#seed, of));
    if (isBig(n)) return size;
    while (size < left && size < sender.batch && !isBig(n + size)) size++;
    return size;
  }

  async deliver(jobs: readonly Job[]): Promise<Verdict[]> {
    const { sender } = senderOf(jobs[0]?.n ?? 0);
    const { generation, up } = this.process;
    try {
      return this.#verdicts(sender, jobs, await this.#post(sender, jobs));
    } catch (error) {
      const { code = "", message } = error as NodeJS.ErrnoException;
      if (up && this.process.up && this.process.generation === generation)
        this.#broken(`a request of ${sender.name} failed though nobody had ended the receiver: ${code} ${message}`);
      return jobs.map(() => ({ retryAfterMs: undefined, alone: false, code, said: message }));
    }
  }

  async #post({ path, headers, body, gzip }: Sender, jobs: readonly Job[]): Promise<Answered> {
    const text = JSON.stringify(body(jobs.map(({ event }) => event)));
    const since = performance.now();
    const answer = await this.#agent.request({
      origin: this.process.url,
      path,
      method: "POST",
      headers,
      body: gzip ? gzipSync(text, { level: 1 }) : text,
    });
    const told = await answer.body.text();
    const seconds = Number(answer.headers["retry-after"] ?? Number.NaN);
    return {
      status: answer.statusCode,
      body: JSON.parse(told) as AnswerBody,
      retryAfterMs: Number.isNaN(seconds) ? undefined : seconds * 1000,
      tookMs: performance.now() - since,
    };
  }

  #verdicts(sender: Sender, jobs: readonly Job[], answered: Answered): Verdict[] {
    const { status, body, retryAfterMs } = answered;
    const again = (job: Job): Verdict => ({
      retryAfterMs: sender.honoursRetryAfter ? retryAfterMs : undefined,
      alone: false,
      code: codeOf(answered, job),
      said: `${status} ${body.message}`,
    });
    const made = sender.makesOf(status);
    if (made === "again") return jobs.map(again);
    if (made === "done") return jobs.map(({ n }) => this.#end(n, this.#heldAs(n)));
    if (made === "each" && body.results?.length !== jobs.length)
      this.#broken(`${body.results?.length ?? "no"} results for ${jobs.length} events`);
    return jobs.map((job, i) => {
      const { messageId = messageIdOf(job.n), outcome = "rejected" } = body.results?.[i] ?? {};
      if (messageId !== messageIdOf(job.n)) this.#broken(`the result of event ${job.n} is that of ${messageId}`);
      if (outcome === "retry" && made === "each") return again(job);
      if (outcome === "delivered" || outcome === "repeated") return this.#end(job.n, this.#heldAs(job.n));
      return this.#end(job.n, outcome === "skipped" ? "skipped" : "rejected", `${status} ${body.message}`);
    });
  }

  /** What became of an event whose sender was told that all is well. */
  #heldAs(n: number): "delivered" | "skipped" | "rejected" {
    if (kindOf(this.#seed, n) === "page") return "skipped";
    return senderOf(n).sender.kept && this.#mayBeKept(n) && this.#deadLetters.has(n) ? "rejected" : "delivered";
  }

  /** Whether it is worth a look at the file at once: of the others, the whole file is looked at in the end. */
  #mayBeKept(n: number): boolean {
    return ["drop", "invalid", "oversize"].includes(kindOf(this.#seed, n));
  }

  #end(n: number, end: "delivered" | "skipped" | "rejected", why = ""): Verdict {
    return { end, why: `${why} (by ${senderOf(n).sender.name})` };
  }

  async close(): Promise<void> {
    await this.process.end("SIGTERM");
    await this.#agent.close();
    this.#deadLetters.readOn();
    if (this.#deadLetters.torn > this.process.generation)
      this.#broken(`${this.#deadLetters.torn} lines of the dead-letter file are torn`);
    rmSync(this.#folder, { recursive: true });
  }

  /** By event: how many lines it has in the dead-letter file. */
  get keptLines(): ReadonlyMap<number, number> {
    return this.#deadLetters.lines;
  }
}

/** Senders take turns, and an event has the same one however often it comes. */
function senderOf(n: number): { readonly sender: Sender; readonly left: number } {
  let at = n % TURN;
  const sender = SENDERS.find(({ batch }) => {
    at -= batch;
    return at < 0;
  }) as Sender;
  return { sender, left: -at };
}

/** Of an event, where its sender may read that; a library is told of the worst only, and a timeout may hide behind it. */
function codeOf({ body: { code = "", results }, tookMs }: Answered, { n }: Job): string {
  const own = results?.find(({ messageId }) => messageId === messageIdOf(n));
  if (own?.code !== undefined) return own.code;
  return own?.outcome === "retry" && tookMs >= TIMEOUT_MS - 50 ? "OperationTimedOut" : code;
}
