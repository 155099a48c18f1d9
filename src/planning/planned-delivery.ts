import type { CallType } from "../events/segment-event";

/** An event that is mapped and has its function: all that is left is to send it. Plain data. */
export interface PlannedDelivery {
  readonly callType: CallType;
  readonly messageId: string;
  /** As it stands in the settings. */
  readonly function: string;
  /** Absent where no role is assumed. */
  readonly externalId?: string | undefined;
  /** The Segment event as JSON, written once. */
  readonly json: string;
  /** Bytes of `json` in UTF-8. */
  readonly bytes: number;
  /** Whose events keep their order: the user ID, else the anonymous ID. */
  readonly user?: string | undefined;
  /** A track call's event name, by which its function can be chosen anew. */
  readonly event?: string | undefined;
  /** The group that the event belongs to, where its tenant is that. */
  readonly group?: string | undefined;
  /** For functions in tenant isolation mode. */
  readonly tenantId?: string | undefined;
  /** Of the one execution that the event is to have; absent where functions are not durable. */
  readonly executionName?: string | undefined;
  /** Of the trace that the event came with (W3C), where its invocation is its own. */
  readonly traceparent?: string | undefined;
  /** Shares an invocation with no other. */
  readonly alone?: boolean;
}

/** Why an event is not to be sent at all. */
export interface PlanningProblem {
  readonly code: "InvalidEvent" | "PayloadTooLarge" | "InvalidSettings" | "Unknown";
  /** What is wrong; holds no secret. */
  readonly message: string;
}

/** An event that is settled without being sent; without a problem, no function is set for it. */
export interface Unplanned {
  /** Empty for what is no event. */
  readonly messageId: string;
  readonly callType?: CallType;
  readonly function?: string;
  readonly problem?: PlanningProblem;
  /** There where the event's being rejected is to be recorded. */
  readonly record?: {
    /** The event as JSON, where it has one. */
    readonly json?: string | undefined;
    /** Absent where no role is assumed. */
    readonly externalId?: string | undefined;
  };
}

export type Plan = PlannedDelivery | Unplanned;

export function isPlanned(plan: Plan): plan is PlannedDelivery {
  return "json" in plan;
}
