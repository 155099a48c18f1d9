// @ts-nocheck
import { Refusal } from "./refusal";

/** What one request may hold. */
export const BOUNDS = {
  /** Bytes of a body as it is sent. */
  bodyBytes: 6 * 1024 * 1024,
  /** Bytes of a body once it is inflated. */
  inflatedBytes: 16 * 1024 * 1024,
  /** Arrays and objects within each other. */
  depth: 100,
  events: 1_000,
} as const;

/**
 * The bytes of bodies that are held at once, so that a flood of large requests ends in 503 and not in a process that is out of memory. What is
 * made of a body takes several times its bytes.
 */
export class Room {
  #held = 0;

  constructor(readonly bytes: number) {}

  get held(): number {
    return this.#held;
  }

  /** @throws Refusal (503) where the receiver is full */
  hold(bytes: number): void {
    if (this.#held + bytes > this.bytes)
      throw new Refusal(503, "ReceiverFull", "The receiver holds as much as it may: send this again.", 1);
    this.#held += bytes;
  }

  free(bytes: number): void {
    this.#held -= bytes;
  }
}
