import { timingSafeEqual } from "node:crypto";
import type { Connections, WriteKey } from "./connection";
import { digest } from "./credentials";
import { Refusal } from "./refusal";

/**
 * The write key that a request names: `id`, or `id:secret`, as Basic auth joins user and password. Where a key has no secret, anything may
 * stand after the colon, because Jitsu's libraries ask for something there.
 *
 * @throws Refusal (401)
 */
export function findWriteKey(connections: Connections, said: string | undefined): WriteKey {
  const [id = "", ...rest] = (said ?? "").split(":");
  const key = connections
    .writeKeys(id)
    .find(({ secretDigest }) => secretDigest === undefined || timingSafeEqual(secretDigest, digest(rest.join(":"))));
  if (key) return key;
  throw new Refusal(
    401,
    "InvalidWriteKey",
    "Send a write key of this receiver as the user name of Basic auth, with an empty password, or in X-Write-Key.",
  );
}
