import { AwsError, type AwsErrorDetails } from "./aws-error";
import type { Deadline } from "./deadline";
import { TransportError } from "./transport";

type Service = AwsErrorDetails["service"];

/** What a call's failure on the way is; what is none is thrown on as it is. */
export function transportFailure(service: Service, error: unknown, deadline: Deadline): unknown {
  if (!(error instanceof TransportError)) return error;
  const { kind, code, message } = error;
  if (kind !== "timeout") return new AwsError({ service, kind: "network", code, message, unsent: kind === "unsent" });
  return message ? new AwsError({ service, kind, code, message }) : deadline.error(service);
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
