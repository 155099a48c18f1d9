/** Where a service is. */
export interface Endpoint {
  /** `https://lambda.us-east-1.amazonaws.com`: scheme, host, port if it is not the scheme's own. */
  readonly origin: string;
  /** What is signed as the `host` header. */
  readonly host: string;
  /** A path before every request's own, without a slash at the end; mostly empty. */
  readonly basePath: string;
  /** AWS's own, and not what an `AWS_ENDPOINT_URL` names. */
  readonly ofAws: boolean;
}

/**
 * @param url without query; the operator's own or made of a region that passed the grammar
 * @throws TransportError where it is none of HTTP's
 */
export function endpointAt(url: string, ofAws: boolean): Endpoint {
  const [, origin, host = "", path = ""] = /^(https?:\/\/([^/?#]+))([^?#]*)/.exec(url) ?? [];
  if (origin === undefined) throw new TransportError("unsent", "InvalidEndpoint", `${url} is no address of HTTP's.`);
  return { origin, host, basePath: path.replace(/\/+$/, ""), ofAws };
}

/** A POST that is signed already. */
export interface WireRequest {
  readonly endpoint: Endpoint;
  /** Path and query, percent-encoded. */
  readonly path: string;
  /** Names in lower case and values by turns; `host` and `content-length` are the transport's. */
  readonly headers: readonly string[];
  readonly body: string;
}

export interface WireAnswer {
  readonly status: number;
  /** By name in lower case. */
  header(name: string): string | undefined;
  readonly body: string;
}

/** The time that an exchange has. */
export interface TimeLimit {
  /** Calls back once when the time is over; there is one who watches at a time. */
  watch(onOver: () => void): void;
  unwatch(): void;
}

/** The way out. */
export interface Transport {
  /**
   * Sends a request and brings the whole answer, whatever its status. Redirects are not followed.
   *
   * @throws TransportError where there is no whole answer
   */
  post(request: WireRequest, limit: TimeLimit): Promise<WireAnswer>;
}

/** Bytes of an answer that are read at most: Lambda's 6 MB and some for the log, what AWS itself says is far below. */
export const MAX_ANSWER_BYTES = 6_291_456 + 65_536;

/** No answer came: a {@link Transport} says with this what happened on the way. */
export class TransportError extends Error {
  override readonly name = "TransportError";

  constructor(
    /** `unsent`: nothing left this machine. `broken`: the function may have run. `timeout`: the deadline struck. */
    readonly kind: "unsent" | "broken" | "timeout",
    /** The system's name for it (`ECONNREFUSED`), or the nearest there is. */
    readonly code: string,
    message: string,
  ) {
    super(message);
  }
}

/** An answer that nobody reads to its end. */
export function tooLong(): TransportError {
  return new TransportError("broken", "AnswerTooLong", `The answer is longer than ${MAX_ANSWER_BYTES} bytes.`);
}

/** An answer for which there is no memory beside the others. */
export function noRoomForAnswer(): TransportError {
  const message = "The answer is long, and so many long ones are read at the same time that there is no memory for it.";
  return new TransportError("broken", "NoRoomForAnswer", message);
}

/** An answer in an encoding that nobody asked for. */
export function encodedUnasked(encoding: string): TransportError {
  return new TransportError(
    "broken",
    "EncodedAnswer",
    `The answer is encoded as ${JSON.stringify(encoding.slice(0, 40))}, which was not asked for: something between the router and AWS changes answers.`,
  );
}

/** An answer that cannot be one to this request. */
export function answeredEarly(): TransportError {
  const message = "The answer came before the request was sent to its end: it cannot have been read.";
  return new TransportError("broken", "AnsweredEarly", message);
}
