import { join, resolve } from "node:path";
import type { ArrayExpression, Node, ObjectExpression, Program } from "@babel/types";
import { type FileChange, NotInstallable, readText } from "../file-changes";
import { consoleForm, FORM_MARK } from "./console-form";
import {
  addImport,
  append,
  type Edit,
  edited,
  endOf,
  importFrom,
  insertBefore,
  nameOf,
  parseJsonObject,
  parseModule,
  propertyNamed,
  remove,
  removeImport,
  startOf,
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

const PACKAGE = "amazon-lambda-destination";
const MODULE = `${PACKAGE}/jitsu`;
const FUNCTION = "AmazonLambdaDestination";
const FUNCTION_ID = "builtin.destination.amazon-lambda";
const FORM = "amazonLambda";
const FORM_MODULE = "./amazon-lambda";
const CONNECTION_OPTIONS = "CloudDestinationsConnectionOptions";

/** Where Jitsu keeps its destination functions: newer checkouts first. */
const LIBRARIES = ["libs/destination-functions", "libs/core-functions"] as const;
const SCHEMAS = "webapps/console/lib/schema";

/** One file of the checkout and what becomes of it; `undefined` stands for no file. */
interface FileEdit {
  readonly file: string;
  readonly change: (text: string | undefined) => string | undefined;
}

/**
 * What has to change for a Jitsu built from this checkout to have the destination: a dependency, its function among the
 * built-in ones and its form in the console. Installing twice changes nothing; another version is replaced.
 *
 * @param options.version of this package
 * @param options.specifier where the checkout gets the package from, as in a package.json
 * @param options.maxTimeoutMs milliseconds that the rotor's operator lets a delivery take
 * @throws NotInstallable where it is no checkout that this version knows
 */
export async function planInstallation(
  checkout: string,
  {
    version,
    specifier,
    maxTimeoutMs,
  }: { readonly version: string; readonly specifier: string; readonly maxTimeoutMs?: number | undefined },
): Promise<JitsuPlan> {
  const { root, library } = await openCheckout(checkout);
  return plan(root, library, [
    { file: `${library}/package.json`, change: (text = "") => edited(text, dependencyEdits(text, specifier)) },
    { file: `${library}/src/index.ts`, change: (text = "") => edited(text, registrationEdits(text)) },
    { file: `${SCHEMAS}/amazon-lambda.tsx`, change: (text) => refuseForeign(text, consoleForm(version, maxTimeoutMs)) },
    { file: `${SCHEMAS}/destinations.tsx`, change: (text = "") => edited(text, formEdits(text)) },
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
    { file: `${SCHEMAS}/destinations.tsx`, change: (text = "") => edited(text, formRemoval(text)) },
    { file: `${SCHEMAS}/amazon-lambda.tsx`, change: (text) => (isOurs(text) ? undefined : text) },
    { file: `${library}/src/index.ts`, change: (text = "") => edited(text, registrationRemoval(text)) },
    { file: `${library}/package.json`, change: (text = "") => edited(text, dependencyRemoval(text)) },
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

async function plan(root: string, library: string, edits: readonly FileEdit[]): Promise<JitsuPlan> {
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

function dependencyEdits(text: string, specifier: string): Edit[] {
  const dependencies = dependenciesOf(text);
  const value = JSON.stringify(specifier);
  const present = propertyNamed(dependencies, PACKAGE);
  if (present) return [{ start: startOf(present.value), end: endOf(present.value), text: value }];
  const isLater = (property: Node) => property.type === "ObjectProperty" && (nameOf(property) ?? "") > PACKAGE;
  const next = dependencies.properties.find(isLater);
  const dependency = `"${PACKAGE}": ${value}`;
  return [next ? insertBefore(text, next, dependency) : append(text, dependencies, dependency)];
}

function dependencyRemoval(text: string): Edit[] {
  const dependencies = dependenciesOf(text);
  const present = propertyNamed(dependencies, PACKAGE);
  return present ? [remove(dependencies, present)] : [];
}

function dependenciesOf(text: string): ObjectExpression {
  const dependencies = propertyNamed(parseJsonObject(text), "dependencies")?.value;
  if (dependencies?.type !== "ObjectExpression") throw new Error("it has no dependencies");
  return dependencies;
}

function registrationEdits(text: string): Edit[] {
  const program = parseModule(text);
  const functions = builtinDestinations(program);
  const present = propertyNamed(functions, FUNCTION_ID);
  if (present && !isOurFunction(present.value)) throw new Error(`it has another ${FUNCTION_ID}`);
  return [
    ...(importFrom(program, MODULE) ? [] : [addImport(program, `import { ${FUNCTION} } from "${MODULE}";`)]),
    ...(present ? [] : [append(text, functions, `"${FUNCTION_ID}": ${FUNCTION} as JitsuFunction`)]),
  ];
}

function registrationRemoval(text: string): Edit[] {
  const program = parseModule(text);
  const functions = builtinDestinations(program);
  const present = propertyNamed(functions, FUNCTION_ID);
  return [
    ...importRemoval(text, program, MODULE),
    ...(present && isOurFunction(present.value) ? [remove(functions, present)] : []),
  ];
}

function builtinDestinations(program: Program): ObjectExpression {
  const functions = valueOfConstant(program, "builtinDestinations");
  if (functions?.type === "ObjectExpression") return functions;
  throw new Error("it does not list its functions in a constant builtinDestinations");
}

function isOurFunction(value: Node): boolean {
  return (
    value.type === "TSAsExpression" && value.expression.type === "Identifier" && value.expression.name === FUNCTION
  );
}

function formEdits(text: string): Edit[] {
  const program = parseModule(text);
  const destinations = coreDestinations(program);
  if (!valueOfConstant(program, CONNECTION_OPTIONS)) throw new Error(`it has no constant ${CONNECTION_OPTIONS}`);
  if (destinations.elements.some((element) => idOf(element) === "amazon-lambda")) {
    throw new Error("it has another destination amazon-lambda");
  }
  const element = `{\n  ...${FORM},\n  connectionOptions: ${CONNECTION_OPTIONS},\n}`;
  return [
    ...(importFrom(program, FORM_MODULE) ? [] : [addImport(program, `import { ${FORM} } from "${FORM_MODULE}";`)]),
    ...(destinations.elements.some(isOurForm) ? [] : [append(text, destinations, element)]),
  ];
}

function formRemoval(text: string): Edit[] {
  const program = parseModule(text);
  const destinations = coreDestinations(program);
  const ours = destinations.elements.find(isOurForm);
  return [...importRemoval(text, program, FORM_MODULE), ...(ours ? [remove(destinations, ours)] : [])];
}

function coreDestinations(program: Program): ArrayExpression {
  const destinations = valueOfConstant(program, "coreDestinations");
  if (destinations?.type === "ArrayExpression") return destinations;
  throw new Error("it does not list its destinations in a constant coreDestinations");
}

function isOurForm(element: Node | null): boolean {
  const [first] = element?.type === "ObjectExpression" ? element.properties : [];
  return first?.type === "SpreadElement" && first.argument.type === "Identifier" && first.argument.name === FORM;
}

function idOf(element: Node | null): string | undefined {
  const id = element?.type === "ObjectExpression" ? propertyNamed(element, "id")?.value : undefined;
  return id?.type === "StringLiteral" ? id.value : undefined;
}

function importRemoval(text: string, program: Program, module: string): Edit[] {
  const declaration = importFrom(program, module);
  return declaration ? [removeImport(text, declaration)] : [];
}
