import type { Settings } from "../../index";
import { createHostedDestination, tenantWatch } from "../../node";
import { DEFAULT_OPERATOR_POLICY } from "../../settings/operator-policy";
import { jitsuFunction } from "./destination-function";
import { LONGEST_DELIVERY_MS } from "./longest-delivery";

type Log = (message: string, ...details: unknown[]) => unknown;

/** An event as Jitsu hands it over. */
export type JitsuEvent = { [key: string]: unknown };

/** What the destination uses of Jitsu's function context. */
export interface JitsuContext {
  readonly log: { readonly info: Log; readonly warn: Log; readonly debug: Log; readonly error: Log };
  readonly metrics?: unknown;
  readonly props: Settings;
  readonly source: { readonly id: string };
  readonly workspace: { readonly id: string };
  readonly receivedAt?: Date;
}

/**
 * A destination function of Jitsu: assignable to `JitsuFunction<AnalyticsServerEvent, Settings>` of `@jitsu/protocols`.
 *
 * Returns the event where it was delivered or skipped. Throws an error named `RetryError` where Jitsu should retry, and
 * `NoRetryError` where no retry can help; the message says what to do.
 */
export interface JitsuDestinationFunction {
  (event: JitsuEvent, context: JitsuContext): Promise<JitsuEvent>;
  displayName?: string;
  description?: string;
}

const defaults = { ...DEFAULT_OPERATOR_POLICY, maxTimeoutMs: LONGEST_DELIVERY_MS };
const watchTenants = tenantWatch(defaults);

/** The destination function for a Jitsu built from source, with the settings in `context.props`. */
const AmazonLambdaDestination = jitsuFunction((settings) => {
  const destination = createHostedDestination(settings, { defaults });
  return {
    deliver(event, context, options) {
      watchTenants(context.workspaceId);
      return destination.deliver(event, context, options);
    },
  };
}) as unknown as JitsuDestinationFunction;

export type { Settings };
export { AmazonLambdaDestination };
// biome-ignore lint/style/noDefaultExport: Jitsu registers destination functions by their default export.
export default AmazonLambdaDestination;
