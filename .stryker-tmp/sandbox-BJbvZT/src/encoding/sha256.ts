// @ts-nocheck
import { sha256 as ofBytes } from "@noble/hashes/sha2.js";
import { utf8 } from "./utf8";

/** SHA-256 of bytes, or of a text in UTF-8, in nothing but ECMAScript. */
export function sha256(data: Uint8Array | string): Uint8Array {
  return ofBytes(typeof data === "string" ? utf8(data) : data);
}
