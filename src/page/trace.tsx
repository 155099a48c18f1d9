/** Frames of the runtime itself, of which nobody needs to see more than that they are there. */
export const INSIDE = /node:internal|worker\.cjs|\/runtime\//;

/** Of JavaScript, of Python, and of JavaScript that cannot be read. */
const FRAME = /^at |^File "|^(?:file:\/\/)?[/\\].*:\d+$/;

/** Where an error was thrown, with the lines of the function's own code standing out. */
export function TraceLines({ trace }: { readonly trace: readonly string[] }) {
  const frames = trace.map((line) => line.trim()).filter((line) => FRAME.test(line));
  if (frames.length === 0) return null;
  return (
    <ol className="trace" aria-label="Trace">
      {frames.map((frame, i) => (
        // biome-ignore lint/suspicious/noArrayIndexKey: a frame is its place.
        <li key={i} className={INSIDE.test(frame) ? "inside" : undefined}>
          <code>{frame.replace(/^at /, "").replace(/file:\/\//, "")}</code>
        </li>
      ))}
    </ol>
  );
}
