import type { DeliveryResult } from "../../delivery/delivery-result";
import type { JsonObject } from "../../events/segment-event";
import { CALL_TYPES, toSegmentEvent } from "../../index";
import type { AwsObserver, RunOutput } from "../aws/observer";
import type { CallRecord, InvocationRecord } from "../aws/records";
import type { Source, Try } from "../local-host";
import type { EntryDetail, EntryState, EntrySummary, RunDetail, TryDetail } from "./protocol";
import type { Refusal } from "./refusals";

/** What is kept: so many lines of the list, and so many bytes of events, logs and answers. */
export interface JournalLimits {
  readonly entries: number;
  readonly bytes: number;
}

const LIMITS: JournalLimits = { entries: 1000, bytes: 256 * 1024 * 1024 };

interface Entry {
  readonly id: number;
  readonly kind: EntrySummary["kind"];
  readonly at: number;
  readonly source?: string;
  readonly event?: unknown;
  readonly replayOf?: number;
  readonly refusal?: Refusal;
  readonly messageIds: Set<string>;
  readonly trail: TryDetail[];
  readonly runs: RunDetail[];
  state: EntryState;
  result?: DeliveryResult;
  sent?: unknown;
  invocation?: InvocationRecord;
  /** Roughly. */
  bytes: number;
}

/**
 * What happened since the start: what the router took in and refused, what became of it, and what the functions got,
 * logged and answered. All of it is seen on its real way: the router tells its tries, the AWS on this machine its runs.
 */
export class Journal implements AwsObserver {
  readonly #entries = new Map<number, Entry>();
  readonly #byEvent = new Map<unknown, Entry[]>();
  readonly #byMessageId = new Map<string, Entry[]>();
  readonly #listeners = new Set<(entry: EntrySummary | undefined) => void>();
  readonly #limits: JournalLimits;
  readonly #now: () => number;
  #lastId = 0;
  #bytes = 0;

  constructor({
    limits = LIMITS,
    now = Date.now,
  }: { readonly limits?: JournalLimits; readonly now?: () => number } = {}) {
    this.#limits = limits;
    this.#now = now;
  }

  /** Calls back with each line that is new or has changed, and without one once all are forgotten. @returns what ends that */
  listen(listener: (entry: EntrySummary | undefined) => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  /** Oldest first. */
  summaries(): EntrySummary[] {
    return [...this.#entries.values()].map(summaryOf);
  }

  detail(id: number): EntryDetail | undefined {
    const entry = this.#entries.get(id);
    return entry && detailOf(entry);
  }

  clear(): void {
    this.#entries.clear();
    this.#byEvent.clear();
    this.#byMessageId.clear();
    this.#bytes = 0;
    for (const listener of this.#listeners) listener(undefined);
  }

  /** The router hands an event over for delivery. */
  took(event: unknown, source: Source, replayOf?: number): number {
    const messageId = messageIdOf(event, source);
    const entry = this.#add({
      kind: "delivery",
      state: "under way",
      source: source.id,
      event,
      messageIds: new Set(messageId === undefined ? [] : [messageId]),
      bytes: sizeOf(event),
      ...(replayOf !== undefined && { replayOf }),
    });
    push(this.#byEvent, event, entry);
    if (messageId !== undefined) push(this.#byMessageId, messageId, entry);
    return entry.id;
  }

  refused(refusal: Refusal): void {
    this.#add({ kind: "refusal", state: "refused", refusal, messageIds: new Set(), bytes: refusal.message.length });
  }

  /** The router has tried. `event` is the very one that it took in. */
  tried({ event, result, next, keptAway }: Try): void {
    const entry = this.#byEvent.get(event)?.[0];
    if (!entry) return;
    if (result.messageId && !entry.messageIds.has(result.messageId)) {
      entry.messageIds.add(result.messageId);
      push(this.#byMessageId, result.messageId, entry);
    }
    entry.result = result;
    entry.state = next === "dead letter" ? "given up" : next === "retry" ? "retry" : result.outcome;
    const { outcome, status, attempts, durationMs, requestId, executedVersion, error, retryAfterMs } = result;
    entry.trail.push({
      startedAt: this.#now() - durationMs,
      durationMs,
      outcome,
      status,
      attempts,
      next,
      ...(keptAway && { keptAway }),
      ...(requestId !== undefined && { requestId }),
      ...(executedVersion !== undefined && { executedVersion }),
      ...(result.function !== undefined && { function: result.function }),
      ...(error && { error }),
      ...(retryAfterMs !== undefined && { retryAfterMs }),
    });
    if (next !== "retry") pull(this.#byEvent, event, entry);
    this.#changed(entry);
  }

  ran(record: InvocationRecord, output: RunOutput): void {
    const run = runOf(record, output);
    const members = membersOf(record.payload);
    const entries = members.map((member) => this.#deliveryOf(member, record.at)).filter((each) => each !== undefined);
    if (entries.length === 0) {
      // Nobody but the router knows the events that it took in: somebody else has invoked.
      const retried =
        record.attempt > 1 &&
        [...this.#entries.values()].find((each) => each.invocation?.requestId === record.requestId);
      const entry =
        retried ||
        this.#add({
          kind: "invocation",
          state: "invoked",
          messageIds: new Set(),
          bytes: sizeOf(record.payload),
          invocation: record,
        });
      entry.state = run.failed ? "failed" : "invoked";
      entry.invocation = record;
      entry.sent = record.payload;
      this.#addRun(entry, run);
      return;
    }
    for (const [i, entry] of entries.entries()) {
      entry.sent = members[i];
      this.#addRun(entry, run);
    }
  }

  called({ service, action, status, at }: CallRecord, body: string): void {
    if (service !== "lambda" || action !== "Invoke" || (status >= 200 && status < 300)) return;
    for (const member of membersOf(parsed(body))) {
      const entry = this.#deliveryOf(member, at);
      if (!entry) continue;
      entry.sent = member;
      this.#changed(entry);
    }
  }

  #addRun(entry: Entry, run: RunDetail): void {
    entry.runs.push(run);
    const bytes = run.log.length + run.answer.length;
    entry.bytes += bytes;
    this.#bytes += bytes;
    this.#changed(entry);
  }

  /** The latest delivery that this Segment event belongs to. */
  #deliveryOf(member: unknown, at: number): Entry | undefined {
    const { messageId } = Object(member) as { messageId?: unknown };
    if (typeof messageId !== "string") return undefined;
    const candidates = (this.#byMessageId.get(messageId) ?? []).filter((each) => each.at <= at);
    // Of two with the same ID, the one whose end is not known yet.
    return candidates.findLast(({ state }) => state === "under way" || state === "retry") ?? candidates.at(-1);
  }

  #add(entry: Omit<Entry, "id" | "at" | "trail" | "runs">): Entry {
    const added: Entry = { ...entry, id: ++this.#lastId, at: this.#now(), trail: [], runs: [] };
    this.#entries.set(added.id, added);
    this.#bytes += added.bytes;
    this.#changed(added);
    return added;
  }

  #changed(entry: Entry): void {
    for (const [id, oldest] of this.#entries) {
      if (this.#entries.size <= this.#limits.entries && this.#bytes <= this.#limits.bytes) break;
      if (oldest === entry) break;
      this.#entries.delete(id);
      this.#bytes -= oldest.bytes;
      pull(this.#byEvent, oldest.event, oldest);
      for (const messageId of oldest.messageIds) pull(this.#byMessageId, messageId, oldest);
    }
    if (this.#entries.has(entry.id)) for (const listener of this.#listeners) listener(summaryOf(entry));
  }
}

function push<Key>(map: Map<Key, Entry[]>, key: Key, entry: Entry): void {
  const list = map.get(key);
  if (list) list.push(entry);
  else map.set(key, [entry]);
}

function pull<Key>(map: Map<Key, Entry[]>, key: Key, entry: Entry): void {
  const list = map.get(key);
  const at = list?.indexOf(entry) ?? -1;
  if (at >= 0) list?.splice(at, 1);
  if (list?.length === 0) map.delete(key);
}

function messageIdOf(event: unknown, { id }: Source): string | undefined {
  try {
    return toSegmentEvent(event, { sourceId: id }).messageId;
  } catch {
    const { messageId } = Object(event) as { messageId?: unknown };
    return typeof messageId === "string" && messageId !== "" ? messageId : undefined;
  }
}

function membersOf(payload: unknown): readonly unknown[] {
  return Array.isArray(payload) ? payload : [payload];
}

function parsed(json: string): unknown {
  try {
    return JSON.parse(json);
  } catch {
    return undefined;
  }
}

function sizeOf(value: unknown): number {
  return JSON.stringify(value)?.length ?? 0;
}

function runOf(record: InvocationRecord, { log, answer }: RunOutput): RunDetail {
  const { requestId, at, durationMs, version, arn, invocationType, attempt, clientContext, payload, error } = record;
  return {
    requestId,
    startedAt: at,
    durationMs,
    version,
    arn,
    invocationType,
    attempt,
    log,
    answer,
    failed: error !== undefined,
    ...(clientContext !== undefined && { clientContext }),
    ...(Array.isArray(payload) && { batchSize: payload.length }),
  };
}

/** What everything that was taken in or sent is listed by. */
function identityOf(value: unknown): Pick<EntrySummary, "callType" | "name" | "messageId" | "user"> {
  const { type, event, name, messageId, userId, anonymousId } = Object(value) as JsonObject;
  const title = [event, name].find((each) => typeof each === "string");
  const user = [userId, anonymousId].find((each) => typeof each === "string" && each !== "");
  return {
    ...(typeof type === "string" && { callType: type }),
    ...(typeof title === "string" && { name: title }),
    ...(typeof messageId === "string" && messageId !== "" && { messageId }),
    ...(typeof user === "string" && { user }),
  };
}

function summaryOf(entry: Entry): EntrySummary {
  const { id, kind, state, at, source, event, replayOf, refusal, result, invocation, trail, runs } = entry;
  const base = { id, kind, state, at, tries: trail.length };
  if (refusal) {
    const { method, path, status, message, writeKey } = refusal;
    return {
      ...base,
      name: `${method} ${path}`,
      problem: `${status} ${message}`,
      ...(writeKey && { source: writeKey }),
    };
  }
  const run = runs.at(-1);
  if (invocation) {
    const { arn, durationMs, attempt, payload, error } = invocation;
    const problem = error && { problem: `${error.errorType}: ${error.errorMessage}` };
    return {
      ...base,
      ...identityOf(membersOf(payload)[0]),
      function: shortName(arn),
      durationMs,
      tries: attempt,
      ...problem,
    };
  }
  const error = result?.error;
  return {
    ...base,
    ...identityOf(event),
    ...(result?.callType !== undefined && { callType: result.callType }),
    ...(result?.messageId && { messageId: result.messageId }),
    ...(source !== undefined && { source }),
    ...(replayOf !== undefined && { replayOf }),
    ...(result?.function !== undefined && { function: shortName(result.function) }),
    ...(result && { durationMs: result.durationMs }),
    ...(error && { problem: `${error.label}: ${error.message}` }),
    // Queued, the event is delivered as far as the router knows; how the function fared is known here all the same.
    ...(!error && run?.failed && { problem: `The function failed after it was queued, in run ${run.attempt} of 3` }),
  };
}

function detailOf(entry: Entry): EntryDetail {
  const { event, sent, trail, runs, refusal, invocation } = entry;
  const summary = summaryOf(entry);
  const { callType = "" } = summary;
  return {
    ...summary,
    trail,
    runs,
    ...(entry.kind === "delivery" && { event }),
    ...(sent !== undefined && { sent }),
    ...((CALL_TYPES as readonly string[]).includes(callType) && { endpoint: callType }),
    ...(refusal && { refusal: { status: refusal.status, message: refusal.message } }),
    ...(invocation && { invokedBy: invocation.principalArn }),
  };
}

/** The part of a function's ARN that people know it by. */
function shortName(reference: string): string {
  return reference.replace(/^.*?function:/, "");
}
