/** Something that cannot become a Segment event, whatever anybody waits for or changes. */
export class InvalidEvent extends Error {
  override readonly name = "InvalidEvent";

  /** For an event that JSON cannot hold. */
  static notSerialisable(cause: unknown): InvalidEvent {
    const [reason = ""] = String((cause as { message?: unknown } | null)?.message ?? cause).split("\n");
    return new InvalidEvent(`The event cannot be written as JSON: ${reason}.`);
  }
}
