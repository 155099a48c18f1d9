import { existsSync, readdirSync, readFileSync, statSync } from "node:fs";
import { dirname, join, relative, resolve, sep } from "node:path";
import ts from "typescript";

const SRC = resolve(__dirname, "../src");

/** Which layers the files of a layer may import. Those that only lend their types to it are in brackets. */
const MAY_IMPORT: Readonly<Record<string, readonly string[]>> = {
  encoding: [],
  names: [],
  generated: [],
  function: [],
  events: ["encoding"],
  delivery: ["names", "encoding", "(events)", "(aws)"],
  settings: ["names", "encoding", "events", "generated"],
  aws: ["names", "encoding"],
  planning: ["names", "encoding", "settings", "events"],
  destination: ["names", "encoding", "settings", "planning", "aws", "delivery"],
  node: ["settings", "aws", "delivery", "destination"],
  iam: ["names", "settings", "events", "aws", "delivery", "destination"],
  index: ["names", "settings", "events", "planning", "delivery", "destination", "node", "iam"],
  hosts: [],
  "hosts/jitsu": [
    "names",
    "encoding",
    "settings",
    "events",
    "planning",
    "aws",
    "delivery",
    "destination",
    "node",
    "index",
    "hosts",
  ],
  "hosts/rudderstack": [
    "names",
    "encoding",
    "settings",
    "events",
    "planning",
    "delivery",
    "destination",
    "node",
    "hosts",
  ],
  "hosts/webhook": [
    "names",
    "encoding",
    "generated",
    "settings",
    "events",
    "planning",
    "delivery",
    "destination",
    "index",
    "hosts",
  ],
  page: ["(local)"],
  local: [
    "names",
    "settings",
    "events",
    "delivery",
    "destination",
    "planning",
    "node",
    "index",
    "(iam)",
    "hosts/jitsu",
    "hosts/rudderstack",
    "hosts/webhook",
  ],
  cli: [
    "names",
    "settings",
    "events",
    "delivery",
    "planning",
    "destination",
    "node",
    "index",
    "iam",
    "hosts",
    "hosts/jitsu",
    "hosts/rudderstack",
    "hosts/webhook",
    "local",
  ],
};

interface Import {
  readonly from: string;
  readonly to: string;
  readonly typeOnly: boolean;
}

const files = (readdirSync(SRC, { recursive: true }) as string[])
  .map((name) => join(SRC, name))
  .filter((path) => /\.tsx?$/.test(path) && statSync(path).isFile());
const imports = files.flatMap(importsOf);

function importsOf(from: string): Import[] {
  const found: Import[] = [];
  const add = (specifier: ts.Node | undefined, typeOnly: boolean) => {
    if (!specifier || !ts.isStringLiteral(specifier) || !specifier.text.startsWith(".")) return;
    const target = resolve(dirname(from), specifier.text);
    const to = [`${target}.ts`, `${target}.tsx`, join(target, "index.ts")].find(existsSync) ?? target;
    if (to.startsWith(SRC + sep)) found.push({ from, to, typeOnly });
  };
  const visit = (node: ts.Node) => {
    if (ts.isImportDeclaration(node)) add(node.moduleSpecifier, node.importClause?.isTypeOnly ?? false);
    else if (ts.isExportDeclaration(node)) add(node.moduleSpecifier, node.isTypeOnly);
    else if (ts.isCallExpression(node) && node.expression.kind === ts.SyntaxKind.ImportKeyword)
      add(node.arguments[0], false);
    ts.forEachChild(node, visit);
  };
  visit(ts.createSourceFile(from, readFileSync(from, "utf8"), ts.ScriptTarget.Latest));
  return found;
}

const shown = (path: string) => relative(SRC, path).split(sep).join("/");

function layerOf(path: string): string {
  const parts = shown(path)
    .replace(/\.tsx?$/, "")
    .split("/");
  return parts[0] === "hosts" && parts.length > 2 ? `hosts/${parts[1]}` : (parts[0] ?? "");
}

test("every layer imports only from those below it", () => {
  const forbidden = imports.filter(({ from, to, typeOnly }) => {
    const [own, other] = [layerOf(from), layerOf(to)];
    const allowed = MAY_IMPORT[own] ?? [];
    return own !== other && !allowed.includes(other) && !(typeOnly && allowed.includes(`(${other})`));
  });

  expect(forbidden.map(({ from, to }) => `${shown(from)} imports ${shown(to)}`)).toEqual([]);
  expect(new Set(files.map(layerOf))).toEqual(new Set(Object.keys(MAY_IMPORT)));
});

test("no file imports itself by way of others, types included", () => {
  const circles: string[] = [];
  const done = new Set<string>();
  const walk = (path: string, way: readonly string[]) => {
    const begun = way.indexOf(path);
    if (begun >= 0) circles.push([...way.slice(begun), path].map(shown).join(" > "));
    if (begun >= 0 || done.has(path)) return;
    for (const { to } of imports.filter(({ from }) => from === path)) walk(to, [...way, path]);
    done.add(path);
  };
  for (const file of files) walk(file, []);

  expect(imports.length).toBeGreaterThan(files.length);
  expect(circles).toEqual([]);
});
