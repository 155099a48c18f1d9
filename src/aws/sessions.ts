import { BoundedMap } from "../encoding/bounded-map";
import type { AssumeRoleRequest, Aws, AwsCredentials } from "./aws";
import { AwsError } from "./aws-error";
import { Deadline } from "./deadline";
import type { Transport } from "./transport";

/** Milliseconds before a session's end from which it is renewed in the background. */
const RENEW_BEFORE_MS = 5 * 60_000;
/** Milliseconds before a session's end from which it is not used any more: a request takes time to arrive. */
const UNUSABLE_BEFORE_MS = 10_000;
/** Milliseconds for which a denial is remembered where STS does not say how long to wait. */
const REMEMBER_DENIAL_MS = 5_000;
/** Milliseconds for which it is remembered at most, whatever STS says: what is mended has to be noticed. */
const REMEMBER_AT_MOST_MS = 60_000;
/** Milliseconds that one AssumeRole may take, however soon the deliveries that wait for it give up. */
const ASSUME_ROLE_TIMEOUT_MS = 10_000;
/** Milliseconds between two tries to renew a session that is still good. */
const RENEW_AGAIN_MS = 30_000;
/** Milliseconds that a session is trusted to be what AWS knows: a refusal means something else than that it was revoked. */
const FRESH_MS = 60_000;
/** Milliseconds between two tries to replace a session that Lambda refuses: mostly it is the role that lacks a function. */
const REPLACE_AGAIN_MS = 5 * 60_000;
/** Denials that are remembered at most. */
const MAX_DENIALS = 5000;

/** Times are of the monotonic clock, but for the credentials' own end. */
interface Session {
  readonly credentials: AwsCredentials;
  readonly since: number;
  renewNotBefore: number;
  replaceNotBefore: number;
}

interface Denial {
  readonly error: AwsError;
  readonly until: number;
}

/**
 * Sessions of assumed roles: one AssumeRole per session however many deliveries ask at once, renewed in the background,
 * kept through a failing STS while they last, replaced where AWS no longer honours them, and bounded in number.
 *
 * Only a session that was granted has a place in the cache: requests that STS denies push nobody's session out.
 */
export class Sessions {
  readonly #aws: Aws;
  readonly #granted: BoundedMap<string, Session>;
  readonly #pending = new Map<string, Promise<AwsCredentials>>();
  readonly #denials = new BoundedMap<string, Denial>({ entries: MAX_DENIALS });

  /** @param limit sessions kept at most */
  constructor(aws: Aws, limit = 20_000) {
    this.#aws = aws;
    this.#granted = new BoundedMap({ entries: limit });
  }

  /** Sessions that are kept. */
  get size(): number {
    return this.#granted.size;
  }

  /**
   * A session that is there and good for at least some seconds.
   *
   * @param via the way out for its renewal, where each delivery has its own
   */
  current(request: AssumeRoleRequest, via?: Transport): AwsCredentials | undefined {
    const session = this.#granted.get(keyOf(request));
    if (!session || !this.#lasts(session.credentials, UNUSABLE_BEFORE_MS)) return undefined;
    if (!this.#lasts(session.credentials, RENEW_BEFORE_MS)) this.#renewSoon(session, request, via);
    return session.credentials;
  }

  /**
   * The current session, or a new one.
   *
   * @param deadline of the caller; the AssumeRole itself goes on for the others who wait
   * @throws AwsError where there is no session and none can be had
   */
  async credentials(request: AssumeRoleRequest, deadline: Deadline): Promise<AwsCredentials> {
    const current = this.current(request, deadline.via);
    if (current) return current;
    const denial = this.#denials.get(keyOf(request));
    if (denial && this.#aws.clock.monotonic() < denial.until) throw denial.error;
    return deadline.within(this.#assume(request, deadline.via), "sts");
  }

  /**
   * Another session in the place of one that Lambda calls expired.
   *
   * @param refused what was signed with
   * @throws AwsError where none can be had
   */
  async afterExpiry(request: AssumeRoleRequest, refused: AwsCredentials, deadline: Deadline): Promise<AwsCredentials> {
    const key = keyOf(request);
    if (this.#granted.get(key)?.credentials === refused) this.#granted.delete(key);
    return this.credentials(request, deadline);
  }

  /**
   * Another session in the place of one that Lambda refuses, which may have been revoked. The old one stays for whoever
   * is not refused: it may be the role that lacks one function, and that must not become a storm of AssumeRoles.
   *
   * @param refused what was signed with
   * @returns nothing where there is no point in another session, or none to be had
   */
  async afterRefusal(
    request: AssumeRoleRequest,
    refused: AwsCredentials,
    deadline: Deadline,
  ): Promise<AwsCredentials | undefined> {
    const session = this.#granted.get(keyOf(request));
    if (session && session.credentials !== refused) return session.credentials;
    const now = this.#aws.clock.monotonic();
    const pending = this.#pending.has(keyOf(request));
    if (!pending && (!session || now - session.since < FRESH_MS || now < session.replaceNotBefore)) return undefined;
    if (session) session.replaceNotBefore = now + REPLACE_AGAIN_MS;
    try {
      return await deadline.within(this.#assume(request, deadline.via), "sts");
    } catch {
      return undefined;
    }
  }

  #lasts({ expiresAt = Number.POSITIVE_INFINITY }: AwsCredentials, ms: number): boolean {
    return expiresAt - this.#aws.time.now() > ms;
  }

  #renewSoon(session: Session, request: AssumeRoleRequest, via: Transport | undefined): void {
    const now = this.#aws.clock.monotonic();
    if (now < session.renewNotBefore) return;
    session.renewNotBefore = now + RENEW_AGAIN_MS;
    // A failure leaves the session as it is; the next delivery after `renewNotBefore` tries again.
    this.#assume(request, via).catch(() => {});
  }

  #assume(request: AssumeRoleRequest, via: Transport | undefined): Promise<AwsCredentials> {
    const key = keyOf(request);
    let pending = this.#pending.get(key);
    if (!pending) {
      pending = this.#ask(request, key, via).finally(() => this.#pending.delete(key));
      this.#pending.set(key, pending);
    }
    return pending;
  }

  async #ask(request: AssumeRoleRequest, key: string, via: Transport | undefined): Promise<AwsCredentials> {
    const { clock } = this.#aws;
    const deadline = new Deadline(clock, ASSUME_ROLE_TIMEOUT_MS, { called: "that assuming a role may take", via });
    const ask = () => deadline.within(this.#aws.assumeRole(request, deadline.beside()), "sts");
    try {
      const credentials = await ask().catch((error: unknown) => {
        if (error instanceof AwsError && error.details.clockWasOff) return ask();
        throw error;
      });
      const replaceNotBefore = this.#granted.get(key)?.replaceNotBefore ?? 0;
      this.#granted.set(key, { credentials, since: clock.monotonic(), renewNotBefore: 0, replaceNotBefore });
      this.#denials.delete(key);
      return credentials;
    } catch (error) {
      if (isDenial(error)) {
        const until =
          clock.monotonic() + Math.min(error.details.retryAfterMs ?? REMEMBER_DENIAL_MS, REMEMBER_AT_MOST_MS);
        this.#denials.set(key, { error, until });
      }
      throw error;
    }
  }
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
