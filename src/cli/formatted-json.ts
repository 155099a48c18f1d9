/** Columns of a line in RudderStack's configuration repository. */
const WIDTH = 100;

/** JSON as that repository's formatter leaves it: lists of plain values stand on one line where they fit, all else on many. */
export function formattedJson(value: unknown): string {
  return `${lines(value, "", 0)}\n`;
}

/** @param taken columns of the line that are filled already, and by what follows */
function lines(value: unknown, indent: string, taken: number): string {
  if (typeof value !== "object" || value === null) return JSON.stringify(value);
  const inner = `${indent}  `;
  const isList = Array.isArray(value);
  const [open, close] = isList ? "[]" : "{}";
  const members = Object.entries(value).filter(([, member]) => member !== undefined);
  if (members.length === 0) return `${open}${close}`;
  if (isList && value.every((member) => typeof member !== "object" || member === null)) {
    const line = `[${value.map((member) => JSON.stringify(member)).join(", ")}]`;
    if (indent.length + taken + line.length <= WIDTH) return line;
  }
  const written = members.map(([key, member], index) => {
    const comma = index < members.length - 1 ? "," : "";
    const name = isList ? "" : `${JSON.stringify(key)}: `;
    return `${inner}${name}${lines(member, inner, name.length + comma.length)}${comma}`;
  });
  return [open, ...written, `${indent}${close}`].join("\n");
}
