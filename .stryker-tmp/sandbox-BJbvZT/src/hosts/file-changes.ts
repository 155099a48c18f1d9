// @ts-nocheck
import { access, constants, mkdir, readFile, rename, rm, rmdir, stat, writeFile } from "node:fs/promises";
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
 * Folders are made for new files, and removed with the last file in them.
 *
 * @throws NotInstallable where a file cannot be written
 */
export async function applyChanges(changes: readonly FileChange[]): Promise<void> {
  const done: FileChange[] = [];
  let current = "";
  try {
    for (const { path } of changes) {
      current = path;
      await access(await existingFolder(dirname(path)), constants.W_OK);
    }
    for (const change of changes) {
      current = change.path;
      done.unshift(change);
      await replace(change.path, change.after);
    }
  } catch (error) {
    for (const { path, before } of done) await replace(path, before).catch(() => {});
    // A disk that is full names no path.
    const { code, path = current } = error as NodeJS.ErrnoException;
    const advice = code === "ENOSPC" ? "Make room on the disk first." : "Run this as a user who may write there.";
    throw new NotInstallable(`${path} cannot be written (${code}); nothing was changed. ${advice}`);
  }
}

async function replace(path: string, text: string | undefined): Promise<void> {
  const unfinished = unfinishedPath(path);
  if (text === undefined) {
    await rm(path, { force: true });
    await rm(unfinished, { force: true });
    // Stays where it holds something else.
    return rmdir(dirname(path)).catch(() => {});
  }
  await mkdir(dirname(path), { recursive: true });
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

/** Where a file is written before it takes its place; left behind only by a process that was killed. */
export function unfinishedPath(path: string): string {
  return `${path}.new`;
}

/** The folder, or the nearest above it that exists. */
async function existingFolder(path: string): Promise<string> {
  return stat(path).then(
    () => path,
    () => (dirname(path) === path ? path : existingFolder(dirname(path))),
  );
}
