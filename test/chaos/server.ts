// Whoever answers in AWS's place, in a process of its own: misbehaves by the seed, and keeps the ledger of what the functions really took.
import { once } from "node:events";
import { type AddressInfo, createServer, type Socket } from "node:net";
import { type Backend, embeddedBackend, stubBackend } from "./backend";
import { numberOf } from "./events";
import { type Answer, denied, faultFor, gone, throttled, whole } from "./faults";
import { type Connection, createRawServer, type RawRequest } from "./raw-server";
import type { Traits } from "./traits";

/** What a model host may ask of the server. */
export type Order =
  | {
      readonly do: "start";
      readonly seed: number;
      readonly events: number;
      readonly rate: number;
      readonly backend: "stub" | "embedded";
      readonly traits: Traits;
    }
  | { readonly do: "state"; readonly state: ServerState; readonly on: boolean }
  | { readonly do: "expire" | "cut" | "count" | "ledger" }
  | { readonly do: "warp"; readonly ms: number };

export type ServerState = "sts-down" | "throttled" | "denied" | "gone" | "revoked";

/** What the functions really took, and what was done to the answers. */
export interface Ledger {
  /** By event: how often a function took it. */
  readonly taken: Uint8Array;
  /** By event: how many of those answers did not arrive whole. */
  readonly spoiled: Uint8Array;
  /** By fault: how often it struck. */
  readonly strikes: Readonly<Record<string, number>>;
  /** By fault: how many events it made a function take once more. */
  readonly again: Readonly<Record<string, number>>;
  /** Connections to an address that nobody configured. */
  readonly trapped: number;
  readonly requests: number;
  /** By event: what was done to the requests in which it came first. */
  readonly history: ReadonlyMap<number, readonly string[]>;
}

/** A `huge` event by itself: such requests are answered, now and then, before they are read. */
const EARLY_BYTES = { from: 5_500_000, to: 5_501_000 };
const EARLY_ANSWERS = 3;
const EARLY = "an answer before the request was read";

async function main(): Promise<void> {
  const [{ seed, events, rate, backend: kind, traits }] = (await once(process, "message")) as [
    Extract<Order, { do: "start" }>,
  ];
  const states = new Set<ServerState>();
  const sockets = new Set<Socket>();
  /** With a request that was answered early, and whose end is not there yet. */
  const unread = new Set<Socket>();
  const asked = new Map<number, number>();
  const taken = new Uint8Array(events);
  const count = (numbers: readonly number[]) => {
    for (const n of numbers) taken[n] = (taken[n] ?? 0) + 1;
  };
  const backend: Backend = kind === "embedded" ? await embeddedBackend(seed, traits.once && count) : stubBackend(seed);
  const spoiled = new Uint8Array(events);
  const spoiledBy = new Map<number, string[]>();
  const answered = new WeakMap<Socket, { connection: Connection; taken: readonly number[] }>();
  const strikes: Record<string, number> = {};
  const history = new Map<number, string[]>();
  let requests = 0;
  let trapped = 0;
  let early = 0;

  const trap = createServer((socket) => {
    trapped++;
    socket.destroy();
  });
  trap.listen(0, "127.0.0.1");
  await once(trap, "listening");
  const trapUrl = `http://127.0.0.1:${(trap.address() as AddressInfo).port}/2015-03-31/functions/trap/invocations`;

  async function handle(request: RawRequest, connection: Connection): Promise<void> {
    requests++;
    if (!request.path.startsWith("/2015-03-31/")) return assume(request, connection);
    // The system took all of it before the client could see the answer, which was as good as any then.
    if (request.answered) {
      enter(numbersIn(request), ACCEPTED, EARLY);
      unread.delete(connection.socket);
      return;
    }
    const state = answerInState();
    if (state) return connection.write(whole(state));
    const numbers = numbersIn(request);
    const [first = 0] = numbers;
    const nth = asked.get(first) ?? 0;
    asked.set(first, nth + 1);
    const fault = faultFor(seed, first, nth, rate);
    if (fault) {
      strikes[fault.name] = (strikes[fault.name] ?? 0) + 1;
      history.set(first, [...(history.get(first) ?? []), fault.name]);
    }
    if (fault?.when === "before") return fault.strike(connection, NOTHING, first);
    const answer = await backend.answer(request);
    const cut = connection.socket.destroyed ? "connection cut while the function ran" : undefined;
    enter(numbers, answer, cut ?? (fault?.when === "after" ? fault.name : undefined));
    if (!cut && fault?.when !== "after") {
      answered.set(connection.socket, { connection, taken: accepted(numbers, answer) });
    }
    if (fault) fault.strike(connection, answer, first);
    else connection.write(whole(answer));
  }

  /** Of an answer that is still being written, only a part arrives. */
  function cutOff(socket: Socket): void {
    const last = answered.get(socket);
    if (last?.connection.dripping) spoil(last.taken, "connection cut under the answer");
    socket.destroy();
  }

  async function assume(request: RawRequest, connection: Connection): Promise<void> {
    if (states.has("sts-down")) return connection.reset();
    connection.write(whole(await backend.answer(request)));
  }

  function answerInState(): Answer | undefined {
    if (states.has("denied")) return denied();
    if (states.has("gone")) return gone();
    return states.has("throttled") ? throttled("1") : undefined;
  }

  function enter(numbers: readonly number[], answer: Answer, spoiler: string | undefined): void {
    const all = accepted(numbers, answer);
    // An answer says nothing of when a durable function ran.
    if (!traits.once) count(all);
    if (spoiler !== undefined) spoil(all, spoiler);
  }

  /** The events that the function took. */
  function accepted(numbers: readonly number[], answer: Answer): readonly number[] {
    if (answer.status !== 200 || "x-amz-function-error" in answer.headers) return [];
    const failed = new Set(failuresIn(answer.body));
    return numbers.filter((n) => !failed.has(n));
  }

  /** Nobody can know from the answer that the function took them. */
  function spoil(numbers: readonly number[], spoiler: string): void {
    for (const n of numbers) {
      spoiled[n] = (spoiled[n] ?? 0) + 1;
      spoiledBy.set(n, [...(spoiledBy.get(n) ?? []), spoiler]);
    }
  }

  function ledger(): Ledger {
    const again: Record<string, number> = {};
    for (const [n, faults] of spoiledBy) {
      if ((taken[n] ?? 0) < 2) continue;
      for (const name of faults) again[name] = (again[name] ?? 0) + 1;
    }
    return { taken, spoiled, strikes, again, trapped, requests, history };
  }

  const server = createRawServer({
    trapUrl,
    handle: (request, connection) => {
      handle(request, connection).catch((error: unknown) => {
        process.stderr.write(`The server itself failed: ${error instanceof Error ? error.stack : String(error)}\n`);
        connection.reset();
      });
    },
    early({ headers }, connection) {
      const bytes = Number(headers["content-length"]);
      if (
        traits.once ||
        traits.hidesEarlyAnswers ||
        early >= EARLY_ANSWERS ||
        bytes < EARLY_BYTES.from ||
        bytes > EARLY_BYTES.to
      )
        return false;
      early++;
      strikes[EARLY] = early;
      unread.add(connection.socket);
      connection.write(whole(ACCEPTED));
      return true;
    },
  });
  server.on("connection", (socket: Socket) => {
    sockets.add(socket);
    socket.on("close", () => {
      sockets.delete(socket);
      unread.delete(socket);
    });
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");

  const obey: { readonly [Do in Order["do"]]: (order: Extract<Order, { do: Do }>) => unknown } = {
    start: () => undefined,
    state({ state, on }) {
      if (on) states.add(state);
      else states.delete(state);
      if (state === "revoked") backend.revokeSessions(on);
    },
    expire: () => backend.expireSessions(),
    warp: ({ ms }) => backend.warp(ms),
    cut: () => {
      for (const socket of sockets) cutOff(socket);
    },
    count: () => process.send?.({ connections: sockets.size }),
    async ledger() {
      while (unread.size > 0) await new Promise((resolve) => setTimeout(resolve, 10));
      process.send?.({ ledger: ledger() });
    },
  };
  process.on("message", (order: Order) => (obey[order.do] as (order: Order) => unknown)(order));
  process.send?.({ port: (server.address() as AddressInfo).port });
}

const NOTHING: Answer = {
  status: 200,
  headers: { "x-amzn-requestid": "early", "x-amz-executed-version": "$LATEST" },
  body: "",
};
const ACCEPTED: Answer = { ...NOTHING, body: "null" };

function numbersIn({ body }: RawRequest): number[] {
  const payload: unknown = JSON.parse(body.toString());
  return (Array.isArray(payload) ? payload : [payload]).map(({ messageId }) => numberOf(messageId));
}

function failuresIn(body: string): number[] {
  const { batchItemFailures = [] } = (JSON.parse(body || "null") ?? {}) as {
    batchItemFailures?: readonly { itemIdentifier: string }[];
  };
  return batchItemFailures.map(({ itemIdentifier }) => numberOf(itemIdentifier));
}

process.on("disconnect", () => process.exit(0));
void main();
