// @ts-nocheck
import fc from "fast-check";
import { base64, fromBase64 } from "../../src/encoding/base64";
import { utf8, utf8Length, utf8Text } from "../../src/encoding/utf8";

const anyText = fc.oneof(
  fc.string({ unit: "binary" }),
  fc.string({ unit: "grapheme" }),
  fc.array(fc.nat(0xffff)).map((units) => String.fromCharCode(...units)),
);

test("text becomes the bytes that TextEncoder makes of it, lone surrogates included", () => {
  fc.assert(
    fc.property(anyText, (text) => {
      const expected = new TextEncoder().encode(text);
      expect(utf8(text)).toEqual(expected);
      expect(utf8Length(text)).toBe(expected.length);
    }),
  );
});

test("bytes of well-formed text become that text again", () => {
  fc.assert(
    fc.property(fc.string({ unit: "binary" }), (text) => {
      expect(utf8Text(new TextEncoder().encode(text))).toBe(text);
    }),
  );
});

test("bytes that are no UTF-8 are read to the end, with U+FFFD where TextDecoder has it", () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 40 }), (bytes) => {
      const runs = (text: string) => text.replace(/\uFFFD+/g, "\uFFFD");
      expect(runs(utf8Text(bytes))).toBe(runs(new TextDecoder("utf-8", { ignoreBOM: true }).decode(bytes)));
    }),
  );
});

test("bytes become the base64 that Buffer makes of them, and come back", () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 100 }), (bytes) => {
      const text = base64(bytes);
      expect(text).toBe(Buffer.from(bytes).toString("base64"));
      expect(fromBase64(text)).toEqual(bytes);
    }),
  );
});
