import type { AnalyticsServerEvent } from "@jitsu/protocols/analytics";
import type { FullContext, JitsuFunction } from "@jitsu/protocols/functions";
import type { Clock } from "../../aws/clock";
import { Sessions } from "../../aws/sessions";
import type { Transport } from "../../aws/transport";
import { wireAws } from "../../aws/wire";
import { Gates } from "../../delivery/gates";
import { createDestinationIn } from "../../destination/create-destination";
import { sha256Crypto } from "../../encoding/sha256";
import { DEFAULT_OPERATOR_POLICY } from "../../settings/operator-policy";
import type { Settings } from "../../settings/settings";
import { jitsuFunction } from "./destination-function";
import { holdsCredentials, jitsuTransport, logsAnswers } from "./host-fetch";

/** Milliseconds for a delivery at most: Jitsu stops a function after 5 seconds, and what it stops is lost. */
const LONGEST_DELIVERY_MS = 4500;

/** How Jitsu lists the function; `jitsu-cli deploy` reads it. */
export const config = {
  slug: "amazon-lambda",
  name: "Amazon Lambda",
  description: "Sends events to AWS Lambda functions, a function per call type, through an assumed IAM role.",
};

type Context = FullContext<Settings>;

let warned = false;

/** The way out for one event: its own context's `fetch`. */
function transportOf({ fetch, log }: Context): Transport {
  const { post } = jitsuTransport(fetch);
  return {
    post(request, deadline) {
      if (!warned && logsAnswers(fetch) && holdsCredentials(request)) {
        warned = true;
        log.warn(
          "SECURITY: this version of Jitsu writes what AWS STS answers into its live-events log, temporary credentials included. " +
            "They can only invoke the functions in the settings, and for an hour at most. To keep them out of the log, set " +
            'the connection\'s option fetchLogLevel to "debug", or upgrade Jitsu, or leave roleAddress empty and use keys that may invoke these functions and nothing else.',
        );
      }
      return post(request, deadline);
    },
  };
}

const noTransport: Transport = {
  post() {
    throw new TypeError("Each event brings its own way out.");
  },
};

let lastWall = Number.NEGATIVE_INFINITY;
let passed = 0;

/** An isolate has no clock but the wall's, and no timers. */
const clock: Clock = {
  monotonic() {
    if (typeof performance === "object") return performance.now();
    const now = Date.now();
    // A clock that is set back stands still here.
    passed += Math.max(now - Math.max(lastWall, 0), 0);
    lastWall = now;
    return passed;
  },
  wall: () => Date.now(),
  ...(typeof setTimeout === "function" && {
    timer: {
      start: (callback: () => void, ms: number) => setTimeout(callback, ms),
      stop: (timer: unknown) => clearTimeout(timer as number),
    },
  }),
};

const aws = wireAws(clock, sha256Crypto, noTransport);
const sessions = new Sessions(aws);
const gates = new Gates(clock);

/**
 * The destination as a function to deploy to a running Jitsu, in whose sandboxes `ctx.fetch` is the only way out. Its
 * settings are the connection's function variables; sessions of the assumed role live in this sandbox's memory only.
 */
const AmazonLambda: JitsuFunction<AnalyticsServerEvent, Settings> = jitsuFunction((given) => {
  const settings = given as Settings;
  const destination = createDestinationIn(
    {
      aws,
      sessions,
      gates,
      operator: () => ({ ...DEFAULT_OPERATOR_POLICY, maxTimeoutMs: LONGEST_DELIVERY_MS }),
      timeoutNote: "Jitsu stops a function after 5 seconds, unless its operator sets UDF_TIMEOUT_MS.",
    },
    { ...settings, timeoutMs: settings.timeoutMs || LONGEST_DELIVERY_MS },
  );
  return {
    deliver: (event, context, options, ctx) =>
      destination.deliver(event, context, { ...options, via: transportOf(ctx) }),
  };
});

// biome-ignore lint/style/noDefaultExport: Jitsu calls a function's default export.
export default AmazonLambda;
