import { access, constants, readFile, rename, rm, stat, writeFile } from "node:fs/promises";
import { dirname } from "node:path";

/** A change to one file: what it holds before and after, nothing where it does not exist. */
export interface FileChange {
  /** Absolute. */
  readonly path: string;
  readonly before?: string | undefined;
  readonly after?: string | undefined;
}

/** The folder is not one that can be changed. Its message tells the user why, and what to do. */
export class NotInstallable extends Error {
  override readonly name = "NotInstallable";
}

/** The text of a file, nothing where there is none. */
export async function readText(path: string): Promise<string | undefined> {
  try {
    return await readFile(path, "utf8");
  } catch (error) {
    const { code = "" } = error as NodeJS.ErrnoException;
    if (code === "ENOENT" || code === "ENOTDIR") return undefined;
    throw new NotInstallable(`${path} cannot be read (${code}).`);
  }
}

/**
 * Makes all of the changes or none: each file is replaced at once, and what was done is undone where a later one fails.
 *
 * @throws NotInstallable where a file cannot be written
 */
export async function applyChanges(changes: readonly FileChange[]): Promise<void> {
  const done: FileChange[] = [];
  try {
    for (const { path } of changes) await access(dirname(path), constants.W_OK);
    for (const change of changes) {
      done.unshift(change);
      await replace(change.path, change.after);
    }
  } catch (error) {
    for (const { path, before } of done) await replace(path, before).catch(() => {});
    const { code, path } = error as NodeJS.ErrnoException;
    throw new NotInstallable(`${path} cannot be written (${code}); nothing was changed.`);
  }
}

async function replace(path: string, text: string | undefined): Promise<void> {
  if (text === undefined) return rm(path, { force: true });
  const unfinished = `${path}.new`;
  try {
    const mode = await stat(path).then(
      (found) => found.mode,
      () => 0o644,
    );
    await writeFile(unfinished, text, { mode });
    await rename(unfinished, path);
  } finally {
    await rm(unfinished, { force: true });
  }
}
