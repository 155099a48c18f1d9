import { hmac } from "@noble/hashes/hmac.js";
import { sha256 as ofBytes } from "@noble/hashes/sha2.js";
import { utf8 } from "./utf8";

/** SHA-256 of bytes, or of a text in UTF-8, in nothing but ECMAScript. */
export function sha256(data: Uint8Array | string): Uint8Array {
  return ofBytes(bytesOf(data));
}

/** SHA-256 and HMAC of texts, in nothing but ECMAScript. */
export const sha256Crypto = {
  sha256: (text: string) => hex(sha256(text)),
  hmac: (key: string | Uint8Array, text: string) => hmac(ofBytes, bytesOf(key), utf8(text)),
  hmacHex: (key: Uint8Array, text: string) => hex(hmac(ofBytes, key, utf8(text))),
};

function bytesOf(data: Uint8Array | string): Uint8Array {
  return typeof data === "string" ? utf8(data) : data;
}

function hex(bytes: Uint8Array): string {
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
}
