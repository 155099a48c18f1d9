// @ts-nocheck
import { UsageError } from "./command";

/** The operating system's codes in words. */
const WORDS: Readonly<Record<string, string>> = {
  ENOENT: "there is no such file or folder",
  EISDIR: "it is a folder",
  ENOTDIR: "a part of the path is a file, not a folder",
  EEXIST: "it is a file that is there already",
  EACCES: "you are not allowed to",
  EPERM: "you are not allowed to",
  EROFS: "the disk is read-only",
  ENOSPC: "the disk is full",
  EDQUOT: "your share of the disk is full",
  EFBIG: "the file would be too large",
  EMFILE: "too many files are open",
  ENFILE: "too many files are open",
  ENAMETOOLONG: "the name is too long",
  ELOOP: "its links lead in a circle",
  EIO: "the disk failed",
  EPIPE: "nobody reads it any more",
};

/**
 * Tells the user why a file is not read or written.
 *
 * @param error as Node.js's `fs` throws it
 */
export function fileProblem(verb: "read" | "write", path: string, error: unknown): UsageError {
  const { code = "unknown error" } = error as NodeJS.ErrnoException;
  return new UsageError(`Cannot ${verb} ${path}: ${WORDS[code] ?? code}.`);
}
