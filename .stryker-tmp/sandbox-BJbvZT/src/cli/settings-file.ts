// @ts-nocheck
import { readFile } from "node:fs/promises";
import { UsageError } from "./command";
import { fileProblem } from "./file-problem";

/**
 * What is in a settings file, not checked yet.
 *
 * @throws UsageError where there is no such file or it is no JSON
 */
export async function readSettingsFile(path: string | undefined): Promise<unknown> {
  if (!path) throw new UsageError("--settings <file> is needed: a JSON file with the destination's settings.");
  return parseJson(await readText(path), path);
}

async function readText(path: string): Promise<string> {
  try {
    return await readFile(path, "utf8");
  } catch (error) {
    throw fileProblem("read", path, error);
  }
}

function parseJson(text: string, path: string): unknown {
  try {
    return JSON.parse(text.replace(/^\uFEFF/, ""));
  } catch {
    // The parser's own message would quote the file, secrets included.
    throw new UsageError(`${path} is not JSON.`);
  }
}
