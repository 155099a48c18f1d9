// @ts-nocheck
import { parse } from "@babel/parser";
import { DESTINATION_TYPE } from "./contract";

type Node = { readonly type: string; readonly start: number; readonly end: number } & Readonly<Record<string, unknown>>;

/**
 * The shapes in which the transformer's compiled `features.js` lists what destinations can do, newest first: an object
 * of capabilities per destination (from 1.141.4 on), and an object of destinations within the features themselves.
 */
const SHAPES: readonly { readonly object: readonly string[]; readonly entry: string }[] = [
  { object: ["destinationCapabilities"], entry: `${DESTINATION_TYPE}: { routerTransform: true }` },
  { object: ["defaultFeaturesConfig", "routerTransform"], entry: `${DESTINATION_TYPE}: true` },
];

/** Where the list stands in the file's text, and whether it has this destination already. */
interface FeatureList {
  /** The position after the list's opening brace. */
  readonly start: number;
  readonly inserted: string;
  readonly hasDestination: boolean;
}

/** The text with the destination in the list, unchanged where it is there already; nothing where there is no list to be found. */
export function addToFeatureList(text: string): string | undefined {
  const list = findFeatureList(text);
  if (!list || list.hasDestination) return list && text;
  return text.slice(0, list.start) + list.inserted + text.slice(list.start);
}

/** The text as it was before {@link addToFeatureList}, to the byte; unchanged where that was not its doing. */
export function removeFromFeatureList(text: string): string | undefined {
  const list = findFeatureList(text);
  if (!list?.hasDestination || !text.startsWith(list.inserted, list.start)) return list && text;
  return text.slice(0, list.start) + text.slice(list.start + list.inserted.length);
}

function findFeatureList(text: string): FeatureList | undefined {
  const program = parseProgram(text);
  if (!program) return undefined;
  for (const { object, entry } of SHAPES) {
    const list = findObject(program, object);
    // Its members are what tells a list of destinations from another object of the same name.
    if (!list || keysOf(list).filter((key) => /^[A-Z][A-Z0-9_]*$/.test(key)).length === 0) continue;
    return { start: list.start + 1, inserted: ` ${entry},`, hasDestination: keysOf(list).includes(DESTINATION_TYPE) };
  }
  return undefined;
}

function parseProgram(text: string): Node | undefined {
  try {
    return parse(text, { sourceType: "script" }).program as unknown as Node;
  } catch {
    return undefined;
  }
}

/** The object literal that a top-level variable, and properties within it, are initialised with. */
function findObject(program: Node, [variable, ...properties]: readonly string[]): Node | undefined {
  const declarators = (program["body"] as readonly Node[])
    .filter(({ type }) => type === "VariableDeclaration")
    .flatMap((declaration) => declaration["declarations"] as readonly Node[]);
  let found = declarators.find((declarator) => nameOf(declarator["id"]) === variable)?.["init"] as Node | undefined;
  for (const property of properties) {
    found = propertiesOf(found).find(({ key }) => nameOf(key) === property)?.["value"] as Node | undefined;
  }
  return found?.type === "ObjectExpression" ? found : undefined;
}

function keysOf(object: Node): string[] {
  return propertiesOf(object).map(({ key }) => nameOf(key) ?? "");
}

function propertiesOf(object: Node | undefined): readonly Node[] {
  if (object?.type !== "ObjectExpression") return [];
  return (object["properties"] as readonly Node[]).filter(({ type }) => type === "ObjectProperty");
}

function nameOf(node: unknown): string | undefined {
  const { type, name, value } = node as { type?: string; name?: string; value?: unknown };
  if (type === "Identifier") return name;
  return type === "StringLiteral" ? String(value) : undefined;
}
