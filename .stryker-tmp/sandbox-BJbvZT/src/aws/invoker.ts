// @ts-nocheck
import type { FunctionReference } from "../names/function-reference";
import { configuredFunctions } from "../settings/configured-functions";
import type { ParsedSettings } from "../settings/settings";
import type { AssumedRoles } from "./assumed-role";
import type { AssumeRoleRequest, Aws, AwsCredentials, InvokeAnswer } from "./aws";
import { AwsError, type AwsErrorDetails } from "./aws-error";
import { ofTimeout, timedOut } from "./failed-call";
import { sessionPolicy } from "./session-policy";

/** How an invocation ended: with an answer from Lambda or with an error, after so many tries. */
export type Invocation = { readonly attempts: number } & (
  | { readonly answer: InvokeAnswer }
  | { readonly error: AwsError }
);

type Service = AwsErrorDetails["service"];

/** Tries at most for one delivery, whether they reached Lambda or ended at STS. */
const MAX_ATTEMPTS = 3;
/** Milliseconds before the first repetition of an invocation that never left this machine; doubled for each further one. */
const FIRST_WAIT_MS = 50;
/** Milliseconds of a `Retry-After` that are waited for here; longer waits are the host's. */
const SHORT_RETRY_AFTER_MS = 1000;
/** No connection was made, so the function certainly did not run. */
const NEVER_LEFT: readonly string[] = ["ECONNREFUSED", "ENOTFOUND", "EAI_AGAIN", "EHOSTUNREACH", "ENETUNREACH"];
const EXPIRED: readonly string[] = ["ExpiredTokenException", "ExpiredToken"];
const THROTTLED_STATUS = 429;
/** Requests for roles that are kept at most, one per external ID. */
const MAX_REQUESTS = 1000;

/** Invokes the functions of one user's settings, as the role that they name. */
export class Invoker {
  readonly #aws: Aws;
  readonly #roles: AssumedRoles;
  readonly #settings: ParsedSettings;
  readonly #policy: string;
  readonly #requests = new Map<string, AssumeRoleRequest>();

  constructor(aws: Aws, roles: AssumedRoles, settings: ParsedSettings) {
    this.#aws = aws;
    this.#roles = roles;
    this.#settings = settings;
    const { role, region } = settings;
    this.#policy = role ? sessionPolicy(configuredFunctions(settings), { ...role, region }).json : "";
  }

  /**
   * Sends one invocation. It is repeated only where the function certainly did not run and time is left: no connection,
   * a short `Retry-After`, a session that AWS declared expired. Never throws.
   *
   * @param externalId for the role; not used where the settings name none
   * @param deadline in milliseconds since 1970, `timeoutMs` after the delivery began
   */
  async invoke(
    reference: FunctionReference,
    externalId: string | undefined,
    payload: string,
    deadline: number,
  ): Promise<Invocation> {
    let attempts = 0;
    let assumedAgain = false;
    for (let tries = 1; ; tries++) {
      let credentials: AwsCredentials | undefined;
      let asked: Service = "sts";
      let left = this.#settings.timeoutMs;
      try {
        left = this.#left(deadline, "lambda");
        credentials = await this.#credentials(externalId, left);
        left = this.#left(deadline, "sts");
        asked = "lambda";
        attempts++;
        return { attempts, answer: await this.#send(reference, payload, credentials, left) };
      } catch (thrown) {
        const error = thrown instanceof AwsError ? thrown : unforeseen(asked, thrown);
        if (credentials && this.#settings.role && EXPIRED.includes(error.details.code) && !assumedAgain) {
          assumedAgain = true;
          this.#roles.forget(this.#assumeRole(externalId), credentials);
          continue;
        }
        const wait = waitBeforeRetry(error, tries);
        if (wait === undefined || !this.#aws.sleep || tries >= MAX_ATTEMPTS || this.#aws.now() + wait >= deadline)
          return { attempts, error: ofTimeout(error, left, this.#settings.timeoutMs) };
        await this.#aws.sleep(wait);
      }
    }
  }

  /**
   * Milliseconds to the deadline.
   *
   * @throws AwsError where there are none: what would be sent now might run, and be taken for lost
   */
  #left(deadline: number, waitedFor: Service): number {
    const left = deadline - this.#aws.now();
    const { timeoutMs } = this.#settings;
    if (left <= 0) throw ofTimeout(timedOut(waitedFor, timeoutMs), timeoutMs, timeoutMs);
    return left;
  }

  /** The role's session, the keys in the settings, or nothing: then the operator's own identity signs. */
  #credentials(externalId: string | undefined, timeoutMs: number): Promise<AwsCredentials | undefined> {
    const { role, keys } = this.#settings;
    return role ? this.#roles.credentials(this.#assumeRole(externalId), timeoutMs) : Promise.resolve(keys);
  }

  #assumeRole(externalId = ""): AssumeRoleRequest {
    let request = this.#requests.get(externalId);
    if (!request) {
      const { role, region, keys } = this.#settings;
      request = {
        roleArn: role?.arn ?? "",
        externalId,
        sessionName: sessionName(externalId),
        policy: this.#policy,
        region,
        ...(keys && { base: keys }),
      };
      if (this.#requests.size >= MAX_REQUESTS) this.#requests.clear();
      this.#requests.set(externalId, request);
    }
    return request;
  }

  #send(
    reference: FunctionReference,
    payload: string,
    credentials: AwsCredentials | undefined,
    timeoutMs: number,
  ): Promise<InvokeAnswer> {
    const { region, invocationType, logType, clientContext } = this.#settings;
    const waits = invocationType === "RequestResponse";
    return this.#aws.invoke(
      {
        function: reference,
        region,
        payload,
        invocationType,
        // Lambda gives both on RequestResponse only.
        logType: waits ? logType : "None",
        ...(waits && clientContext !== undefined && { clientContext }),
        ...(credentials && { credentials }),
      },
      timeoutMs,
    );
  }
}

/** A mistake in the code, ours or the SDK's. It costs the event a retry, where a host would lose it for an exception. */
function unforeseen(service: Service, thrown: unknown): AwsError {
  const { name = "Error", message = "no reason was given" } = Object(thrown);
  return new AwsError({ service, kind: "service", code: String(name), message });
}

function waitBeforeRetry(
  { details: { kind, code, status, retryAfterMs } }: AwsError,
  tries: number,
): number | undefined {
  if (kind === "network" && NEVER_LEFT.includes(code)) return FIRST_WAIT_MS * 2 ** (tries - 1);
  const throttled = kind === "service" && status === THROTTLED_STATUS;
  return throttled && retryAfterMs !== undefined && retryAfterMs <= SHORT_RETRY_AFTER_MS ? retryAfterMs : undefined;
}

/** A role session's name is what CloudTrail shows: it tells the source. */
export function sessionName(externalId: string): string {
  return `amazon-lambda-destination-${externalId.replace(/[^\w+=,.@-]/g, "-")}`.slice(0, 64);
}
