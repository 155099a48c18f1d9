// @ts-nocheck
import { parseArgs } from "node:util";
import { applyChanges, type FileChange, NotInstallable } from "../hosts/file-changes";
import { type ExitCode, type Io, UsageError } from "./command";

/** What a command is going to do to a folder. */
export interface FolderChanges {
  /** Tells what was found there. */
  readonly heading: string;
  /** None where everything is right already. */
  readonly changes: readonly FileChange[];
  /** One change as its user is shown it. */
  describe(change: FileChange, dryRun: boolean): string;
}

export interface FolderCommand {
  /** What the folder has to be: `the root of a source checkout of Jitsu`. */
  readonly folder: string;
  /** Further options with a value, without their dashes. */
  readonly options?: readonly string[];
  readonly done: string;
  readonly already: string;
  /** @throws NotInstallable where the folder is not what it has to be */
  plan(folder: string, options: Readonly<Record<string, string | undefined>>): Promise<FolderChanges>;
}

/** Runs a command that changes the files of one folder, or with `--dry-run` only shows how. */
export async function changeFolder(argv: readonly string[], io: Io, command: FolderCommand): Promise<ExitCode> {
  const own = Object.fromEntries((command.options ?? []).map((name) => [name, { type: "string" as const }]));
  const { values, positionals } = parseArgs({
    args: [...argv],
    allowPositionals: true,
    options: { "dry-run": { type: "boolean" }, ...own },
  });
  const { "dry-run": dryRun = false, ...options } = values as { "dry-run"?: boolean } & Record<
    string,
    string | undefined
  >;
  const [folder] = positionals;
  if (folder === undefined || positionals.length > 1) throw new UsageError(`Give one folder: ${command.folder}.`);
  try {
    const { heading, changes, describe } = await command.plan(folder, options);
    io.stdout.write(`${heading}\n`);
    for (const change of changes) io.stdout.write(describe(change, dryRun));
    if (changes.length > 0 && !dryRun) await applyChanges(changes);
    io.stdout.write(
      `${changes.length === 0 ? command.already : dryRun ? "Nothing was changed (--dry-run)." : command.done}\n`,
    );
    return 0;
  } catch (error) {
    if (error instanceof NotInstallable) throw new UsageError(error.message);
    throw error;
  }
}
