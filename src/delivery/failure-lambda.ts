import type { AwsErrorDetails } from "../aws/aws-error";
import type { Deadline } from "../aws/deadline";
import type { Invocation } from "../aws/invoker";
import { classifyAwsFailure } from "./classify";
import type { DeliveryError, DeliveryResult } from "./delivery-result";
import { failureRecord, type Rejected } from "./failure-record";
import { FAILURES, hintFor } from "./failures";

/** An event that is rejected, and as whom that is recorded. */
interface Given extends Pick<Rejected, "json"> {
  /** Absent where no role is assumed. */
  readonly externalId?: string | undefined;
}

export interface FailureLambdaPorts {
  /** As it stands in the settings. */
  readonly function: string;
  /** Queues a record for it. Never throws. */
  queue(record: string, externalId: string | undefined, deadline: Deadline): Promise<Invocation>;
  /** ARN of a function, by how it stands in the settings. */
  arnOf(configured: string | undefined): string | undefined;
  /** Milliseconds since 1970. */
  now(): number;
}

/**
 * Where the events of one user's settings go that are given up. An event is rejected only once Lambda has taken the record
 * of that; else it is a retry, so that nothing is lost.
 */
export class FailureLambda {
  readonly #ports: FailureLambdaPorts;

  constructor(ports: FailureLambdaPorts) {
    this.#ports = ports;
  }

  /** @returns the results, those of rejected events as they are once they are recorded or not */
  async recordAll(
    results: readonly DeliveryResult[],
    deliveries: readonly Given[],
    deadline: Deadline,
  ): Promise<readonly DeliveryResult[]> {
    // Stryker disable next-line all: it spares a promise per delivery, and changes nothing
    if (results.every(({ outcome }) => outcome !== "rejected")) return results;
    return Promise.all(results.map((result, i) => this.record(result, deliveries[i] ?? {}, deadline.beside())));
  }

  async record(result: DeliveryResult, { json, externalId }: Given, deadline: Deadline): Promise<DeliveryResult> {
    const { function: name, queue, arnOf, now } = this.#ports;
    // What this function itself rejects as an event's own is not sent to it once more.
    if (result.outcome !== "rejected" || result.function === name) return result;
    const functionArn = arnOf(result.function);
    const invocation = await queue(failureRecord({ result, json, functionArn }, now()), externalId, deadline);
    return "error" in invocation ? notRecorded(result, name, invocation.error.details) : result;
  }
}

/** The event was rejected, and nobody has taken that down: it is kept. */
function notRecorded(result: DeliveryResult, name: string, details: AwsErrorDetails): DeliveryResult {
  const classified = classifyAwsFailure(details);
  const code = FAILURES[classified].outcome === "retry" ? classified : "Unknown";
  const { label, status } = FAILURES[code];
  const { error: rejection, ...facts } = result;
  const { retryAfterMs } = details;
  return {
    ...facts,
    outcome: "retry",
    status,
    error: {
      code,
      label,
      message: `The event was rejected, and Failure Lambda ${name} did not take the record of that: ${details.message} (Why it was rejected: ${(rejection as DeliveryError).message})`,
      awsError: details.code,
      hint: hintFor(code, details),
    },
    ...(retryAfterMs !== undefined && { retryAfterMs: Math.ceil(retryAfterMs) }),
  };
}
