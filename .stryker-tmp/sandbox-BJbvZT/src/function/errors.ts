/** Give this event up: it is no use, however often it is sent. The router rejects it. */
// @ts-nocheck

export class DropEvent extends Error {
  override readonly name = "DropEvent";
}

/** Bring this event back later. Any other error does the same; this one says that it is meant. */
export class RetryError extends Error {
  override readonly name = "RetryError";
}

const GIVE_UP: readonly string[] = ["DropEvent", "EventNotSupported", "InvalidEventPayload", "ValidationError"];

/** Whether an error's name says that the event is to be given up; the router reads the names alike. */
export function givesUp(error: unknown): error is Error {
  return GIVE_UP.includes(String((error as Partial<Error> | null)?.name));
}
