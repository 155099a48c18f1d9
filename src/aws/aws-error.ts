/** What is known of a failed call to AWS. */
export interface AwsErrorDetails {
  /** Which service was asked. */
  readonly service: "lambda" | "sts";
  /** `service`: AWS answered with an error, or code failed that should not. `network`: no answer. `timeout`: none in time. `identity`: nobody to sign as. `installation`: the AWS SDK is not there. `withheld`: AWS was not asked, because of what it answered before or of what is in flight. */
  readonly kind: "service" | "network" | "timeout" | "identity" | "installation" | "withheld";
  /** AWS's error name (`AccessDeniedException`) or the system's (`ECONNREFUSED`). */
  readonly code: string;
  /** What AWS or the system said; secrets are taken out. */
  readonly message: string;
  /** HTTP status, where there was one. */
  readonly status?: number;
  readonly requestId?: string;
  /** Lambda's `Reason` for throttling, e.g. `ReservedFunctionConcurrentInvocationLimitExceeded`. */
  readonly reason?: string;
  /** Milliseconds, from `Retry-After`. */
  readonly retryAfterMs?: number;
  /** The request certainly did not leave this machine. */
  readonly unsent?: boolean;
  /** The machine's clock was far off, and has been corrected by the answer's date: another signature may be accepted. */
  readonly clockWasOff?: boolean;
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

/** Where a signature does not match, Lambda repeats the whole canonical request from here on, session token included. */
const CANONICAL_REQUEST = "The Canonical String for this request should have been";

/**
 * What AWS, or whoever answers in its place, quotes in its messages and nobody may read: in headers, queries, forms, XML
 * and JSON, also in JSON that stands in JSON. Each pattern takes time in proportion to the text.
 */
const SECRETS: readonly (readonly [RegExp, string])[] = [
  [
    /((?:security|session)[-_ ]?token|secret[-_ ]?(?:access[-_ ]?)?key|signature)(["'\\]*\s*(?:[:=>]|%3d)[\s"'\\[]*)[^\s"'\\\],;&<>{}]+/gi,
    "$1$2(hidden)",
  ],
  [/\b(?:AKIA|ASIA|AKID)[A-Z0-9]{8,}\b/g, "(access key ID)"],
];

/** Characters of a message that are worth reading. */
const MAX_LENGTH = 2000;

/** @param message a text, but whoever answered may not be AWS */
function withoutSecrets(message: unknown): string {
  const whole = String(message);
  const quoted = whole.indexOf(CANONICAL_REQUEST);
  const told = quoted < 0 ? whole : whole.slice(0, quoted).trimEnd();
  // Cut with room to spare: what is hidden is longer than what takes its place.
  const some = told.slice(0, 10 * MAX_LENGTH);
  return SECRETS.reduce((text, [secret, instead]) => text.replace(secret, instead), some).slice(0, MAX_LENGTH);
}
