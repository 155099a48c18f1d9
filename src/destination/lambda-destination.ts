import type { Aws, InvokeTarget } from "../aws/aws";
import type { AwsError } from "../aws/aws-error";
import { Deadline } from "../aws/deadline";
import { Invoker } from "../aws/invoker";
import type { Gatekeeper } from "../aws/passage";
import type { DeliveryResult } from "../delivery/delivery-result";
import { FailureLambda } from "../delivery/failure-lambda";
import type { Entrance, Gates } from "../delivery/gates";
import { isolated } from "../delivery/isolation";
import { inLanes } from "../delivery/lanes";
import { resultsOfInvocation } from "../delivery/outcome";
import { failed, unsent } from "../delivery/result";
import { type FunctionReference, functionArn, functionNameForInvoke } from "../names/function-reference";
import { partitionOf } from "../names/partitions";
import { batchesByUser, batchesOf, payloadOf } from "../planning/batches";
import { isPlanned, type Plan, type PlannedDelivery, type Unplanned } from "../planning/planned-delivery";
import { type EventContext, Planner, type QueuedDelivery, type QueuedRejection } from "../planning/planner";
import { configuredFunctions } from "../settings/configured-functions";
import type { EventOrigin } from "../settings/external-id";
import type { OperatorPolicy } from "../settings/operator-policy";
import type { ParsedSettings } from "../settings/settings";
import type { BatchOptions, DeliverOptions, HostedDestination, HostedOptions, Surroundings } from "./contract";
import { InvokeTargets } from "./invoke-targets";
import { MicroBatches } from "./micro-batches";

/** Plans, sends and interprets by settings that are good. */
export class LambdaDestination implements HostedDestination {
  readonly #aws: Aws;
  readonly #settings: ParsedSettings;
  readonly #timeoutNote: string;
  readonly #planner: Planner;
  readonly #invoker: Invoker;
  readonly #targets: InvokeTargets;
  readonly #gates: Gates;
  /** By function as it stands in the settings; most are never used where settings are made by a template. */
  readonly #gatekeepers = new Map<string, Gatekeeper>();
  readonly #failures: FailureLambda | undefined;
  readonly #microBatches: MicroBatches | undefined;
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
    this.#targets = new InvokeTargets(settings, functions);
    this.#gates = gates;
    this.#failures = this.#failureLambda();
    if (settings.batchWindowMs > 0 && settings.maxBatchSize > 1) {
      this.#microBatches = new MicroBatches(aws.clock, settings.batchWindowMs, this.#planner.limit, (batch, deadline) =>
        this.#sendTogether(batch, deadline),
      );
    }
  }

  async deliver(event: unknown, context: EventContext = {}, options: HostedOptions = {}): Promise<DeliveryResult> {
    const plan = this.plan(event, context);
    if (!isPlanned(plan)) return this.settle(plan, options);
    if (this.#microBatches) return this.#collect(this.#microBatches, plan, options);
    const { traceparent } = options;
    const traced = traceparent !== undefined && this.#planner.limit.events === 1 ? { ...plan, traceparent } : plan;
    const [result] = await this.#sendTogether([traced], this.#deadline(options));
    return result as DeliveryResult;
  }

  async settle(plan: Unplanned, options: HostedOptions = {}): Promise<DeliveryResult> {
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
    this.#microBatches?.flush();
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
  #deadline({ timeoutMs, signal, via, patienceMs }: HostedOptions, calledAt?: number): Deadline {
    const { clock } = this.#aws;
    const own = this.#settings.timeoutMs;
    const waited = calledAt === undefined || timeoutMs === undefined ? 0 : clock.monotonic() - calledAt;
    const left = timeoutMs === undefined ? own : Math.max(0, Math.round(timeoutMs - waited));
    const common = { signal, via, patienceMs, note: this.#timeoutNote };
    if (left >= own) return new Deadline(clock, own, common);
    const called = waited >= 1 ? "that are left of the router's" : "that the router gives it";
    return new Deadline(clock, left, { ...common, called });
  }

  /** With others that come at the same time, in one invocation. */
  async #collect(
    microBatches: MicroBatches,
    delivery: PlannedDelivery,
    { signal, ...options }: DeliverOptions,
  ): Promise<DeliveryResult> {
    const deadline = this.#deadline(options);
    const collected = { delivery, deadline };
    const result = microBatches.deliver(collected);
    if (!signal) return { ...(await result), durationMs: deadline.elapsed };
    // The others in the invocation are not called off with it.
    return this.#deadline({ signal, ...options })
      .within(result, "lambda")
      .catch((error: AwsError) => {
        const attempts = microBatches.withdraw(collected) ? 0 : 1;
        const [calledOff] = resultsOfInvocation([delivery], { attempts, error }, deadline.elapsed, { asBatch: true });
        return calledOff as DeliveryResult;
      });
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

  #gatekeeperOf(reference: FunctionReference): Gatekeeper {
    const gatekeeper = this.#gates.keeperOf(entranceOf(reference, this.#settings));
    this.#gatekeepers.set(reference.configured, gatekeeper);
    return gatekeeper;
  }

  #failureLambda(): FailureLambda | undefined {
    const { failureFunction, region, role } = this.#settings;
    if (!failureFunction) return undefined;
    const target: InvokeTarget = { function: failureFunction, region, invocationType: "Event", logType: "None" };
    return new FailureLambda({
      function: failureFunction.configured,
      queue: (record, externalId, deadline) => this.#invoker.invoke(target, externalId, record, deadline),
      arnOf: (configured) => {
        const reference = this.#targets.referenceOf(configured);
        const account = reference?.account ?? role?.account;
        return reference && account
          ? functionArn(reference, { partition: partitionOf(region), region, account })
          : configured;
      },
      now: () => this.#aws.time.now(),
    });
  }

  async #invoke(deliveries: readonly PlannedDelivery[], deadline: Deadline): Promise<DeliveryResult[]> {
    const [first] = deliveries;
    if (!first) return [];
    const asBatch = this.#planner.limit.events > 1;
    try {
      const target = this.#targets.for(first);
      const gatekeeper = this.#gatekeepers.get(first.function) ?? this.#gatekeeperOf(target.function);
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
function entranceOf(reference: FunctionReference, { role, keys, region, maxConcurrency }: ParsedSettings): Entrance {
  const caller = [keys?.accessKeyId, keys?.secretAccessKey, role?.arn];
  return {
    key: JSON.stringify([...caller, region, functionNameForInvoke(reference), reference.qualifier]),
    tenant: role?.account ?? keys?.accessKeyId ?? "",
    most: maxConcurrency,
  };
}
