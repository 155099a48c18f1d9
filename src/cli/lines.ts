import { isUtf8 } from "node:buffer";
import { UsageError } from "./command";

/** One line of input, without its end. */
export interface Line {
  /** From 1. */
  readonly number: number;
  /** Absent where the line is longer than the limit. */
  readonly text?: string;
  /** Where the line is no UTF-8 and its text says less: the bytes that it has. */
  readonly bytes?: Uint8Array;
  /** Bytes of input up to the end of this line. */
  readonly end: number;
}

const NEWLINE = 0x0a;
/** How a text in UTF-16 begins, in either order of bytes. */
const UTF16_MARKS: readonly string[] = ["fffe", "feff"];

/**
 * The lines of a stream, one at a time: however long the input or a line of it, no more than `maxBytes` and a chunk are held.
 *
 * @param maxBytes a longer line comes without its text
 * @throws UsageError where the text is in UTF-16
 */
export async function* linesOf(input: AsyncIterable<Buffer | string>, maxBytes: number): AsyncGenerator<Line> {
  let pieces: Buffer[] = [];
  let length = 0;
  let number = 0;
  let end = 0;

  function keep(piece: Buffer): void {
    length += piece.length;
    if (length <= maxBytes) pieces.push(piece);
    else pieces = [];
  }

  function take(): Line {
    number++;
    const bytes = Buffer.concat(pieces);
    if (number === 1 && UTF16_MARKS.includes(bytes.toString("hex", 0, 2)))
      throw new UsageError("The events are in UTF-16. Turn them into UTF-8 first: iconv -f UTF-16 -t UTF-8 <file>.");
    const text = length <= maxBytes ? bytes.toString("utf8").replace(/\r$/, "") : undefined;
    const broken = text !== undefined && !isUtf8(bytes);
    pieces = [];
    length = 0;
    return { number, end, ...(text !== undefined && { text }), ...(broken && { bytes }) };
  }

  for await (const chunk of input) {
    const bytes = typeof chunk === "string" ? Buffer.from(chunk) : chunk;
    let start = 0;
    for (let at = bytes.indexOf(NEWLINE); at >= 0; at = bytes.indexOf(NEWLINE, start)) {
      keep(bytes.subarray(start, at));
      end += at + 1 - start;
      start = at + 1;
      yield take();
    }
    keep(bytes.subarray(start));
    end += bytes.length - start;
  }
  if (length > 0) yield take();
}
