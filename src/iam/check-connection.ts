import { AssumedRoles } from "../aws/assumed-role";
import type { AwsCredentials } from "../aws/aws";
import { AwsError } from "../aws/aws-error";
import { sessionName } from "../aws/invoker";
import type { NodeAws } from "../aws/node";
import type { CallerIdentity } from "../aws/sdk";
import { functionArn, type SessionPolicy, sessionPolicy } from "../aws/session-policy";
import { classifyAwsFailure } from "../delivery/classify";
import type { DeliveryErrorCode } from "../delivery/delivery-result";
import { createDestinationIn, type EventContext } from "../destination";
import { CALL_TYPES, type CallType } from "../events/segment-event";
import { externalIdFor } from "../settings/external-id";
import type { FunctionReference } from "../settings/function-reference";
import type { OperatorPolicy } from "../settings/operator-policy";
import { type ParsedSettings, parseSettings, partitionOf } from "../settings/settings";
import { SettingsError } from "../settings/settings-error";
import { CALL_DIAGNOSES, type FailedCall } from "./call-diagnoses";
import type { CheckReport, CheckStep } from "./check-report";
import { type DiagnosisRule, diagnose } from "./diagnosis";
import { configuredFunctions, type Home, unqualifiedArn } from "./function-arns";
import { type DryRun, FUNCTION_DIAGNOSES } from "./function-diagnoses";
import { trustPolicy } from "./policies";
import { principalOf } from "./principal";
import { REGIONS } from "./regions";
import { ROLE_DIAGNOSES } from "./role-diagnoses";
import { sampleEvent } from "./sample-events";

/** What the check is to know and to do beyond the settings. */
export interface CheckOptions {
  /** The source's ID as the host would tell it: the external ID where the settings have none or the operator says so. */
  readonly sourceId?: string;
  /** The workspace's ID as the host would tell it. */
  readonly workspaceId?: string;
  /** Whom the role's trust policy names: tells a wrong principal from a wrong external ID, which AWS does not. */
  readonly principalArn?: string;
  /** External IDs that may stand in the trust policy, tried where the right one is refused; not where the operator pins it. */
  readonly externalIds?: readonly string[];
  /** Sends a sample event per configured call type to its function, for real. */
  readonly send?: boolean;
  /** Called with each step as soon as it is done. */
  readonly onStep?: (step: CheckStep) => void;
}

/** What the check runs on. */
export interface CheckSurroundings {
  readonly aws: NodeAws;
  /** @throws SettingsError where the operator's own settings are no good */
  readonly operator: () => OperatorPolicy;
}

/** Milliseconds that a call to AWS may take. */
const CALL_TIMEOUT_MS = 10_000;
/** So that a session that should never have been granted is good for nothing. */
const DENY_EVERYTHING = JSON.stringify({
  Version: "2012-10-17",
  Statement: [{ Effect: "Deny", Action: "*", Resource: "*" }],
});

/** Settings that can be used, and what follows from them. */
interface Connection {
  readonly settings: ParsedSettings;
  readonly operator: OperatorPolicy;
  readonly functions: readonly FunctionReference[];
  /** Absent where no role is assumed. */
  readonly externalId?: string;
}

type Role = NonNullable<ParsedSettings["role"]>;

/** A session of the role, and what it is limited to. */
interface Session {
  readonly credentials: AwsCredentials;
  readonly policy: SessionPolicy;
}

/** Tests a connection the way it will be used, step by step. Only a programmer's mistake throws. */
export async function checkConnectionIn(
  surroundings: CheckSurroundings,
  settings: unknown,
  options: CheckOptions = {},
): Promise<CheckReport> {
  const check = new ConnectionCheck(surroundings, settings, options);
  await check.run();
  return { ok: check.steps.every(({ ok }) => ok), steps: check.steps };
}

class ConnectionCheck {
  readonly steps: CheckStep[] = [];
  readonly #aws: NodeAws;
  readonly #operator: () => OperatorPolicy;
  readonly #input: unknown;
  readonly #options: CheckOptions;

  constructor({ aws, operator }: CheckSurroundings, settings: unknown, options: CheckOptions) {
    this.#aws = aws;
    this.#operator = operator;
    this.#input = settings;
    this.#options = options;
  }

  async run(): Promise<void> {
    const connection = this.#checkSettings();
    const caller = connection && (await this.#checkIdentity(connection));
    if (!caller) return;
    const { role, region, keys } = connection.settings;
    let credentials = keys;
    if (role) {
      const session = await this.#checkRole(connection, role, caller);
      if (!session) return;
      await this.#checkTrust(connection, role, caller);
      await this.#checkSession(connection, role, session);
      credentials = session.credentials;
    }
    const home: Home = { region, account: role?.account ?? caller.account };
    for (const reference of connection.functions) {
      await this.#checkFunction(connection, reference, { home, credentials, invokerArn: role?.arn ?? caller.arn });
    }
    if (this.#options.send) await this.#sendSamples(connection);
  }

  #checkSettings(): Connection | undefined {
    try {
      const operator = this.#operator();
      const settings = parseSettings(this.#input, operator);
      const functions = configuredFunctions(settings);
      const externalId = settings.role && externalIdFor(settings.externalId, this.#origin(), operator.externalIdFrom);
      const calls = CALL_TYPES.filter((callType) => settings.functions[callType]).length + settings.eventFunctions.size;
      this.#pass({
        step: "settings",
        found: [
          `${functions.length} function${functions.length === 1 ? "" : "s"} for ${calls} kind${calls === 1 ? "" : "s"} of call in ${settings.region}`,
          externalId === undefined
            ? "no role, the base identity invokes"
            : `external ID "${externalId}" ${originOf(settings, operator)}`,
        ].join("; "),
      });
      return { settings, operator, functions, ...(externalId !== undefined && { externalId }) };
    } catch (error) {
      if (!(error instanceof SettingsError)) throw error;
      const pinned = error.problems.some(({ setting }) => setting === "externalId");
      const advice = pinned
        ? "Correct External ID, or tell what the router would send: --source-id or --workspace-id."
        : "Correct what the message names.";
      this.#fail(
        { step: "settings", found: error.message },
        { name: "InvalidSettings", label: "Invalid settings", advice },
      );
      return undefined;
    }
  }

  async #checkIdentity({ settings: { region, keys } }: Connection): Promise<CallerIdentity | undefined> {
    try {
      const caller = await this.#aws.callerIdentity(region, keys, CALL_TIMEOUT_MS);
      this.#pass({
        step: "identity",
        found: `${caller.arn}, by ${keys ? "the access key in the settings" : "the router's own AWS identity"}`,
      });
      return caller;
    } catch (error) {
      this.#failCall({ step: "identity" }, CALL_DIAGNOSES, failedCall(error, region, keys));
      return undefined;
    }
  }

  async #checkRole(connection: Connection, role: Role, caller: CallerIdentity): Promise<Session | undefined> {
    const { settings, functions, externalId = "" } = connection;
    const policy = sessionPolicy(functions, { ...role, region: settings.region });
    try {
      const credentials = await this.#assume(connection, role, policy.json, externalId);
      const expiresIn = Math.round(((credentials.expiresAt ?? 0) - this.#aws.now()) / 60_000);
      this.#pass({ step: "role", found: `${role.arn} is assumed with "${externalId}", for ${expiresIn} minutes` });
      return { credentials, policy };
    } catch (error) {
      const call = failedCall(error, settings.region, settings.keys);
      const grantedWith = isDenied(call) ? await this.#findExternalId(connection, role) : undefined;
      const { principalArn } = this.#options;
      this.#failCall({ step: "role" }, ROLE_DIAGNOSES, {
        ...call,
        roleArn: role.arn,
        externalId,
        callerArn: caller.arn,
        ...(principalArn !== undefined && { principalArn }),
        ...(grantedWith !== undefined && { grantedWith }),
      });
      return undefined;
    }
  }

  /** Another external ID that the role is assumed with; where the operator pins it, none is tried. */
  async #findExternalId(connection: Connection, role: Role): Promise<string | undefined> {
    if (connection.operator.externalIdFrom !== "settings") return undefined;
    const { externalIds = [], sourceId, workspaceId } = this.#options;
    for (const candidate of new Set([...externalIds, sourceId, workspaceId])) {
      if (candidate === undefined || candidate === connection.externalId) continue;
      const granted = await this.#assume(connection, role, DENY_EVERYTHING, candidate).then(
        () => true,
        (error) => !(error instanceof AwsError) && Promise.reject(error),
      );
      if (granted) return candidate;
    }
    return undefined;
  }

  /** The role must not be had without the external ID, nor with any other. */
  async #checkTrust(connection: Connection, role: Role, caller: CallerIdentity): Promise<void> {
    const { settings, externalId = "" } = connection;
    const wrong = `connection-check-${Math.random().toString(36).slice(2)}`;
    const probes = [
      { subject: "without external ID", externalId: undefined },
      { subject: "with a wrong external ID", externalId: wrong },
    ] as const;
    for (const { subject, externalId: probe } of probes) {
      try {
        await this.#assume(connection, role, DENY_EVERYTHING, probe);
        const right = trustPolicy({ principalArn: principalOf(caller.arn), externalIds: [externalId] });
        this.#fail(
          { step: "trust", subject, found: `${role.arn} is assumed ${subject}` },
          {
            name: "ConfusedDeputy",
            label: "Confused deputy",
            advice: `Whoever can make this router use a role of their choice gets at these functions. Let the trust policy demand the external IDs of its sources: ${JSON.stringify(right)}`,
          },
        );
      } catch (error) {
        const call = failedCall(error, settings.region, settings.keys);
        if (isDenied(call)) this.#pass({ step: "trust", subject, found: "denied, as it has to be" });
        else this.#failCall({ step: "trust", subject }, CALL_DIAGNOSES, call);
      }
    }
  }

  /** A session must not invoke a function that is not in the settings. */
  async #checkSession(connection: Connection, role: Role, { credentials, policy }: Session): Promise<void> {
    const { region } = connection.settings;
    const name = `connection-check-${Math.random().toString(36).slice(2)}`;
    const found = policy.namesFunctions
      ? "limited to the functions in the settings"
      : `limited to all functions of the account in ${region}: there are too many in the settings for a session policy (2,048 characters)`;
    const { outcome, call } = await this.#dryRun(connection, { configured: name, name }, credentials);
    if (outcome === "denied") this.#pass({ step: "session", found });
    else if (call && outcome === "unclear") this.#failCall({ step: "session" }, CALL_DIAGNOSES, call);
    else if (!policy.namesFunctions) {
      const note = `The permission policy of ${role.arn} allows functions that are not in the settings. Name the functions there instead of a wildcard.`;
      this.#pass({ step: "session", found, note });
    } else {
      this.#fail(
        { step: "session", found: `the session may invoke ${name}, which is not in the settings` },
        {
          name: "SessionNotScoped",
          label: "Session not scoped",
          advice: `The session policy is not enforced by what answers in place of AWS. If this is AWS itself, please report it; meanwhile let the permission policy of ${role.arn} name the functions.`,
        },
      );
    }
  }

  async #checkFunction(
    connection: Connection,
    reference: FunctionReference,
    { home, credentials, invokerArn }: { home: Home; credentials: AwsCredentials | undefined; invokerArn: string },
  ): Promise<void> {
    const { region } = home;
    const { configured: subject, qualifier } = reference;
    const arn = functionArn(reference, { ...home, partition: partitionOf(region) });
    const { outcome, call } = await this.#dryRun(connection, reference, credentials);
    if (!call) {
      const [, , , , account = ""] = arn.split(":");
      const foreign = account !== home.account && "in another account, which allows it by the function's own policy";
      this.#pass({
        step: "function",
        subject,
        found: `may be invoked: ${arn}`,
        ...(foreign && { note: foreign }),
      });
      return;
    }
    const wider = await this.#wideSession(connection, unqualifiedArn(reference, home));
    const { name, account } = reference;
    const bare = { configured: name, name, ...(account !== undefined && { account }) };
    const unqualified = await this.#dryRun(connection, bare, wider ?? credentials);
    this.#failCall({ step: "function", subject }, FUNCTION_DIAGNOSES, {
      ...call,
      functionArn: arn,
      invokerArn,
      outcome,
      unqualified: unqualified.outcome,
      elsewhere: outcome === "unclear" ? [] : await this.#regionsOf(connection, bare, wider ?? credentials),
      ...(qualifier !== undefined && { qualifier }),
    });
  }

  /** A session for finding out what is wrong: for this function with and without version or alias, in any region. */
  async #wideSession(connection: Connection, arn: string): Promise<AwsCredentials | undefined> {
    const { role } = connection.settings;
    if (!role) return undefined;
    const anywhere = arn.replace(/^((?:[^:]*:){3})[^:]*/, "$1*");
    const policy = {
      Version: "2012-10-17",
      Statement: [{ Effect: "Allow", Action: "lambda:InvokeFunction", Resource: [anywhere, `${anywhere}:*`] }],
    };
    try {
      return await this.#assume(connection, role, JSON.stringify(policy), connection.externalId);
    } catch (error) {
      if (error instanceof AwsError) return undefined;
      throw error;
    }
  }

  async #regionsOf(
    connection: Connection,
    reference: FunctionReference,
    credentials: AwsCredentials | undefined,
  ): Promise<string[]> {
    const { region } = connection.settings;
    const others = (REGIONS[partitionOf(region)] ?? []).filter((other) => other !== region);
    const found = await Promise.all(
      others.map(async (other) => {
        const { outcome } = await this.#dryRun(connection, reference, credentials, other);
        return outcome === "invocable" ? [other] : [];
      }),
    );
    return found.flat();
  }

  async #sendSamples({ settings, operator }: Connection): Promise<void> {
    const roles = new AssumedRoles(this.#aws);
    const input = { ...(this.#input as object), logType: "Tail" };
    const destination = createDestinationIn({ aws: this.#aws, roles, operator: () => operator }, input);
    const samples: readonly { subject: string; callType: CallType; event?: string }[] = [
      ...CALL_TYPES.filter((callType) => settings.functions[callType]).map((callType) => ({
        subject: callType,
        callType,
      })),
      ...[...settings.eventFunctions.keys()].map((event) => ({
        subject: `track "${event}"`,
        callType: "track" as const,
        event,
      })),
    ];
    for (const { subject, callType, event } of samples) {
      const result = await destination.deliver(sampleEvent(callType, event), this.#origin());
      const time = `${Math.round(result.durationMs)} of ${settings.timeoutMs} ms`;
      if (result.error) {
        const { label, message, hint } = result.error;
        this.#fail(
          { step: "send", subject, found: `${message} (${time})`, result },
          { name: "DeliveryFailed", label, advice: hint },
        );
        continue;
      }
      const slow = result.durationMs > settings.timeoutMs / 2;
      const did = settings.invocationType === "Event" ? "queued for" : "delivered to";
      this.#pass({
        step: "send",
        subject,
        found: `${did} ${result.function} in ${time}`,
        result,
        ...(slow && { note: "That is more than half of Timeout (ms): a slow day would be too slow." }),
      });
    }
  }

  async #assume(
    { settings, externalId = "" }: Connection,
    role: Role,
    policy: string,
    sentExternalId: string | undefined,
  ): Promise<AwsCredentials> {
    const request = {
      roleArn: role.arn,
      sessionName: sessionName(externalId),
      policy,
      region: settings.region,
      ...(sentExternalId !== undefined && { externalId: sentExternalId }),
      ...(settings.keys && { base: settings.keys }),
    };
    return this.#aws.assumeRole(request, CALL_TIMEOUT_MS);
  }

  async #dryRun(
    { settings }: Connection,
    reference: FunctionReference,
    credentials: AwsCredentials | undefined,
    region = settings.region,
  ): Promise<{ readonly outcome: DryRun; readonly call?: FailedCall }> {
    try {
      await this.#aws.invoke(
        {
          function: reference,
          region,
          payload: "{}",
          invocationType: "DryRun",
          logType: "None",
          ...(credentials && { credentials }),
        },
        CALL_TIMEOUT_MS,
      );
      return { outcome: "invocable" };
    } catch (error) {
      const call = failedCall(error, region, settings.keys);
      return { outcome: OUTCOMES[classifyAwsFailure(call.error)] ?? "unclear", call };
    }
  }

  #origin(): EventContext {
    return { sourceId: this.#options.sourceId, workspaceId: this.#options.workspaceId };
  }

  #pass(step: Omit<CheckStep, "ok" | "diagnosis">): void {
    this.#add({ ...step, ok: true });
  }

  #fail(step: Omit<CheckStep, "ok" | "diagnosis">, diagnosis: NonNullable<CheckStep["diagnosis"]>): void {
    this.#add({ ...step, ok: false, diagnosis });
  }

  #failCall<Failed extends FailedCall>(
    step: Pick<CheckStep, "step" | "subject">,
    rules: readonly DiagnosisRule<Failed>[],
    failed: Failed,
  ): void {
    this.#fail({ ...step, found: `${failed.error.code}: ${failed.error.message}` }, diagnose(rules, failed));
  }

  #add(step: CheckStep): void {
    this.steps.push(step);
    this.#options.onStep?.(step);
  }
}

const OUTCOMES: Readonly<Partial<Record<DeliveryErrorCode, DryRun>>> = {
  AccessDenied: "denied",
  FunctionNotFound: "missing",
};

function isDenied({ error }: FailedCall): boolean {
  return classifyAwsFailure(error) === "AccessDenied";
}

function failedCall(error: unknown, region: string, keys: AwsCredentials | undefined): FailedCall {
  if (!(error instanceof AwsError)) throw error;
  return { error: error.details, region, keys: keys ? "settings" : "router" };
}

function originOf({ externalId }: ParsedSettings, { externalIdFrom }: OperatorPolicy): string {
  if (externalIdFrom !== "settings") {
    const ignored = externalId === undefined ? "" : "; the one in the settings does not count";
    return `(the ${externalIdFrom}'s ID, as the operator demands${ignored})`;
  }
  return externalId === undefined ? "(the source's ID)" : "(from the settings)";
}
