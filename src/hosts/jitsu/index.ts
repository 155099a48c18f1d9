import { createDestination } from "../../index";
import { jitsuFunction } from "./destination-function";

/**
 * The destination function for a Jitsu built from source: `(event, ctx) => …`, with the settings in `ctx.props`.
 *
 * Returns the event where it was delivered or skipped. Throws an error named `RetryError` where Jitsu should retry, and
 * `NoRetryError` where no retry can help; the message says what to do.
 */
const AmazonLambdaDestination = jitsuFunction((settings) => createDestination(settings));

export { AmazonLambdaDestination };
// biome-ignore lint/style/noDefaultExport: Jitsu registers destination functions by their default export.
export default AmazonLambdaDestination;
