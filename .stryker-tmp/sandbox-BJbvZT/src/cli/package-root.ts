// @ts-nocheck
import { existsSync } from "node:fs";
import { dirname, join } from "node:path";

/** The folder of this package, from its source and from its build alike. */
export function packageRoot(from = __dirname): string {
  if (existsSync(join(from, "plugin.json"))) return from;
  const parent = dirname(from);
  if (parent === from) throw new Error("The package's own folder was not found.");
  return packageRoot(parent);
}
