import { spawnSync } from "node:child_process";
import { type Dirent, existsSync, readFileSync, statSync } from "node:fs";
import { readdir } from "node:fs/promises";
import { extname, join, resolve } from "node:path";
import { CALL_TYPES } from "../events/segment-event";
import { FUNCTION_NAME } from "../names/grammar";
import { PYTHON } from "./aws/python-sandbox";
import { isTypeScript, obstacleTo } from "./typescript";

/** A Lambda function of a folder: a file of its name, or a folder of its name that has an index. */
export interface HandlerFile {
  readonly name: string;
  /** Absolute. */
  readonly file: string;
}

/** What a folder holds. */
export interface HandlerFolder {
  /** By name. */
  readonly functions: readonly HandlerFile[];
  /** What is there and not run, and why: a sentence each. */
  readonly notes: readonly string[];
}

/** A folder from which nothing can be run. */
export class NoFunctions extends Error {
  override readonly name = "NoFunctions";
}

const RUN_HERE: readonly string[] = [".mjs", ".cjs", ".js", ".mts", ".cts", ".ts", ".py"];
/** Languages that Lambda runs, and this machine does not. */
const NOT_RUN_HERE: Readonly<Record<string, string>> = {
  ".rb": "Ruby",
  ".go": "Go",
  ".java": "Java",
  ".kt": "Kotlin",
  ".jar": "Java",
  ".cs": ".NET",
  ".fs": ".NET",
  ".rs": "Rust",
  ".php": "PHP",
  ".swift": "Swift",
  ".sh": "shell script",
  ".zip": "deployment package",
};
const NAME = new RegExp(`^${FUNCTION_NAME}$`);
/** In a folder of one function, the first of these that is there; Python's second is what Lambda's console makes. */
const INDEXES: readonly string[] = [...RUN_HERE.map((extension) => `index${extension}`), "lambda_function.py"];
const NO_FUNCTION: readonly string[] = ["node_modules", "__pycache__"];
/** Of a module in Python that has a handler. */
const PYTHON_HANDLER = /^(?:(?:async )?def |from .* import .*\b|)(?:lambda_)?handler\b/m;

/** The functions of a folder: `track.mjs` and `track/index.mjs` are the function `track`, in JavaScript, TypeScript or Python. */
export async function handlerFolder(folder: string): Promise<HandlerFolder> {
  const entries = (await readdir(folder, { withFileTypes: true })).sort((a, b) => (a.name < b.name ? -1 : 1));
  const found = entries.flatMap((entry) => handlerOf(folder, entry) ?? []);
  return {
    functions: found.filter((each) => typeof each === "object"),
    notes: found.filter((each) => typeof each === "string"),
  };
}

/** @throws NoFunctions where there are none, or two of one name */
export function assertRunnable(folder: string, { functions, notes }: HandlerFolder): void {
  if (functions.length === 0) throw new NoFunctions(nothingToRun(folder, notes));
  const twice = functions.find(({ name }, i) => functions.findIndex((each) => each.name === name) < i);
  if (twice)
    throw new NoFunctions(`There are several files for the function ${twice.name} in ${folder}: keep one of them.`);
}

/** What this machine lacks to run some of the functions: a sentence each. */
export function obstaclesTo(functions: readonly HandlerFile[]): string[] {
  const inTypeScript = functions.filter(({ file }) => isTypeScript(file)).flatMap(({ file }) => obstacleTo(file) ?? []);
  const inPython = functions.filter(({ file }) => extname(file) === ".py").map(({ name }) => name);
  if (inPython.length === 0 || spawnSync(PYTHON, ["--version"]).status === 0) return inTypeScript;
  return [...inTypeScript, `${inPython.join(", ")}: there is no ${PYTHON} on the PATH; install Python 3.9 or newer.`];
}

/** The function that an entry is, or why what looks like one is not run; undefined for everything else. */
function handlerOf(folder: string, entry: Dirent): HandlerFile | string | undefined {
  if (entry.name.startsWith(".") || NO_FUNCTION.includes(entry.name)) return undefined;
  const path = resolve(folder, entry.name);
  const extension = extname(entry.name);
  const isFolder = statSync(path, { throwIfNoEntry: false })?.isDirectory();
  if (isFolder) {
    const index = indexOf(path);
    if (index) return named(entry.name, entry.name, index);
    return isCallType(entry.name)
      ? `${entry.name} is not run: there is no ${entry.name}/index.mjs, .ts or .py.`
      : undefined;
  }
  const name = entry.name.slice(0, entry.name.length - extension.length);
  const language = NOT_RUN_HERE[extension];
  if (language)
    return `${entry.name} is not run: here, functions are JavaScript, TypeScript or Python, not ${language}.`;
  if (!RUN_HERE.includes(extension) || /\.d\.[cm]?ts$/.test(entry.name)) return undefined;
  if (extension === ".py" && !isCallType(name) && !PYTHON_HANDLER.test(readFileSync(path, "utf8"))) return undefined;
  return named(name, entry.name, path);
}

function named(name: string, entry: string, file: string): HandlerFile | string {
  if (NAME.test(name)) return { name, file };
  return `${entry} is not run: a function's name has letters, digits, - and _ only, 64 at most.`;
}

function isCallType(name: string): boolean {
  return name === "lambda" || CALL_TYPES.some((type) => type === name);
}

function indexOf(folder: string): string | undefined {
  return [mainOf(folder), ...INDEXES]
    .filter((name): name is string => name !== undefined && RUN_HERE.includes(extname(name)))
    .map((name) => join(folder, name))
    .find((file) => existsSync(file));
}

/** What the folder's package.json says is its module. */
function mainOf(folder: string): string | undefined {
  try {
    const { main } = JSON.parse(readFileSync(join(folder, "package.json"), "utf8")) as { main?: unknown };
    return typeof main === "string" ? main : undefined;
  } catch {
    return undefined;
  }
}

function nothingToRun(folder: string, notes: readonly string[]): string {
  return [
    `There are no functions in ${folder}: no file such as track.mjs, page.ts or lambda.py, and no folder such as track/index.mjs.`,
    ...notes,
  ].join("\n");
}
