import type { RunDetail } from "../local/page-server/protocol";
import { clockMs } from "./format";
import { INSIDE } from "./trace";

const LAMBDAS_OWN = /^(?:START|END|REPORT|XRAY|INIT_START) /;
/** Time and request ID, which stand above; level and text stay. */
const PREFIX = /^\S+Z\t\S+\t(?=[A-Z]+\t)/;

/** The whole log of each run. A line of the function's may hold several, joined as Lambda does it. */
export function Log({ runs }: { readonly runs: readonly RunDetail[] }) {
  return (
    // biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls has to be reachable by keyboard.
    <section className="code log" tabIndex={0} aria-label="Log">
      {runs.map(({ log, startedAt, attempt, requestId }) => (
        <div key={`${requestId} ${attempt}`}>
          {runs.length > 1 && <div className="run">Run at {clockMs(startedAt)}</div>}
          {log
            .trimEnd()
            .split(/\r\n|\r|\n/)
            .map((line, i) => (
              // biome-ignore lint/suspicious/noArrayIndexKey: a line is its place.
              <div key={i} className={classOf(line)}>
                {laidOut(line) || " "}
              </div>
            ))}
        </div>
      ))}
    </section>
  );
}

/** Without what stands elsewhere; an error's stack as lines instead of JSON. */
function laidOut(line: string): string {
  const [, title = "", json = ""] = /^([^{]*?)\s*(\{"errorType":.*\})$/.exec(line.replace(PREFIX, "")) ?? [];
  try {
    const { stack } = JSON.parse(json) as { stack?: unknown };
    if (Array.isArray(stack) && stack.length > 0)
      return `${title.replace("\t", "  ")}\n${stack.filter((frame) => !INSIDE.test(String(frame))).join("\n")}`;
  } catch {
    // Something else that only looks like it.
  }
  return line.replace(PREFIX, "").replace("\t", "  ");
}

function classOf(line: string): string | undefined {
  if (LAMBDAS_OWN.test(line)) return "own";
  return /\t(?:ERROR|FATAL)\t| Task timed out /.test(line) ? "error" : /\tWARN\t/.test(line) ? "warn" : undefined;
}
