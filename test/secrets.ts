import { inspect } from "node:util";

/** How a secret may look once it has been through JSON, a URL, a header or a form. */
const ENCODINGS: readonly ((secret: string) => string)[] = [
  (secret) => secret,
  (secret) => JSON.stringify(secret).slice(1, -1),
  encodeURIComponent,
  (secret) => Buffer.from(secret).toString("hex"),
  // Wherever in a longer text it begins, but for its ends.
  (secret) => Buffer.from(secret).toString("base64").slice(0, -4),
  (secret) => Buffer.from(` ${secret}`).toString("base64").slice(2, -4),
  (secret) => Buffer.from(`  ${secret}`).toString("base64").slice(4, -4),
];

/**
 * Everything that somebody may get to see of a value: as text, as JSON, and as a debugger prints it, hidden properties and
 * all.
 */
export function seenOf(value: unknown): string {
  if (typeof value === "string") return value;
  let json = "";
  try {
    json = JSON.stringify(value) ?? "";
  } catch {
    // A circle: the other view has it.
  }
  const error = value instanceof Error ? `${value.stack}\n${seenOf(value.cause ?? "")}` : "";
  return `${json}\n${error}\n${inspect(value, { depth: 20, showHidden: true, maxArrayLength: null, maxStringLength: null })}`;
}

/** Which of the secrets can be seen, by their names. */
export function leaked(secrets: Readonly<Record<string, string>>, ...values: readonly unknown[]): string[] {
  const text = values.map(seenOf).join("\n");
  return Object.entries(secrets)
    .filter(([, secret]) => ENCODINGS.some((encode) => text.includes(encode(secret))))
    .map(([name]) => name);
}
