import type { DeliveryResult } from "../delivery/delivery-result";
import type { JsonObject } from "../events/segment-event";

/** A source of the local router, and the settings of the destination that it is connected to. */
export interface Source {
  /** Its ID and, for the local router, its write key. */
  readonly id: string;
  readonly settings: JsonObject;
}

/** What one try to deliver an event came to. */
export interface Try {
  readonly event: unknown;
  readonly source: Source;
  /** 0 for the first. */
  readonly retries: number;
  readonly result: DeliveryResult;
  /** What the host does next. */
  readonly next: "done" | "retry" | "dead letter";
  /** Whether the caller kept the event from this destination, by its `integrations`. */
  readonly keptAway?: true;
}

/** A router's part around the destination: hands events over and acts on the outcome, as the real one would. */
export interface LocalHost {
  /** Resolves once the event has come to its end: delivered, skipped, rejected or in the dead letters. */
  deliver(event: unknown, source: Source): Promise<void>;
}

/** Is told every try of every event. */
export type OnTry = (attempt: Try) => void;
