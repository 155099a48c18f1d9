import type { Aws, InvokeTarget } from "./aws/aws";
import type { AwsError } from "./aws/aws-error";
import { Deadline } from "./aws/deadline";
import { Invoker } from "./aws/invoker";
import type { Gatekeeper } from "./aws/passage";
import type { Sessions } from "./aws/sessions";
import type { Transport } from "./aws/transport";
import { Collector } from "./delivery/collector";
import type { DeliveryResult } from "./delivery/delivery-result";
import { FailureLambda } from "./delivery/failure-lambda";
import type { Entrance, Gates } from "./delivery/gates";
import { isolated } from "./delivery/isolation";
import { inLanes } from "./delivery/lanes";
import { resultsOfInvocation } from "./delivery/outcome";
import { failed, unsent } from "./delivery/result";
import { BoundedMap } from "./encoding/bounded-map";
import { functionArn, functionNameForInvoke } from "./names/function-reference";
import { partitionOf } from "./names/partitions";
import { BRACKETS, batchesByUser, batchesOf, payloadOf, sharingKey } from "./planning/batches";
import { isPlanned, type Plan, type PlannedDelivery, type Unplanned } from "./planning/planned-delivery";
import { type EventContext, Planner, type QueuedDelivery, type QueuedRejection, unplannable } from "./planning/planner";
import { configuredFunctions } from "./settings/configured-functions";
import type { EventOrigin } from "./settings/external-id";
import type { OperatorPolicy } from "./settings/operator-policy";
import { type ParsedSettings, parseSettings, tracedContext } from "./settings/settings";
import { SettingsError } from "./settings/settings-error";

export interface DeliverOptions {
  /** Ends the delivery early: what it cuts off is a retry. */
  readonly signal?: AbortSignal;
  /** Milliseconds from the call on, where the host allows less than Timeout (ms). What has not been sent by then is a retry. */
  readonly timeoutMs?: number;
  /** W3C's trace context: handed on in the client context, where an event has its `RequestResponse` invocation to itself. */
  readonly traceparent?: string;
}

export interface BatchOptions extends DeliverOptions {
  /** Hears each result as soon as it is known, with its event's position. What it throws is not caught. */
  readonly onResult?: (result: DeliveryResult, position: number) => void;
  /** Whether the event at that position is to share no invocation: its last result said `alone`. */
  readonly alone?: (position: number) => boolean;
}

/** Delivers events to the functions of one user's settings. */
export interface Destination {
  /** Delivers one event. Never throws for what an event, a user, AWS or a network can do. */
  deliver(event: unknown, context?: EventContext, options?: DeliverOptions): Promise<DeliveryResult>;
  /**
   * Delivers many events, `maxBatchSize` per invocation. Each user's events (user ID, else anonymous ID) are sent in the
   * order given, and those after a retried one still go; different users' side by side. An event at fault is found and
   * told apart from those that shared its invocation. Each invocation has Timeout (ms), all together `timeoutMs`.
   *
   * @param context of all events
   * @returns one result per event, in the same order
   */
  deliverBatch(events: readonly unknown[], context?: EventContext, options?: BatchOptions): Promise<DeliveryResult[]>;
  /** Waits for what is under way. What is delivered after it is a retry, and nothing of it keeps the process alive. */
  close(): Promise<void>;
}

/** A destination as this package's own hosts use it, where their queue lies between planning and sending. */
export interface HostedDestination extends Destination {
  /** For hosts that hand each event its own way out. */
  deliver(
    event: unknown,
    context?: EventContext,
    options?: DeliverOptions & { via?: Transport },
  ): Promise<DeliveryResult>;
  plan(event: unknown, context: EventContext): Plan;
  /** What becomes of an event that is not to be sent; where it is rejected, once that is recorded. */
  settle(plan: Unplanned, options?: DeliverOptions & { via?: Transport }): Promise<DeliveryResult>;
  /** Plans what comes out of the host's queue by today's settings. */
  planAnew(queued: QueuedDelivery | QueuedRejection, origin: EventOrigin): Plan;
  /** Plans that may share an invocation, in the order that keeps that of each user. */
  batches<Delivery extends PlannedDelivery>(deliveries: readonly Delivery[]): Delivery[][];
  /** Sends deliveries as `deliverBatch` does, one batch after the other. */
  send(deliveries: readonly PlannedDelivery[]): Promise<DeliveryResult[]>;
}

/** What destinations run on; one for all destinations of a process. */
export interface Surroundings {
  readonly aws: Aws;
  readonly sessions: Sessions;
  readonly gates: Gates;
  /** @throws SettingsError where the operator's own settings are no good */
  readonly operator: () => OperatorPolicy;
  /** What else to say where a delivery took too long. */
  readonly timeoutNote?: string;
}

/**
 * A destination for one user's settings. Never throws: settings that are no good make every delivery a retry that says
 * what is wrong with them.
 */
export function createDestinationIn(surroundings: Surroundings, settings: unknown): HostedDestination {
  try {
    const operator = surroundings.operator();
    return new LambdaDestination(surroundings, parseSettings(settings, operator), operator);
  } catch (error) {
    if (error instanceof SettingsError) return new UnusableDestination(error);
    throw error;
  }
}

/** Ways of sharing for which deliveries are collected at once, at most: functions times external IDs. */
const MAX_COLLECTORS = 1000;
/** Tenants of functions whose prepared requests are kept at most. */
const MAX_TENANT_TARGETS = 1000;

/** A delivery that is collected, with the time that it has. */
interface Collected {
  readonly delivery: PlannedDelivery;
  readonly deadline: Deadline;
}

class LambdaDestination implements HostedDestination {
  readonly #aws: Aws;
  readonly #settings: ParsedSettings;
  readonly #timeoutNote: string;
  readonly #planner: Planner;
  readonly #invoker: Invoker;
  readonly #targets: ReadonlyMap<string, InvokeTarget>;
  readonly #tenantTargets = new BoundedMap<string, InvokeTarget>({ entries: MAX_TENANT_TARGETS });
  readonly #gatekeepers: ReadonlyMap<string, Gatekeeper>;
  readonly #failures: FailureLambda | undefined;
  readonly #collectors = new BoundedMap<string, Collector<Collected, DeliveryResult>>({ entries: MAX_COLLECTORS });
  #underWay = 0;
  readonly #whenIdle: (() => void)[] = [];
  #closed = false;

  constructor({ aws, sessions, gates, timeoutNote }: Surroundings, settings: ParsedSettings, operator: OperatorPolicy) {
    const functions = configuredFunctions(settings);
    this.#aws = aws;
    this.#settings = settings;
    this.#timeoutNote = [timeoutNote, ...(settings.limited ?? [])].filter(Boolean).join(" ");
    this.#planner = new Planner(settings, operator);
    this.#invoker = new Invoker(aws, sessions, { ...settings, functions });
    this.#targets = new Map(functions.map((reference) => [reference.configured, targetOf(reference, settings)]));
    this.#gatekeepers = new Map(
      functions.map((reference) => [reference.configured, gates.keeperOf(entranceOf(reference, settings))]),
    );
    this.#failures = this.#failureLambda();
  }

  async deliver(
    event: unknown,
    context: EventContext = {},
    options: DeliverOptions & { via?: Transport } = {},
  ): Promise<DeliveryResult> {
    const plan = this.plan(event, context);
    if (!isPlanned(plan)) return this.settle(plan, options);
    if (this.#settings.batchWindowMs > 0 && this.#settings.maxBatchSize > 1) return this.#collect(plan, options);
    const { traceparent } = options;
    const traced = traceparent !== undefined && this.#planner.limit.events === 1 ? { ...plan, traceparent } : plan;
    const [result] = await this.#sendTogether([traced], this.#deadline(options));
    return result as DeliveryResult;
  }

  async settle(plan: Unplanned, options: DeliverOptions & { via?: Transport } = {}): Promise<DeliveryResult> {
    const result = unsent(plan);
    if (!this.#failures || !plan.record || result.outcome !== "rejected") return result;
    this.#underWay++;
    const settled = await this.#failures.record(result, plan.record, this.#deadline(options));
    this.#done();
    return settled;
  }

  async deliverBatch(
    events: readonly unknown[],
    context: EventContext = {},
    { onResult, alone, ...options }: BatchOptions = {},
  ): Promise<DeliveryResult[]> {
    const results: DeliveryResult[] = [];
    const settle = (position: number, result: DeliveryResult) => {
      results[position] = result;
      onResult?.(result, position);
    };
    const deliveries: (PlannedDelivery & { readonly position: number })[] = [];
    const unplanned: Promise<void>[] = [];
    for (const [position, event] of events.entries()) {
      const plan = this.plan(event, context);
      // The plan is this call's own: it is added to, not copied.
      if (isPlanned(plan)) deliveries.push(Object.assign(plan, { position, alone: alone?.(position) ?? false }));
      else if (!this.#failures) settle(position, unsent(plan));
      else unplanned.push(this.settle(plan, options).then((result) => settle(position, result)));
    }
    const calledAt = this.#aws.clock.monotonic();
    await inLanes(batchesByUser(deliveries, this.#planner.limit), async (batch) => {
      const sent = await this.#sendTogether(batch, this.#deadline(options, calledAt));
      for (const [i, { position }] of batch.entries()) settle(position, sent[i] as DeliveryResult);
    });
    await Promise.all(unplanned);
    return results;
  }

  async close(): Promise<void> {
    this.#closed = true;
    for (const collector of this.#collectors.values()) collector.flush();
    if (this.#underWay > 0) await new Promise<void>((resolve) => this.#whenIdle.push(resolve));
  }

  plan(event: unknown, context: EventContext): Plan {
    const plan = this.#planner.plan(event, context);
    return this.#closed && isPlanned(plan) ? { ...nameOf(plan), problem: CLOSED } : plan;
  }

  planAnew(queued: QueuedDelivery | QueuedRejection, origin: EventOrigin): Plan {
    return this.#planner.planAnew(queued, origin);
  }

  batches<Delivery extends PlannedDelivery>(deliveries: readonly Delivery[]): Delivery[][] {
    return batchesOf(deliveries, this.#planner.limit);
  }

  async send(deliveries: readonly PlannedDelivery[]): Promise<DeliveryResult[]> {
    const results = new Map<PlannedDelivery, DeliveryResult>();
    for (const batch of this.batches(deliveries)) {
      const sent = await this.#sendTogether(batch, this.#deadline({}));
      for (const [i, delivery] of batch.entries()) results.set(delivery, sent[i] as DeliveryResult);
    }
    return deliveries.map((delivery) => results.get(delivery) as DeliveryResult);
  }

  /** @param calledAt when the host began to wait, where that was not now */
  #deadline({ timeoutMs, signal, via }: DeliverOptions & { via?: Transport }, calledAt?: number): Deadline {
    const { clock } = this.#aws;
    const own = this.#settings.timeoutMs;
    const waited = calledAt === undefined || timeoutMs === undefined ? 0 : clock.monotonic() - calledAt;
    const left = timeoutMs === undefined ? own : Math.max(0, Math.round(timeoutMs - waited));
    if (left >= own) return new Deadline(clock, own, { signal, via, note: this.#timeoutNote });
    const called = waited >= 1 ? "that are left of the router's" : "that the router gives it";
    return new Deadline(clock, left, { signal, via, note: this.#timeoutNote, called });
  }

  /** With others that come at the same time, in one invocation. */
  async #collect(delivery: PlannedDelivery, { signal, ...options }: DeliverOptions): Promise<DeliveryResult> {
    const deadline = this.#deadline(options);
    const collector = this.#collectorFor(delivery);
    const collected = { delivery, deadline };
    const result = collector.deliver(collected);
    if (!signal) return { ...(await result), durationMs: deadline.elapsed };
    // The others in the invocation are not called off with it.
    return this.#deadline({ signal, ...options })
      .within(result, "lambda")
      .catch((error: AwsError) => {
        const attempts = collector.withdraw(collected) ? 0 : 1;
        const [calledOff] = resultsOfInvocation([delivery], { attempts, error }, deadline.elapsed, { asBatch: true });
        return calledOff as DeliveryResult;
      });
  }

  #collectorFor(delivery: PlannedDelivery): Collector<Collected, DeliveryResult> {
    const key = sharingKey(delivery);
    let collector = this.#collectors.get(key);
    if (!collector) {
      const { maxBatchSize, batchWindowMs } = this.#settings;
      collector = new Collector<Collected, DeliveryResult>(this.#aws.clock, {
        windowMs: batchWindowMs,
        full: (waiting) =>
          waiting.length >= maxBatchSize ||
          waiting.reduce((bytes, each) => bytes + each.delivery.bytes + 1, BRACKETS) > this.#planner.limit.bytes / 2,
        send: async (waiting) => {
          const sent = new Map<PlannedDelivery, DeliveryResult>();
          const deliveries = waiting.map((each) => each.delivery);
          for (const batch of this.batches(deliveries)) {
            // Whoever came first has the least time.
            const earliest = waiting.find((each) => each.delivery === batch[0])?.deadline as Deadline;
            const results = await this.#sendTogether(batch, earliest);
            for (const [i, each] of batch.entries()) sent.set(each, results[i] as DeliveryResult);
          }
          return deliveries.map((each) => sent.get(each) as DeliveryResult);
        },
      });
      this.#collectors.set(key, collector);
    }
    return collector;
  }

  /** One invocation for deliveries that share function and external ID; more where one of them may be at fault. Never throws. */
  async #sendTogether(deliveries: readonly PlannedDelivery[], deadline: Deadline): Promise<readonly DeliveryResult[]> {
    this.#underWay++;
    const together = await this.#invoke(deliveries, deadline);
    const results =
      deliveries.length === 1
        ? together
        : await isolated(deliveries, together, async (part) =>
            deadline.left > 0 ? this.#invoke(part, deadline) : undefined,
          );
    const settled = this.#failures ? await this.#failures.recordAll(results, deliveries, deadline) : results;
    this.#done();
    return settled;
  }

  #failureLambda(): FailureLambda | undefined {
    const { failureFunction, region, role } = this.#settings;
    if (!failureFunction) return undefined;
    const target: InvokeTarget = { function: failureFunction, region, invocationType: "Event", logType: "None" };
    return new FailureLambda({
      function: failureFunction.configured,
      queue: (record, externalId, deadline) => this.#invoker.invoke(target, externalId, record, deadline),
      arnOf: (configured) => {
        const reference = this.#targets.get(configured)?.function;
        const account = reference?.account ?? role?.account;
        return reference && account
          ? functionArn(reference, { partition: partitionOf(region), region, account })
          : configured;
      },
      now: () => this.#aws.time.now(),
    });
  }

  /** The function as this delivery is to invoke it; the same object where only the event differs. */
  #targetFor(delivery: PlannedDelivery): InvokeTarget {
    const target = this.#untracedTargetFor(delivery);
    const { traceparent } = delivery;
    if (traceparent === undefined || target.invocationType !== "RequestResponse") return target;
    const clientContext = tracedContext(this.#settings, traceparent);
    return { ...target, ...(clientContext !== undefined && { clientContext }) };
  }

  #untracedTargetFor({ function: name, tenantId, executionName }: PlannedDelivery): InvokeTarget {
    const target = this.#targets.get(name) as InvokeTarget;
    if (executionName !== undefined) return { ...target, executionName, ...(tenantId !== undefined && { tenantId }) };
    if (tenantId === undefined) return target;
    const key = `${name} ${tenantId}`;
    let ofTenant = this.#tenantTargets.get(key);
    if (!ofTenant) {
      ofTenant = { ...target, tenantId };
      this.#tenantTargets.set(key, ofTenant);
    }
    return ofTenant;
  }

  async #invoke(deliveries: readonly PlannedDelivery[], deadline: Deadline): Promise<DeliveryResult[]> {
    const [first] = deliveries;
    if (!first) return [];
    const asBatch = this.#planner.limit.events > 1;
    try {
      const target = this.#targetFor(first);
      const gatekeeper = this.#gatekeepers.get(first.function);
      const payload = payloadOf(deliveries, asBatch);
      const invocation = await this.#invoker.invoke(target, first.externalId, payload, deadline, gatekeeper);
      const results = resultsOfInvocation(deliveries, invocation, deadline.elapsed, {
        asBatch,
        returnValue: this.#settings.returnValue,
      });
      const tooLarge = "error" in invocation && invocation.error.details.status === 413;
      if (deliveries.length === 1 || !tooLarge) return results;
      return await this.#invokeHalves(deliveries, deadline, results);
    } catch (error) {
      // A mistake of ours costs the events a retry; a host would lose them for an exception.
      const { name, message } = Object(error) as { name?: unknown; message?: unknown };
      const facts = { durationMs: deadline.elapsed, attempts: 0 };
      return deliveries.map((delivery) =>
        failed("Unknown", `${String(name)}: ${String(message)}`, { ...nameOf(delivery), ...facts }),
      );
    }
  }

  /** Of a payload that is too large for AWS, or for something on the way, whatever we took for the limit. */
  async #invokeHalves(
    deliveries: readonly PlannedDelivery[],
    deadline: Deadline,
    before: readonly DeliveryResult[],
  ): Promise<DeliveryResult[]> {
    const middle = Math.ceil(deliveries.length / 2);
    const first = await this.#invoke(deliveries.slice(0, middle), deadline);
    const results = [...first, ...(await this.#invoke(deliveries.slice(middle), deadline))];
    return results.map((result, i) => ({ ...result, attempts: result.attempts + (before[i]?.attempts ?? 0) }));
  }

  #done(): void {
    if (--this.#underWay > 0) return;
    for (const resolve of this.#whenIdle.splice(0)) resolve();
  }
}

const CLOSED = {
  code: "Unknown",
  message: "The destination is closed: the router hands in events after it called close().",
} as const;

function nameOf({ messageId, callType, function: name }: PlannedDelivery) {
  return { messageId, callType, function: name };
}

/** Where the function's gate is. Who invokes is part of it: nobody is turned away for what another may not. */
function entranceOf(
  reference: InvokeTarget["function"],
  { role, keys, region, maxConcurrency }: ParsedSettings,
): Entrance {
  const caller = [keys?.accessKeyId, keys?.secretAccessKey, role?.arn];
  return {
    key: JSON.stringify([...caller, region, functionNameForInvoke(reference), reference.qualifier]),
    tenant: role?.account ?? keys?.accessKeyId ?? "",
    most: maxConcurrency,
  };
}

function targetOf(
  reference: InvokeTarget["function"],
  { region, invocationType, logType, clientContext }: ParsedSettings,
): InvokeTarget {
  // Lambda takes both on RequestResponse only.
  const waits = invocationType === "RequestResponse";
  return {
    function: reference,
    region,
    invocationType,
    logType: waits ? logType : "None",
    ...(waits && clientContext !== undefined && { clientContext }),
  };
}

/** Stands in where the settings are no good: nothing is sent, nothing is lost. */
class UnusableDestination implements HostedDestination {
  readonly #error: SettingsError;

  constructor(error: SettingsError) {
    this.#error = error;
  }

  async deliver(event: unknown): Promise<DeliveryResult> {
    return unsent(this.plan(event));
  }

  async deliverBatch(events: readonly unknown[], _context?: EventContext, { onResult }: BatchOptions = {}) {
    return events.map((event, position) => {
      const result = unsent(this.plan(event));
      onResult?.(result, position);
      return result;
    });
  }

  async close(): Promise<void> {}

  plan(event: unknown): Plan {
    return unplannable(event, this.#error);
  }

  async settle(plan: Unplanned): Promise<DeliveryResult> {
    return unsent(plan);
  }

  planAnew({ messageId, callType }: QueuedDelivery | QueuedRejection): Plan {
    return {
      messageId,
      ...(callType && { callType }),
      problem: { code: "InvalidSettings", message: this.#error.message },
    };
  }

  batches<Delivery extends PlannedDelivery>(deliveries: readonly Delivery[]): Delivery[][] {
    return deliveries.map((delivery) => [delivery]);
  }

  async send(deliveries: readonly PlannedDelivery[]): Promise<DeliveryResult[]> {
    return deliveries.map((delivery) => unsent(this.planAnew(delivery)));
  }
}
