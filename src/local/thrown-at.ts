/** Not the user's: the runtimes, and what the package gives to authors. */
const OURS = /node:|[\\/]dist[\\/](?:local[\\/](?:worker\.cjs|python-runtime\.py)|function\.c?js)/;
const PYTHON_LINE = /^\s*File "([^"]+)",? [Ll]ine (\d+)/;
const JAVASCRIPT_LINE = /(?:file:\/\/|[\\/]|[A-Z]:\\)[^()]*:\d+\)?$/s;

/**
 * Where a function threw: of its trace, the innermost line of its own code; of a syntax error, what stands there, too.
 *
 * @param trace as Lambda's runtimes for Node.js and Python write it
 * @returns no lines where the trace does not tell
 */
export function thrownAt(trace: readonly string[]): readonly string[] {
  const frame = trace.findLast((line) => PYTHON_LINE.test(line));
  if (frame !== undefined) return frame.trimEnd().split("\n");
  const at = trace.findIndex((line) => JAVASCRIPT_LINE.test(line) && !OURS.test(line));
  if (at < 0) return [];
  // Node.js shows what stands there before it names a syntax error.
  const code = trace.slice(at + 1).findIndex((line) => /^\w*Error: /.test(line));
  return /^\s*at /.test(trace[at] ?? "") || code < 0 ? trace.slice(at, at + 1) : trace.slice(at, at + 1 + code);
}
