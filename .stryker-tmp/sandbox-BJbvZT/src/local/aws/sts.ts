// @ts-nocheck
import { readAssumeRole, readSessionPolicy } from "./assume-role-request";
import { denialMessage, denialOf } from "./authorization";
import type { Clock } from "./clock";
import type { Answer, RawRequest } from "./http-message";
import type { Identities } from "./identities";
import { ServiceError } from "./service-error";
import type { Caller } from "./signature-v4";
import { type Xml, xmlAnswer } from "./sts-xml";

const version = "2011-06-15";

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
 * Session tags of the caller pass on to the session. Managed session policies, tags in the request, source identities and
 * MFA are refused with a `ValidationError`.
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
    const { tags } = caller.identity;
    const authorize = (action: string, context: Readonly<Record<string, string | undefined>>): void => {
      const denial = denialOf({
        identity: caller.identity,
        action,
        resource: request.roleArn,
        context,
        resourcePolicy: role?.trustPolicy,
        resourceAccount: role?.account ?? "",
        resourcePolicyRequired: true,
      });
      if (role && !denial) return;
      const message = denialMessage(caller.identity, action, request.roleArn, denial ?? { because: undefined });
      throw new ServiceError("AccessDenied", 403, message);
    };
    authorize("sts:AssumeRole", {
      "sts:externalid": request.externalId,
      "sts:rolesessionname": request.sessionName,
    });
    if (!role) throw new TypeError("No role is authorized that is not there.");
    if (Object.keys(tags).length > 0) {
      // AWS lists no sts:ExternalId among the keys of this action.
      authorize("sts:TagSession", {
        "sts:rolesessionname": request.sessionName,
        ...Object.fromEntries(
          Object.entries(tags).map(([key, value]) => [`aws:requesttag/${key.toLowerCase()}`, value]),
        ),
      });
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
    const policy = readSessionPolicy(request.policy, tags);
    const session = this.identities.startSession(role, {
      name: request.sessionName,
      policy: policy?.policy,
      expiresAt: Math.floor(this.clock.now() / 1000 + request.durationSeconds) * 1000,
      tags,
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
