import type { DeliveryErrorCode, DeliveryResult } from "./delivery-result";
import { failed } from "./result";

/** Something that shared an invocation. */
interface Shared {
  /** Whose deliveries keep their order. */
  readonly user?: string | undefined;
}

/** Sends deliveries in one invocation; never throws. Nothing where there is no time left. */
export type SendTogether<Delivery> = (deliveries: readonly Delivery[]) => Promise<DeliveryResult[] | undefined>;

/** Failures of a whole invocation that may be the fault of one event in it. */
const MAY_BE_ONE_EVENTS_FAULT: readonly DeliveryErrorCode[] = ["ExecutionError", "RejectedByFunction", "InvalidEvent"];
/** So may these, but it would take too long to find out: each event is sent alone the next time. */
const BETTER_ALONE: readonly DeliveryErrorCode[] = ["OperationTimedOut"];

/**
 * The rule by which no event is rejected, or kept waiting for ever, for a neighbour's fault. Where a function throws for a
 * batch, the batch is sent again in halves until the event at fault is alone: it ends with the function's own error, its
 * neighbours are delivered. That takes at most 2⌈log₂ n⌉ further invocations for n events and ends early where both halves
 * fail alike (then it is the function) or where the time is over: what still shared a failed invocation then is a retry,
 * to be sent `alone`.
 *
 * A function that asks for a retry (`RetryError`), answers what nobody can read, or runs out of time is not asked again.
 *
 * @param results of the deliveries, which were sent in one invocation
 * @param send for the further ones
 */
export async function isolated<Delivery extends Shared>(
  deliveries: readonly Delivery[],
  results: readonly DeliveryResult[],
  send: SendTogether<Delivery>,
): Promise<readonly DeliveryResult[]> {
  const failure = deliveries.length > 1 ? failureOfAll(results) : undefined;
  if (!failure) return results;
  if (!isOneEventsFault(failure)) return BETTER_ALONE.includes(codeOf(failure)) ? results.map(aloneNextTime) : results;
  return new Search(send, 2 * Math.ceil(Math.log2(deliveries.length))).split(deliveries, results);
}

class Search<Delivery extends Shared> {
  readonly #send: SendTogether<Delivery>;
  #invocationsLeft: number;
  /** Two halves failed alike: it is the function. */
  #futile = false;

  constructor(send: SendTogether<Delivery>, invocations: number) {
    this.#send = send;
    this.#invocationsLeft = invocations;
  }

  /**
   * @param deliveries that cannot all be good; more than one
   * @param before what became of each when they were sent together
   */
  async split(deliveries: readonly Delivery[], before: readonly DeliveryResult[]): Promise<DeliveryResult[]> {
    const middle = Math.ceil(deliveries.length / 2);
    const first = new Half(deliveries.slice(0, middle), before.slice(0, middle));
    const second = new Half(deliveries.slice(middle), before.slice(middle));

    await this.#sendHalf(first);
    if (first.unsent) return [...first.results, ...second.givenUp()];
    if (!first.failure) {
      // The fault is in the second half, whose deliveries need not be tried together once more.
      if (second.deliveries.length > 1)
        return [...first.results, ...(await this.split(second.deliveries, before.slice(middle)))];
      await this.#sendHalf(second);
      return [...first.results, ...second.results];
    }
    if (sharesUser(first.deliveries, second.deliveries)) {
      // That user's order: the first half is done with before the second.
      const settled = await this.#settle(first);
      if (!this.#futile) await this.#sendHalf(second);
      if (!second.failure) return [...settled, ...second.results];
      this.#futile ||= isAlike(first.failure, second.failure);
      return [...settled, ...(this.#futile ? second.givenUp() : await this.#settle(second))];
    }
    await this.#sendHalf(second);
    this.#futile = second.failure !== undefined && isAlike(first.failure, second.failure);
    if (this.#futile) return [...first.givenUp(), ...second.givenUp()];
    const settled = await this.#settle(first);
    return [...settled, ...(await this.#settle(second))];
  }

  async #settle(half: Half<Delivery>): Promise<readonly DeliveryResult[]> {
    const { failure, deliveries, results } = half;
    if (!failure || deliveries.length < 2) return results;
    return isOneEventsFault(failure) ? this.split(deliveries, results) : half.givenUp();
  }

  async #sendHalf(half: Half<Delivery>): Promise<void> {
    const results = this.#invocationsLeft > 0 ? await this.#send(half.deliveries) : undefined;
    this.#invocationsLeft--;
    half.take(results);
  }
}

/** A part of a batch that failed. */
class Half<Delivery> {
  readonly deliveries: readonly Delivery[];
  /** Of the last invocation in which they were. */
  results: readonly DeliveryResult[];
  /** Not sent again, or not yet. */
  unsent = true;

  constructor(deliveries: readonly Delivery[], before: readonly DeliveryResult[]) {
    this.deliveries = deliveries;
    this.results = before.map(aloneNextTime);
  }

  /** The one failure of all, where they have one. */
  get failure(): DeliveryResult | undefined {
    return this.unsent ? undefined : failureOfAll(this.results);
  }

  take(results: readonly DeliveryResult[] | undefined): void {
    this.unsent = results === undefined;
    if (results) this.results = results.map((result, i) => added(this.results[i] as DeliveryResult, result));
  }

  /** One that was alone keeps its own result. */
  givenUp(): readonly DeliveryResult[] {
    return this.deliveries.length > 1 ? this.results.map(aloneNextTime) : this.results;
  }
}

/** The failure of an invocation as a whole: a function that names the events that failed has told them apart itself. */
function failureOfAll(results: readonly DeliveryResult[]): DeliveryResult | undefined {
  const [first] = results;
  return first?.error && results.every(({ error }) => error?.code === first.error?.code) ? first : undefined;
}

function codeOf({ error }: DeliveryResult): DeliveryErrorCode {
  return error?.code ?? "Unknown";
}

function isOneEventsFault({ error }: DeliveryResult): boolean {
  if (!error || !MAY_BE_ONE_EVENTS_FAULT.includes(error.code)) return false;
  if (error.code === "InvalidEvent") return true;
  return error.functionError !== undefined && !/(?:^|\W)RetryError>?$/.test(error.functionError.errorType ?? "");
}

function isAlike(a: DeliveryResult, b: DeliveryResult): boolean {
  const [one, other] = [a.error, b.error];
  return (
    one?.code === other?.code &&
    one?.functionError?.errorType === other?.functionError?.errorType &&
    one?.functionError?.errorMessage === other?.functionError?.errorMessage
  );
}

function sharesUser(a: readonly Shared[], b: readonly Shared[]): boolean {
  const users = new Set(a.map(({ user }) => user));
  return b.some(({ user }) => user !== undefined && users.has(user));
}

/** A result of the whole, told to one event of it: a retry, whatever the function said to all of them. */
function aloneNextTime(result: DeliveryResult): DeliveryResult {
  const { outcome, error } = result;
  if (!error || result.alone) return result;
  if (outcome === "retry") return { ...result, alone: true };
  const { status: _status, outcome: _outcome, error: _error, ...facts } = result;
  const { functionError, awsError } = error;
  return failed(
    "ExecutionError",
    `${error.message} It shared the invocation with other events, and it is not known whose fault that was: each is sent alone the next time.`,
    { ...facts, alone: true },
    { ...(functionError && { functionError }), ...(awsError !== undefined && { awsError }) },
  );
}

/** A later invocation's result, with what went before it. */
function added(before: DeliveryResult, result: DeliveryResult): DeliveryResult {
  return { ...result, attempts: before.attempts + result.attempts };
}
