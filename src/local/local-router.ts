import { once } from "node:events";
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import type { DeliveryOutcome } from "../delivery/delivery-result";
import type { JsonObject } from "../events/segment-event";
import type { EventOutcome } from "../hosts/webhook/answer";
import type { Behind, Outcome } from "../hosts/webhook/behind";
import { type Connection, type Connections, fixedConnections } from "../hosts/webhook/connection";
import { requestListener } from "../hosts/webhook/node-server";
import { createReceiver } from "../hosts/webhook/receiver";
import { messageIdOrNone } from "../hosts/webhook/tracked-events";
import type { LocalHost, OnTry, Source } from "./local-host";
import type { PageHandler } from "./page-server/page-server";

export interface LocalRouterOptions {
  readonly sources: readonly Source[];
  createHost(onTry: OnTry): LocalHost;
  readonly onTry: OnTry;
  /** Is waited for before an event is taken in. */
  beforeTaking?(): Promise<void>;
  /** Is told each event that is handed over for delivery, before that begins. */
  onTaken?(event: unknown, source: Source): void;
  /** Answers what is its own, before the router does. */
  readonly page?: PageHandler;
}

/** The receiver, and behind it a host that delivers what it takes in. */
export class LocalRouter {
  readonly counts: Record<DeliveryOutcome, number> = { delivered: 0, skipped: 0, retry: 0, rejected: 0 };
  /** Events whose last retry failed. */
  givenUp = 0;
  readonly #sources: Map<string, Source>;
  readonly #host: LocalHost;
  readonly #server: Server;
  readonly #underWay = new Set<Promise<void>>();
  readonly #beforeTaking: LocalRouterOptions["beforeTaking"];
  readonly #onTaken: LocalRouterOptions["onTaken"];
  readonly #onTry: OnTry;

  constructor({ sources, createHost, onTry, beforeTaking, onTaken, page }: LocalRouterOptions) {
    this.#sources = new Map(sources.map((source) => [source.id, source]));
    this.#beforeTaking = beforeTaking;
    this.#onTaken = onTaken;
    this.#onTry = (attempt) => {
      this.counts[attempt.result.outcome]++;
      if (attempt.next === "dead letter") this.givenUp++;
      onTry(attempt);
    };
    this.#host = createHost(this.#onTry);
    const connections = this.#connections(sources);
    const receiver = createReceiver({
      connections: () => connections,
      observer: { ended: (connection, outcome, event) => this.#ended(connection.name, outcome, event) },
    });
    const front = requestListener(receiver.fetch);
    this.#server = createServer((request, response) => {
      if (!page?.(request, response)) front(request, response);
    });
  }

  /** What the receiver itself has come to an end with is a try like any other, so that nobody looks for it in vain. */
  #ended(id: string, result: EventOutcome, event: unknown): void {
    const source = this.#sources.get(id);
    if (!source || result.outcome !== "skipped") return;
    this.#onTaken?.(event, source);
    this.#onTry({ event, source, retries: 0, result, next: "done", keptAway: true });
  }

  /** A connection per source, whose write key is its ID; the pages of any website may send. */
  #connections(sources: readonly Source[]): Connections {
    const keys = sources.map(({ id }) => {
      const connection: Connection = { name: id, sourceId: id, router: "generic", behind: this.#behind(id) };
      return { id, origins: ["*"], connection };
    });
    return fixedConnections([], keys);
  }

  /** Takes an event as a router does: it is answered before it is delivered. */
  #behind(id: string): Behind {
    const take = (event: unknown): Outcome => {
      const source = this.#sources.get(id);
      if (!source) throw new Error(`There is no source ${id}.`);
      this.#onTaken?.(event, source);
      this.deliver(event, source);
      return { outcome: "accepted", messageId: messageIdOrNone(event) };
    };
    return {
      deliver: async (event) => {
        await this.#beforeTaking?.();
        return take(event);
      },
      deliverBatch: async (events) => {
        await this.#beforeTaking?.();
        return events.map(take);
      },
    };
  }

  /**
   * @param port on 127.0.0.1; 0 for a free one
   * @returns where it listens
   * @throws NodeJS.ErrnoException where the port is not to be had
   */
  async listen(port: number): Promise<string> {
    this.#server.listen(port, "127.0.0.1");
    await once(this.#server, "listening");
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
  }

  /** As they are now. */
  sources(): readonly Source[] {
    return [...this.#sources.values()];
  }

  /** For what comes from now on, retries of what is under way not included. */
  setSettings(id: string, settings: JsonObject): void {
    this.#sources.set(id, { id, settings });
  }

  deliver(event: unknown, source: Source): void {
    const delivery = this.#host.deliver(event, source).finally(() => this.#underWay.delete(delivery));
    this.#underWay.add(delivery);
  }

  /** Events that have not come to their end. */
  get underWay(): number {
    return this.#underWay.size;
  }

  /** Resolves once every event has come to its end. */
  async idle(): Promise<void> {
    while (this.#underWay.size > 0) await Promise.all(this.#underWay);
  }

  /** Takes nothing in any more, and resolves once what is under way has come to its end. */
  async close(): Promise<void> {
    this.#server.close();
    await this.idle();
    this.#server.closeAllConnections();
  }
}
