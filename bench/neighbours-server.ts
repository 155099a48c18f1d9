// AWS for the neighbours' benchmark, in a process of its own. A function is called by what it does: good-…, hangs, endless, throttled, reserved-5.
// A role is called by what STS says of it: denied, sts-throttled, or anything else.
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";

/** Milliseconds that a good function takes. */
const FUNCTION_MS = 20;
/** Of the function with a reserved concurrency. */
const RESERVED = { concurrency: 5, ms: 100 };

export interface Counts {
  /** AssumeRoles by role. */
  readonly assumed: Readonly<Record<string, number>>;
  /** Invocations by function. */
  readonly invoked: Readonly<Record<string, number>>;
}

let assumed: Record<string, number> = {};
let invoked: Record<string, number> = {};
let running = 0;

const server = createServer({ keepAliveTimeout: 60_000 }, (request, response) => {
  const chunks: Buffer[] = [];
  const sts = !request.url?.startsWith("/2015-03-31/");
  request.on("data", (chunk: Buffer) => sts && chunks.push(chunk));
  request.on("end", () => (sts ? assumeRole(Buffer.concat(chunks).toString(), response) : invoke(request, response)));
});

function assumeRole(form: string, response: ServerResponse): void {
  const role = new URLSearchParams(form).get("RoleArn")?.split("/").at(-1) ?? "";
  assumed[role] = (assumed[role] ?? 0) + 1;
  const refuse = (status: number, code: string) =>
    response
      .writeHead(status, { "content-type": "text/xml" })
      .end(
        `<ErrorResponse><Error><Type>Sender</Type><Code>${code}</Code><Message>no</Message></Error></ErrorResponse>`,
      );
  if (role === "denied") return void refuse(403, "AccessDenied");
  if (role === "sts-throttled") return void refuse(400, "Throttling");
  const expiration = new Date(Date.now() + 3_600_000).toISOString();
  response
    .writeHead(200, { "content-type": "text/xml" })
    .end(
      `<AssumeRoleResponse><AssumeRoleResult><Credentials><AccessKeyId>ASIAEXAMPLESESSION00</AccessKeyId><SecretAccessKey>bench</SecretAccessKey><SessionToken>${"t".repeat(600)}</SessionToken><Expiration>${expiration}</Expiration></Credentials></AssumeRoleResult></AssumeRoleResponse>`,
    );
}

const ANSWER = { "content-type": "application/json", "x-amzn-requestid": "bench", "x-amz-executed-version": "$LATEST" };

function invoke(request: IncomingMessage, response: ServerResponse): void {
  const name =
    decodeURIComponent(request.url ?? "")
      .split("/functions/")[1]
      ?.split("/")[0]
      ?.split(":")
      .at(-1) ?? "";
  invoked[name] = (invoked[name] ?? 0) + 1;
  if (name === "hangs") return;
  if (name === "throttled" || (name === "reserved-5" && running >= RESERVED.concurrency)) {
    const headers = { ...ANSWER, "x-amzn-errortype": "TooManyRequestsException", "retry-after": "1" };
    const Reason = "ReservedFunctionConcurrentInvocationLimitExceeded";
    response.writeHead(429, headers).end(JSON.stringify({ Reason, Type: "User", message: "Rate Exceeded." }));
  } else if (name === "reserved-5") {
    running++;
    setTimeout(() => {
      running--;
      response.writeHead(200, ANSWER).end("null");
    }, RESERVED.ms);
  } else if (name === "endless") {
    response.writeHead(200, ANSWER);
    const block = Buffer.alloc(64 * 1024, "a");
    const go = (): void => {
      while (!response.destroyed) if (!response.write(block)) return void response.once("drain", go);
    };
    go();
  } else {
    setTimeout(() => response.writeHead(200, ANSWER).end("null"), FUNCTION_MS);
  }
}

process.on("message", (message: "count" | "reset") => {
  if (message === "reset") [assumed, invoked] = [{}, {}];
  else process.send?.({ assumed, invoked } satisfies Counts);
});
process.on("disconnect", () => process.exit(0));
server.listen(0, "127.0.0.1", () => process.send?.(`http://127.0.0.1:${(server.address() as AddressInfo).port}`));
