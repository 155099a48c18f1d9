// @ts-nocheck
import fc from "fast-check";
import { printable, printableJson, printableLines } from "../../src/cli/printable";

const text = fc.string({
  unit: fc.oneof(fc.constantFrom(..."a \n\r\t\u001b[31m\u009b\u007f\u0085\u202e\u2028"), fc.string()),
});
const DANGEROUS = /[^\P{Cc}\t]|[\u2028-\u202e\u2066-\u2069]/u;

test("no text of others steers a terminal", () => {
  fc.assert(
    fc.property(text, (written) => {
      for (const line of [...printableLines(written), printable(written)]) expect(line).not.toMatch(DANGEROUS);
    }),
  );
});

test("nor does JSON, which stays what it says", () => {
  fc.assert(
    fc.property(fc.dictionary(text, text), (written) => {
      const json = printableJson(written);
      expect(json).not.toMatch(DANGEROUS);
      expect(JSON.parse(json)).toEqual({ ...written });
    }),
  );
});

test("what a person wrote stays", () => {
  expect(printableLines("Zürich 🚆\tquiet\r\n\u001b[31mred\u001b[0m")).toEqual(["Zürich 🚆\tquiet", "red"]);
  expect(printable("one,\n  two\n")).toBe("one, two");
});
