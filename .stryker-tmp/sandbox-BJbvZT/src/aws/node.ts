// @ts-nocheck
import type { Aws } from "./aws";
import { nodeSha256, sendOverHttp } from "./node-http";
import { createSdk, type Sdk } from "./sdk";
import { wireAws } from "./wire";

/** AWS in Node.js, with what the connection check needs beyond deliveries. */
export type NodeAws = Omit<Aws, "assumeRole"> & Pick<Sdk, "assumeRole" | "callerIdentity">;

/**
 * AWS in Node.js: identities, roles and endpoints by the AWS SDK, invocations by our own signer over Node.js's HTTP client,
 * at a third of the SDK's CPU time (`npm run bench`).
 */
export function createNodeAws(): NodeAws {
  const { assumeRole, callerIdentity, identity, lambdaEndpoint } = createSdk();
  const wire = wireAws({
    now: Date.now,
    timer: { start: setTimeout, stop: (timer) => clearTimeout(timer as NodeJS.Timeout) },
    send: sendOverHttp,
    sha256: nodeSha256,
    identity,
    endpoint: (_service, region) => lambdaEndpoint(region),
  });
  return { ...wire, assumeRole, callerIdentity };
}
