// @ts-nocheck
export type Strings = string | readonly string[];

/** A policy as it is written: JSON text or the object that it describes. */
export type PolicyDocument = string | object;

/** What a statement is asked about. Condition keys are lower-case; a key without a value is absent. */
export interface Question {
  readonly action: string;
  readonly resource: string;
  readonly context: Readonly<Record<string, string | undefined>>;
}

export interface Statement {
  readonly effect: "Allow" | "Deny";
  /** Values of `Principal.AWS`; `*` for everybody. Undefined in policies that belong to an identity. */
  readonly principals: readonly string[] | undefined;
  /** Whether action, resource and conditions fit. */
  covers(question: Question): boolean;
}

export interface Policy {
  readonly statements: readonly Statement[];
}

/** A document that IAM would refuse to store. */
export class PolicyError extends Error {
  override readonly name = "PolicyError";
}

/** Who writes which elements into a policy. */
export type PolicyKind = "identity" | "trust" | "resource";

/**
 * Reads a policy document. Understood: `Allow` and `Deny`, `Action`/`NotAction`, `Resource`/`NotResource` with `*` and
 * `?`, `Principal` (`*` or `AWS`; other principals never match) and the condition operators of {@link operators}.
 * Everything else (policy variables, `NotPrincipal`, other operators) is a {@link PolicyError}, never ignored.
 * @see https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_grammar.html
 */
export function parsePolicy(document: PolicyDocument, kind: PolicyKind): Policy {
  let policy: unknown = document;
  if (typeof document === "string") {
    try {
      policy = JSON.parse(document);
    } catch {
      throw new PolicyError("This policy contains invalid Json");
    }
  }
  if (!isRecord(policy)) throw new PolicyError("Syntax errors in policy.");
  const version = policy["Version"] ?? "2008-10-17";
  if (version !== "2012-10-17" && version !== "2008-10-17") {
    throw new PolicyError("The policy must contain a valid version string");
  }
  const statements = policy["Statement"];
  const list = Array.isArray(statements) ? statements : [statements];
  if (list.length === 0) throw new PolicyError("Syntax errors in policy.");
  return { statements: list.map((statement) => parseStatement(statement, kind)) };
}

const known = new Set(["Sid", "Effect", "Principal", "Action", "NotAction", "Resource", "NotResource", "Condition"]);

function parseStatement(statement: unknown, kind: PolicyKind): Statement {
  if (!isRecord(statement)) throw new PolicyError("Syntax errors in policy.");
  const strange = Object.keys(statement).find((key) => !known.has(key));
  if (strange) throw new PolicyError(`Syntax errors in policy: ${strange} is not understood.`);
  const effect = statement["Effect"];
  if (effect !== "Allow" && effect !== "Deny") throw new PolicyError("Syntax errors in policy: Effect is missing.");
  if (kind === "identity" && "Principal" in statement) {
    throw new PolicyError("Policy document should not specify a principal.");
  }
  if (kind !== "identity" && !("Principal" in statement)) {
    throw new PolicyError("Policy document must specify a principal.");
  }
  if (kind === "trust" && ("Resource" in statement || "NotResource" in statement)) {
    throw new PolicyError("Has prohibited field Resource");
  }
  const action = wildcards(statement, "Action", "i");
  const resource = kind === "trust" ? () => true : wildcards(statement, "Resource", "");
  const condition = parseCondition(statement["Condition"]);
  return {
    effect,
    principals: kind === "identity" ? undefined : parsePrincipals(statement["Principal"]),
    covers: (question) => action(question.action) && resource(question.resource) && condition(question.context),
  };
}

function parsePrincipals(principal: unknown): readonly string[] {
  if (principal === "*") return ["*"];
  if (!isRecord(principal)) throw new PolicyError("Invalid principal in policy.");
  return principal["AWS"] === undefined ? [] : strings(principal["AWS"], "Principal");
}

/** Matches `Action` or its opposite `NotAction`, of which a statement has exactly one. */
function wildcards(statement: Record<string, unknown>, element: string, flags: string): (value: string) => boolean {
  const not = `Not${element}`;
  if (element in statement === not in statement) {
    throw new PolicyError(`Policy statement must contain ${element.toLowerCase()}s.`);
  }
  const negated = not in statement;
  const patterns = strings(statement[negated ? not : element], element).map((text) => wildcard(text, flags));
  return (value) => patterns.some((pattern) => pattern.test(value)) !== negated;
}

type Test = (actual: string | undefined, wanted: readonly string[]) => boolean;

const equals: Test = (actual, wanted) => actual !== undefined && wanted.includes(actual);
const equalsIgnoringCase: Test = (actual, wanted) =>
  actual !== undefined && wanted.some((value) => value.toLowerCase() === actual.toLowerCase());
const like: Test = (actual, wanted) => actual !== undefined && wanted.some((value) => wildcard(value, "").test(actual));
const not =
  (test: Test): Test =>
  (actual, wanted) =>
    !test(actual, wanted);
const ifExists =
  (test: Test): Test =>
  (actual, wanted) =>
    actual === undefined || test(actual, wanted);

/** One of the wanted values has to fit; for the negated ones, none may. */
export const operators: Readonly<Record<string, Test>> = {
  StringEquals: equals,
  StringNotEquals: not(equals),
  StringEqualsIgnoreCase: equalsIgnoringCase,
  StringNotEqualsIgnoreCase: not(equalsIgnoringCase),
  StringLike: like,
  StringNotLike: not(like),
  ArnEquals: like,
  ArnNotEquals: not(like),
  ArnLike: like,
  ArnNotLike: not(like),
  StringEqualsIfExists: ifExists(equals),
  StringLikeIfExists: ifExists(like),
  Null: (actual, wanted) => wanted.includes(String(actual === undefined)),
};

function parseCondition(condition: unknown): (context: Question["context"]) => boolean {
  if (condition === undefined) return () => true;
  if (!isRecord(condition)) throw new PolicyError("Syntax errors in policy: Condition is not an object.");
  const tests = Object.entries(condition).flatMap(([operator, keys]) => {
    const test = Object.hasOwn(operators, operator) ? operators[operator] : undefined;
    if (!test) throw new PolicyError(`Invalid Condition type : ${operator}.`);
    if (!isRecord(keys)) throw new PolicyError(`Syntax errors in policy: ${operator} is not an object.`);
    return Object.entries(keys).map(([key, value]) => {
      const wanted = strings(value, `Condition ${key}`);
      return (context: Question["context"]) => test(context[key.toLowerCase()], wanted);
    });
  });
  return (context) => tests.every((test) => test(context));
}

function strings(value: unknown, element: string): readonly string[] {
  const list: unknown[] = Array.isArray(value) ? value : [value];
  return list.map((item) => {
    if (typeof item === "boolean") return String(item);
    if (typeof item !== "string") throw new PolicyError(`Syntax errors in policy: ${element} is not a string.`);
    if (item.includes("${")) throw new PolicyError(`Policy variables are not understood here: ${item}`);
    return item;
  });
}

function wildcard(text: string, flags: string): RegExp {
  const pattern = text
    .replace(/[.+^${}()|[\]\\]/g, "\\$&")
    .replace(/\*+/g, ".*")
    .replace(/\?/g, ".");
  return new RegExp(`^${pattern}$`, `s${flags}`);
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
