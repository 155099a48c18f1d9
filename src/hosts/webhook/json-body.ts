import { promisify } from "node:util";
import { gunzip } from "node:zlib";
import type { Body } from "./arrival";
import { BOUNDS } from "./bounds";
import { Refusal } from "./refusal";

const unzip = promisify(gunzip);

/**
 * Inflates a body that is gzip. Libraries announce gzip under many content types and some do not announce it at all; no JSON begins like it.
 *
 * @returns nothing where there is nothing to inflate
 * @throws Refusal where it is broken (400), grows too large (413) or is compressed otherwise (415)
 */
export function inflate(body: Body, encoding: string | undefined): Promise<void> | undefined {
  if (body.bytes[0] === 0x1f && body.bytes[1] === 0x8b) return inflateGzip(body);
  if (encoding === undefined || /^(?:identity|gzip|x-gzip)$/i.test(encoding)) return undefined;
  throw new Refusal(415, "UnsupportedEncoding", "A body may be compressed with gzip and nothing else.");
}

async function inflateGzip(body: Body): Promise<void> {
  try {
    const inflated = await unzip(body.bytes, { maxOutputLength: BOUNDS.inflatedBytes });
    body.hold(inflated.length);
    body.bytes = inflated;
  } catch (error) {
    if (error instanceof Refusal) throw error;
    if ((error as NodeJS.ErrnoException).code === "ERR_BUFFER_TOO_LARGE") {
      throw new Refusal(413, "BodyTooLarge", `A body may inflate to ${BOUNDS.inflatedBytes} bytes.`);
    }
    throw new Refusal(400, "InvalidBody", "The body begins like gzip but cannot be inflated.");
  }
}

/** @throws Refusal (400) where the body is no JSON, or nested too deeply */
export function parseJson(bytes: Buffer): unknown {
  const text = bytes.toString("utf8");
  if (!opensFew(text)) assertDepth(bytes);
  try {
    return JSON.parse(text.charCodeAt(0) === BYTE_ORDER_MARK ? text.slice(1) : text);
  } catch {
    throw notJson(bytes);
  }
}

/** What routers may be set to send in place of JSON, by how it begins. */
const OTHER_FORMATS: readonly (readonly [is: RegExp, name: string])[] = [
  [/^\s*</, "XML"],
  [/^[\w.%+[\]-]+=/, "a form"],
];

function notJson(bytes: Buffer): Refusal {
  const beginning = bytes.toString("latin1", 0, 100);
  const [, format] = OTHER_FORMATS.find(([is]) => is.test(beginning)) ?? [];
  return format === undefined
    ? new Refusal(400, "InvalidBody", "The body is not JSON.")
    : new Refusal(415, "UnsupportedFormat", `The body is ${format}: let the router send JSON.`);
}

const BYTE_ORDER_MARK = 0xfeff;

/** Whether fewer brackets open in it than may within each other: so it is with most bodies, and soon found out. */
function opensFew(text: string): boolean {
  let opening = 0;
  for (const bracket of "[{")
    for (let at = text.indexOf(bracket); at >= 0; at = text.indexOf(bracket, at + 1))
      if (++opening > BOUNDS.depth) return false;
  return true;
}

/** Before it is parsed: what is nested without end is cheap to send and dear to read and to write. */
function assertDepth(bytes: Buffer): void {
  let depth = 0;
  let inText = false;
  for (let i = 0; i < bytes.length; i++) {
    const byte = bytes[i];
    if (inText) {
      if (byte === BACKSLASH) i++;
      else if (byte === QUOTE) inText = false;
    } else if (byte === QUOTE) inText = true;
    else if (byte === BRACE || byte === BRACKET) {
      if (++depth > BOUNDS.depth)
        throw new Refusal(400, "InvalidBody", `The body is nested more than ${BOUNDS.depth} levels deep.`);
    } else if (byte === BRACE + 2 || byte === BRACKET + 2) depth--;
  }
}

const QUOTE = 0x22;
const BACKSLASH = 0x5c;
const BRACKET = 0x5b;
const BRACE = 0x7b;
