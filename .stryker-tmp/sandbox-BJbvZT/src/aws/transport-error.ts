/** No answer came: whoever sends requests for `wire.ts` says with this what happened on the way. */
// @ts-nocheck

export class TransportError extends Error {
  override readonly name = "TransportError";

  constructor(
    readonly kind: "network" | "timeout",
    /** The system's name for it (`ECONNREFUSED`), or the nearest there is. */
    readonly code: string,
    message: string,
  ) {
    super(message);
  }
}
