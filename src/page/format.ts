import type { EntryState, EntrySummary } from "../local/page-server/protocol";

/** What each state is called, and the sign that stands for it where there is no colour. */
export const STATES: Readonly<Record<EntryState, { readonly label: string; readonly mark: string }>> = {
  delivered: { label: "Delivered", mark: "✓" },
  skipped: { label: "Skipped", mark: "–" },
  retry: { label: "Retry", mark: "↻" },
  rejected: { label: "Rejected", mark: "✕" },
  "given up": { label: "Given up", mark: "✕" },
  refused: { label: "Refused", mark: "⊘" },
  "under way": { label: "Under way", mark: "…" },
  invoked: { label: "Invoked", mark: "λ" },
  failed: { label: "Failed", mark: "✕" },
};

export function duration(ms: number | undefined): string {
  if (ms === undefined) return "";
  if (ms < 0.1) return "< 0.1 ms";
  if (ms < 10) return `${ms.toFixed(1)} ms`;
  return ms < 1000 ? `${Math.round(ms)} ms` : `${(ms / 1000).toFixed(2)} s`;
}

export function clock(at: number): string {
  return new Date(at).toLocaleTimeString(undefined, { hour12: false });
}

export function clockMs(at: number): string {
  return `${clock(at)}.${String(Math.floor(at % 1000)).padStart(3, "0")}`;
}

export function pretty(value: unknown): string {
  return JSON.stringify(value, null, 2) ?? "";
}

/** The JSON of a text laid out, or the text where it is none. */
export function prettyText(text: string): string {
  try {
    return pretty(JSON.parse(text));
  } catch {
    return text;
  }
}

export function titleOf({ kind, callType, name, user }: EntrySummary): string {
  if (kind === "refusal") return name ?? "";
  return name ?? user ?? callType ?? (kind === "invocation" ? "Invocation" : "Event without a type");
}

/** What the search looks through, in small letters. */
export function searchText(entry: EntrySummary): string {
  return [
    entry.name,
    entry.callType,
    entry.messageId,
    entry.user,
    entry.source,
    entry.function,
    entry.problem,
    STATES[entry.state].label,
  ]
    .join("\n")
    .toLowerCase();
}
