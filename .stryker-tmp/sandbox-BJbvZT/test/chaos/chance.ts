/** A number from 0 to 1 that is always the same for the same words: what happens to an event does not depend on who comes first. */
// @ts-nocheck

export function chance(...words: readonly (string | number)[]): number {
  // FNV-1a, and the finalizer of MurmurHash3.
  let hash = 0x811c9dc5;
  for (const character of words.join("|")) {
    hash = Math.imul(hash ^ character.charCodeAt(0), 0x01000193);
  }
  hash = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b);
  hash = Math.imul(hash ^ (hash >>> 13), 0xc2b2ae35);
  return ((hash ^ (hash >>> 16)) >>> 0) / 2 ** 32;
}

/** One of them, by the same rule. */
export function pick<T>(from: readonly T[], ...words: readonly (string | number)[]): T {
  return from[Math.floor(chance(...words) * from.length)] as T;
}
