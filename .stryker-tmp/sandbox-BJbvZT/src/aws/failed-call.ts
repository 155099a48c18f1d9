// @ts-nocheck
import { AwsError, type AwsErrorDetails } from "./aws-error";

type Service = AwsErrorDetails["service"];

const WHO: Readonly<Record<Service, string>> = { lambda: "The function", sts: "AWS STS" };

const waited = (ms: number) => `within ${Math.round(ms)} ms`;

/**
 * Nobody answered in time.
 *
 * @param ms that were waited
 * @param note what else to say
 */
export function timedOut(service: Service, ms: number, note?: string): AwsError {
  const message = `${WHO[service]} did not answer ${waited(ms)}.${note ? ` ${note}` : ""}`;
  return new AwsError({ service, kind: "timeout", code: "Timeout", message });
}

/** A call that was given `ms`, all that was left of a delivery's time: its error tells the time that the user set. */
export function ofTimeout(error: AwsError, ms: number, timeoutMs: number): AwsError {
  const { kind, message } = error.details;
  if (kind !== "timeout" || !message.includes(waited(ms))) return error;
  const told = message.replace(waited(ms), `within the ${timeoutMs} ms of Timeout (ms)`);
  return new AwsError({ ...error.details, message: told });
}

/** STS said that all was well, and gave no session. */
export function incompleteAnswer(): AwsError {
  const message = "STS answered without credentials.";
  return new AwsError({ service: "sts", kind: "service", code: "IncompleteAnswer", message });
}

/** Nobody to sign as. */
export function noIdentity(service: Service): AwsError {
  const message =
    "There is no AWS identity to sign with: no keys in the settings, and none that the router itself has.";
  return new AwsError({ service, kind: "identity", code: "NoIdentity", message });
}
