import { gzipSync } from "node:zlib";
import { chance, pick } from "./chance";
import type { Connection } from "./raw-server";

/** What AWS, or whoever stands in for it, answers to one request. */
export interface Answer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
}

/**
 * Something that goes wrong with one request.
 *
 * `before`: the function does not run. `after`: it ran, and the answer does not arrive whole, so that the event may come twice.
 * `harmless`: unusual, but a whole answer that has to count.
 */
export interface Fault {
  readonly name: string;
  readonly when: "before" | "after" | "harmless";
  /** Writes what is written. `answer`: what would have been right; `before` there is none. */
  readonly strike: (connection: Connection, answer: Answer, seeded: number) => void;
}

const json = (status: number, type: string, body: object, headers: Readonly<Record<string, string>> = {}): Answer => ({
  status,
  headers: {
    "content-type": "application/json",
    "x-amzn-errortype": type,
    "x-amzn-requestid": "00000000-0000-4000-8000-000000000000",
    ...headers,
  },
  body: JSON.stringify(body),
});

export const throttled = (retryAfter?: string): Answer =>
  json(
    429,
    "TooManyRequestsException",
    { Reason: "ReservedFunctionConcurrentInvocationLimitExceeded", Type: "User", message: "Rate Exceeded." },
    retryAfter === undefined ? {} : { "retry-after": retryAfter },
  );

export const denied = (): Answer =>
  json(403, "AccessDeniedException", {
    Message:
      "User: arn:aws:sts::123456789012:assumed-role/chaos/session is not authorized to perform: lambda:InvokeFunction because no identity-based policy allows the lambda:InvokeFunction action",
  });

export const gone = (): Answer =>
  json(404, "ResourceNotFoundException", { Type: "User", Message: "Function not found." });

export const expired = (): Answer =>
  json(403, "ExpiredTokenException", { message: "The security token included in the request is expired" });

export const outOfTime = (): Answer =>
  json(403, "InvalidSignatureException", { message: "Signature expired: it is now earlier than it may be (5 min.)" });

/** Every kind of `Retry-After` that anybody ever sent. */
const RETRY_AFTERS = [
  "1",
  "0",
  "0.25",
  "120",
  "999999999",
  "99999999999999999999",
  "-1",
  "soon",
  "",
  " 1 ",
  "1, 2",
  "Wed, 21 Oct 2026 07:28:00 GMT",
  "NaN",
];

const lines = (headers: Readonly<Record<string, string>>): string =>
  Object.entries(headers)
    .map(([name, value]) => `${name}: ${value}\r\n`)
    .join("");

const head = ({ status, headers, body }: Answer, more: Readonly<Record<string, string>> = {}): string =>
  `HTTP/1.1 ${status} Whatever\r\n${lines({
    ...headers,
    "content-length": String(Buffer.byteLength(body)),
    ...more,
  })}\r\n`;

export function whole(answer: Answer): string {
  return head(answer) + answer.body;
}

function chunked({ headers, status }: Answer, chunks: string): string {
  return `HTTP/1.1 ${status} OK\r\n${lines(headers)}transfer-encoding: chunked\r\n\r\n${chunks}`;
}

const chunk = (text: string): string => `${Buffer.byteLength(text).toString(16)}\r\n${text}\r\n`;

const before = (name: string, strike: Fault["strike"]): Fault => ({ name, when: "before", strike });
const after = (name: string, strike: Fault["strike"]): Fault => ({ name, when: "after", strike });
const harmless = (name: string, strike: Fault["strike"]): Fault => ({ name, when: "harmless", strike });

/** Bytes that an endless body has before its server loses interest. */
const ENDLESS_BYTES = 64 * 1024 * 1024;

export const FAULTS: readonly Fault[] = [
  before("reset before", (connection) => connection.reset()),
  before("closed before", (connection) => connection.end()),
  before("silence before", (connection) => connection.never()),
  before("throttled", (connection, _, seeded) =>
    connection.write(whole(throttled(pick(RETRY_AFTERS, "retry-after", seeded)))),
  ),
  before("throttled without Retry-After", (connection) => connection.write(whole(throttled()))),
  before("error 500", (connection) =>
    connection.write(
      whole(json(500, "ServiceException", { Message: "An error occurred and the request cannot be processed." })),
    ),
  ),
  before("error 503 in HTML", (connection) =>
    connection.write(
      whole({ status: 503, headers: { "content-type": "text/html" }, body: "<h1>Service Unavailable</h1>" }),
    ),
  ),
  before("error 502 without a body", (connection) => connection.write(whole({ status: 502, headers: {}, body: "" }))),
  before("redirect", (connection, _, seeded) =>
    connection.write(
      whole({
        status: pick([301, 302, 303, 307, 308], "redirect", seeded),
        headers: { location: connection.trapUrl },
        body: "",
      }),
    ),
  ),
  before("no HTTP", (connection) => connection.write("SSH-2.0-OpenSSH_9.6\r\n")),
  before("a TLS alert", (connection) => connection.end(Buffer.from([0x15, 3, 1, 0, 2, 2, 40]))),
  before("expired session", (connection) => connection.write(whole(expired()))),

  after("reset after", (connection) => connection.reset()),
  after("closed after", (connection) => connection.end()),
  after("silence after", (connection) => connection.never()),
  after("status line of garbage", (connection, answer) =>
    connection.end(whole(answer).replace("HTTP/1.1 200", "HTTP/1.1 2OO")),
  ),
  after("cut head", (connection, answer) => connection.end(head(answer).slice(0, 40))),
  after("cut chunk", (connection, answer) => connection.end(chunked(answer, `ff\r\n${answer.body}`))),
  after("chunks without an end", (connection, answer) => connection.end(chunked(answer, chunk(answer.body)))),
  after("a chunk size of garbage", (connection, answer) =>
    connection.end(chunked(answer, `zz\r\n${answer.body}\r\n0\r\n\r\n`)),
  ),
  after("a length too long", (connection, answer) =>
    connection.end(head(answer, { "content-length": String(Buffer.byteLength(answer.body) + 7) }) + answer.body),
  ),
  after("a negative length", (connection, answer) =>
    connection.end(head(answer, { "content-length": "-1" }) + answer.body),
  ),
  after("two lengths", (connection, answer) =>
    connection.end(head(answer).replace("\r\n\r\n", "\r\ncontent-length: 1\r\n\r\n") + answer.body),
  ),
  after("length and chunks", (connection, answer) =>
    connection.end(head(answer).replace("\r\n\r\n", "\r\ntransfer-encoding: chunked\r\n\r\n") + chunk(answer.body)),
  ),
  after("slow drip", (connection, answer) => connection.drip(whole(answer), 1, 250)),
  after("endless body", (connection, answer) => connection.flood(chunked(answer, ""), ENDLESS_BYTES)),
  after("endless head", (connection) => connection.flood("HTTP/1.1 200 OK\r\nx-filler: ", ENDLESS_BYTES)),

  harmless("bytes one by one", (connection, answer) => connection.drip(whole(answer), 16, 0)),
  harmless("chunks", (connection, answer) =>
    connection.write(
      chunked(
        answer,
        `${chunk(answer.body.slice(0, 1))}${answer.body.length > 1 ? chunk(answer.body.slice(1)) : ""}0\r\n\r\n`,
      ),
    ),
  ),
  harmless("1xx before the answer", (connection, answer) =>
    connection.write(`HTTP/1.1 103 Early Hints\r\nlink: </x>\r\n\r\n${whole(answer)}`),
  ),
  // Not asked for, and to be put up with by RFC 9110, 15.2; undici takes it for a broken answer.
  after("100 Continue unasked", (connection, answer) =>
    connection.write(`HTTP/1.1 100 Continue\r\n\r\n${whole(answer)}`),
  ),
  harmless("connection closed with the answer", (connection, answer) =>
    connection.end(head(answer, { connection: "close" }) + answer.body),
  ),
  harmless("HTTP/1.0 without a length", (connection, { status, headers, body }) =>
    connection.end(`HTTP/1.0 ${status} OK\r\n${lines(headers)}\r\n${body}`),
  ),
  harmless("closed before the next request", (connection, answer) => {
    connection.write(whole(answer));
    connection.closeBeforeNext();
  }),

  // The function ran and said so; what follows the answer must not be taken for the answer to the next request.
  after("a second answer", (connection, answer) => {
    connection.write(whole(answer) + whole({ ...answer, body: "null" }));
    connection.poison();
  }),
  after("a length too short", (connection, answer) => {
    connection.write(head(answer, { "content-length": "1" }) + answer.body);
    connection.poison();
  }),
  after("compressed unasked", (connection, answer) => {
    const body = gzipSync(answer.body);
    connection.write(head(answer, { "content-encoding": "gzip", "content-length": String(body.length) }));
    connection.write(body);
  }),
];

/** After so many requests for an event nothing goes wrong any more, so that every event comes to its end. */
const MAX_STRIKES = 3;

/**
 * What goes wrong with this request, if anything.
 *
 * @param n of the first event in it
 * @param nth time that it was asked for
 * @param rate share of the requests
 */
export function faultFor(seed: number, n: number, nth: number, rate: number): Fault | undefined {
  if (nth >= MAX_STRIKES || chance(seed, "strike", n, nth) >= rate) return undefined;
  return pick(FAULTS, seed, "fault", n, nth);
}
