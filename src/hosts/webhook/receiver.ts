/**
 * The receiver: the destination behind HTTP, for every router and library that can POST. `createReceiver` makes a Hono app, which runs in Node.js
 * (`node-server.ts`) and in AWS Lambda alike. What it delivers to is each connection's {@link Behind}: a destination, a queue, a local router.
 *
 * @example
 * const connection = { name: "shop", sourceId: "my-source-id", router: "jitsu", credentials: [bearer(["…"])], behind: createDestination(settings) };
 * const key = { id: "my-write-key", origins: [], connection };
 * const receiver = createReceiver({ connections: () => fixedConnections([connection], [key]) });
 * const response = await receiver.fetch(new Request("http://localhost/webhook/shop", { method: "POST", … }));
 */
import { Hono } from "hono";
import { RegExpRouter } from "hono/router/reg-exp-router";
import { skipped } from "../../delivery/result";
import { answerFor, type EventOutcome, type Failure, isFailure } from "./answer";
import { Body, clientIp, headerOf, type ReceiverContext, type RuntimeBindings, readBody } from "./arrival";
import type { Outcome } from "./behind";
import { BOUNDS, Room } from "./bounds";
import { allowOrigin, preflight } from "./browsers";
import type { Connection, Connections, WriteKey } from "./connection";
import { authenticate, basicCredentials } from "./credentials";
import { EventRate } from "./event-rate";
import { EventRecord } from "./event-record";
import { inflate, parseJson } from "./json-body";
import { libraryRoutes } from "./library-settings";
import { Refusal } from "./refusal";
import { answerWith, type Reply } from "./reply";
import { LIBRARY, ROUTERS, type Router } from "./routers";
import { endpointNamed, isKeptAway, messageIdOrNone, stamp, trackedEvents } from "./tracked-events";
import { eventsIn, parseItems } from "./webhook-events";
import { findWriteKey } from "./write-keys";

/** What became of one request. Holds no part of its address but the route's template, no header and no body. */
export interface Answered {
  readonly method: string;
  /** E.g. `/webhook/:connection`. */
  readonly route: string;
  readonly status: number;
  readonly durationMs: number;
  /** How many events were taken out of it; 0 where it was refused. */
  readonly events: number;
  readonly connection?: string;
  /** Why it was refused, or an event of it failed. */
  readonly code?: string;
  readonly message?: string;
}

/** Is told what the receiver does, for logs, metrics or a page. Must not throw. */
export interface Observer {
  answered?(answered: Answered): void;
  /** @param event as it was taken out of the request */
  ended?(connection: Connection, outcome: EventOutcome, event: unknown): void;
  /** Something that is a mistake of ours. */
  failed?(error: unknown): void;
}

export interface ReceiverOptions {
  /** Asked anew for each request. */
  readonly connections: () => Connections;
  readonly observer?: Observer;
  /** Proxies before the receiver that write `X-Forwarded-For`; 0 by default. */
  readonly proxies?: number;
  /** Milliseconds since 1970. */
  readonly now?: () => number;
  /** Bytes of bodies that are held at once; 256 MiB by default. */
  readonly roomBytes?: number;
}

export interface Receiver {
  fetch(request: Request, bindings?: RuntimeBindings): Response | Promise<Response>;
  /** Requests that are not answered yet. */
  readonly inFlight: number;
  /** Bytes of bodies that are held. */
  readonly heldBytes: number;
  /** From now on, new requests are refused; resolves once those under way are answered. */
  drain(): Promise<void>;
}

const ROOM_BYTES = 256 * 1024 * 1024;
/** By the route's template: one regular expression finds it, so that no two of them may differ in a part that one names and the other leaves open. */
const TRACKING: Readonly<Record<string, string>> = {
  "/v1/:endpoint": "/v1/:endpoint",
  "/beacon/v1/:endpoint": "/beacon/v1/:endpoint",
  // `/api/s/s2s/<type>` as well.
  "/api/s/:endpoint": "/api/s/:endpoint{.+}",
};
const WEBHOOK = "/webhook/:connection";
/** Addresses that there are, whatever the method. */
const KNOWN_PATH = /^\/(?:v1|beacon\/v1|api\/s|api\/s\/s2s|webhook)\/[^/]+\/?$/;

/** A request while it is worked on. */
interface Work {
  readonly c: ReceiverContext;
  readonly body: Body;
  /** Of the answer, whatever it will be. */
  headers: Record<string, string>;
  readonly answered: { -readonly [Field in keyof Answered]: Answered[Field] };
}

/** A request and what it brought. */
interface Intake {
  readonly connection: Connection;
  readonly router: Router;
  readonly events: readonly unknown[];
  readonly receivedAt: number;
  readonly detailed: boolean;
}

/**
 * Looks at a request's head.
 *
 * @returns what takes the events out of its body, once that is read; nothing where there is nothing to take and all is well
 * @throws Refusal
 */
type Take = (work: Work) => (() => Intake) | undefined;

export function createReceiver(options: ReceiverOptions): Receiver {
  const { connections, observer = {}, proxies = 0, now = Date.now } = options;
  const room = new Room(options.roomBytes ?? ROOM_BYTES);
  const rate = new EventRate(now);
  const delivered = new EventRecord();
  /** Those that may be what a batch failed for. */
  const alone = new EventRecord();
  const app = new Hono<{ Bindings: RuntimeBindings }>({ strict: false, router: new RegExpRouter() });
  let inFlight = 0;
  let draining = false;
  let drained = () => {};

  app.get("/healthz", (c) => c.json({ ok: true }));
  app.get("/readyz", (c) => (draining ? c.json({ ok: false, reason: "ending" }, 503) : c.json({ ok: true })));
  libraryRoutes(app, connections);
  app.options("*", (c) => preflight(c, connections()));
  for (const [route, pattern] of Object.entries(TRACKING)) app.post(pattern, (c) => answer(c, route, takeTracked));
  app.on(["POST", "PUT", "PATCH"], WEBHOOK, (c) => answer(c, WEBHOOK, takeWebhook));
  app.notFound((c) => answer(c, "*", KNOWN_PATH.test(c.req.path) ? refuseMethod : refuseUnknown));
  app.onError((error, c) => {
    failed(error);
    return c.json({ success: false, code: "Unknown", message: "The receiver made a mistake." }, 500);
  });

  function failed(error: unknown): void {
    observer.failed?.(error);
  }

  function answer(c: ReceiverContext, route: string, take: Take): Response | Promise<Response> {
    return answerWith(c, worked(c, route, take), failed);
  }

  /** Works on a request until it has its answer, whatever happens. */
  async function worked(c: ReceiverContext, route: string, take: Take): Promise<Reply> {
    const startedAt = performance.now();
    const answered: Work["answered"] = { method: c.req.method, route, status: 0, durationMs: 0, events: 0 };
    const work: Work = { c, body: new Body(room), headers: {}, answered };
    inFlight++;
    let reply: Reply;
    try {
      if (draining) throw new Refusal(503, "Ending", "The receiver is ending: send this again.", 1);
      const takeEvents = take(work);
      if (takeEvents) {
        await readBody(c, work.body);
        const inflating = inflate(work.body, headerOf(c, "content-encoding"));
        if (inflating) await inflating;
        const intake = takeEvents();
        answered.events = intake.events.length;
        const outcomes = await outcomesOf(intake, traceparentOf(headerOf(c, "traceparent")));
        const kept = !outcomes.some(isRejected) || (await keepRejected(intake, outcomes));
        reply = replyTo(work, intake, outcomes, kept);
      } else reply = { status: 200, headers: work.headers, body: { success: true } };
    } catch (error) {
      reply = refuse(work, error);
    } finally {
      work.body.free();
      if (--inFlight === 0) drained();
    }
    answered.status = reply.status;
    answered.durationMs = performance.now() - startedAt;
    observer.answered?.(answered);
    return reply;
  }

  function refuse({ c, headers, answered }: Work, error: unknown): Reply {
    if (!(error instanceof Refusal)) failed(error);
    const refusal =
      error instanceof Refusal ? error : new Refusal(500, "Unknown", "The receiver made a mistake: send this again.");
    const { status, code, message, retryAfterSeconds } = refusal;
    Object.assign(answered, { code, message });
    // What is left of a body that nobody reads would be taken for the next request.
    if (c.env?.incoming && !c.env.incoming.complete) headers["connection"] = "close";
    if (retryAfterSeconds !== undefined) headers["retry-after"] = String(retryAfterSeconds);
    return { status, headers, body: { success: false, code, message } };
  }

  function takeTracked(work: Work): (() => Intake) | undefined {
    const { c, body } = work;
    const receivedAt = now();
    const endpoint = endpointNamed(c.req.param("endpoint") ?? "");
    // Reports of analytics.js about itself.
    if (c.req.param("endpoint") === "m") {
      work.headers = { ...allowOrigin(c, connections()) };
      return undefined;
    }
    if (!endpoint) return refuseUnknown();
    const said = keyOutsideBody(c);
    const early = said === undefined ? undefined : authorised(work, said);
    return () => {
      const tracked = trackedEvents(endpoint, parseJson(body.bytes));
      const key = early ?? authorised(work, tracked.writeKey);
      assertFew(tracked.events);
      rate.take(key, tracked.events.length);
      const ip = clientIp(c, proxies);
      for (const event of tracked.events) stamp(event, ip, receivedAt, isoOf(receivedAt));
      return { connection: key.connection, router: LIBRARY, events: tracked.events, receivedAt, detailed: false };
    };
  }

  /** @throws Refusal (401, 403) */
  function authorised(work: Work, said: string | undefined): WriteKey {
    const key = findWriteKey(connections(), said);
    work.answered.connection = key.connection.name;
    work.headers = { ...allowOrigin(work.c, connections(), key) };
    return key;
  }

  function takeWebhook({ c, body, answered }: Work): () => Intake {
    const receivedAt = now();
    const name = c.req.param("connection") ?? "";
    const connection = connections().named(name);
    const credentials = connection?.credentials;
    if (!credentials) {
      // As for a wrong secret: who has none learns no names.
      throw new Refusal(401, "Unauthorized", "There is no such connection, or it does not take this request's secret.");
    }
    answered.connection = name;
    return () => {
      let items: unknown;
      const parsed = () => (items ??= parseItems(body.bytes, headerOf(c, "content-type")));
      if (credentials.length > 0) {
        const header = (name: string) => headerOf(c, name.toLowerCase());
        authenticate(credentials, { header, body: body.bytes, now: receivedAt, parsed });
      }
      const events = eventsIn(parsed());
      assertFew(events);
      return { connection, router: ROUTERS[connection.router], events, receivedAt, detailed: true };
    };
  }

  function replyTo(
    { c, headers, answered }: Work,
    { connection, router, events, detailed }: Intake,
    outcomes: readonly EventOutcome[],
    kept: boolean,
  ): Reply {
    const { status, retryAfterSeconds, body } = answerFor(outcomes, router, { kept, detailed });
    if (observer.ended)
      for (let i = 0; i < outcomes.length; i++) observer.ended(connection, outcomes[i] as Outcome, events[i]);
    const failure = outcomes.find(isFailure);
    // Also where the sender reads of each event what became of it: it does not read which of them have to be sent alone.
    if (failure || c.env?.incoming?.socket.destroyed) remember(connection, outcomes, kept);
    if (failure?.error) Object.assign(answered, { code: failure.error.code, message: failure.error.message });
    if (retryAfterSeconds !== undefined) headers["retry-after"] = String(retryAfterSeconds);
    return { status, headers, body };
  }

  /** An outcome per event: of those that are sent, and of those that need not be. */
  function outcomesOf(intake: Intake, traceparent: string | undefined): Promise<readonly EventOutcome[]> {
    const { events, router } = intake;
    if (router !== LIBRARY && delivered.size === 0) return send(intake, events, traceparent);
    const settled = events.map((event) => settledBefore(intake, event));
    const waiting = events.filter((_event, i) => settled[i] === undefined);
    if (waiting.length === 0) return Promise.resolve(settled as EventOutcome[]);
    return send(intake, waiting, traceparent).then((sent) => {
      let next = 0;
      return settled.map((outcome) => outcome ?? (sent[next++] as Outcome));
    });
  }

  /** What is known of an event without sending it. */
  function settledBefore({ connection, router }: Intake, event: unknown): EventOutcome | undefined {
    if (router === LIBRARY && isKeptAway(event))
      return skipped({ messageId: messageIdOrNone(event), durationMs: 0, attempts: 0 });
    const messageId = delivered.size > 0 ? messageIdOrNone(event) : "";
    return messageId !== "" && delivered.has(connection.name, messageId)
      ? { outcome: "repeated", messageId }
      : undefined;
  }

  function send(
    { connection: { behind, sourceId, workspaceId, name }, router, receivedAt }: Intake,
    events: readonly unknown[],
    traceparent: string | undefined,
  ): Promise<readonly Outcome[]> {
    const context = { sourceId, workspaceId, receivedAt: isoOf(receivedAt) };
    const timeoutMs = Math.max(1, router.deadlineMs - (now() - receivedAt));
    if (events.length === 1)
      return behind
        .deliver(events[0], context, traceparent === undefined ? { timeoutMs } : { timeoutMs, traceparent })
        .then(inList);
    return behind.deliverBatch(events, context, {
      timeoutMs,
      ...(alone.size > 0 && { alone: (i: number) => alone.has(name, messageIdOrNone(events[i])) }),
    });
  }

  /** @returns whether everything that was rejected is kept here now; a disk that is full keeps nothing, and the sender has to */
  async function keepRejected(
    { connection: { keep }, events }: Intake,
    outcomes: readonly EventOutcome[],
  ): Promise<boolean> {
    const rejected = outcomes.flatMap((outcome, i) => (isRejected(outcome) ? [{ outcome, event: events[i] }] : []));
    if (!keep) return false;
    const ends = await Promise.allSettled(
      rejected.map(({ event, outcome: { messageId, error, function: name } }) =>
        keep(event, {
          messageId,
          code: error?.code ?? "Unknown",
          message: error?.message ?? "",
          ...(name !== undefined && { function: name }),
        }),
      ),
    );
    for (const end of ends) if (end.status === "rejected") failed(end.reason);
    return ends.every(({ status }) => status === "fulfilled");
  }

  /** So that the request, once it is repeated, repeats only what has to be. */
  function remember({ name }: Connection, outcomes: readonly EventOutcome[], kept: boolean): void {
    for (const each of outcomes) {
      const { outcome, messageId } = each;
      if ("alone" in each && messageId !== "") alone.add(name, messageId);
      const isDone = outcome === "rejected" ? kept : outcome !== "retry" && outcome !== "skipped";
      if (isDone && messageId !== "") delivered.add(name, messageId);
    }
  }

  return {
    fetch: (request, bindings) => app.fetch(request, bindings),
    get inFlight() {
      return inFlight;
    },
    get heldBytes() {
      return room.held;
    },
    drain() {
      draining = true;
      if (inFlight === 0) return Promise.resolve();
      return new Promise((resolve) => {
        drained = resolve;
      });
    },
  };
}

const inList = (outcome: Outcome): readonly Outcome[] => [outcome];

let latest = { ms: Number.NaN, iso: "" };

/** ISO 8601, written once for all requests of the same millisecond. */
function isoOf(ms: number): string {
  if (ms !== latest.ms) latest = { ms, iso: new Date(ms).toISOString() };
  return latest.iso;
}

/** The write key where it stands outside the body: headers win over what Jitsu's libraries mask in it. */
function keyOutsideBody(c: ReceiverContext): string | undefined {
  return (
    basicCredentials(headerOf(c, "authorization")) ??
    headerOf(c, "x-write-key") ??
    c.req.query("writeKey") ??
    c.req.query("writekey")
  );
}

function isRejected(outcome: EventOutcome): outcome is Failure {
  return outcome.outcome === "rejected";
}

/** @see https://www.w3.org/TR/trace-context/#traceparent-header */
const TRACEPARENT = /^(?!ff)[\da-f]{2}-(?!0{32})[\da-f]{32}-(?!0{16})[\da-f]{16}-[\da-f]{2}$/;

/** A header that is not by the grammar is nobody's trace; it is not handed on. */
function traceparentOf(header: string | undefined): string | undefined {
  return header !== undefined && TRACEPARENT.test(header) ? header : undefined;
}

function assertFew(events: readonly unknown[]): void {
  if (events.length <= BOUNDS.events) return;
  throw new Refusal(413, "TooManyEvents", `A request may have ${BOUNDS.events} events: send fewer at a time.`);
}

function refuseUnknown(): never {
  throw new Refusal(
    404,
    "NotFound",
    "There are POST /v1/track, identify, page, screen, group, alias, batch; POST /api/s/<type>; POST /webhook/<connection>.",
  );
}

function refuseMethod(): never {
  throw new Refusal(405, "MethodNotAllowed", "Send events with POST: in a query there is no room for an event.");
}
