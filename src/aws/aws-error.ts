/** What is known of a failed call to AWS. */
export interface AwsErrorDetails {
  /** Which service was asked. */
  readonly service: "lambda" | "sts";
  /** `service`: AWS answered with an error, or code failed that should not. `network`: no answer. `timeout`: none in time. `identity`: nobody to sign as. `installation`: the AWS SDK is not there. */
  readonly kind: "service" | "network" | "timeout" | "identity" | "installation";
  /** AWS's error name (`AccessDeniedException`) or the system's (`ECONNREFUSED`). */
  readonly code: string;
  /** What AWS or the system said; secrets are taken out. */
  readonly message: string;
  /** HTTP status, where there was one. */
  readonly status?: number;
  readonly requestId?: string;
  /** Milliseconds, from `Retry-After`. */
  readonly retryAfterMs?: number;
}

/** A call to AWS that brought no answer to work with. Its message holds no secret. */
export class AwsError extends Error {
  override readonly name = "AwsError";
  readonly details: AwsErrorDetails;

  constructor(details: AwsErrorDetails) {
    const message = withoutSecrets(details.message);
    super(message);
    this.details = { ...details, message };
  }
}

/**
 * What AWS quotes in its messages and nobody may read: where a signature does not match, Lambda repeats the whole
 * canonical request, session token included.
 */
const SECRETS: readonly (readonly [RegExp, string])[] = [
  [/\s*The Canonical String for this request should have been[\s\S]*$/, ""],
  [/x-amz-security-token:[^\s'"]+/gi, "x-amz-security-token:(hidden)"],
  [/\b(?:AKIA|ASIA|AKID)[A-Z0-9]{8,}\b/g, "(access key ID)"],
];

/** @param message a text, but whoever answered may not be AWS */
function withoutSecrets(message: unknown): string {
  return SECRETS.reduce((text, [secret, instead]) => text.replace(secret, instead), String(message)).slice(0, 2000);
}
