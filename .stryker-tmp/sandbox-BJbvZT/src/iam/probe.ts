// @ts-nocheck
import type { AwsCredentials } from "../aws/aws";
import { AwsError } from "../aws/aws-error";
import { sessionName } from "../aws/invoker";
import type { NodeAws } from "../aws/node";
import type { CallerIdentity } from "../aws/sdk";
import { classifyAwsFailure } from "../delivery/classify";
import type { DeliveryErrorCode } from "../delivery/delivery-result";
import type { FunctionReference } from "../names/function-reference";
import { partitionOf } from "../names/partitions";
import type { FailedCall } from "./call-diagnoses";
import type { Connection, Role } from "./connection";
import type { DryRun } from "./function-diagnoses";
import { REGIONS } from "./regions";

/** Milliseconds that a call to AWS may take. */
const CALL_TIMEOUT_MS = 10_000;

/** So that a session that should never have been granted is good for nothing. */
const DENY_EVERYTHING = JSON.stringify({
  Version: "2012-10-17",
  Statement: [{ Effect: "Deny", Action: "*", Resource: "*" }],
});

const OUTCOMES: Readonly<Partial<Record<DeliveryErrorCode, DryRun>>> = {
  AccessDenied: "denied",
  FunctionNotFound: "missing",
};

/** The calls by which the connection check learns how things are at AWS. None of them changes anything or runs a function. */
export class Probe {
  readonly #aws: NodeAws;
  readonly #connection: Connection;

  constructor(aws: NodeAws, connection: Connection) {
    this.#aws = aws;
    this.#connection = connection;
  }

  /** @throws AwsError */
  callerIdentity(): Promise<CallerIdentity> {
    const { region, keys } = this.#connection.settings;
    return this.#aws.callerIdentity(region, keys, CALL_TIMEOUT_MS);
  }

  /**
   * Assumes the role as a delivery does, but for what is given here.
   *
   * @param externalId none where undefined
   * @throws AwsError
   */
  assumeRole(role: Role, externalId: string | undefined, policy = DENY_EVERYTHING): Promise<AwsCredentials> {
    const { settings, externalId: usual = "" } = this.#connection;
    const request = {
      roleArn: role.arn,
      sessionName: sessionName(usual),
      policy,
      region: settings.region,
      ...(externalId !== undefined && { externalId }),
      ...(settings.keys && { base: settings.keys }),
    };
    return this.#aws.assumeRole(request, CALL_TIMEOUT_MS);
  }

  /** The first of these external IDs with which the role is granted. */
  async findExternalId(role: Role, candidates: Iterable<string | undefined>): Promise<string | undefined> {
    for (const candidate of new Set(candidates)) {
      if (candidate === undefined || candidate === this.#connection.externalId) continue;
      if (await granted(this.assumeRole(role, candidate))) return candidate;
    }
    return undefined;
  }

  /** A session that may invoke this function with and without version or alias, in any region, where the role allows it. */
  sessionFor(role: Role, unqualifiedArn: string): Promise<AwsCredentials | undefined> {
    const anywhere = unqualifiedArn.replace(/^((?:[^:]*:){3})[^:]*/, "$1*");
    const policy = {
      Version: "2012-10-17",
      Statement: [{ Effect: "Allow", Action: "lambda:InvokeFunction", Resource: [anywhere, `${anywhere}:*`] }],
    };
    return granted(this.assumeRole(role, this.#connection.externalId, JSON.stringify(policy)));
  }

  /** Whether the function may be invoked, without running it. */
  async dryRun(
    reference: FunctionReference,
    credentials: AwsCredentials | undefined,
    region = this.#connection.settings.region,
  ): Promise<{ readonly outcome: DryRun; readonly call?: FailedCall }> {
    const request = {
      function: reference,
      region,
      payload: "{}",
      invocationType: "DryRun",
      logType: "None",
      ...(credentials && { credentials }),
    } as const;
    try {
      await this.#aws.invoke(request, CALL_TIMEOUT_MS);
      return { outcome: "invocable" };
    } catch (error) {
      const call = this.failedCall(error);
      return { outcome: OUTCOMES[classifyAwsFailure(call.error)] ?? "unclear", call };
    }
  }

  /** Other regions in which a function of this name may be invoked. */
  async otherRegions(reference: FunctionReference, credentials: AwsCredentials | undefined): Promise<string[]> {
    const { region } = this.#connection.settings;
    const others = (REGIONS[partitionOf(region)] ?? []).filter((other) => other !== region);
    const outcomes = await Promise.all(others.map((other) => this.dryRun(reference, credentials, other)));
    return others.filter((_, i) => outcomes[i]?.outcome === "invocable");
  }

  /** What is known of a call that threw; anything but an AwsError is thrown on. */
  failedCall(error: unknown): FailedCall {
    if (!(error instanceof AwsError)) throw error;
    const { region, keys } = this.#connection.settings;
    return { error: error.details, region, keys: keys ? "settings" : "router" };
  }
}

/** What was granted, or nothing where AWS refused. */
async function granted<T>(request: Promise<T>): Promise<T | undefined> {
  try {
    return await request;
  } catch (error) {
    if (error instanceof AwsError) return undefined;
    throw error;
  }
}
