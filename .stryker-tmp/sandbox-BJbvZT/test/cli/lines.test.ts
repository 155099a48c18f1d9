// @ts-nocheck
import { Readable } from "node:stream";
import { UsageError } from "../../src/cli/command";
import { linesOf } from "../../src/cli/lines";

async function linesIn(chunks: readonly (Buffer | string)[], maxBytes = 100) {
  const lines = [];
  for await (const line of linesOf(Readable.from(chunks), maxBytes)) lines.push(line);
  return lines;
}

test("lines are told apart wherever the chunks are cut, with the bytes up to their end", async () => {
  expect(await linesIn(["a\nb", "é\r", "\n\nlast"])).toEqual([
    { number: 1, text: "a", end: 2 },
    { number: 2, text: "bé", end: 7 },
    { number: 3, text: "", end: 8 },
    { number: 4, text: "last", end: 12 },
  ]);
});

test("a line that is too long comes without its text and harms no other", async () => {
  expect(await linesIn(["a\n12", "345", "6\nb\n"], 5)).toEqual([
    { number: 1, text: "a", end: 2 },
    { number: 2, end: 9 },
    { number: 3, text: "b", end: 11 },
  ]);
});

describe("UTF-16 is told by the way out", () => {
  test.each([
    ["little-endian", Buffer.from("\uFEFF{}\n{}", "utf16le")],
    ["big-endian", Buffer.from("\uFEFF{}\n{}", "utf16le").swap16()],
  ])("%s", async (_name, text) => {
    const lines = linesIn([text.subarray(0, 1), text.subarray(1)]);

    await expect(lines).rejects.toThrow(UsageError);
    await expect(lines).rejects.toThrow("iconv -f UTF-16 -t UTF-8");
  });
});
