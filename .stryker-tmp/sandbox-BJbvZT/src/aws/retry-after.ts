/**
 * Milliseconds, from a `Retry-After` header in seconds, as AWS writes it. Nothing where the header is none or no number
 * that anybody would wait for.
 */
// @ts-nocheck

export function retryAfterMs(header: string | undefined): number | undefined {
  return header !== undefined && /^\d{1,9}(?:\.\d+)?$/.test(header.trim()) ? Number(header) * 1000 : undefined;
}
