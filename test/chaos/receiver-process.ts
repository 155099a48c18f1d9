import { type ChildProcess, fork } from "node:child_process";
import { once } from "node:events";
import { join } from "node:path";

/** What the receiver's process may be told. */
export type ReceiverOrder =
  | { readonly do: "clock"; readonly ms: number }
  | { readonly do: "dns"; readonly failing: boolean }
  | { readonly do: "heap" };

export type FromReceiver = { readonly heap: number } | { readonly late: string };

/** Milliseconds that it may take to end once it is told to: what is in flight has its deadline, of 28 s at most. */
const ENDING_MS = 30_000;
/** Below those that systems give to connections, so that nobody else takes it while the receiver is down. */
const PORTS = { from: 20_000, to: 30_000 };

/** `serve` in a process of its own, always at the same address. */
export class ReceiverProcess {
  /** Who it is at present: its address is answered by another after each end. */
  generation = 0;
  late = 0;
  readonly problems: string[] = [];
  #child: ChildProcess | undefined;
  #up = false;
  #ending = false;
  #port = PORTS.from + (process.pid % (PORTS.to - PORTS.from));
  #clockMs = 0;
  #dnsFailing = false;
  #said = "";

  constructor(private readonly args: readonly string[]) {}

  get url(): string {
    return `http://127.0.0.1:${this.#port}`;
  }

  /** Whether it is there to answer, as far as anybody did something to it. */
  get up(): boolean {
    return this.#up;
  }

  /** Resolves once it listens. */
  async start(): Promise<void> {
    for (; !(await this.#listens()); this.#port++) {
      if (this.#port > PORTS.to || !this.#said.includes("EADDRINUSE"))
        throw new Error(`The receiver did not start: ${this.#said}`);
    }
    this.generation++;
    this.#up = true;
  }

  /** Resolves once it is gone, by itself where it was told to. */
  async end(signal: "SIGKILL" | "SIGTERM"): Promise<void> {
    const child = this.#child as ChildProcess;
    this.#up = false;
    this.#ending = true;
    const exit = once(child, "exit");
    child.kill(signal);
    const impatience = setTimeout(() => child.kill("SIGKILL"), ENDING_MS);
    const [code] = await exit;
    clearTimeout(impatience);
    if (signal === "SIGTERM" && code !== 0)
      this.problems.push(`the receiver ended with ${code ?? "a kill"} when it was told to end: ${this.#said}`);
  }

  setClock(ms: number): void {
    this.#clockMs = ms;
    this.#order({ do: "clock", ms });
  }

  setDnsFailing(failing: boolean): void {
    this.#dnsFailing = failing;
    this.#order({ do: "dns", failing });
  }

  /** Bytes; nothing where it is killed meanwhile. */
  async heapUsed(): Promise<number | undefined> {
    const child = this.#child;
    if (!child?.connected) return undefined;
    return new Promise((resolve) => {
      const take = (message: FromReceiver) => {
        if ("heap" in message) resolve(message.heap);
      };
      child.on("message", take);
      child.once("exit", () => resolve(undefined));
      this.#order({ do: "heap" });
    });
  }

  #order(order: ReceiverOrder): void {
    if (this.#child?.connected) this.#child.send(order, () => {});
  }

  async #listens(): Promise<boolean> {
    const surroundings: ReceiverOrder[] = [
      { do: "clock", ms: this.#clockMs },
      { do: "dns", failing: this.#dnsFailing },
    ];
    const args = [JSON.stringify(surroundings), "serve", ...this.args, "--port", String(this.#port)];
    const child = fork(join(__dirname, "receiver.cjs"), args, {
      execArgv: ["--expose-gc"],
      stdio: ["ignore", "pipe", "pipe", "ipc"],
      serialization: "advanced",
    });
    this.#child = child;
    this.#ending = false;
    this.#said = "";
    child.on("message", (message: FromReceiver) => {
      if (!("late" in message)) return;
      this.late++;
      this.problems.push(message.late);
    });
    child.on("exit", (code, signal) => {
      if (!this.#ending && this.#up)
        this.problems.push(`the receiver ended by itself with ${code ?? signal}: ${this.#said}`);
    });
    child.stderr?.on("data", (chunk) => {
      this.#said = `${this.#said}${chunk}`.slice(-2000);
    });
    return new Promise((resolve) => {
      let told = "";
      const listening = (chunk: Buffer) => {
        told += String(chunk);
        if (!told.includes('"msg":"listening"')) return;
        child.stdout?.off("data", listening).resume();
        resolve(true);
      };
      child.stdout?.on("data", listening);
      child.once("close", () => resolve(false));
    });
  }
}
