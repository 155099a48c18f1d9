import { AwsError, type AwsErrorDetails } from "./aws-error";

type Service = AwsErrorDetails["service"];

const WHO: Readonly<Record<Service, string>> = { lambda: "The function", sts: "AWS STS" };

/**
 * Nobody answered in time.
 *
 * @param ms that were waited
 * @param note what else to say
 */
export function timedOut(service: Service, ms: number, note?: string): AwsError {
  const message = `${WHO[service]} did not answer within ${Math.round(ms)} ms.${note ? ` ${note}` : ""}`;
  return new AwsError({ service, kind: "timeout", code: "Timeout", message });
}

/** Nobody to sign as. */
export function noIdentity(service: Service): AwsError {
  const message =
    "There is no AWS identity to sign with: no keys in the settings, and none that the router itself has.";
  return new AwsError({ service, kind: "identity", code: "NoIdentity", message });
}
