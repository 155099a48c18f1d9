import { parse as parseBabel } from "@babel/parser";
import { parse, print, types } from "recast";

export type Program = types.namedTypes.Program;
export type ObjectLiteral = types.namedTypes.ObjectExpression;
export type Property = types.namedTypes.ObjectProperty;

const { builders, namedTypes: node } = types;

const parser = {
  parse: (source: string) => parseBabel(source, { sourceType: "module", tokens: true, plugins: ["typescript", "jsx"] }),
};

/**
 * Changes a source file on its syntax tree; what is not changed keeps its formatting.
 *
 * @throws SyntaxError
 */
export function editSource(source: string, edit: (program: Program) => void, trailingComma = true): string {
  const tree: types.namedTypes.File = parse(source, { parser });
  edit(tree.program);
  const lineTerminator = source.includes("\r\n") ? "\r\n" : "\n";
  return print(tree, { quote: "double", trailingComma, tabWidth: 2, lineTerminator }).code;
}

/** Changes a JSON file in the same way. */
export function editJson(text: string, edit: (json: ObjectLiteral) => void): string {
  const editObject = ({ body: [statement] }: Program) => {
    const json = node.ExpressionStatement.check(statement) ? statement.expression : undefined;
    if (!node.ObjectExpression.check(json)) throw new SyntaxError("it is no JSON object");
    edit(json);
  };
  const source = editSource(`(${text.trimEnd()})`, editObject, false);
  return source.slice(1, -1) + text.slice(text.trimEnd().length);
}

/** Imports a name, once; before the last import, which keeps the blank line behind it. */
export function addImport({ body }: Program, name: string, from: string): void {
  if (body.some((statement) => importsFrom(statement, from))) return;
  const last = body.findLastIndex((statement) => node.ImportDeclaration.check(statement));
  const specifier = builders.importSpecifier(builders.identifier(name));
  body.splice(Math.max(last, 0), 0, builders.importDeclaration([specifier], builders.stringLiteral(from)));
}

export function removeImport(program: Program, from: string): void {
  program.body = program.body.filter((statement) => !importsFrom(statement, from));
}

function importsFrom(statement: Program["body"][number], from: string): boolean {
  return node.ImportDeclaration.check(statement) && statement.source.value === from;
}

/** What a top-level constant is set to, `as const` and the like put aside. */
export function valueOfConstant({ body }: Program, name: string): unknown {
  for (const statement of body) {
    const declaration = node.ExportNamedDeclaration.check(statement) ? statement.declaration : statement;
    if (!node.VariableDeclaration.check(declaration)) continue;
    for (const declarator of declaration.declarations) {
      if (!node.VariableDeclarator.check(declarator) || !node.Identifier.check(declarator.id)) continue;
      if (declarator.id.name === name) return withoutType(declarator.init);
    }
  }
  return undefined;
}

function withoutType(expression: unknown): unknown {
  const typed = node.TSAsExpression.check(expression) || node.TSSatisfiesExpression.check(expression);
  return typed ? withoutType(expression.expression) : expression;
}

/** The property of an object literal that has this name, quoted or not. */
export function propertyNamed({ properties }: ObjectLiteral, name: string): Property | undefined {
  return properties.find((property): property is Property => {
    if (!node.ObjectProperty.check(property)) return false;
    return node.Identifier.check(property.key) ? property.key.name === name : keyOf(property) === name;
  });
}

/** The key of a property whose name is quoted. */
export function keyOf({ key }: Property): string | undefined {
  return node.StringLiteral.check(key) ? key.value : undefined;
}
