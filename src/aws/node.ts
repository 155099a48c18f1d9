import type { Aws } from "./aws";
import { timedOut } from "./failed-call";
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
  const { invoke } = wireAws({
    now: Date.now,
    send: sendOverHttp,
    sha256: nodeSha256,
    identity,
    endpoint: (_service, region) => lambdaEndpoint(region),
  });
  return {
    now: Date.now,
    sleep: (ms) => new Promise((resolve) => setTimeout(resolve, ms)),
    within,
    assumeRole,
    callerIdentity,
    invoke: (request, timeoutMs) => within(invoke(request, timeoutMs), timeoutMs, "lambda"),
  };
}

async function within<T>(promise: Promise<T>, ms: number, service: "lambda" | "sts" = "sts"): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const timeout = new Promise<never>((_resolve, reject) => {
    timer = setTimeout(() => reject(timedOut(service, ms)), ms);
  });
  try {
    return await Promise.race([promise, timeout]);
  } finally {
    clearTimeout(timer);
  }
}
