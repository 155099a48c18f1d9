import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { join } from "node:path";
import { createInterface } from "node:readline";

const WORKER = join(process.cwd(), "examples/kafka/worker.mjs");

/** A line of the worker's log. */
export interface LogLine {
  readonly time: string;
  readonly message: string;
  readonly partitions?: readonly number[];
  /** Of a pause. */
  readonly code?: string;
  /** Of an event that went to another topic. */
  readonly "error-code"?: string;
  readonly "message-id"?: string;
}

/** A worker as users run it. */
export class WorkerProcess {
  readonly lines: LogLine[] = [];
  /** What it printed that is no line of its log. */
  readonly other: string[] = [];
  readonly #process: ChildProcess;

  constructor(environment: Readonly<Record<string, string>>) {
    this.#process = spawn(process.execPath, ["--disable-warning=ExperimentalWarning", WORKER], {
      env: { PATH: process.env["PATH"], ...environment },
    });
    const { stdout, stderr } = this.#process;
    if (!stdout || !stderr) throw new Error("The worker has no output.");
    createInterface(stdout).on("line", (line) => this.#note(line));
    createInterface(stderr).on("line", (line) => this.other.push(line));
  }

  get owned(): readonly number[] {
    return this.lines.findLast(({ partitions }) => partitions)?.partitions ?? [];
  }

  get hasEnded(): boolean {
    return this.#process.exitCode !== null || this.#process.signalCode !== null;
  }

  /** @returns its exit code; null after a kill */
  async end(signal: "SIGTERM" | "SIGKILL"): Promise<number | null> {
    if (this.hasEnded) return this.#process.exitCode;
    const exited = once(this.#process, "exit");
    this.#process.kill(signal);
    const [code] = await exited;
    return code;
  }

  #note(line: string): void {
    try {
      this.lines.push(JSON.parse(line));
    } catch {
      this.other.push(line);
    }
  }
}
