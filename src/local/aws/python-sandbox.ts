import { spawn } from "node:child_process";
import { createInterface } from "node:readline";
import type { Readable } from "node:stream";
import { builtFile } from "../built-file";
import type { FunctionError } from "./runtime";
import type { Ending, Sandbox, SandboxOptions } from "./sandbox";
import type { WorkerMessage, WorkerSettings } from "./worker-messages";

/** The interpreter's name on the PATH. */
export const PYTHON = process.platform === "win32" ? "python" : "python3";

/** Starts a process of the machine's Python for a handler. @throws Error if the package has not been built */
export function startPythonSandbox({ environment, onMessage, onEnd, ...settings }: SandboxOptions): Sandbox {
  // In a process group of its own: Ctrl-C is for the router, and what a handler starts ends with it.
  const child = spawn(PYTHON, ["-B", builtFile("python-runtime.py")], {
    env: environment,
    stdio: ["pipe", "pipe", "pipe", "pipe"],
    detached: process.platform !== "win32",
    windowsHide: true,
  });
  const messages = child.stdio[3] as Readable;
  let error: FunctionError | undefined;
  let ended = false;

  const lines = createInterface({ input: messages });
  lines.on("line", (line) => onMessage(JSON.parse(line) as WorkerMessage));
  // What Python's own streams do not carry: C libraries, other processes.
  for (const output of [child.stdout, child.stderr])
    createInterface({ input: output }).on("line", (line) => onMessage({ type: "log", line }));
  const allRead = new Promise<void>((resolve) => lines.once("close", resolve));
  const finish = async (ending: Ending): Promise<void> => {
    if (ended) return;
    ended = true;
    await allRead;
    onEnd({ ...ending, ...(error && { error }) });
  };
  const exited = new Promise<void>((resolve) => {
    child.once("exit", (code, signal) => {
      killGroup(child.pid);
      void finish({ code, signal }).then(resolve);
    });
    child.once("error", (thrown: NodeJS.ErrnoException) => {
      error = notStarted(thrown);
      void finish({ code: null }).then(resolve);
    });
  });
  child.stdin.on("error", () => {});
  const handles = [child, ...child.stdio] as readonly { ref(): void; unref(): void }[];
  for (const each of handles) each.unref();
  child.stdin.write(`${JSON.stringify(settings satisfies WorkerSettings)}\n`);

  return {
    run: (message) => void child.stdin.write(`${JSON.stringify(message)}\n`),
    async end() {
      for (const each of handles) each.ref();
      killGroup(child.pid);
      child.kill("SIGKILL");
      await exited;
    },
  };
}

function killGroup(pid: number | undefined): void {
  if (pid === undefined || process.platform === "win32") return;
  try {
    process.kill(-pid, "SIGKILL");
  } catch {
    // Nothing of it is left.
  }
}

function notStarted({ code, message }: NodeJS.ErrnoException): FunctionError {
  return {
    errorType: "Runtime.InvalidEntrypoint",
    errorMessage: code === "ENOENT" ? `There is no ${PYTHON} on the PATH: install Python 3.9 or newer.` : message,
  };
}
