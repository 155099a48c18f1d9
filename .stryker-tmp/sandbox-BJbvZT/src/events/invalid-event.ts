/** Something that cannot become a Segment event, whatever anybody waits for or changes. */
// @ts-nocheck

export class InvalidEvent extends Error {
  override readonly name = "InvalidEvent";

  /** For an event that JSON cannot hold. */
  static notSerialisable(cause: unknown): InvalidEvent {
    // Whatever a getter in the event throws.
    const { message } = Object(cause) as { message?: unknown };
    const [reason] = typeof message === "string" ? message.split("\n") : [];
    return new InvalidEvent(`The event cannot be written as JSON: ${reason || "reading it fails"}.`);
  }
}
