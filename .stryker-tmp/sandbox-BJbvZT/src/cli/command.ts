// @ts-nocheck
import type { Readable, Writable } from "node:stream";

/** Where a command reads and writes; injected, so that a test can stand in for a terminal or a pipe. */
export interface Io {
  readonly stdin: Readable & { readonly isTTY?: boolean; readonly fd?: number };
  readonly stdout: Writable & { readonly isTTY?: boolean; readonly columns?: number };
  readonly stderr: Writable & { readonly isTTY?: boolean; readonly columns?: number };
  readonly env: Readonly<Record<string, string | undefined>>;
  /** Calls back at the user's Ctrl-C until the returned function is called. */
  onInterrupt(callback: () => void): () => void;
}

/** What a command ends with: 0 done, 1 something was not delivered or is not right, 2 wrong usage or settings. */
export type ExitCode = 0 | 1 | 2;

export interface Command {
  /** One line for the list of commands. */
  readonly summary: string;
  /** The whole of `--help`. */
  readonly help: string;
  /** @throws UsageError where the arguments, or a file that they name, are no good */
  run(argv: readonly string[], io: Io): Promise<ExitCode>;
}

/** Something the user can put right by calling the command differently; exit code 2. Its message is shown as it is. */
export class UsageError extends Error {
  override readonly name = "UsageError";
}
