import type { AwsCredentials } from "../aws/aws";
import type { NodeAws } from "../aws/node";
import type { CallerIdentity } from "../aws/sdk";
import { type SessionPolicy, sessionPolicies } from "../aws/session-policy";
import { Sessions } from "../aws/sessions";
import { classifyAwsFailure } from "../delivery/classify";
import { Gates } from "../delivery/gates";
import { createDestinationIn } from "../destination/create-destination";
import { CALL_TYPES, type CallType } from "../events/segment-event";
import { type FunctionReference, functionArn } from "../names/function-reference";
import { partitionOf } from "../names/partitions";
import type { EventOrigin } from "../settings/external-id";
import type { OperatorPolicy } from "../settings/operator-policy";
import { SettingsError } from "../settings/settings-error";
import { CALL_DIAGNOSES, type FailedCall } from "./call-diagnoses";
import type { CheckReport, CheckStep } from "./check-report";
import { type Connection, describeConnection, type Role, readConnection } from "./connection";
import { type Diagnosis, type DiagnosisRule, diagnose } from "./diagnosis";
import { unqualifiedArn } from "./function-arns";
import { FUNCTION_DIAGNOSES } from "./function-diagnoses";
import { trustPolicy } from "./policies";
import { covers, principalOf } from "./principal";
import { type DryRunOptions, Probe } from "./probe";
import { ROLE_DIAGNOSES } from "./role-diagnoses";
import { sampleEvent } from "./sample-events";

/** What the check is to know and to do beyond the settings. */
export interface CheckOptions {
  /** The source's ID as the host would tell it: the external ID where the settings have none or the operator says so. */
  readonly sourceId?: string;
  /** The workspace's ID as the host would tell it. */
  readonly workspaceId?: string;
  /** Whom the role's trust policy should name: tells whether that is the router, which AWS does not. */
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

/** A session of the role, and what it is limited to. */
interface Session {
  readonly credentials: AwsCredentials;
  readonly policy: SessionPolicy;
}

/** Who invokes: a role's session, or the base identity itself. */
interface Invoker {
  readonly arn: string;
  /** 12 digits; where a function is that is given by its name alone. */
  readonly account: string;
  /** The router's own identity where absent. */
  readonly credentials?: AwsCredentials;
}

/** Tests a connection the way it will be used, step by step. Only a programmer's mistake throws. */
export async function checkConnectionIn(
  surroundings: CheckSurroundings,
  settings: unknown,
  options: CheckOptions = {},
): Promise<CheckReport> {
  const check = new ConnectionCheck(options);
  const connection = check.settings(settings, surroundings.operator);
  if (connection) {
    await check.connection(connection, new Probe(surroundings.aws, connection));
    const invocable = check.steps.some(({ step, ok }) => step === "function" && ok);
    if (options.send && invocable) await check.samples(connection, settings, surroundings.aws);
  }
  return { ok: check.steps.every(({ ok }) => ok), steps: check.steps };
}

/** The steps done so far. Each method adds its own, and gives what later ones need. */
class ConnectionCheck {
  readonly steps: CheckStep[] = [];
  readonly #options: CheckOptions;
  readonly #origin: EventOrigin;

  constructor(options: CheckOptions) {
    this.#options = options;
    this.#origin = { sourceId: options.sourceId, workspaceId: options.workspaceId };
  }

  settings(input: unknown, operator: () => OperatorPolicy): Connection | undefined {
    try {
      const connection = readConnection(input, operator(), this.#origin);
      const { limited = [], tenant } = connection.settings;
      const notes = [
        ...limited,
        ...(tenant && "from" in tenant && tenant.from === "user" ? [TENANTS_ARE_LIMITED] : []),
      ];
      this.#pass({
        step: "settings",
        found: describeConnection(connection),
        ...(notes.length > 0 && { note: notes.join(" ") }),
      });
      return connection;
    } catch (error) {
      if (!(error instanceof SettingsError)) throw error;
      const advice = error.problems.some(({ setting }) => setting === "externalId")
        ? "Correct External ID, or tell what the router would send: --source-id or --workspace-id."
        : "Correct what the message names.";
      const diagnosis = { name: "InvalidSettings", label: "Invalid settings", advice } as const;
      this.#fail({ step: "settings", found: error.message }, diagnosis);
      return undefined;
    }
  }

  async connection(connection: Connection, probe: Probe): Promise<void> {
    const { role, keys } = connection.settings;
    const caller = await this.#identity(connection, probe);
    if (!caller) return;
    let invoker: Invoker = { ...caller, ...(keys && { credentials: keys }) };
    if (role) {
      const session = await this.#role(connection, role, caller, probe);
      if (!session) return;
      await this.#trust(connection, role, caller, probe);
      await this.#session(connection, role, session, probe);
      invoker = { ...role, credentials: session.credentials };
    }
    for (const reference of connection.functions) await this.#function(connection, reference, invoker, probe);
  }

  async #identity({ settings: { keys } }: Connection, probe: Probe): Promise<CallerIdentity | undefined> {
    try {
      const caller = await probe.callerIdentity();
      const by = keys ? "the access key in the settings" : "the router's own AWS identity";
      const proxy = await probe.proxy();
      const through = proxy === undefined ? "" : `, through the proxy ${proxy}`;
      this.#pass({ step: "identity", found: `${caller.arn}, by ${by}${through}` });
      return caller;
    } catch (error) {
      this.#failCall({ step: "identity" }, CALL_DIAGNOSES, await probe.failedCall(error));
      return undefined;
    }
  }

  async #role(
    { settings, functions, operator, externalId = "" }: Connection,
    role: Role,
    caller: CallerIdentity,
    probe: Probe,
  ): Promise<Session | undefined> {
    try {
      const policies = sessionPolicies(functions, { ...role, region: settings.region });
      const { credentials, policy } = await probe.assumeRoleWith(role, externalId, policies);
      const found = `${role.arn} is assumed with "${externalId}"`;
      const { principalArn } = this.#options;
      if (principalArn === undefined || covers(principalArn, caller.arn)) this.#pass({ step: "role", found });
      else this.#fail({ step: "role", found: `${found}, but by ${caller.arn}` }, notThePrincipal(principalArn));
      return { credentials, policy };
    } catch (error) {
      const call = await probe.failedCall(error);
      const { principalArn, externalIds = [], sourceId, workspaceId } = this.#options;
      // Where the operator pins the external ID, no other is tried: it could be another user's.
      const mayTry = isDenied(call) && operator.externalIdFrom === "settings";
      const grantedWith = mayTry
        ? await probe.findExternalId(role, [...externalIds, sourceId, workspaceId])
        : undefined;
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

  /** The role must not be had without the external ID, nor with any other. */
  async #trust({ externalId = "" }: Connection, role: Role, caller: CallerIdentity, probe: Probe): Promise<void> {
    const attempts = [
      { subject: "without external ID", externalId: undefined },
      { subject: "with a wrong external ID", externalId: unheardOf() },
    ];
    for (const { subject, externalId: sent } of attempts) {
      try {
        await probe.assumeRole(role, sent);
        const right = trustPolicy({ principalArn: principalOf(caller.arn), externalIds: [externalId] });
        const advice = `Whoever can make this router use a role of their choice gets at these functions. Let the trust policy demand the external IDs of its sources: ${JSON.stringify(right)}`;
        const diagnosis = { name: "ConfusedDeputy", label: "Confused deputy", advice } as const;
        this.#fail({ step: "trust", subject, found: `${role.arn} is assumed ${subject}` }, diagnosis);
      } catch (error) {
        const call = await probe.failedCall(error);
        if (isDenied(call)) this.#pass({ step: "trust", subject, found: "denied, as it has to be" });
        else this.#failCall({ step: "trust", subject }, CALL_DIAGNOSES, call);
      }
    }
  }

  /** A session must not invoke a function that is not in the settings. */
  async #session(
    { settings: { region } }: Connection,
    role: Role,
    { credentials, policy }: Session,
    probe: Probe,
  ): Promise<void> {
    const name = unheardOf();
    const found = policy.namesFunctions
      ? "limited to the functions in the settings"
      : `limited to all functions of the account in ${region}: there are too many in the settings for a session policy (2,048 characters)`;
    const { outcome, call } = await probe.dryRun({ configured: name, name }, credentials);
    if (outcome === "denied") {
      this.#pass({ step: "session", found });
    } else if (outcome === "unclear" && call) {
      this.#failCall({ step: "session" }, CALL_DIAGNOSES, call);
    } else if (!policy.namesFunctions) {
      const note = `The permission policy of ${role.arn} allows functions that are not in the settings. Name the functions there instead of a wildcard.`;
      this.#pass({ step: "session", found, note });
    } else {
      const advice = `What answers in place of AWS does not enforce session policies. If it is AWS itself, please report it; meanwhile let the permission policy of ${role.arn} name the functions.`;
      const diagnosis = { name: "SessionNotScoped", label: "Session not scoped", advice } as const;
      this.#fail({ step: "session", found: `may invoke ${name}, which is not in the settings` }, diagnosis);
    }
  }

  async #function(
    { settings }: Connection,
    reference: FunctionReference,
    invoker: Invoker,
    probe: Probe,
  ): Promise<void> {
    const { region, role } = settings;
    const { configured: subject, name, account, qualifier } = reference;
    const home = { region, account: invoker.account };
    const arn = functionArn(reference, { ...home, partition: partitionOf(region) });
    const mode = this.#modeOf(reference, settings);
    const { outcome, call } = await probe.dryRun(reference, invoker.credentials, mode);
    if (!call) {
      const foreign = account !== undefined && account !== invoker.account;
      const notes = [
        ...(foreign ? ["in another account, which allows it by the function's own policy."] : []),
        ...(Object.keys(mode).length > 0 && !this.#options.send ? [ONLY_A_RUN_TELLS] : []),
      ];
      const found = subject === arn ? "may be invoked" : `may be invoked: ${arn}`;
      this.#pass({ step: "function", subject, found, ...(notes.length > 0 && { note: notes.join(" ") }) });
      return;
    }
    const wider = role && (await probe.sessionFor(role, unqualifiedArn(reference, home)));
    const credentials = wider ?? invoker.credentials;
    const bare = { configured: name, name, ...(account !== undefined && { account }) };
    this.#failCall({ step: "function", subject }, FUNCTION_DIAGNOSES, {
      ...call,
      functionArn: arn,
      invokerArn: invoker.arn,
      outcome,
      unqualified: (await probe.dryRun(bare, credentials)).outcome,
      elsewhere: outcome === "unclear" ? [] : await probe.otherRegions(bare, credentials),
      ...(qualifier !== undefined && { qualifier }),
      ...mode,
    });
  }

  /** As which tenant and under which name the function is asked: as a delivery would, but for Failure Lambda. */
  #modeOf({ configured }: FunctionReference, settings: Connection["settings"]): DryRunOptions {
    const { tenant, executionName, functions, eventFunctions } = settings;
    const getsEvents = [...Object.values(functions), ...eventFunctions.values()].some(
      (reference) => reference.configured === configured,
    );
    if (!getsEvents) return {};
    return {
      ...(tenant && { tenantId: "fixed" in tenant ? tenant.fixed : "connection-check" }),
      ...(executionName === "MessageId" && { executionName: unheardOf() }),
    };
  }

  async samples({ settings, operator }: Connection, input: unknown, aws: NodeAws): Promise<void> {
    const destination = createDestinationIn(
      { aws, sessions: new Sessions(aws), gates: new Gates(aws.clock), operator: () => operator },
      { ...(input as object), logType: "Tail" },
    );
    const callTypes = CALL_TYPES.filter((callType) => settings.functions[callType]);
    const samples: readonly { subject: string; callType: CallType; event?: string }[] = [
      ...callTypes.map((callType) => ({ subject: callType, callType })),
      ...[...settings.eventFunctions.keys()].map((event) => ({
        subject: `track "${event}"`,
        callType: "track" as const,
        event,
      })),
    ];
    for (const { subject, callType, event } of samples) {
      const result = await destination.deliver(sampleEvent(callType, event), this.#origin);
      const time = `${Math.round(result.durationMs)} of ${settings.timeoutMs} ms`;
      if (result.error) {
        const { label, message, hint } = result.error;
        const diagnosis = { name: "DeliveryFailed", label, advice: hint } as const;
        this.#fail({ step: "send", subject, found: `${message} (${time})`, result }, diagnosis);
      } else {
        const did = settings.invocationType === "Event" ? "queued for" : "delivered to";
        const slow = result.durationMs > settings.timeoutMs / 2;
        const note = "That is more than half of Timeout (ms): a slow day would be too slow.";
        const execution = result.executionArn === undefined ? "" : `, as execution ${result.executionArn}`;
        const found = `${did} ${result.function} in ${time}${execution}`;
        const notes = [
          ...(slow ? [note] : []),
          ...(execution && settings.executionName === "None" ? [ONE_EXECUTION_IS_POSSIBLE] : []),
        ];
        this.#pass({ step: "send", subject, found, result, ...(notes.length > 0 && { note: notes.join(" ") }) });
      }
    }
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

const ONLY_A_RUN_TELLS =
  "AWS does not say whether a test without a run looks at Tenant ID and Execution Name: --send tells for sure.";
const TENANTS_ARE_LIMITED =
  "Each user is a tenant. AWS keeps 2,500 environments of tenants, idle ones too, per 1,000 concurrent executions of a function: with more users active than that, events are throttled and retried.";
const ONE_EXECUTION_IS_POSSIBLE =
  "The function is durable: with Execution Name MessageId, an event has one execution however often it is delivered.";

/** The role was had, but what that says of the router is nothing. */
function notThePrincipal(principalArn: string): Diagnosis {
  const advice = `This ran as somebody else than ${principalArn}, who may be refused all the same. Run it as the router does, on its machine and in its environment; or, if the router does run as this, correct --principal.`;
  return { name: "NotThePrincipal", label: "Checked as somebody else", advice };
}

function isDenied({ error }: FailedCall): boolean {
  return classifyAwsFailure(error) === "AccessDenied";
}

/** A name or ID that nobody uses. */
function unheardOf(): string {
  return `connection-check-${Math.random().toString(36).slice(2)}`;
}
