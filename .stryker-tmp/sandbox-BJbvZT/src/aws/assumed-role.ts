// @ts-nocheck
import type { AssumeRoleRequest, Aws, AwsCredentials } from "./aws";
import { AwsError } from "./aws-error";

/** Milliseconds before a session's end from which it is renewed in the background. */
const RENEW_BEFORE_MS = 5 * 60_000;
/** Milliseconds before a session's end from which it is not used any more: a request takes time to arrive. */
const UNUSABLE_BEFORE_MS = 10_000;
/** Milliseconds for which a denial is remembered. */
const REMEMBER_DENIAL_MS = 5_000;
/** Milliseconds that one AssumeRole may take, however soon the deliveries that wait for it give up. */
const ASSUME_ROLE_TIMEOUT_MS = 10_000;
/** Milliseconds between two tries to renew a session that is still good. */
const RENEW_AGAIN_MS = 30_000;

interface Session {
  credentials?: AwsCredentials;
  /** The one AssumeRole under way. */
  pending?: Promise<AwsCredentials>;
  denial?: { readonly error: AwsError; readonly until: number };
  renewNotBefore: number;
}

/**
 * Sessions of assumed roles: one AssumeRole per session however many deliveries ask at once, renewed in the background,
 * kept through a failing STS while they last, and bounded in number (the least recently used is forgotten).
 */
export class AssumedRoles {
  readonly #aws: Aws;
  readonly #limit: number;
  readonly #sessions = new Map<string, Session>();

  /** @param limit sessions kept at most */
  constructor(aws: Aws, limit = 5000) {
    this.#aws = aws;
    this.#limit = limit;
  }

  /**
   * Credentials of a session for this request, good for at least some seconds.
   *
   * @param timeoutMs what the caller can wait; the AssumeRole itself goes on for the others who wait
   * @throws AwsError where there is no session and none can be had
   */
  async credentials(request: AssumeRoleRequest, timeoutMs: number): Promise<AwsCredentials> {
    const session = this.#session(request);
    const now = this.#aws.now();
    const { credentials, denial } = session;
    if (credentials && lasts(credentials, now, UNUSABLE_BEFORE_MS)) {
      if (!lasts(credentials, now, RENEW_BEFORE_MS) && now >= session.renewNotBefore) {
        session.renewNotBefore = now + RENEW_AGAIN_MS;
        // A failure leaves the session as it is; the next delivery after `renewNotBefore` tries again.
        this.#assume(session, request).catch(() => {});
      }
      return credentials;
    }
    if (denial && now < denial.until) throw denial.error;
    return this.#aws.within(this.#assume(session, request), timeoutMs);
  }

  /** Drops credentials that AWS does not take any more, unless they have been replaced already. */
  forget(request: AssumeRoleRequest, credentials: AwsCredentials): void {
    const session = this.#sessions.get(keyOf(request));
    if (session?.credentials === credentials) delete session.credentials;
  }

  #session(request: AssumeRoleRequest): Session {
    const key = keyOf(request);
    const session = this.#sessions.get(key) ?? { renewNotBefore: 0 };
    this.#sessions.delete(key);
    this.#sessions.set(key, session);
    if (this.#sessions.size > this.#limit) {
      const [oldest] = this.#sessions.keys();
      if (oldest !== undefined) this.#sessions.delete(oldest);
    }
    return session;
  }

  #assume(session: Session, request: AssumeRoleRequest): Promise<AwsCredentials> {
    session.pending ??= this.#aws
      .assumeRole(request, ASSUME_ROLE_TIMEOUT_MS)
      .then(
        (credentials) => {
          session.credentials = credentials;
          delete session.denial;
          return credentials;
        },
        (error: unknown) => {
          if (isDenial(error))
            session.denial = { error, until: this.#aws.now() + (error.details.retryAfterMs ?? REMEMBER_DENIAL_MS) };
          throw error;
        },
      )
      .finally(() => {
        delete session.pending;
      });
    return session.pending;
  }
}

function lasts({ expiresAt = Number.POSITIVE_INFINITY }: AwsCredentials, now: number, ms: number): boolean {
  return expiresAt - now > ms;
}

/** AWS answered and will answer the same for a while; a network that failed may be back at once. */
function isDenial(error: unknown): error is AwsError {
  return error instanceof AwsError && error.details.kind === "service" && (error.details.status ?? 0) < 500;
}

/** Each delivery asks with the same request object; its key is made once. */
const keys = new WeakMap<AssumeRoleRequest, string>();

/**
 * Everything that makes two sessions different. The secret is part of it: who knows another's access key ID only must not
 * get at that session.
 */
function keyOf(request: AssumeRoleRequest): string {
  const known = keys.get(request);
  if (known !== undefined) return known;
  const { base, roleArn, externalId, region, policy, sessionName } = request;
  const key = JSON.stringify([
    base?.accessKeyId,
    base?.secretAccessKey,
    base?.sessionToken,
    roleArn,
    externalId,
    region,
    policy,
    sessionName,
  ]);
  keys.set(request, key);
  return key;
}
