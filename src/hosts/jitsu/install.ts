import { join, resolve } from "node:path";
import { types } from "recast";
import { type FileChange, NotInstallable, readText } from "../file-changes";
import { consoleForm, FORM_MARK } from "./console-form";
import {
  addImport,
  editJson,
  editSource,
  keyOf,
  type ObjectLiteral,
  type Program,
  propertyNamed,
  removeImport,
  valueOfConstant,
} from "./source-edits";

/** What has to change in a source checkout of Jitsu; nothing is changed yet. */
export interface JitsuPlan {
  /** The checkout, an absolute path. */
  readonly root: string;
  /** The package of the destination functions, which tells older checkouts from newer ones. */
  readonly library: string;
  readonly changes: readonly FileChange[];
}

const { builders, namedTypes: node } = types;

const PACKAGE = "amazon-lambda-destination";
const MODULE = `${PACKAGE}/jitsu`;
const FUNCTION = "AmazonLambdaDestination";
const FUNCTION_ID = "builtin.destination.amazon-lambda";
const FORM = "amazonLambda";
const CONNECTION_OPTIONS = "CloudDestinationsConnectionOptions";

/** Where Jitsu keeps its destination functions: newer checkouts first. */
const LIBRARIES = ["libs/destination-functions", "libs/core-functions"] as const;
const SCHEMAS = "webapps/console/lib/schema";

/** One file of the checkout and what becomes of it; `undefined` stands for no file. */
interface Edit {
  readonly file: string;
  readonly change: (text: string | undefined) => string | undefined;
}

/**
 * What has to change for a Jitsu built from this checkout to have the destination: a dependency, its function among the
 * built-in ones and its form in the console. Installing twice changes nothing; another version is replaced.
 *
 * @param options.version of this package
 * @param options.specifier where the checkout gets the package from, as in a package.json
 * @throws NotInstallable where it is no checkout that this version knows
 */
export async function planInstallation(
  checkout: string,
  { version, specifier = `^${version}` }: { readonly version: string; readonly specifier?: string },
): Promise<JitsuPlan> {
  const { root, library } = await openCheckout(checkout);
  return plan(root, library, [
    {
      file: `${library}/package.json`,
      change: (text) => editJson(text ?? "{}", (json) => addDependency(json, specifier)),
    },
    { file: `${library}/src/index.ts`, change: (text = "") => editSource(text, register) },
    { file: `${SCHEMAS}/amazon-lambda.tsx`, change: (text) => refuseForeign(text, consoleForm(version)) },
    { file: `${SCHEMAS}/destinations.tsx`, change: (text = "") => editSource(text, addForm) },
  ]);
}

/**
 * What has to change for the checkout not to have the destination any more.
 *
 * @throws NotInstallable as {@link planInstallation} does
 */
export async function planRemoval(checkout: string): Promise<JitsuPlan> {
  const { root, library } = await openCheckout(checkout);
  return plan(root, library, [
    { file: `${SCHEMAS}/destinations.tsx`, change: (text = "") => editSource(text, removeForm) },
    { file: `${SCHEMAS}/amazon-lambda.tsx`, change: (text) => (isOurs(text) ? undefined : text) },
    { file: `${library}/src/index.ts`, change: (text = "") => editSource(text, unregister) },
    { file: `${library}/package.json`, change: (text) => editJson(text ?? "{}", removeDependency) },
  ]);
}

async function openCheckout(checkout: string): Promise<Pick<JitsuPlan, "root" | "library">> {
  const root = resolve(checkout);
  const form = await readText(join(root, SCHEMAS, "destinations.tsx"));
  for (const library of LIBRARIES) {
    if (form !== undefined && (await readText(join(root, library, "src/index.ts"))) !== undefined)
      return { root, library };
  }
  throw new NotInstallable(
    `${root} is no source checkout of Jitsu 2: there is no ${LIBRARIES.join("/src/index.ts or ")}/src/index.ts with ${SCHEMAS}/destinations.tsx in it. ` +
      "To use the destination in a Jitsu that is not built from source, deploy it as a function.",
  );
}

async function plan(root: string, library: string, edits: readonly Edit[]): Promise<JitsuPlan> {
  const changes: FileChange[] = [];
  for (const { file, change } of edits) {
    const path = join(root, file);
    const before = await readText(path);
    try {
      const after = change(before);
      if (before !== after) changes.push({ path, before, after });
    } catch (error) {
      throw new NotInstallable(
        `${path} is not as this version knows it: ${(error as Error).message}. Nothing was changed.`,
      );
    }
  }
  return { root, library, changes };
}

function refuseForeign(text: string | undefined, form: string): string {
  if (text !== undefined && !isOurs(text)) throw new Error("it was made by somebody else");
  return form;
}

function isOurs(text: string | undefined): boolean {
  return text?.startsWith(FORM_MARK) ?? false;
}

function addDependency(json: ObjectLiteral, specifier: string): void {
  const dependencies = propertyNamed(json, "dependencies")?.value;
  if (!node.ObjectExpression.check(dependencies)) throw new Error("it has no dependencies");
  const value = builders.stringLiteral(specifier);
  const present = propertyNamed(dependencies, PACKAGE);
  if (present) {
    if (!node.StringLiteral.check(present.value) || present.value.value !== specifier) present.value = value;
    return;
  }
  const names = dependencies.properties.map(
    (each) => (node.ObjectProperty.check(each) ? keyOf(each) : undefined) ?? "",
  );
  const position = names.findIndex((name) => name > PACKAGE);
  const dependency = builders.objectProperty(builders.stringLiteral(PACKAGE), value);
  dependencies.properties.splice(position < 0 ? names.length : position, 0, dependency);
}

function removeDependency(json: ObjectLiteral): void {
  const dependencies = propertyNamed(json, "dependencies")?.value;
  if (node.ObjectExpression.check(dependencies)) removeProperty(dependencies, PACKAGE);
}

function register(program: Program): void {
  const functions = builtinDestinations(program);
  const present = propertyNamed(functions, FUNCTION_ID);
  if (present && !isOurFunction(present.value)) throw new Error(`it has another ${FUNCTION_ID}`);
  addImport(program, FUNCTION, MODULE);
  if (present) return;
  const type = builders.tsTypeReference(builders.identifier("JitsuFunction"));
  const value = builders.tsAsExpression(builders.identifier(FUNCTION), type);
  functions.properties.push(builders.objectProperty(builders.stringLiteral(FUNCTION_ID), value));
}

function unregister(program: Program): void {
  const functions = builtinDestinations(program);
  if (isOurFunction(propertyNamed(functions, FUNCTION_ID)?.value)) removeProperty(functions, FUNCTION_ID);
  removeImport(program, MODULE);
}

function builtinDestinations(program: Program): ObjectLiteral {
  const functions = valueOfConstant(program, "builtinDestinations");
  if (!node.ObjectExpression.check(functions))
    throw new Error("it does not list its functions in a constant builtinDestinations");
  return functions;
}

function isOurFunction(value: unknown): boolean {
  return (
    node.TSAsExpression.check(value) && node.Identifier.check(value.expression) && value.expression.name === FUNCTION
  );
}

function addForm(program: Program): void {
  const destinations = coreDestinations(program);
  if (!valueOfConstant(program, CONNECTION_OPTIONS)) throw new Error(`it has no constant ${CONNECTION_OPTIONS}`);
  if (destinations.elements.some((element) => idOf(element) === "amazon-lambda")) {
    throw new Error("it has another destination amazon-lambda");
  }
  addImport(program, FORM, "./amazon-lambda");
  if (destinations.elements.some(isOurForm)) return;
  destinations.elements.push(
    builders.objectExpression([
      builders.spreadElement(builders.identifier(FORM)),
      builders.objectProperty(builders.identifier("connectionOptions"), builders.identifier(CONNECTION_OPTIONS)),
    ]),
  );
}

function removeForm(program: Program): void {
  const destinations = coreDestinations(program);
  const ours = destinations.elements.findIndex(isOurForm);
  if (ours >= 0) destinations.elements.splice(ours, 1);
  removeImport(program, "./amazon-lambda");
}

function coreDestinations(program: Program): types.namedTypes.ArrayExpression {
  const destinations = valueOfConstant(program, "coreDestinations");
  if (!node.ArrayExpression.check(destinations))
    throw new Error("it does not list its destinations in a constant coreDestinations");
  return destinations;
}

function isOurForm(element: unknown): boolean {
  if (!node.ObjectExpression.check(element)) return false;
  const [first] = element.properties;
  return node.SpreadElement.check(first) && node.Identifier.check(first.argument) && first.argument.name === FORM;
}

function idOf(element: unknown): string | undefined {
  const id = node.ObjectExpression.check(element) ? propertyNamed(element, "id")?.value : undefined;
  return node.StringLiteral.check(id) ? id.value : undefined;
}

function removeProperty(object: ObjectLiteral, name: string): void {
  const property = propertyNamed(object, name);
  if (property) object.properties.splice(object.properties.indexOf(property), 1);
}
