// @ts-nocheck
import { ACCOUNT, PARTITION } from "../../names/grammar";
import { type Policy, PolicyError, parsePolicy } from "./policy";
import { ServiceError, validationError } from "./service-error";

/** Characters of session policy and tags that fill their allotted space. AWS packs it in a way of its own; we count plain text. */
const maxPolicyCharacters = 2048;

/** STS looks at a role's name only to find it. */
const ROLE_OF_ANY_NAME = new RegExp(`^arn:${PARTITION}:iam::${ACCOUNT}:role/.+$`);

export interface AssumeRoleRequest {
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

/** @throws ServiceError that names every parameter that breaks a constraint */
export function readAssumeRole(parameters: URLSearchParams): AssumeRoleRequest {
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
  if (!ROLE_OF_ANY_NAME.test(roleArn)) {
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

/**
 * The session policy, and how much it and the session's tags fill of the space that AWS allots to both, in percent.
 *
 * @returns undefined where there is neither policy nor tags
 * @throws ServiceError
 */
export function readSessionPolicy(
  text: string | undefined,
  tags: Readonly<Record<string, string>>,
): { readonly policy: Policy | undefined; readonly packedPercent: number } | undefined {
  let policy: Policy | undefined;
  try {
    if (text !== undefined) policy = parsePolicy(text, "identity");
  } catch (error) {
    if (error instanceof PolicyError) throw new ServiceError("MalformedPolicyDocument", 400, error.message);
    throw error;
  }
  const characters = (text ?? "").length + Object.entries(tags).flat().join("").length;
  const packedPercent = Math.ceil((characters / maxPolicyCharacters) * 100);
  if (characters > maxPolicyCharacters) {
    const message = `Packed policy consumes ${packedPercent}% of allotted space, please use smaller policy.`;
    throw new ServiceError("PackedPolicyTooLarge", 400, message);
  }
  return characters === 0 ? undefined : { policy, packedPercent };
}
