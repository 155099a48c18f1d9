import type { DeliveryResult } from "../../delivery/delivery-result";
import type { Accepted, Outcome } from "./behind";
import { KEPT_NOWHERE, type Router } from "./routers";

/** An event that an earlier try of the same request delivered. */
export interface Repeated {
  readonly outcome: "repeated";
  readonly messageId: string;
}

export type EventOutcome = Outcome | Repeated;

export interface Answer {
  readonly status: number;
  readonly retryAfterSeconds?: number;
  readonly body: object;
}

/** Seconds that a sender is told to wait where AWS says nothing, and at most. */
const USUAL_WAIT = 5;
const LONGEST_WAIT = 300;

/**
 * What the sender is answered: one status for all events of a request, by its row of the table.
 *
 * @param kept whether everything that was rejected is kept here
 * @param detailed whether the sender may read why: it has a secret, or is anybody with a page's write key
 */
export function answerFor(
  outcomes: readonly EventOutcome[],
  router: Router,
  { kept, detailed }: { readonly kept: boolean; readonly detailed: boolean },
): Answer {
  const failures = outcomes.filter(isFailure);
  const retried = failures.filter(({ outcome }) => outcome === "retry");
  const readsResults = router.retryStatus === 200;
  const counts = countsOf(outcomes);
  if (failures.length === 0)
    return { status: 200, body: { success: true, ...counts, ...(readsResults && { results: outcomes.map(detail) }) } };
  const [worst = failures[0]] = retried;
  const seconds = Math.max(...retried.map(({ retryAfterMs }) => Math.ceil((retryAfterMs ?? USUAL_WAIT * 1000) / 1000)));
  const rejectedStatus = !kept && !readsResults ? KEPT_NOWHERE : router.rejectedStatus;
  const status =
    retried.length > 0 ? router.retryStatus : rejectedStatus === 400 && tooLarge(failures) ? 413 : rejectedStatus;
  return {
    status,
    ...(retried.length > 0 && { retryAfterSeconds: Math.min(Math.max(seconds, 1), LONGEST_WAIT) }),
    body: {
      success: false,
      code: worst?.error?.code ?? "Unknown",
      message: summary(worst, retried.length, failures.length - retried.length, outcomes.length, detailed),
      ...counts,
      results: outcomes.map(detailed ? detail : ({ messageId, outcome }) => ({ messageId, outcome })),
    },
  };
}

function tooLarge(failures: readonly Failure[]): boolean {
  return failures.every(({ error }) => error?.code === "PayloadTooLarge");
}

export type Failure = Exclude<Outcome, Accepted>;

export function isFailure(outcome: EventOutcome): outcome is Failure {
  return outcome.outcome === "retry" || outcome.outcome === "rejected";
}

function countsOf(outcomes: readonly EventOutcome[]): Record<string, number> {
  const counts: Record<string, number> = {};
  for (const { outcome } of outcomes) counts[outcome] = (counts[outcome] ?? 0) + 1;
  return counts;
}

function summary(
  worst: Failure | undefined,
  retried: number,
  rejected: number,
  all: number,
  detailed: boolean,
): string {
  const parts = [
    ...(retried > 0 ? [`${retried} of ${all} must be sent again`] : []),
    ...(rejected > 0 ? [`${rejected} of ${all} cannot be delivered`] : []),
  ];
  const why = detailed && worst?.error ? `: ${worst.error.label}. ${worst.error.message}` : "";
  return `${parts.join(", ")}${why}`;
}

function detail(outcome: EventOutcome): object {
  const { messageId, outcome: name } = outcome;
  const { executionArn, returnValue } = outcome as Partial<DeliveryResult>;
  const known = {
    messageId,
    outcome: name,
    ...(executionArn !== undefined && { executionArn }),
    ...(returnValue !== undefined && { returnValue }),
  };
  if (!isFailure(outcome)) return known;
  const { status, error, retryAfterMs } = outcome;
  return {
    ...known,
    status,
    ...(error && { code: error.code, label: error.label, message: error.message, hint: error.hint }),
    ...(retryAfterMs !== undefined && { retryAfterMs }),
  };
}
