import { existsSync } from "node:fs";
import { dirname, join } from "node:path";

/**
 * A file of the package's build that runs in a thread of its own, wherever this module itself was bundled to.
 *
 * @param name of a file in `dist/local`
 * @throws Error if the package has not been built
 */
export function builtFile(name: string): string {
  for (let folder = __dirname; ; folder = dirname(folder)) {
    const candidate = join(folder, "dist", "local", name);
    if (existsSync(candidate)) return candidate;
    if (dirname(folder) === folder) throw new Error(`No dist/local/${name} above ${__dirname}: build first.`);
  }
}
