// @ts-nocheck
import { stripVTControlCharacters } from "node:util";

/** Characters that move a terminal's cursor, colour, ring, or let text be read in another order than it is written in. */
const UNPRINTABLE = /[^\P{Cc}\t]|[\u200e\u200f\u2028-\u202e\u2066-\u2069]/gu;
const LINE_END = /\r\n|[\r\n\u0085\u2028\u2029]/;

/** The lines of a text that a function, an event or AWS wrote, fit for a terminal whatever is in it. */
export function printableLines(text: string): string[] {
  return text.split(LINE_END).map((line) => stripVTControlCharacters(line).replace(UNPRINTABLE, "�"));
}

/** The same in one line. */
export function printable(text: string): string {
  return printableLines(text)
    .map((line) => line.trim())
    .filter((line) => line !== "")
    .join(" ");
}

/** JSON that is fit for a terminal: what `JSON.stringify` leaves of such characters is escaped, too. */
export function printableJson(value: unknown, indent?: number): string {
  return JSON.stringify(value, null, indent).replace(
    /[\u007f-\u009f\u200e\u200f\u2028-\u202e\u2066-\u2069]/g,
    (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, "0")}`,
  );
}
