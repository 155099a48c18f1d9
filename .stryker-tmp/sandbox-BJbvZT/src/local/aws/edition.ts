// @ts-nocheck
import { readdir, stat } from "node:fs/promises";
import { join } from "node:path";

/**
 * Identifies the content of a file, or of everything in a folder but `node_modules` and what begins with a dot: another
 * edition, another content.
 */
export async function editionOf(path: string): Promise<string> {
  try {
    const found = await stat(path);
    if (!found.isDirectory()) return `${found.mtimeMs}/${found.size}/${found.ino}`;
    const names = (await readdir(path)).filter((name) => name !== "node_modules" && !name.startsWith("."));
    const editions = await Promise.all(
      names.sort().map(async (name) => `${name}:${await editionOf(join(path, name))}`),
    );
    return editions.join("\n");
  } catch {
    return "missing";
  }
}
