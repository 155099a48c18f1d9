/** What the server of the page and the page say to each other, as JSON. Types alone: the page imports nothing else of ours. */
import type { DeliveryError, DeliveryOutcome } from "../../delivery/delivery-result";
import type { CallType, JsonObject } from "../../events/segment-event";
import type { CheckStep } from "../../iam/check-report";
import type { SettingsProblem } from "../../settings/settings-error";

/** Where a delivery stands: under way, at its end, or lost because the router has given it up. */
export type EntryState = "under way" | DeliveryOutcome | "given up" | "refused" | "invoked" | "failed";

/** A line of the list. */
export interface EntrySummary {
  /** Counts up from 1. */
  readonly id: number;
  /**
   * `delivery`: an event that the router took in; `refusal`: a request that it refused; `invocation`: a run of a function
   * that somebody else than the router asked for.
   */
  readonly kind: "delivery" | "refusal" | "invocation";
  readonly state: EntryState;
  /** Milliseconds since 1970. */
  readonly at: number;
  readonly callType?: string;
  /** Of the track event, page or screen; of a refusal, method and path. */
  readonly name?: string;
  readonly messageId?: string;
  readonly user?: string;
  readonly source?: string;
  /** Name alone, with its version or alias. */
  readonly function?: string;
  /** Of the last try. */
  readonly durationMs?: number;
  /** Tries so far. */
  readonly tries: number;
  /** What went wrong, in short. */
  readonly problem?: string;
  readonly replayOf?: number;
}

/** One try of the router. */
export interface TryDetail {
  /** Milliseconds since 1970. */
  readonly startedAt: number;
  readonly durationMs: number;
  readonly outcome: DeliveryOutcome;
  readonly status: number;
  /** Invocations sent in this try. */
  readonly attempts: number;
  readonly requestId?: string;
  readonly executedVersion?: string;
  readonly function?: string;
  readonly error?: DeliveryError;
  readonly retryAfterMs?: number;
  readonly next: "done" | "retry" | "dead letter";
  /** Whether the caller kept the event from this destination, by its `integrations`. */
  readonly keptAway?: true;
}

/** One run of the function at the AWS on this machine. */
export interface RunDetail {
  readonly requestId: string;
  /** Milliseconds since 1970. */
  readonly startedAt: number;
  readonly durationMs: number;
  readonly version: string;
  readonly arn: string;
  readonly invocationType: string;
  /** More than 1 where AWS itself ran an asynchronous invocation again. */
  readonly attempt: number;
  readonly clientContext?: unknown;
  /** Of a batch: how many events it had. */
  readonly batchSize?: number;
  readonly log: string;
  /** JSON, of what the handler returned or of its error. */
  readonly answer: string;
  readonly failed: boolean;
}

/** Everything about one line of the list. */
export interface EntryDetail extends EntrySummary {
  /** The event as the router received it. */
  readonly event?: unknown;
  /** The Segment event as it was sent to the function; absent where nothing was sent. */
  readonly sent?: unknown;
  /** The call with which it can be sent again. */
  readonly endpoint?: string;
  readonly trail: readonly TryDetail[];
  readonly runs: readonly RunDetail[];
  /** Who invoked, of an invocation. */
  readonly invokedBy?: string;
  readonly refusal?: { readonly status: number; readonly message: string };
}

/** A call as a Segment library sends it, to begin with in the composer. */
export interface SampleCall {
  readonly title: string;
  /** Write key. */
  readonly source: string;
  readonly endpoint: string;
  readonly body: JsonObject;
}

export interface SourceState {
  readonly id: string;
  /** Secrets are {@link MASK}. */
  readonly settings: JsonObject;
}

/** What the page shows around the list. */
export interface PageState {
  readonly version: string;
  readonly host: string;
  readonly account: string;
  readonly region: string;
  readonly awsUrl: string;
  /** Those that have a handler. */
  readonly functions: readonly { readonly name: string; readonly file: string }[];
  /** Where they are. */
  readonly folder: string;
  /** Between the parts of a path, on the server's machine. */
  readonly separator: string;
  /** What there is in the folder that is not run, and why: a sentence each. */
  readonly notes: readonly string[];
  readonly sources: readonly SourceState[];
  readonly callTypes: readonly CallType[];
  readonly samples: readonly SampleCall[];
  /** Which AWS the connection check can go to. */
  readonly checks: readonly CheckTarget[];
  readonly form: SettingsForm;
}

export type CheckTarget = "local" | "aws";

/** The settings' form, in the words of `settings.schema.json`. */
export interface SettingsForm {
  /** JSON Schema of the form, without rules: the server has those. */
  readonly schema: JsonObject;
  readonly groups: readonly { readonly title: string; readonly help: string; readonly fields: readonly string[] }[];
  /** Placeholders by key. */
  readonly examples: Readonly<Record<string, string>>;
  readonly secrets: readonly string[];
  readonly functions: readonly string[];
}

/** Stands where a secret is. Sent back, it means: as it was. */
export type Mask = "••••••••";

export interface SettingsRequest {
  readonly source: string;
  readonly settings: JsonObject;
}

export interface Problems {
  readonly problems: readonly SettingsProblem[];
}

export interface Applied extends Problems {
  /** What the local account could not follow. */
  readonly notes: readonly string[];
  readonly settings?: JsonObject;
}

export type ExportFormat = "settings" | "rudderstack" | "jitsu" | "cloudformation";

export interface ExportRequest extends SettingsRequest {
  readonly format: ExportFormat;
  /** Of the CloudFormation template: whom the role trusts. */
  readonly principal?: string;
}

export interface Exported extends Problems {
  readonly filename?: string;
  readonly text?: string;
  readonly notes: readonly string[];
}

export interface Imported extends Problems {
  /** What the settings were made for. */
  readonly from?: string;
  readonly settings?: JsonObject;
  readonly notes: readonly string[];
}

export interface CheckRequest extends SettingsRequest {
  readonly target: CheckTarget;
  readonly send: boolean;
}

/** A line of the answer to a check. */
export type CheckLine = { readonly step: CheckStep } | { readonly ok: boolean } | { readonly broken: string };

/** What the event stream says. `entries` comes first, and anew after each break of the connection. */
export type StreamMessage =
  | { readonly type: "entries"; readonly entries: readonly EntrySummary[] }
  | { readonly type: "entry"; readonly entry: EntrySummary }
  | { readonly type: "cleared" };
