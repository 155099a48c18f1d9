import { hmac } from "@noble/hashes/hmac.js";
import { sha256 as ofBytes } from "@noble/hashes/sha2.js";
import { utf8 } from "./utf8";

/** Node.js's own, where it can be had without an import (from 20.16): a sandbox has no modules. It takes a twentieth of the time. */
const node = typeof process === "object" ? process.getBuiltinModule?.("node:crypto") : undefined;

/** SHA-256 of bytes, or of a text in UTF-8, in nothing but ECMAScript where nothing better is at hand. */
export const sha256: (data: Uint8Array | string) => Uint8Array = node
  ? (data) => node.createHash("sha256").update(data).digest()
  : ofData;

/** SHA-256 and HMAC of texts, in nothing but ECMAScript. */
export const sha256Crypto = {
  sha256: (text: string) => hex(ofData(text)),
  hmac: (key: string | Uint8Array, text: string) => hmac(ofBytes, bytesOf(key), utf8(text)),
  hmacHex: (key: Uint8Array, text: string) => hex(hmac(ofBytes, key, utf8(text))),
};

function ofData(data: Uint8Array | string): Uint8Array {
  return ofBytes(bytesOf(data));
}

function bytesOf(data: Uint8Array | string): Uint8Array {
  return typeof data === "string" ? utf8(data) : data;
}

function hex(bytes: Uint8Array): string {
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
}
