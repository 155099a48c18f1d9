/** Milliseconds of a `Retry-After` that are believed: whoever asks for more is asked again after this. */
const LONGEST_MS = 15 * 60_000;

/**
 * Milliseconds, from a `Retry-After` header in seconds, as AWS writes it; 15 minutes at most. Nothing where the header is
 * none or no number.
 */
export function retryAfterMs(header: string | undefined): number | undefined {
  if (header === undefined || !/^\d{1,20}(?:\.\d{1,20})?$/.test(header.trim())) return undefined;
  return Math.min(Number(header) * 1000, LONGEST_MS);
}
