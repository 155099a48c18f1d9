import { denialMessage, denialOf } from "./authorization";
import type { Clock } from "./clock";
import type { Answer, RawRequest } from "./http-message";
import type { Identities } from "./identities";
import { type Policy, PolicyError, parsePolicy } from "./policy";
import { ServiceError, validationError } from "./service-error";
import type { Caller } from "./signature-v4";

const version = "2011-06-15";
const namespace = `https://sts.amazonaws.com/doc/${version}/`;

/** Characters of session policy that fill its allotted space. AWS packs it in a way of its own; we count plain text. */
const maxPolicyCharacters = 2048;

/** The parameters of a query-protocol request: those of the form, or of the query where there is no form. */
export function stsParameters(request: RawRequest): URLSearchParams {
  const parameters = new URLSearchParams(request.query);
  if (request.method === "POST") {
    for (const [name, value] of new URLSearchParams(request.body.toString("utf8"))) parameters.set(name, value);
  }
  return parameters;
}

/**
 * AWS Security Token Service: `AssumeRole` and `GetCallerIdentity` over the query protocol (a form in, XML out).
 * Managed session policies, session tags, source identities and MFA are refused with a `ValidationError`.
 * @see https://docs.aws.amazon.com/STS/latest/APIReference/API_AssumeRole.html
 */
export class Sts {
  readonly #actions: Readonly<Record<string, (parameters: URLSearchParams, caller: Caller) => Xml>> = {
    AssumeRole: (parameters, caller) => this.#assumeRole(parameters, caller),
    GetCallerIdentity: (_, { identity }) => ({
      Arn: identity.arn,
      UserId: identity.userId,
      Account: identity.account,
    }),
  };

  constructor(
    private readonly identities: Identities,
    private readonly clock: Clock,
  ) {}

  /** @throws ServiceError */
  answer(parameters: URLSearchParams, caller: Caller, requestId: string): Answer {
    const action = parameters.get("Action") ?? "";
    const asked = parameters.get("Version") ?? "NO_VERSION_SPECIFIED";
    const run = Object.hasOwn(this.#actions, action) ? this.#actions[action] : undefined;
    if (!run || asked !== version) {
      throw new ServiceError("InvalidAction", 400, `Could not find operation ${action} for version ${asked}`);
    }
    return xmlAnswer(200, requestId, `${action}Response`, {
      [`${action}Result`]: run(parameters, caller),
      ResponseMetadata: { RequestId: requestId },
    });
  }

  #assumeRole(parameters: URLSearchParams, caller: Caller): Xml {
    const request = readAssumeRole(parameters);
    const role = this.identities.role(request.roleArn);
    const denial = denialOf({
      identity: caller.identity,
      action: "sts:AssumeRole",
      resource: request.roleArn,
      context: { "sts:externalid": request.externalId, "sts:rolesessionname": request.sessionName },
      resourcePolicy: role?.trustPolicy,
      resourceAccount: role?.account ?? "",
      resourcePolicyRequired: true,
    });
    if (!role || denial) {
      const message = denialMessage(
        caller.identity,
        "sts:AssumeRole",
        request.roleArn,
        denial ?? { because: undefined },
      );
      throw new ServiceError("AccessDenied", 403, message);
    }
    if (caller.identity.roleArn && request.durationSeconds > 3600) {
      throw new ServiceError(
        "ValidationError",
        400,
        "The requested DurationSeconds exceeds the 1 hour session limit for roles assumed by role chaining.",
      );
    }
    if (request.durationSeconds > role.maxSessionSeconds) {
      throw new ServiceError(
        "ValidationError",
        400,
        "The requested DurationSeconds exceeds the MaxSessionDuration set for this role.",
      );
    }
    const policy = request.policy === undefined ? undefined : readSessionPolicy(request.policy);
    const session = this.identities.startSession(role, {
      name: request.sessionName,
      policy: policy?.policy,
      expiresAt: Math.floor(this.clock.now() / 1000 + request.durationSeconds) * 1000,
    });
    return {
      AssumedRoleUser: { AssumedRoleId: session.identity.userId, Arn: session.identity.arn },
      Credentials: {
        AccessKeyId: session.accessKeyId,
        SecretAccessKey: session.secretAccessKey,
        SessionToken: session.sessionToken,
        Expiration: new Date(session.expiresAt).toISOString().replace(".000Z", "Z"),
      },
      ...(policy && { PackedPolicySize: String(policy.packedPercent) }),
    };
  }
}

interface AssumeRoleRequest {
  readonly roleArn: string;
  readonly sessionName: string;
  readonly externalId: string | undefined;
  readonly policy: string | undefined;
  readonly durationSeconds: number;
}

interface Constraint {
  readonly parameter: string;
  readonly required?: boolean;
  readonly min?: number;
  readonly max?: number;
  readonly pattern?: string;
}

/** From the API's model. */
const constraints: readonly Constraint[] = [
  { parameter: "RoleArn", required: true, min: 20, max: 2048 },
  { parameter: "RoleSessionName", required: true, min: 2, max: 64, pattern: "[\\w+=,.@-]*" },
  { parameter: "ExternalId", min: 2, max: 1224, pattern: "[\\w+=,.@:\\/-]*" },
  { parameter: "Policy", min: 1, pattern: "[\\u0009\\u000A\\u000D\\u0020-\\u00FF]+" },
];

const unsupported = [
  "PolicyArns",
  "Tags",
  "TransitiveTagKeys",
  "SerialNumber",
  "TokenCode",
  "SourceIdentity",
  "ProvidedContexts",
];

function readAssumeRole(parameters: URLSearchParams): AssumeRoleRequest {
  const durationSeconds = Number(parameters.get("DurationSeconds") ?? 3600);
  const problems = constraints.flatMap((constraint) => violations(constraint, parameters.get(constraint.parameter)));
  if (!Number.isInteger(durationSeconds)) {
    throw new ServiceError("MalformedInput", 400, "DurationSeconds is not an integer");
  }
  const duration = `Value '${durationSeconds}' at 'durationSeconds' failed to satisfy constraint: Member must have value`;
  if (durationSeconds < 900) problems.push(`${duration} greater than or equal to 900`);
  if (durationSeconds > 43200) problems.push(`${duration} less than or equal to 43200`);
  if (problems.length > 0) throw validationError("ValidationError", problems);

  const strange = unsupported.find((name) => [...parameters.keys()].some((key) => key.split(".")[0] === name));
  if (strange) throw new ServiceError("ValidationError", 400, `${strange} is not supported by the embedded AWS.`);
  const roleArn = parameters.get("RoleArn") ?? "";
  if (!/^arn:aws[a-z-]*:iam::\d{12}:role\/.+$/.test(roleArn)) {
    throw new ServiceError("ValidationError", 400, `${roleArn} is invalid`);
  }
  return {
    roleArn,
    sessionName: parameters.get("RoleSessionName") ?? "",
    externalId: parameters.get("ExternalId") ?? undefined,
    policy: parameters.get("Policy") ?? undefined,
    durationSeconds,
  };
}

function violations(constraint: Constraint, value: string | null): string[] {
  const member = constraint.parameter.charAt(0).toLowerCase() + constraint.parameter.slice(1);
  if (value === null) {
    return constraint.required
      ? [`Value null at '${member}' failed to satisfy constraint: Member must not be null`]
      : [];
  }
  const broken = [
    constraint.min !== undefined &&
      value.length < constraint.min &&
      `Member must have length greater than or equal to ${constraint.min}`,
    constraint.max !== undefined &&
      value.length > constraint.max &&
      `Member must have length less than or equal to ${constraint.max}`,
    constraint.pattern !== undefined &&
      !new RegExp(`^(?:${constraint.pattern})$`).test(value) &&
      `Member must satisfy regular expression pattern: ${constraint.pattern}`,
  ].filter((rule) => rule !== false);
  return broken.map((rule) => `Value '${value}' at '${member}' failed to satisfy constraint: ${rule}`);
}

function readSessionPolicy(text: string): { readonly policy: Policy; readonly packedPercent: number } {
  let policy: Policy;
  try {
    policy = parsePolicy(text, "identity");
  } catch (error) {
    if (error instanceof PolicyError) throw new ServiceError("MalformedPolicyDocument", 400, error.message);
    throw error;
  }
  const packedPercent = Math.ceil((text.length / maxPolicyCharacters) * 100);
  if (text.length > maxPolicyCharacters) {
    const message = `Packed policy consumes ${packedPercent}% of allotted space, please use smaller policy.`;
    throw new ServiceError("PackedPolicyTooLarge", 400, message);
  }
  return { policy, packedPercent };
}

type Xml = { readonly [element: string]: string | Xml };

export function stsError(error: ServiceError, requestId: string): Answer {
  const answer = xmlAnswer(error.status, requestId, "ErrorResponse", {
    Error: { Type: error.status >= 500 ? "Receiver" : "Sender", Code: error.code, Message: error.message },
    RequestId: requestId,
  });
  return { ...answer, headers: { ...answer.headers, ...error.headers } };
}

function xmlAnswer(status: number, requestId: string, root: string, content: Xml): Answer {
  return {
    status,
    headers: { "content-type": "text/xml", "x-amzn-requestid": requestId },
    body: `<${root} xmlns="${namespace}">\n${toXml(content, "  ")}</${root}>\n`,
  };
}

function toXml(content: Xml, indent: string): string {
  return Object.entries(content)
    .map(([element, value]) =>
      typeof value === "string"
        ? `${indent}<${element}>${escapeXml(value)}</${element}>\n`
        : `${indent}<${element}>\n${toXml(value, `${indent}  `)}${indent}</${element}>\n`,
    )
    .join("");
}

const entities: Readonly<Record<string, string>> = { "&": "&amp;", "<": "&lt;", ">": "&gt;", '"': "&quot;" };

function escapeXml(text: string): string {
  return (
    text
      .replace(/[&<>"]/g, (char) => entities[char] as string)
      // XML 1.0 cannot hold other control characters, not even escaped.
      .replace(/[^\P{Cc}\t\n\r]|[\ufffe\uffff]/gu, "\ufffd")
      .replace(/\r/g, "&#xD;")
  );
}
