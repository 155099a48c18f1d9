import { readFile } from "node:fs/promises";
import { extname, join } from "node:path";

const TYPES: Readonly<Record<string, string>> = {
  ".html": "text/html; charset=utf-8",
  ".js": "text/javascript; charset=utf-8",
  ".css": "text/css; charset=utf-8",
  ".svg": "image/svg+xml",
};

/** The page's files by path. Nothing else of the machine can be asked for. */
const FILES: Readonly<Record<string, string>> = {
  "/": "index.html",
  "/page.js": "page.js",
  "/page.css": "page.css",
  "/icon.svg": "icon.svg",
};

/** Stands in `index.html` where the token of this start goes. */
const TOKEN = "{{token}}";

export interface StaticFile {
  readonly type: string;
  readonly body: string;
}

export function isPageFile(path: string): boolean {
  return Object.hasOwn(FILES, path);
}

/** @param folder the built page: `dist/page` */
export async function pageFile(folder: string, path: string, token: string): Promise<StaticFile> {
  const name = FILES[path] ?? "";
  const text = await readFile(join(folder, name), "utf8");
  return { type: TYPES[extname(name)] ?? "", body: name === "index.html" ? text.replace(TOKEN, token) : text };
}
