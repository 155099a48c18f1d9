import type { IncomingMessage, ServerResponse } from "node:http";
import type { Context } from "hono";
import { BOUNDS, type Room } from "./bounds";
import { Refusal } from "./refusal";

/** What the runtime hands over beside the request: Node.js's own objects, or AWS Lambda's. */
export interface RuntimeBindings {
  readonly incoming?: IncomingMessage;
  readonly outgoing?: ServerResponse;
  readonly requestContext?: {
    readonly http?: { readonly sourceIp?: string };
    readonly identity?: { readonly sourceIp?: string };
  };
}

export type ReceiverContext = Context<{ Bindings: RuntimeBindings }>;

/**
 * A header of the request. In Node.js it is read where Node.js has it: most of what the receiver itself costs per request were `Headers`.
 *
 * @param name in lower case
 */
export function headerOf(c: ReceiverContext, name: string): string | undefined {
  const { incoming } = c.env ?? {};
  if (!incoming) return c.req.header(name);
  const value = incoming.headers[name];
  return Array.isArray(value) ? value.join(", ") : value;
}

const NOTHING = Buffer.alloc(0);

/** A request's body, and the room that it takes until {@link Body.free}. */
export class Body {
  #held = 0;

  constructor(
    readonly room: Room,
    public bytes: Buffer = NOTHING,
  ) {}

  /** @throws Refusal (503) */
  hold(bytes: number): void {
    this.room.hold(bytes);
    this.#held += bytes;
  }

  free(): void {
    this.room.free(this.#held);
    this.#held = 0;
  }
}

/**
 * Reads the body, as far as it may go.
 *
 * @throws Refusal where it is too large (413), the receiver is full (503) or the sender hung up (400)
 */
export async function readBody(c: ReceiverContext, body: Body): Promise<void> {
  const announced = Number(headerOf(c, "content-length") ?? 0);
  if (announced > BOUNDS.bodyBytes) throw tooLarge();
  const { incoming } = c.env ?? {};
  if (incoming) return readIncoming(incoming, body);
  body.bytes = Buffer.from(await c.req.arrayBuffer());
  if (body.bytes.length > BOUNDS.bodyBytes) throw tooLarge();
  body.hold(body.bytes.length);
}

function readIncoming(incoming: IncomingMessage, body: Body): Promise<void> {
  return new Promise((resolve, reject) => {
    const chunks: Buffer[] = [];
    let length = 0;
    let ended = false;
    const stop = (refusal: Refusal) => {
      incoming.off("data", onData);
      reject(refusal);
    };
    const onData = (chunk: Buffer) => {
      length += chunk.length;
      if (length > BOUNDS.bodyBytes) return stop(tooLarge());
      try {
        body.hold(chunk.length);
      } catch (error) {
        return stop(error as Refusal);
      }
      chunks.push(chunk);
    };
    incoming.on("data", onData);
    incoming.on("end", () => {
      ended = true;
      body.bytes = chunks.length === 1 ? (chunks[0] as Buffer) : Buffer.concat(chunks);
      resolve();
    });
    incoming.on("close", () => {
      if (!ended) reject(new Refusal(400, "Incomplete", "The request ended before its body did."));
    });
  });
}

function tooLarge(): Refusal {
  return new Refusal(413, "BodyTooLarge", `A body may have ${BOUNDS.bodyBytes} bytes: send fewer events at a time.`);
}

/**
 * Who sent the request.
 *
 * @param proxies how many proxies stand before the receiver and write `X-Forwarded-For`: what is left of theirs is the sender's own word and
 *   is not believed
 */
export function clientIp(c: ReceiverContext, proxies: number): string | undefined {
  const { incoming, requestContext } = c.env ?? {};
  const peer = incoming?.socket.remoteAddress ?? requestContext?.http?.sourceIp ?? requestContext?.identity?.sourceIp;
  if (proxies === 0) return peer;
  const hops = (headerOf(c, "x-forwarded-for") ?? "").split(",").map((hop) => hop.trim());
  const hop = hops.at(-proxies);
  return hop === undefined || hop === "" ? peer : hop;
}
