import type { Aws } from "./aws";
import { AwsTime } from "./clock";
import { lambdaInvoke } from "./lambda";
import { nodeClock } from "./node-clock";
import { nodeCrypto } from "./node-crypto";
import { createSdk, type Sdk } from "./sdk";
import { undiciTransport } from "./undici";

/** AWS in Node.js, with what the connection check needs beyond deliveries. */
export type NodeAws = Omit<Aws, "assumeRole"> & Pick<Sdk, "assumeRole" | "callerIdentity" | "address">;

/**
 * AWS in Node.js: identities, roles and endpoints by the AWS SDK, invocations by our own signer over undici, at a small
 * part of the SDK's CPU time (`npm run bench`).
 */
export function createNodeAws(clock = nodeClock): NodeAws {
  const time = new AwsTime(clock);
  const { assumeRole, callerIdentity, identity, lambdaEndpoint, address } = createSdk(time);
  const invoke = lambdaInvoke({
    time,
    crypto: nodeCrypto,
    transport: undiciTransport(),
    endpoint: lambdaEndpoint,
    identity,
  });
  return { clock, time, invoke, assumeRole, callerIdentity, address };
}
