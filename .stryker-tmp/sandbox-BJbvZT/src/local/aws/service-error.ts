// @ts-nocheck
export type Service = "sts" | "lambda";

/** An error that AWS answers with. Each service puts it on the wire in its own form. */
export class ServiceError extends Error {
  override readonly name = "ServiceError";
  readonly code: string;
  /** HTTP status. */
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  /** Lambda's `Reason` of a `TooManyRequestsException`. */
  readonly reason: string | undefined;

  constructor(
    code: string,
    status: number,
    message: string,
    more: { headers?: Readonly<Record<string, string>>; reason?: string } = {},
  ) {
    super(message);
    this.code = code;
    this.status = status;
    this.headers = more.headers ?? {};
    this.reason = more.reason;
  }
}

/** AWS's wording of parameters that break a constraint of the API's model, all of them in one message. */
export function validationError(code: string, problems: readonly string[]): ServiceError {
  const count = problems.length === 1 ? "1 validation error" : `${problems.length} validation errors`;
  return new ServiceError(code, 400, `${count} detected: ${problems.join("; ")}`);
}
