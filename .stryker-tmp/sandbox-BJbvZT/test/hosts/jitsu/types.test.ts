// @ts-nocheck
import type { AnalyticsServerEvent } from "@jitsu/protocols/analytics";
import type { JitsuFunction } from "@jitsu/protocols/functions";
import AmazonLambdaDestination from "../../../src/hosts/jitsu/index";
import type { Settings } from "../../../src/index";

test("the module's default export is a destination function as @jitsu/protocols defines it", () => {
  // The assignment is what is tested: the type check of this file fails where Jitsu could not register the function.
  const registered: JitsuFunction<AnalyticsServerEvent, Settings> = AmazonLambdaDestination;

  expect(registered.displayName).toBe("amazon-lambda");
  expect(registered).toHaveLength(2);
});
