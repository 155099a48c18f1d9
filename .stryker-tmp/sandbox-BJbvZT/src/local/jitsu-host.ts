// @ts-nocheck
import type { AnalyticsServerEvent } from "@jitsu/protocols/analytics";
import type { FullContext } from "@jitsu/protocols/functions";
import type { DeliveryResult } from "../delivery/delivery-result";
import { jitsuFunction } from "../hosts/jitsu/destination-function";
import { createDestination } from "../index";
import type { Settings } from "../settings/settings";
import type { LocalHost, OnTry, Source } from "./local-host";

/** Minutes before each retry in Jitsu where the error brings no policy of its own. */
const DEFAULT_DELAYS_MINUTES: readonly number[] = [10, 100, 1000];

interface RetryError extends Error {
  readonly retryPolicy?: { readonly retries: number; readonly delays: readonly number[] };
}

/**
 * Runs the Jitsu destination function as Jitsu's rotor does, with its retries and dead letters.
 *
 * @param msPerMinute how long a minute between two tries takes: a local router is not made to wait
 */
export function createJitsuHost(onTry: OnTry, msPerMinute: number): LocalHost {
  async function attempt(
    event: unknown,
    source: Source,
    retries: number,
  ): Promise<{ result: DeliveryResult; error?: RetryError }> {
    let result: DeliveryResult | undefined;
    // The function tells Jitsu only what Jitsu understands; the result itself is caught on its way.
    const deliver = jitsuFunction((settings) => {
      const destination = createDestination(settings);
      return {
        deliver: async (...args) => {
          result = await destination.deliver(...args);
          return result;
        },
      };
    });
    try {
      await deliver(event as AnalyticsServerEvent, contextOf(source, retries));
      return { result: result as unknown as DeliveryResult };
    } catch (error) {
      if (!result) throw error;
      return { result, error: error as RetryError };
    }
  }

  return {
    async deliver(event, source) {
      for (let retries = 0; ; retries++) {
        const { result, error } = await attempt(event, source, retries);
        const wait = error?.name === "RetryError" ? delayMinutes(error, retries) : undefined;
        const next = wait !== undefined ? "retry" : error?.name === "RetryError" ? "dead letter" : "done";
        onTry({ event, source, retries, result, next });
        if (wait === undefined) return;
        await new Promise((resolve) => setTimeout(resolve, wait * msPerMinute));
      }
    },
  };
}

/** Minutes until the next try; nothing where there is none left. */
function delayMinutes({ retryPolicy }: RetryError, retries: number): number | undefined {
  const { retries: limit, delays } = retryPolicy ?? {
    retries: DEFAULT_DELAYS_MINUTES.length,
    delays: DEFAULT_DELAYS_MINUTES,
  };
  return retries < limit ? (delays[retries] ?? delays.at(-1)) : undefined;
}

function contextOf({ id, settings }: Source, retries: number): FullContext<Settings> {
  const silent = { info() {}, warn() {}, debug() {}, error() {} };
  const context = {
    log: silent,
    props: settings,
    source: { id, type: "s2s" },
    destination: { id: "amazon-lambda" },
    connection: { id: `${id}-amazon-lambda` },
    workspace: { id: "local" },
    receivedAt: new Date(),
    retries,
  };
  return context as unknown as FullContext<Settings>;
}
