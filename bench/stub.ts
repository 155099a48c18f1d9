import type { AddressInfo } from "node:net";
import { createServer, type Socket } from "node:net";
import { createServer as createTlsServer, type TlsOptions } from "node:tls";

const EXPIRATION = new Date(Date.now() + 3_600_000).toISOString();
const SESSION = `<AssumeRoleResponse xmlns="https://sts.amazonaws.com/doc/2011-06-15/"><AssumeRoleResult><Credentials><AccessKeyId>ASIAEXAMPLESESSION00</AccessKeyId><SecretAccessKey>bench</SecretAccessKey><SessionToken>${"t".repeat(600)}</SessionToken><Expiration>${EXPIRATION}</Expiration></Credentials></AssumeRoleResult><ResponseMetadata><RequestId>stub</RequestId></ResponseMetadata></AssumeRoleResponse>`;

function answer(headers: readonly string[], body: string): Buffer {
  return Buffer.from(["HTTP/1.1 200 OK", ...headers, `content-length: ${body.length}`, "", body].join("\r\n"));
}

const INVOKED = answer(
  [
    "content-type: application/json",
    "x-amzn-requestid: 11111111-2222-4333-8444-555555555555",
    "x-amz-executed-version: $LATEST",
  ],
  "null",
);
const ASSUMED = answer(["content-type: text/xml"], SESSION);

/** Answers every request of a connection as if all had gone well, and looks at no more than where it ends. */
function serve(socket: Socket): void {
  let head = "";
  let bodyLeft = 0;
  let reply = INVOKED;
  socket.setNoDelay(true);
  socket.on("error", () => {});
  socket.on("data", (piece: Buffer) => {
    let at = 0;
    while (at < piece.length) {
      if (bodyLeft === 0) {
        const before = head.length;
        head += piece.toString("latin1", at);
        const end = head.indexOf("\r\n\r\n");
        if (end < 0) return;
        at += end + 4 - before;
        bodyLeft = Number(/\r\ncontent-length: (\d+)/i.exec(head)?.[1] ?? 0);
        reply = head.startsWith("POST /2015-03-31/") ? INVOKED : ASSUMED;
        head = "";
      }
      const taken = Math.min(bodyLeft, piece.length - at);
      at += taken;
      bodyLeft -= taken;
      if (bodyLeft === 0) socket.write(reply);
    }
  });
}

/**
 * AWS as fast as it can be: what is left is the client's own cost.
 *
 * @returns its address
 */
export function startStub(tls?: TlsOptions): Promise<string> {
  const server = tls ? createTlsServer(tls, serve) : createServer(serve);
  return new Promise((resolve) => {
    server.listen(0, "127.0.0.1", () => {
      resolve(`${tls ? "https" : "http"}://localhost:${(server.address() as AddressInfo).port}`);
    });
  });
}
