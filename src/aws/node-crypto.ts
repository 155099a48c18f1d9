import * as crypto from "node:crypto";
import type { Crypto } from "./signature";

const sha256 = (text: string) => crypto.createHash("sha256").update(text).digest("hex");

/** Node.js's own. The one-shot `hash` came with Node.js 20.12 and costs two thirds. */
export const nodeCrypto: Crypto = {
  sha256: typeof crypto.hash === "function" ? (text) => crypto.hash("sha256", text, "hex") : sha256,
  hmac: (key, text) => crypto.createHmac("sha256", key).update(text).digest(),
  hmacHex: (key, text) => crypto.createHmac("sha256", key).update(text).digest("hex"),
};
