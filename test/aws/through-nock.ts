import { once } from "node:events";
import { createServer } from "node:http";
import { request } from "node:https";
import type { AddressInfo } from "node:net";
import { buffer, text } from "node:stream/consumers";
import type { FetchType } from "@jitsu/protocols/functions";
import type { Transport } from "../../src/aws/transport";
import { jitsuTransport } from "../../src/hosts/jitsu/host-fetch";

type Headers = Readonly<Record<string, string | string[] | undefined>>;

/** Asks whom `nock` has put in the place of AWS. */
async function ask(url: string, headers: Headers, body: Buffer) {
  const asked = request(url, { method: "POST", headers });
  asked.end(body);
  const [answer] = await once(asked, "response");
  return { status: answer.statusCode as number, headers: answer.headers as Headers, body: await text(answer) };
}

/**
 * Lambda on a real socket, for clients that `nock` does not know: answers with what `nock` has for the region's own
 * endpoint.
 */
export async function relayToNock() {
  const server = createServer(async (incoming, outgoing) => {
    const [, region] = /Credential=[^/]+\/\d+\/([^/]+)\/lambda/.exec(String(incoming.headers.authorization)) ?? [];
    try {
      const { host: _host, connection: _connection, "content-length": _length, ...headers } = incoming.headers;
      const answer = await ask(
        `https://lambda.${region}.amazonaws.com${incoming.url}`,
        headers,
        await buffer(incoming),
      );
      outgoing.writeHead(answer.status, answer.headers as Record<string, string>).end(answer.body);
    } catch {
      incoming.socket.resetAndDestroy();
    }
  });
  await once(server.listen(0, "127.0.0.1"), "listening");
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    close: () => {
      server.closeAllConnections();
      server.close();
    },
  };
}

/** As `fetch` of a sandbox's host has it. */
const fetchOverNock = async (url: string, { headers = {}, body = "" }: { headers?: Headers; body?: string } = {}) => {
  const answer = await ask(url, headers, Buffer.from(body));
  return { ...answer, ok: answer.status < 400, text: async () => answer.body };
};

/** A sandbox's way out, through Jitsu's `fetch`. */
export const nockTransport: Transport = jitsuTransport(fetchOverNock as unknown as FetchType);
