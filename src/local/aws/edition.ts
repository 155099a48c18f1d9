import { readdir, stat } from "node:fs/promises";
import { join } from "node:path";

const LEFT_OUT: readonly string[] = ["node_modules", "__pycache__"];

/**
 * Identifies the content of a file, or of everything in a folder but installed packages, what Python compiles and what
 * begins with a dot: another edition, another content.
 */
export async function editionOf(path: string): Promise<string> {
  try {
    const found = await stat(path);
    if (!found.isDirectory()) return `${found.mtimeMs}/${found.size}/${found.ino}`;
    const names = (await readdir(path)).filter((name) => !LEFT_OUT.includes(name) && !name.startsWith("."));
    const editions = await Promise.all(
      names.sort().map(async (name) => `${name}:${await editionOf(join(path, name))}`),
    );
    return editions.join("\n");
  } catch {
    return "missing";
  }
}
