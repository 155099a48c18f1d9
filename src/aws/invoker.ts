import { BoundedMap } from "../encoding/bounded-map";
import type { FunctionReference } from "../names/function-reference";
import type { AssumeRoleRequest, Aws, AwsCredentials, InvokeAnswer, InvokeTarget } from "./aws";
import { AwsError, type AwsErrorDetails } from "./aws-error";
import type { Deadline } from "./deadline";
import type { Gatekeeper, Passage } from "./passage";
import { sessionPolicies } from "./session-policy";
import type { Sessions } from "./sessions";

/** How an invocation ended: with an answer from Lambda or with an error, after so many tries. */
export type Invocation = { readonly attempts: number } & (
  | { readonly answer: InvokeAnswer }
  | { readonly error: AwsError }
);

/** As whom functions are invoked. */
export interface Caller {
  readonly region: string;
  /** All that may be invoked: sessions are scoped down to them. */
  readonly functions: readonly FunctionReference[];
  readonly role?: { readonly arn: string; readonly partition: string; readonly account: string };
  /** Assume the role, or invoke where there is none; the operator's own identity where absent. */
  readonly keys?: AwsCredentials;
}

/** Tries at most for one delivery, whether they reached Lambda or ended at STS. */
const MAX_ATTEMPTS = 3;
/** Milliseconds before the first repetition of an invocation that never left this machine; doubled for each further one. */
const FIRST_WAIT_MS = 50;
/** Failures of a connection that may be over in a moment. */
const PASSING: readonly string[] = ["ECONNREFUSED", "ENOTFOUND", "EAI_AGAIN", "EHOSTUNREACH", "ENETUNREACH"];
const EXPIRED: readonly string[] = ["ExpiredTokenException", "ExpiredToken"];
/** What Lambda says to a session that was revoked, or whose role or user was deleted. */
const REFUSED: readonly string[] = ["AccessDeniedException", "UnrecognizedClientException", "InvalidClientTokenId"];
/** What AWS says to a signature of another time than its own: the function did not run. */
const MISDATED: readonly string[] = [
  "InvalidSignatureException",
  "SignatureDoesNotMatch",
  "RequestExpired",
  "RequestTimeTooSkewed",
];
/** What STS says where session policy and tags do not fit into what it allots to both. */
const TOO_LARGE = "PackedPolicyTooLargeException";
/** The status by which AWS says that it has no room. */
const THROTTLED = 429;
/** Requests for roles that are kept at most, one per external ID. */
const MAX_REQUESTS = 1000;

/** Invokes functions as one caller. */
export class Invoker {
  readonly #aws: Aws;
  readonly #sessions: Sessions;
  readonly #caller: Caller;
  /** The narrowest first; those that AWS found too large are taken out. Made with the first use. */
  #policies: readonly string[] | undefined;
  readonly #requests = new BoundedMap<string, AssumeRoleRequest>({ entries: MAX_REQUESTS });

  constructor(aws: Aws, sessions: Sessions, caller: Caller) {
    this.#aws = aws;
    this.#sessions = sessions;
    this.#caller = caller;
  }

  /**
   * Sends one invocation. It is repeated only where the function certainly did not run and time is left: no connection,
   * a session that AWS no longer honours, a signature with the time of a wrong clock. Never throws.
   *
   * @param externalId for the role; not used where there is none
   * @param gatekeeper is asked once there is a session: who may not invoke takes nobody's place
   */
  async invoke(
    target: InvokeTarget,
    externalId: string | undefined,
    payload: string,
    deadline: Deadline,
    gatekeeper?: Gatekeeper,
  ): Promise<Invocation> {
    const { role, keys } = this.#caller;
    let passage: Passage | undefined;
    const ended = (invocation: Invocation): Invocation => {
      passage?.leave("error" in invocation ? invocation.error.details : undefined);
      return invocation;
    };
    let session = role && this.#request(externalId);
    let attempts = 0;
    let anotherSession = false;
    let anotherTime = false;
    for (let tries = 1; ; tries++) {
      let credentials: AwsCredentials | undefined = keys;
      let asked: AwsErrorDetails["service"] = "sts";
      try {
        if (deadline.left <= 0) throw deadline.error("lambda");
        if (session) {
          credentials =
            this.#sessions.current(session, deadline.via) ?? (await this.#sessions.credentials(session, deadline));
          if (deadline.left <= 0) throw deadline.error("sts");
        }
        if (gatekeeper && !passage) {
          let admitted = gatekeeper.admit(payload.length);
          const patience = "leave" in admitted ? undefined : deadline.patience;
          if (patience) admitted = await gatekeeper.inTurn(payload.length, patience);
          if (!("leave" in admitted)) return { attempts, error: new AwsError(admitted) };
          passage = admitted;
        }
        asked = "lambda";
        attempts++;
        return ended({ attempts, answer: await this.#aws.invoke(invocation(target, payload, credentials), deadline) });
      } catch (thrown) {
        const error = thrown instanceof AwsError ? thrown : unforeseen(asked, thrown);
        const { code, clockWasOff = false, unsent = false } = error.details;
        if (clockWasOff && MISDATED.includes(code) && !anotherTime) {
          anotherTime = true;
          continue;
        }
        if (asked === "sts" && session && code === TOO_LARGE && this.#shorten(session.policy)) {
          session = this.#request(externalId);
          tries = 0;
          continue;
        }
        if (asked === "lambda" && session && credentials && !anotherSession) {
          anotherSession = true;
          try {
            if (await this.#replaced(session, credentials, code, deadline)) continue;
          } catch (denied) {
            return ended({ attempts, error: denied instanceof AwsError ? denied : unforeseen("sts", denied) });
          }
        }
        if (passage && error.details.status === THROTTLED && deadline.patience) {
          ended({ attempts, error });
          passage = undefined;
          continue;
        }
        const wait = FIRST_WAIT_MS * 2 ** (tries - 1);
        const again = unsent && PASSING.includes(code) && tries < MAX_ATTEMPTS && this.#aws.clock.timer;
        if (!again || deadline.left <= wait) return ended({ attempts, error });
        await deadline.pause(wait);
      }
    }
  }

  /** Whether there is another session than the one that Lambda refused. */
  async #replaced(
    session: AssumeRoleRequest,
    refused: AwsCredentials,
    code: string,
    deadline: Deadline,
  ): Promise<boolean> {
    if (EXPIRED.includes(code)) {
      if (deadline.left <= 0) throw deadline.error("lambda");
      return Boolean(await this.#sessions.afterExpiry(session, refused, deadline));
    }
    return REFUSED.includes(code) && Boolean(await this.#sessions.afterRefusal(session, refused, deadline));
  }

  /** Leaves out a session policy that AWS found too large. @returns whether there is a shorter one to try */
  #shorten(tooLarge: string): boolean {
    const [first, ...shorter] = this.#policies ?? [];
    // Another delivery may have done so.
    if (first !== tooLarge) return true;
    if (shorter.length === 0) return false;
    this.#policies = shorter;
    return true;
  }

  #request(externalId = ""): AssumeRoleRequest {
    this.#policies ??= policiesFor(this.#caller);
    const policy = this.#policies[0] ?? "";
    let request = this.#requests.get(externalId);
    if (request?.policy !== policy) {
      const { role, region, keys } = this.#caller;
      request = {
        roleArn: role?.arn ?? "",
        externalId,
        sessionName: sessionName(externalId),
        policy,
        region,
        ...(keys && { base: keys }),
      };
      this.#requests.set(externalId, request);
    }
    return request;
  }
}

function policiesFor({ role, region, functions }: Caller): readonly string[] {
  return role ? sessionPolicies(functions, { ...role, region }).map(({ json }) => json) : [];
}

function invocation(target: InvokeTarget, payload: string, credentials: AwsCredentials | undefined) {
  return credentials ? { target, payload, credentials } : { target, payload };
}

/** A mistake in the code, ours or the SDK's. It costs the event a retry, where a host would lose it for an exception. */
export function unforeseen(service: AwsErrorDetails["service"], thrown: unknown): AwsError {
  const { name = "Error", message = "no reason was given" } = Object(thrown) as { name?: unknown; message?: unknown };
  return new AwsError({ service, kind: "service", code: String(name), message: String(message) });
}

/** A role session's name is what CloudTrail shows: it tells the source. */
export function sessionName(externalId: string): string {
  return `amazon-lambda-destination-${externalId.replace(/[^\w+=,.@-]/g, "-")}`.slice(0, 64);
}
