import schema from "../schemas/settings.schema.json";
import { FAILURES } from "../src/delivery/failures";
import { ROUTERS } from "../src/hosts/webhook/routers";

interface Property {
  readonly title: string;
  readonly description: string;
  readonly default?: unknown;
  readonly examples?: readonly unknown[];
  readonly $ref?: string;
}

/** The parts of the pages that are made from the source, by the name that stands in their markers. */
export const SECTIONS: Readonly<Record<string, () => string>> = {
  settings: settingsTable,
  errors: errorTable,
  routers: routerTable,
};

/** A page with its generated parts as the source has them now; each stands between `<!-- name -->` and `<!-- /name -->`. */
export function withSections(page: string): string {
  return Object.entries(SECTIONS).reduce((text, [name, section]) => {
    const [start, end] = [`<!-- ${name} -->`, `<!-- /${name} -->`];
    const [from, to] = [text.indexOf(start), text.indexOf(end)];
    if (from < 0) return text;
    if (to < from) throw new Error(`After ${start}, ${end} is missing.`);
    return `${text.slice(0, from + start.length)}\n\n${section()}\n\n${text.slice(to)}`;
  }, page);
}

function settingsTable(): string {
  const properties = schema.properties as unknown as Readonly<Record<string, Property>>;
  const rows = Object.entries(properties).map(([key, { title, description, default: standard, examples, $ref }]) => {
    const example = ($ref ? schema.definitions.function.examples : examples)?.[0];
    return [`\`${key}\``, title, description, code(standard), code(example)];
  });
  return table(["key", "label", "what it is", "default", "example"], rows);
}

function errorTable(): string {
  const rows = Object.entries(FAILURES).map(([name, { label, outcome, status, hint }]) => [
    `\`${name}\``,
    label,
    `${outcome}, ${status}`,
    hint,
  ]);
  return table(["code", "label", "outcome, status", "what to do"], rows);
}

function routerTable(): string {
  const rows = Object.entries(ROUTERS).map(([name, { retryStatus, rejectedStatus, deadlineMs, reason }]) => [
    `\`${name}\``,
    String(retryStatus),
    rejectedStatus === 200 && name !== "per-event" ? "200 once it is kept, else 400" : String(rejectedStatus),
    `${deadlineMs / 1000} s`,
    reason,
  ]);
  return table(["`router`", "to be sent again", "rejected for good", "answered within", "why"], rows);
}

function code(value: unknown): string {
  if (value === undefined) return "";
  return `\`${typeof value === "string" ? value : JSON.stringify(value)}\``;
}

function table(header: readonly string[], rows: readonly (readonly string[])[]): string {
  const line = (cells: readonly string[]) => `| ${cells.map((cell) => cell.replaceAll("|", "\\|")).join(" | ")} |`;
  return [line(header), line(header.map(() => "---")), ...rows.map(line)].join("\n");
}
