// @ts-nocheck
import type { AnalyticsServerEvent } from "@jitsu/protocols/analytics";
import type { FullContext, JitsuFunction } from "@jitsu/protocols/functions";
import { AssumedRoles } from "../../aws/assumed-role";
import { type WireRequest, wireAws } from "../../aws/wire";
import { createDestinationIn } from "../../destination";
import { sha256 } from "../../encoding/sha256";
import { DEFAULT_OPERATOR_POLICY } from "../../settings/operator-policy";
import type { Settings } from "../../settings/settings";
import { jitsuFunction } from "./destination-function";
import { logsAnswers, sendThroughJitsu } from "./host-fetch";

/** Milliseconds for a delivery where the settings name none: Jitsu stops a function after 5 seconds. */
const DEFAULT_TIMEOUT_MS = 4500;

/** How Jitsu lists the function; `jitsu-cli deploy` reads it. */
export const config = {
  slug: "amazon-lambda",
  name: "Amazon Lambda",
  description: "Sends events to AWS Lambda functions, a function per call type, through an assumed IAM role.",
};

type Context = FullContext<Settings>;

/** Where requests to AWS go out: what one call can do for another is the same for all of them. */
let latest: Pick<Context, "fetch" | "log"> | undefined;
let warned = false;

function send(request: WireRequest) {
  if (!latest) throw new TypeError("Nothing is sent before the first event.");
  const { fetch, log } = latest;
  if (!warned && logsAnswers(fetch) && /^https:\/\/sts\./.test(request.url)) {
    warned = true;
    log.warn(
      "SECURITY: this version of Jitsu writes what AWS STS answers into its live-events log, temporary credentials included. " +
        "They can only invoke the functions in the settings, and for an hour at most. To keep them out of the log, set " +
        'the connection\'s option fetchLogLevel to "debug", or upgrade Jitsu, or leave roleAddress empty and use keys that may invoke these functions and nothing else.',
    );
  }
  return sendThroughJitsu(fetch, request);
}

const aws = wireAws({
  now: () => Date.now(),
  // An isolate has no timers.
  ...(typeof setTimeout === "function" && {
    timer: { start: (callback, ms) => setTimeout(callback, ms), stop: (timer) => clearTimeout(timer as number) },
  }),
  timeoutNote: "Jitsu stops a function after 5 seconds, unless its operator sets UDF_TIMEOUT_MS.",
  send,
  sha256,
});
const roles = new AssumedRoles(aws);

const deliver = jitsuFunction((given) => {
  const settings = given as Settings;
  return createDestinationIn(
    { aws, roles, operator: () => DEFAULT_OPERATOR_POLICY },
    { ...settings, timeoutMs: settings.timeoutMs || DEFAULT_TIMEOUT_MS },
  );
});

/**
 * The destination as a function to deploy to a running Jitsu, in whose sandboxes `ctx.fetch` is the only way out. Its
 * settings are the connection's function variables; sessions of the assumed role live in this sandbox's memory only.
 */
const AmazonLambda: JitsuFunction<AnalyticsServerEvent, Settings> = (event, ctx) => {
  latest = ctx;
  return deliver(event, ctx);
};

// biome-ignore lint/style/noDefaultExport: Jitsu calls a function's default export.
export default AmazonLambda;
