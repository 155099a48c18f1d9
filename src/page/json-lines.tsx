import type { Line } from "./difference";

const SAID: Readonly<Record<Line["mark"], string>> = { " ": "", "-": "removed: ", "+": "added: " };

/** JSON line by line, with what is only before or only after marked. Everything is text. */
export function JsonLines({ lines, label }: { readonly lines: readonly Line[]; readonly label: string }) {
  return (
    // biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls has to be reachable by keyboard.
    <section className="code" tabIndex={0} aria-label={label}>
      {lines.map(({ mark, depth, text }, i) => (
        // biome-ignore lint/suspicious/noArrayIndexKey: a line is its place.
        <div key={i} className={mark === "-" ? "gone" : mark === "+" ? "new" : undefined}>
          <span aria-hidden="true" className="mark">
            {mark}
          </span>
          {mark !== " " && <span className="unseen">{SAID[mark]}</span>}
          <span style={{ paddingInlineStart: `${depth * 1.1}em` }}>{text}</span>
        </div>
      ))}
    </section>
  );
}
