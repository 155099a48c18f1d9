import type { ChildProcess } from "node:child_process";
import { once } from "node:events";
import { ndjson, startCli } from "../../cli/run-cli";

/** What its webhooks are opened with. */
export const SECRET = "a-secret-of-the-webhook";

/** `serve` in a process of its own. */
export class ServiceProcess {
  out = "";
  err = "";
  readonly #told: (() => void)[] = [];

  private constructor(
    readonly child: ChildProcess,
    readonly file: string,
  ) {
    const more = () => {
      for (const told of this.#told.splice(0)) told();
    };
    child.stdout?.on("data", (chunk) => {
      this.out += String(chunk);
      more();
    });
    child.stderr?.on("data", (chunk) => {
      this.err += String(chunk);
      more();
    });
    child.on("exit", more);
  }

  /**
   * Resolves once it is at work.
   *
   * @param file its connections
   */
  static async start(
    file: string,
    environment: NodeJS.ProcessEnv,
    options: readonly string[] = [],
  ): Promise<ServiceProcess> {
    const args = ["serve", "--connections", file, "--port", "0", "--admin-port", "0", ...options];
    const service = new ServiceProcess(startCli(args, environment), file);
    await service.says(/"msg":"(listening|draining)"/);
    return service;
  }

  /** Resolves once it has printed this. */
  async says(what: RegExp): Promise<void> {
    while (!what.test(this.out)) {
      if (this.hasEnded) throw new Error(`It ended: ${this.err}`);
      await new Promise<void>((told) => this.#told.push(told));
    }
  }

  get hasEnded(): boolean {
    return this.child.exitCode !== null || this.child.signalCode !== null;
  }

  get log(): Record<string, unknown>[] {
    return ndjson(this.out);
  }

  get url(): string {
    return String(this.log[0]?.["url"]);
  }

  async metrics(): Promise<string> {
    return (await fetch(`${this.log[0]?.["adminUrl"]}/metrics`)).text();
  }

  post(
    path: string,
    body: unknown,
    headers: Record<string, string> = { authorization: `Bearer ${SECRET}` },
  ): Promise<Response> {
    return fetch(this.url + path, { method: "POST", headers, body: JSON.stringify(body) });
  }

  /** @returns its exit code; null after a kill */
  async end(signal: NodeJS.Signals = "SIGTERM"): Promise<number | null> {
    if (!this.hasEnded) {
      const exit = once(this.child, "exit");
      this.child.kill(signal);
      await exit;
    }
    return this.child.exitCode;
  }
}
