// @ts-nocheck
import pc from "picocolors";
import type { DeliveryOutcome } from "../delivery/delivery-result";
import { printable, printableLines } from "./printable";

/** How many deliveries ended how. */
export type Tally = Record<DeliveryOutcome, number> & {
  /** By error code: how many, one of them, and what to do. */
  readonly failures: Map<string, { readonly count: number; readonly example: string; readonly hint: string }>;
};

const COLOUR: Readonly<Record<DeliveryOutcome, "green" | "gray" | "yellow" | "red">> = {
  delivered: "green",
  skipped: "gray",
  retry: "yellow",
  rejected: "red",
};

/** The outcome's name in its colour. */
export function paintOutcome(outcome: DeliveryOutcome, text: string, coloured: boolean): string {
  return pc.createColors(coloured)[COLOUR[outcome]](text);
}

/** A table of the outcomes, and under it what failed, why and what to do. */
export function renderSummary(tally: Tally, coloured: boolean): string {
  const { bold, dim } = pc.createColors(coloured);
  const outcomes = (Object.keys(COLOUR) as DeliveryOutcome[]).map(
    (outcome) => `${paintOutcome(outcome, outcome.padEnd(10), coloured)} ${String(tally[outcome]).padStart(10)}`,
  );
  const failures = [...tally.failures].map(
    ([code, { count, example, hint }]) =>
      `\n${bold(code)} × ${count}\n${printableLines(example)
        .map((line) => `  ${line}`)
        .join("\n")}\n  ${dim(printable(hint))}`,
  );
  return `${[...outcomes, ...failures].join("\n")}\n`;
}
