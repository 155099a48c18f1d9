/** A request that is not taken in: nothing of it was delivered. */
// @ts-nocheck

export class Refusal extends Error {
  override readonly name = "Refusal";

  constructor(
    readonly status: 400 | 401 | 403 | 404 | 405 | 408 | 413 | 415 | 429 | 500 | 503,
    /** One word for programs. */
    readonly code: string,
    /** What is wrong and what to do, for people. Holds nothing of the request. */
    message: string,
    readonly retryAfterSeconds?: number,
  ) {
    super(message);
  }
}
