// @ts-nocheck
import { parse, parseExpression } from "@babel/parser";
import type {
  ArrayExpression,
  Expression,
  ImportDeclaration,
  Node,
  ObjectExpression,
  ObjectProperty,
  Program,
} from "@babel/types";

/** Text to put in the place of a part of a source; the part is empty where something is only added. */
export interface Edit {
  readonly start: number;
  readonly end: number;
  readonly text: string;
}

/** A list between brackets or braces, with one element at least. */
type List = ArrayExpression | ObjectExpression;

/** @throws SyntaxError */
export function parseModule(source: string): Program {
  return parse(source, { sourceType: "module", plugins: ["typescript", "jsx"] }).program;
}

/** @throws SyntaxError */
export function parseJsonObject(text: string): ObjectExpression {
  const value = parseExpression(text);
  if (value.type !== "ObjectExpression") throw new SyntaxError("it is no JSON object");
  return value;
}

/** The source with the edits made; what none of them touches stays as it is, to the byte. */
export function edited(source: string, edits: readonly Edit[]): string {
  const lineEnd = source.includes("\r\n") ? "\r\n" : "\n";
  return [...edits]
    .sort((a, b) => b.start - a.start)
    .reduce(
      (text, edit) => text.slice(0, edit.start) + edit.text.replaceAll("\n", lineEnd) + text.slice(edit.end),
      source,
    );
}

/** Adds a line before the last import, which keeps whatever comes behind it. */
export function addImport(program: Program, line: string): Edit {
  const last = imports(program).at(-1);
  if (!last) throw new SyntaxError("it imports nothing");
  const start = startOf(last);
  return { start, end: start, text: `${line}\n` };
}

/** Takes the whole line away. */
export function removeImport(source: string, declaration: ImportDeclaration): Edit {
  const [rest = ""] = /^[^\n]*\n?/.exec(source.slice(endOf(declaration))) ?? [];
  return { start: startOf(declaration), end: endOf(declaration) + rest.length, text: "" };
}

export function importFrom(program: Program, module: string): ImportDeclaration | undefined {
  return imports(program).find(({ source }) => source.value === module);
}

/** Adds an element at the end, indented like the one before it; a trailing comma stays where there is one. */
export function append(source: string, list: List, element: string): Edit {
  const last = elementsOf(list).at(-1);
  if (!last) throw new SyntaxError("a list in it is empty");
  const indent = indentOf(source, last);
  return { start: endOf(last), end: endOf(last), text: `,\n${indent}${element.replaceAll("\n", `\n${indent}`)}` };
}

/** Adds an element before another one, on a line of its own. */
export function insertBefore(source: string, next: Node, element: string): Edit {
  const start = startOf(next);
  return { start, end: start, text: `${element},\n${indentOf(source, next)}` };
}

/** Takes back what {@link append} or {@link insertBefore} added. */
export function remove(list: List, element: Node): Edit {
  const elements = elementsOf(list);
  const position = elements.indexOf(element);
  const [before, after] = [elements[position - 1], elements[position + 1]];
  if (after) return { start: startOf(element), end: startOf(after), text: "" };
  return { start: before ? endOf(before) : startOf(element), end: endOf(element), text: "" };
}

/** What a top-level constant is set to, `as const` and the like put aside. */
export function valueOfConstant({ body }: Program, name: string): Expression | undefined {
  for (const statement of body) {
    const declaration = statement.type === "ExportNamedDeclaration" ? statement.declaration : statement;
    if (declaration?.type !== "VariableDeclaration") continue;
    for (const { id, init } of declaration.declarations) {
      if (id.type === "Identifier" && id.name === name && init) return withoutType(init);
    }
  }
  return undefined;
}

function withoutType(expression: Expression): Expression {
  const typed = expression.type === "TSAsExpression" || expression.type === "TSSatisfiesExpression";
  return typed ? withoutType(expression.expression) : expression;
}

/** The property of an object literal that has this name, quoted or not. */
export function propertyNamed({ properties }: ObjectExpression, name: string): ObjectProperty | undefined {
  return properties.find(
    (property): property is ObjectProperty => property.type === "ObjectProperty" && nameOf(property) === name,
  );
}

export function nameOf({ key, computed }: ObjectProperty): string | undefined {
  if (key.type === "StringLiteral") return key.value;
  return key.type === "Identifier" && !computed ? key.name : undefined;
}

export function startOf({ start }: Node): number {
  return start ?? 0;
}

export function endOf({ end }: Node): number {
  return end ?? 0;
}

function imports({ body }: Program): ImportDeclaration[] {
  return body.filter((statement) => statement.type === "ImportDeclaration");
}

function elementsOf(list: List): Node[] {
  return (list.type === "ArrayExpression" ? list.elements : list.properties).filter((element) => element !== null);
}

/** White space at the start of the line on which a node starts. */
function indentOf(source: string, node: Node): string {
  const line = source.slice(source.lastIndexOf("\n", startOf(node) - 1) + 1);
  return /^[ \t]*/.exec(line)?.[0] ?? "";
}
