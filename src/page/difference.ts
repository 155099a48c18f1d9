/** A line of JSON in a comparison: in both, in the first only, or in the second only. */
export interface Line {
  readonly mark: " " | "-" | "+";
  readonly depth: number;
  readonly text: string;
}

/** Two JSON values laid over each other, key by key. */
export function difference(before: unknown, after: unknown): Line[] {
  return compared("", before, after, 0);
}

/** A JSON value alone, line by line. */
export function asLines(value: unknown, mark: Line["mark"] = " "): Line[] {
  return written("", value, 0, mark);
}

function compared(label: string, before: unknown, after: unknown, depth: number): Line[] {
  if (isContainer(before) && isContainer(after) && Array.isArray(before) === Array.isArray(after)) {
    const [open, close] = Array.isArray(after) ? ["[", "]"] : ["{", "}"];
    const had = Object.keys(before);
    const has = Object.keys(after);
    if (had.length + has.length === 0) return [{ mark: " ", depth, text: `${label}${open}${close}` }];
    const labelOf = (key: string) => (Array.isArray(after) ? "" : `${JSON.stringify(key)}: `);
    return [
      { mark: " ", depth, text: `${label}${open}` },
      ...has.flatMap((key) =>
        Object.hasOwn(before, key)
          ? compared(labelOf(key), before[key], after[key], depth + 1)
          : written(labelOf(key), after[key], depth + 1, "+"),
      ),
      ...had
        .filter((key) => !Object.hasOwn(after, key))
        .flatMap((key) => written(labelOf(key), before[key], depth + 1, "-")),
      { mark: " ", depth, text: close },
    ];
  }
  if (before === after) return written(label, after, depth, " ");
  return [...written(label, before, depth, "-"), ...written(label, after, depth, "+")];
}

function written(label: string, value: unknown, depth: number, mark: Line["mark"]): Line[] {
  const lines = (JSON.stringify(value, null, 1) ?? "undefined").split("\n");
  return lines.map((line, i) => {
    const text = line.trimStart();
    return { mark, depth: depth + line.length - text.length, text: (i === 0 ? label : "") + text.replace(/,$/, "") };
  });
}

function isContainer(value: unknown): value is Record<string, unknown> {
  return value !== null && typeof value === "object";
}
