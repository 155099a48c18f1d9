// @ts-nocheck
import { randomBytes, randomInt } from "node:crypto";
import { type Policy, type PolicyDocument, parsePolicy } from "./policy";

/** Who signed a request. */
export interface Identity {
  /** `…:user/name` or `…:assumed-role/role/session`. */
  readonly arn: string;
  readonly userId: string;
  readonly account: string;
  readonly partition: string;
  /** Identity-based policies: the user's or the role's. */
  readonly policies: readonly Policy[];
  /** The role of an assumed-role session; undefined for a user. */
  readonly roleArn: string | undefined;
  readonly sessionPolicy: Policy | undefined;
  /** Session tags that pass on to the sessions of roles that this identity assumes. */
  readonly tags: Readonly<Record<string, string>>;
}

export interface AccessKey {
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
}

export interface SessionCredentials extends AccessKey {
  readonly sessionToken: string;
  /** Milliseconds since 1970, by the embedded AWS's clock. */
  readonly expiresAt: number;
}

/** What a signature is checked against. */
export interface KeyOwner {
  readonly secretAccessKey: string;
  readonly sessionToken: string | undefined;
  /** Milliseconds since 1970; undefined for long-lived keys. */
  readonly expiresAt: number | undefined;
  readonly identity: Identity;
}

export interface UserOptions {
  readonly name: string;
  /** Random where absent. */
  readonly accessKeyId?: string;
  readonly secretAccessKey?: string;
  /** What the user may do; everything by default. */
  readonly policy?: PolicyDocument;
  readonly account?: string;
}

export interface RoleOptions {
  readonly name: string;
  /** `/` by default. */
  readonly path?: string;
  readonly trustPolicy: PolicyDocument;
  readonly permissionPolicies: readonly PolicyDocument[];
  readonly account?: string;
  /** 3600 by default, as at AWS. */
  readonly maxSessionSeconds?: number;
}

export interface Role {
  readonly arn: string;
  readonly id: string;
  readonly name: string;
  readonly account: string;
  readonly trustPolicy: Policy;
  readonly policies: readonly Policy[];
  readonly maxSessionSeconds: number;
}

const everything = { Version: "2012-10-17", Statement: { Effect: "Allow", Action: "*", Resource: "*" } };

/** So that an embedded AWS that runs for days does not grow: the oldest sessions are forgotten first. */
const maxSessions = 20_000;

/** The accounts' users, roles and sessions. */
export class Identities {
  readonly #keys = new Map<string, KeyOwner>();
  readonly #sessions = new Map<string, KeyOwner>();
  readonly #roles = new Map<string, Role>();

  constructor(
    readonly account: string,
    readonly partition: string,
  ) {}

  addUser(options: UserOptions): AccessKey & { readonly arn: string } {
    const account = options.account ?? this.account;
    const arn = `arn:${this.partition}:iam::${account}:user/${options.name}`;
    const key: AccessKey = {
      accessKeyId: options.accessKeyId ?? randomId("AKIA"),
      secretAccessKey: options.secretAccessKey ?? randomBytes(30).toString("base64"),
    };
    const owner = this.#keys.get(key.accessKeyId);
    if (owner && owner.identity.arn !== arn) throw new Error(`${key.accessKeyId} belongs to ${owner.identity.arn}`);
    this.#keys.set(key.accessKeyId, {
      secretAccessKey: key.secretAccessKey,
      sessionToken: undefined,
      expiresAt: undefined,
      identity: {
        arn,
        userId: randomId("AIDA"),
        account,
        partition: this.partition,
        policies: [parsePolicy(options.policy ?? everything, "identity")],
        roleArn: undefined,
        sessionPolicy: undefined,
        tags: {},
      },
    });
    return { arn, ...key };
  }

  removeUser(accessKeyId: string): void {
    this.#keys.delete(accessKeyId);
  }

  /** Adds a role, or changes the policies of the one that has this name. */
  addRole(options: RoleOptions): Role {
    const account = options.account ?? this.account;
    const arn = `arn:${this.partition}:iam::${account}:role${options.path ?? "/"}${options.name}`;
    const role: Role = {
      arn,
      id: this.#roles.get(arn)?.id ?? randomId("AROA"),
      name: options.name,
      account,
      trustPolicy: parsePolicy(options.trustPolicy, "trust"),
      policies: options.permissionPolicies.map((policy) => parsePolicy(policy, "identity")),
      maxSessionSeconds: options.maxSessionSeconds ?? 3600,
    };
    this.#roles.set(arn, role);
    return role;
  }

  removeRole(arn: string): void {
    this.#roles.delete(arn);
  }

  role(arn: string): Role | undefined {
    return this.#roles.get(arn);
  }

  /** A session of a role: random credentials that are good until `expiresAt`. */
  startSession(
    role: Role,
    session: {
      readonly name: string;
      readonly policy: Policy | undefined;
      readonly expiresAt: number;
      readonly tags: Readonly<Record<string, string>>;
    },
  ): SessionCredentials & { readonly identity: Identity } {
    const credentials: SessionCredentials = {
      accessKeyId: randomId("ASIA"),
      secretAccessKey: randomBytes(30).toString("base64"),
      sessionToken: randomBytes(240).toString("base64"),
      expiresAt: session.expiresAt,
    };
    const roles = this.#roles;
    const identity: Identity = {
      arn: `arn:${this.partition}:sts::${role.account}:assumed-role/${role.name}/${session.name}`,
      userId: `${role.id}:${session.name}`,
      account: role.account,
      partition: this.partition,
      // Asked anew each time: a change to the role works on its running sessions.
      get policies() {
        return roles.get(role.arn)?.policies ?? [];
      },
      roleArn: role.arn,
      sessionPolicy: session.policy,
      tags: session.tags,
    };
    this.#sessions.set(credentials.accessKeyId, { ...credentials, identity });
    if (this.#sessions.size > maxSessions) {
      const [oldest] = this.#sessions.keys();
      if (oldest) this.#sessions.delete(oldest);
    }
    return { ...credentials, identity };
  }

  /** A session as EKS Pod Identity hands it out: it lasts 6 hours, and its tags pass on. */
  startTaggedSession(roleArn: string, tags: Readonly<Record<string, string>>, now: number): SessionCredentials {
    const role = this.#roles.get(roleArn);
    if (!role) throw new Error(`no role ${roleArn}`);
    const { identity: _, ...credentials } = this.startSession(role, {
      name: "eks-cluster-router",
      policy: undefined,
      expiresAt: now + 6 * 3_600_000,
      tags,
    });
    return credentials;
  }

  /** Ends the life of every session now, without moving the clock. */
  expireSessions(now: number): void {
    for (const [id, owner] of this.#sessions) this.#sessions.set(id, { ...owner, expiresAt: now });
  }

  ownerOf(accessKeyId: string): KeyOwner | undefined {
    return this.#keys.get(accessKeyId) ?? this.#sessions.get(accessKeyId);
  }
}

const alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";

/** An ID as IAM makes them: what it stands for in four letters, then 16 random ones. */
function randomId(prefix: string): string {
  return prefix + Array.from({ length: 16 }, () => alphabet[randomInt(alphabet.length)]).join("");
}
