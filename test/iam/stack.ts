import { mkdtempSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parse } from "yaml";
import type { EmbeddedAws } from "../../src/local/aws/embedded-aws";

/** A CloudFormation template, its short tags written out (`!Ref X` as `{Ref: "X"}`). */
export interface Template {
  readonly Parameters?: Readonly<Record<string, Parameter>>;
  readonly Conditions?: Readonly<Record<string, unknown>>;
  readonly Resources: Readonly<Record<string, Resource>>;
  readonly Outputs?: Readonly<Record<string, { readonly Value: unknown }>>;
}

interface Parameter {
  readonly Type: "String" | "Number" | "CommaDelimitedList";
  readonly Default?: string;
  readonly AllowedPattern?: string;
  readonly AllowedValues?: readonly string[];
}

interface Resource {
  readonly Type: string;
  readonly Condition?: string;
  readonly Properties: Readonly<Record<string, unknown>>;
}

const NO_VALUE = Symbol("AWS::NoValue");
const SHORT_TAGS = ["Ref", "Sub", "GetAtt", "If", "Not", "Equals", "Join", "Split", "And", "Or"] as const;

const customTags = SHORT_TAGS.flatMap((name) => {
  const long = name === "Ref" ? name : `Fn::${name}`;
  return [
    {
      tag: `!${name}`,
      resolve: (text: string) => ({ [long]: name === "GetAtt" ? text.split(".") : text }),
    },
    {
      tag: `!${name}`,
      collection: "seq" as const,
      resolve: (list: unknown) => ({ [long]: (list as { toJSON(): unknown }).toJSON() }),
    },
  ];
});

export function parseTemplate(text: string): Template {
  return parse(text, { customTags }) as Template;
}

/** What a stack is made of once every function in the template is worked out. */
export interface Stack {
  /** Properties by logical ID, of the resources whose condition holds. */
  readonly resources: Readonly<Record<string, { type: string; properties: Record<string, unknown> }>>;
  readonly outputs: Readonly<Record<string, string>>;
}

/**
 * Works a template out as CloudFormation does, and creates its roles and functions in the embedded AWS.
 *
 * @param given parameters, as text
 */
export function createStack(aws: EmbeddedAws, text: string, given: Readonly<Record<string, string>> = {}): Stack {
  const template = parseTemplate(text);
  const parameters = readParameters(template.Parameters ?? {}, given);
  const resources: Record<string, { type: string; properties: Record<string, unknown> }> = {};
  const created: Record<string, Created> = {};
  const pseudo: Readonly<Record<string, unknown>> = {
    "AWS::NoValue": NO_VALUE,
    "AWS::Partition": aws.partition,
    "AWS::AccountId": aws.account,
    "AWS::Region": aws.region,
    "AWS::StackName": "amazon-lambda-destination",
  };

  const ref = (name: string): unknown => {
    if (name in pseudo) return pseudo[name];
    if (name in parameters) return parameters[name];
    return create(name).ref;
  };
  const holds = (condition: string): boolean => Boolean(evaluate(template.Conditions?.[condition]));
  const FUNCTIONS: Readonly<Record<string, (argument: never) => unknown>> = {
    Ref: ref,
    "Fn::GetAtt": ([id, attribute]: [string, string]) => {
      const { arn, attributes = {} } = create(id);
      const value = attribute === "Arn" ? arn : attributes[attribute];
      if (value === undefined) throw new Error(`${id}.${attribute} is not understood here`);
      return value;
    },
    "Fn::Sub": (argument: string | [string, Record<string, unknown>]) => {
      const [pattern, variables] = typeof argument === "string" ? [argument, {}] : argument;
      return pattern.replace(/\$\{([^}]+)\}/g, (_, name: string) => {
        if (name in variables) return String(evaluate((variables as Record<string, unknown>)[name]));
        const [id = "", attribute] = name.split(".");
        return String(attribute ? create(id).arn : ref(name));
      });
    },
    "Fn::If": ([condition, yes, no]: [string, unknown, unknown]) => evaluate(holds(condition) ? yes : no),
    "Fn::Equals": ([a, b]: [unknown, unknown]) => evaluate(a) === evaluate(b),
    "Fn::Not": ([condition]: [unknown]) => !evaluate(condition),
    "Fn::Join": ([separator, list]: [string, unknown]) => (evaluate(list) as string[]).join(separator),
    "Fn::Split": ([separator, value]: [string, unknown]) => (evaluate(value) as string).split(separator),
  };

  function evaluate(node: unknown): unknown {
    if (Array.isArray(node)) return node.map(evaluate).filter((item) => item !== NO_VALUE);
    if (node === null || typeof node !== "object") return node;
    const entries = Object.entries(node);
    const [[name, argument] = ["", undefined]] = entries;
    const fn = entries.length === 1 ? FUNCTIONS[name] : undefined;
    if (fn) return fn(argument as never);
    if (entries.length === 1 && name.startsWith("Fn::")) throw new Error(`${name} is not understood here`);
    const worked = entries.map(([key, value]) => [key, evaluate(value)] as const);
    return Object.fromEntries(worked.filter(([, value]) => value !== NO_VALUE));
  }

  /** In whatever order they need each other. */
  function create(id: string): Created {
    const resource = template.Resources[id];
    if (!resource) throw new Error(`${id} is not in the template`);
    const known = created[id];
    if (known) return known;
    const properties = evaluate(resource.Properties) as Record<string, unknown>;
    const made = CREATE[resource.Type]?.(aws, properties, id) ?? { ref: id, arn: `arn:aws:other:::${id}` };
    resources[id] = { type: resource.Type, properties };
    created[id] = made;
    return made;
  }

  for (const [id, { Condition }] of Object.entries(template.Resources)) {
    if (Condition === undefined || holds(Condition)) create(id);
  }
  const outputs = Object.fromEntries(
    Object.entries(template.Outputs ?? {}).map(([name, { Value }]) => [name, String(evaluate(Value))]),
  );
  return { resources, outputs };
}

interface Created {
  readonly ref: string;
  readonly arn: string;
  /** Others of its attributes. */
  readonly attributes?: Readonly<Record<string, string>>;
}

type Create = (aws: EmbeddedAws, properties: Record<string, unknown>, id: string) => Created;

const CREATE: Readonly<Record<string, Create>> = {
  "AWS::IAM::Role": (aws, { RoleName, Path, AssumeRolePolicyDocument, Policies = [] }, id) => {
    const name = (RoleName as string | undefined) ?? `amazon-lambda-destination-${id}-AB12CD34`;
    const { arn } = aws.addRole({
      name,
      trustPolicy: AssumeRolePolicyDocument as object,
      permissionPolicies: (Policies as { PolicyDocument: object }[]).map(({ PolicyDocument }) => PolicyDocument),
      ...(Path !== undefined && { path: Path as string }),
    });
    return { ref: name, arn };
  },
  "AWS::Lambda::Function": (aws, { FunctionName, Code, Runtime }, id) => {
    const name = (FunctionName as string | undefined) ?? `amazon-lambda-destination-${id}-AB12CD34`;
    const { ZipFile } = Object(Code) as { ZipFile?: string };
    // Code that lies in a folder is run by whoever made the stack.
    if (ZipFile === undefined)
      return { ref: name, arn: `arn:aws:lambda:${aws.region}:${aws.account}:function:${name}` };
    if (!String(Runtime).startsWith("nodejs"))
      return { ref: name, arn: aws.addFunction({ name, handler: () => null }).arn };
    // Inline code is CommonJS at AWS.
    const file = join(mkdtempSync(join(tmpdir(), "inline-function-")), "index.cjs");
    writeFileSync(file, ZipFile);
    return { ref: name, arn: aws.addFunction({ name, file }).arn };
  },
  "AWS::Lambda::Url": (_aws, _properties, id) => ({
    ref: id,
    arn: id,
    attributes: { FunctionUrl: `https://${id.toLowerCase()}.lambda-url.us-east-1.on.aws/` },
  }),
  "AWS::SQS::Queue": (aws, { VisibilityTimeout, RedrivePolicy }, id) => {
    const name = `amazon-lambda-destination-${id}-AB12CD34.fifo`;
    const { deadLetterTargetArn, maxReceiveCount } = Object(RedrivePolicy);
    const { arn, url } = aws.addQueue({
      name,
      ...(VisibilityTimeout !== undefined && { visibilityTimeout: Number(VisibilityTimeout) }),
      ...(deadLetterTargetArn !== undefined && {
        deadLetter: {
          queue: String(deadLetterTargetArn).split(":").at(-1) ?? "",
          maxReceiveCount: Number(maxReceiveCount),
        },
      }),
    });
    return { ref: url, arn, attributes: { QueueName: name } };
  },
};

function readParameters(
  declared: Readonly<Record<string, Parameter>>,
  given: Readonly<Record<string, string>>,
): Readonly<Record<string, unknown>> {
  const unknown = Object.keys(given).find((name) => !(name in declared));
  if (unknown) throw new Error(`Parameters: [${unknown}] do not exist in the template`);
  return Object.fromEntries(
    Object.entries(declared).map(([name, { Type, Default, AllowedPattern, AllowedValues }]) => {
      const text = given[name] ?? Default;
      if (text === undefined) throw new Error(`Parameters: [${name}] must have values`);
      const values = Type === "CommaDelimitedList" ? text.split(",").map((value) => value.trim()) : [text];
      const wrong = values.find(
        (value) =>
          (AllowedPattern !== undefined && !new RegExp(AllowedPattern).test(value)) ||
          (AllowedValues !== undefined && !AllowedValues.includes(value)),
      );
      if (wrong !== undefined) throw new Error(`Parameter ${name} failed to satisfy constraint: ${wrong}`);
      return [name, Type === "CommaDelimitedList" ? values : text];
    }),
  );
}
