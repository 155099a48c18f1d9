import { dnsSuffix } from "../names/partitions";
import type { Aws } from "./aws";
import { AwsTime, type Clock } from "./clock";
import { lambdaInvoke } from "./lambda";
import type { Crypto } from "./signature";
import { stsAssumeRole } from "./sts";
import { type Endpoint, endpointAt, type Transport } from "./transport";

/** STS and Lambda at AWS's own endpoints over nothing but a transport, for sandboxes that cannot hold the AWS SDK. */
export function wireAws(clock: Clock, crypto: Crypto, transport: Transport): Aws {
  const time = new AwsTime(clock);
  const at = (service: "lambda" | "sts") => ({
    time,
    crypto,
    transport,
    endpoint: (region: string) => awsEndpoint(service, region),
  });
  return { clock, time, invoke: lambdaInvoke(at("lambda")), assumeRole: stsAssumeRole(at("sts")) };
}

function awsEndpoint(service: "lambda" | "sts", region: string): Endpoint {
  return endpointAt(`https://${service}.${region}.${dnsSuffix(region)}`, true);
}
