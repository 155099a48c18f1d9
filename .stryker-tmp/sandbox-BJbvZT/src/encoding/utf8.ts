/**
 * The UTF-8 bytes of a text, without `TextEncoder`, which some sandboxes lack. Lone surrogates become U+FFFD, as there.
 */
// @ts-nocheck

export function utf8(text: string): Uint8Array<ArrayBuffer> {
  const bytes = new Uint8Array(text.length * 3);
  let length = 0;
  for (let i = 0; i < text.length; i++) {
    const code = text.charCodeAt(i);
    if (code < 0x80) {
      bytes[length++] = code;
    } else if (code < 0x800) {
      bytes[length++] = 0xc0 | (code >> 6);
      bytes[length++] = 0x80 | (code & 0x3f);
    } else {
      const point = text.codePointAt(i) ?? 0;
      if (point > 0xffff) {
        bytes[length++] = 0xf0 | (point >> 18);
        bytes[length++] = 0x80 | ((point >> 12) & 0x3f);
        bytes[length++] = 0x80 | ((point >> 6) & 0x3f);
        bytes[length++] = 0x80 | (point & 0x3f);
        i++;
      } else {
        const scalar = point >= 0xd800 && point <= 0xdfff ? 0xfffd : point;
        bytes[length++] = 0xe0 | (scalar >> 12);
        bytes[length++] = 0x80 | ((scalar >> 6) & 0x3f);
        bytes[length++] = 0x80 | (scalar & 0x3f);
      }
    }
  }
  return bytes.slice(0, length);
}

/** How many bytes a text is in UTF-8. */
export function utf8Length(text: string): number {
  let length = text.length;
  for (let i = 0; i < text.length; i++) {
    const code = text.charCodeAt(i);
    if (code < 0x80) continue;
    if (code < 0x800) {
      length += 1;
    } else if (isPair(text, i, code)) {
      length += 2;
      i++;
    } else {
      length += 2;
    }
  }
  return length;
}

function isPair(text: string, i: number, high: number): boolean {
  const low = text.charCodeAt(i + 1);
  return high >= 0xd800 && high <= 0xdbff && low >= 0xdc00 && low <= 0xdfff;
}

/** The text that UTF-8 bytes stand for, without `TextDecoder`; what is no UTF-8 becomes U+FFFD. */
export function utf8Text(bytes: Uint8Array): string {
  let text = "";
  for (let i = 0; i < bytes.length; ) {
    const [point, length] = decodeAt(bytes, i);
    text += String.fromCodePoint(point);
    i += length;
  }
  return text;
}

/** By lead byte: first and last lead, bytes in all, the lead's payload mask, the smallest code point that needs so many. */
const SEQUENCES = [
  [0xc2, 0xdf, 2, 0x1f, 0x80],
  [0xe0, 0xef, 3, 0x0f, 0x800],
  [0xf0, 0xf4, 4, 0x07, 0x10000],
] as const;

function decodeAt(bytes: Uint8Array, at: number): [point: number, length: number] {
  const lead = bytes[at] ?? 0;
  if (lead < 0x80) return [lead, 1];
  const sequence = SEQUENCES.find(([first, last]) => lead >= first && lead <= last);
  if (!sequence) return [0xfffd, 1];
  const [, , length, mask, smallest] = sequence;
  let point = lead & mask;
  for (let i = 1; i < length; i++) {
    const next = bytes[at + i] ?? 0;
    if ((next & 0xc0) !== 0x80) return [0xfffd, i];
    point = (point << 6) | (next & 0x3f);
  }
  const valid = point >= smallest && point <= 0x10ffff && !(point >= 0xd800 && point <= 0xdfff);
  return valid ? [point, length] : [0xfffd, 1];
}
