// @ts-nocheck
import type { PreparedDelivery } from "../../destination";
import type { JsonObject } from "../../events/segment-event";

// The shapes that rudder-transformer hands to a destination and takes back, as far as this destination uses them.

/** The destination's name in RudderStack; its folder and its routes have it in lower case. */
export const DESTINATION_TYPE = "AMAZON_LAMBDA";

/** One job of rudder-server. Goes back as it came: the server finds its job by it. */
export interface JobMetadata extends JsonObject {
  readonly jobId?: number;
  readonly userId?: string;
  readonly sourceId?: string;
  readonly destinationId?: string;
  readonly workspaceId?: string;
  /** The job was marked to be delivered without others. */
  readonly dontBatch?: boolean;
}

/** The destination as the control plane or the workspace configuration has it. */
export interface HostDestination extends JsonObject {
  readonly Config: JsonObject;
}

/** One event on its way through the transformation. */
export interface TransformInput {
  readonly message: unknown;
  readonly metadata: JobMetadata;
  readonly destination: HostDestination;
}

/**
 * What the transformation makes of events, and the server hands to the delivery. The server keeps these keys only
 * (`version` not even that), and makes strings of all headers.
 */
export interface RequestObject {
  readonly version: "1";
  readonly type: "REST";
  readonly method: "POST";
  readonly endpoint: string;
  /** Labels the server's metrics and throttling. */
  readonly endpointPath: string;
  readonly userId: "";
  readonly headers: Readonly<Record<string, string>>;
  readonly params: JsonObject;
  readonly body: {
    readonly JSON: { readonly deliveries: readonly PreparedDelivery[] };
    readonly JSON_ARRAY: JsonObject;
    readonly XML: JsonObject;
    readonly FORM: JsonObject;
  };
  readonly files: JsonObject;
}

/** Values must be strings: the server drops an answer in which one is not. */
export type StatTags = Readonly<Record<string, string>>;

/** What the transformation answers for one or more jobs of the router. */
export interface RouterResponse {
  readonly batchedRequest?: RequestObject;
  readonly metadata: readonly JobMetadata[];
  readonly batched: boolean;
  readonly statusCode: number;
  readonly destination?: HostDestination;
  readonly error?: string;
  readonly statTags?: StatTags;
}

/** What the server asks the delivery for: a {@link RequestObject} re-encoded, its jobs and the destination's settings. */
export interface ProxyRequest {
  readonly body?: { readonly JSON?: JsonObject };
  readonly metadata: readonly JobMetadata[];
  readonly destinationConfig?: JsonObject;
}

/** What the delivery answers: an entry per job, with the job's own metadata. */
export interface ProxyResponse {
  readonly status: number;
  readonly message: string;
  readonly statTags?: StatTags;
  readonly response: readonly {
    readonly statusCode: number;
    readonly metadata: JobMetadata;
    /** What became of the job, in words or as JSON; the name is the host's, successes have one too. */
    readonly error: string;
  }[];
}
