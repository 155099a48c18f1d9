import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { join } from "node:path";
import { text } from "node:stream/consumers";

const CLI = join(__dirname, "..", "..", "dist", "cli.cjs");

export interface CliRun {
  readonly code: number | null;
  readonly out: string;
  readonly err: string;
}

/** Starts the built command in a process of its own, with nothing of this machine's AWS configuration. */
export function startCli(args: readonly string[], env: NodeJS.ProcessEnv = {}): ChildProcess {
  const { PATH, HOME } = process.env;
  return spawn(process.execPath, [CLI, ...args], { env: { PATH, HOME, ...env }, stdio: ["pipe", "pipe", "pipe"] });
}

/** Runs the built command to its end. */
export async function runCli(
  args: readonly string[],
  { env = {}, input = "" }: { env?: NodeJS.ProcessEnv; input?: string | Uint8Array } = {},
): Promise<CliRun> {
  const child = startCli(args, env);
  child.stdin?.on("error", () => {});
  child.stdin?.end(input);
  const [out, err] = await Promise.all([
    text(child.stdout as NodeJS.ReadableStream),
    text(child.stderr as NodeJS.ReadableStream),
  ]);
  const code = child.exitCode ?? ((await once(child, "exit")) as [number | null])[0];
  return { code, out, err };
}

/** What a command that prints NDJSON has printed. */
export function ndjson(out: string): Record<string, unknown>[] {
  return out
    .split("\n")
    .filter((line) => line !== "")
    .map((line) => JSON.parse(line) as Record<string, unknown>);
}
