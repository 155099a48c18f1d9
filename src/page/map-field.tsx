import type { FieldProps } from "@rjsf/utils";
import { useState } from "react";

type Pair = readonly [key: string, value: string];

/** A map, as lines of key and value; a line without a key does not count. */
export function MapField({ formData, onChange, schema }: FieldProps) {
  const [pairs, setPairs] = useState<readonly Pair[]>(() => pairsOf(formData));
  const [known, setKnown] = useState(() => JSON.stringify(formData ?? {}));
  const given = JSON.stringify(formData ?? {});
  // Changed by somebody else, by an import for instance.
  if (given !== known) {
    setKnown(given);
    setPairs(pairsOf(formData));
  }
  const change = (changed: readonly Pair[]) => {
    const map = Object.fromEntries(changed.filter(([key]) => key !== "").map(([key, value]) => [key, valueIn(value)]));
    setPairs(changed);
    setKnown(JSON.stringify(map));
    onChange(map);
  };
  const edit = (at: number, pair: Pair) => change(pairs.map((each, i) => (i === at ? pair : each)));
  const title = schema.title ?? "";
  return (
    <div className="map">
      {pairs.map(([key, value], i) => (
        // biome-ignore lint/suspicious/noArrayIndexKey: a line is its place.
        <div key={i} className="pair">
          <input
            aria-label={`${title}: key ${i + 1}`}
            value={key}
            placeholder="Key"
            onChange={(event) => edit(i, [event.target.value, value])}
          />
          <input
            aria-label={`${title}: value ${i + 1}`}
            value={value}
            placeholder="Value"
            onChange={(event) => edit(i, [key, event.target.value])}
          />
          <button
            type="button"
            aria-label={`${title}: remove ${key || `line ${i + 1}`}`}
            onClick={() => change(pairs.filter((_, at) => at !== i))}
          >
            ✕
          </button>
        </div>
      ))}
      <button type="button" aria-label={`Add to ${title}`} onClick={() => change([...pairs, ["", ""]])}>
        Add
      </button>
    </div>
  );
}

function pairsOf(map: unknown): Pair[] {
  return Object.entries(Object(map) as Record<string, unknown>).map(([key, value]) => [
    key,
    typeof value === "string" ? value : JSON.stringify(value),
  ]);
}

/** A value that is written as JSON but is no text is that: a client context may hold numbers and maps. */
function valueIn(text: string): unknown {
  if (!/^(?:[{[]|true$|false$|null$|-?\d)/.test(text)) return text;
  try {
    return JSON.parse(text);
  } catch {
    return text;
  }
}
