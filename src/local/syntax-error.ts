import { spawnSync } from "node:child_process";
import { pathToFileURL } from "node:url";

/**
 * Where the syntax error is that importing a module ran into: file and line, the line's text, a mark under the place. Node.js
 * tells that of an ES module only where nobody catches the error, so a process of its own is made to run into it.
 * Nothing of the module or of what it imports is executed: not all of it could be parsed.
 *
 * @returns no lines where it is not known
 */
export function placeOfSyntaxError(file: string): readonly string[] {
  const script = `import ${JSON.stringify(pathToFileURL(file).href)}`;
  const { stderr } = spawnSync(process.execPath, ["--input-type=module", "--eval", script], {
    encoding: "utf8",
    env: {},
    timeout: 5000,
  });
  const lines = (stderr ?? "").split("\n");
  const end = lines.findIndex((line) => line.startsWith("SyntaxError: "));
  return /^\S.*:\d+$/.test(lines[0] ?? "") && end > 0 ? lines.slice(0, end).filter((line) => line !== "") : [];
}
