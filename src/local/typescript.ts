import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import { basename, dirname, extname, join, resolve } from "node:path";
import { pathToFileURL } from "node:url";

const TYPESCRIPT: readonly string[] = [".ts", ".mts", ".cts"];

export function isTypeScript(file: string): boolean {
  return TYPESCRIPT.includes(extname(file));
}

/** What is used of esbuild; what is needed to run a file in TypeScript belongs to the folder that has it. */
interface Esbuild {
  buildSync(options: Readonly<Record<string, unknown>>): { readonly outputFiles: readonly { readonly text: string }[] };
}

/** Why a file in TypeScript cannot be run here, in one line; undefined where it can. */
export function obstacleTo(file: string): string | undefined {
  if (nodeStripsTypes() || esbuildPath(file)) return undefined;
  return `${basename(file)} needs Node.js 22.18 or newer (this is ${process.versions.node}) or esbuild in its folder: npm install --save-dev esbuild`;
}

/**
 * Imports a file in TypeScript: Node.js does it alone if it can, else the folder's esbuild makes one module of it and what
 * it imports, as for deployment.
 *
 * @throws Error where neither can, and whatever importing it throws
 */
export async function importTypeScript(file: string): Promise<Record<string, unknown>> {
  const esbuild = esbuildPath(file);
  if (nodeStripsTypes()) {
    try {
      return (await import(pathToFileURL(file).href)) as Record<string, unknown>;
    } catch (error) {
      // Enums and the like are more than types.
      const { code, message } = error as NodeJS.ErrnoException;
      if (code !== "ERR_UNSUPPORTED_TYPESCRIPT_SYNTAX") throw error;
      if (!esbuild)
        throw Object.assign(error as Error, {
          message: `${message}: Node.js only removes types; to compile the rest, put esbuild in its folder: npm install --save-dev esbuild`,
        });
    }
  }
  if (esbuild === undefined) throw new Error(obstacleTo(file));
  const folder = mkdtempSync(join(tmpdir(), "typescript-"));
  try {
    const module = join(folder, `${basename(file, extname(file))}.mjs`);
    writeFileSync(module, bundled(createRequire(file)(esbuild) as Esbuild, file));
    process.setSourceMapsEnabled(true);
    return (await import(pathToFileURL(module).href)) as Record<string, unknown>;
  } finally {
    rmSync(folder, { recursive: true });
  }
}

function bundled(esbuild: Esbuild, file: string): string {
  const url = JSON.stringify(pathToFileURL(file).href);
  try {
    const { outputFiles } = esbuild.buildSync({
      entryPoints: [file],
      absWorkingDir: dirname(file),
      bundle: true,
      write: false,
      format: "esm",
      platform: "node",
      target: `node${process.versions.node}`,
      sourcemap: "inline",
      sourcesContent: false,
      sourceRoot: pathToFileURL(join(dirname(file), "/")).href,
      logLevel: "silent",
      define: { "import.meta.url": url },
      // For what of it is CommonJS.
      banner: {
        js: `import{createRequire as __createRequire}from"node:module";const require=__createRequire(${url});`,
      },
      outfile: join(dirname(file), "bundled.mjs"),
    });
    return outputFiles[0]?.text ?? "";
  } catch (thrown) {
    throw buildError(thrown, dirname(file));
  }
}

interface BuildMessage {
  readonly text: string;
  readonly location?: {
    readonly file: string;
    readonly line: number;
    readonly column: number;
    readonly lineText: string;
  } | null;
}

/** As Node.js says it of a file in JavaScript. */
function buildError(thrown: unknown, folder: string): unknown {
  const [first] = (thrown as { errors?: readonly BuildMessage[] }).errors ?? [];
  if (!first) return thrown;
  const { text, location } = first;
  const missing = /^Could not resolve/.test(text);
  const error = missing ? Object.assign(new Error(text), { code: "ERR_MODULE_NOT_FOUND" }) : new SyntaxError(text);
  const { file = "", line = 0, column = 0, lineText = "" } = location ?? {};
  if (location)
    error.stack = `${resolve(folder, file)}:${line}:${column + 1}\n${lineText}\n${" ".repeat(column)}^\n\n${error.name}: ${text}`;
  return error;
}

function nodeStripsTypes(): boolean {
  return Boolean((process.features as { typescript?: unknown }).typescript);
}

function esbuildPath(file: string): string | undefined {
  try {
    return createRequire(file).resolve("esbuild");
  } catch {
    return undefined;
  }
}
