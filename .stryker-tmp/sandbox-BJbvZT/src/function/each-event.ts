// @ts-nocheck
import { givesUp } from "./errors";
import type { SegmentEvent } from "./segment-events";

/** What is used of Lambda's context; `Context` of `@types/aws-lambda` is one. */
export interface LambdaContext {
  readonly awsRequestId: string;
  getRemainingTimeInMillis(): number;
}

/** Which events of a batch failed, in the form that AWS uses elsewhere: the router sends these again, the rest are done. */
export interface BatchResponse {
  readonly batchItemFailures: readonly { readonly itemIdentifier: string }[];
}

export interface EachEventOptions {
  /** Milliseconds before the function's timeout at which no further event of a batch is begun; 500 by default. */
  readonly reserveMs?: number;
}

/**
 * Makes a handler for one event the handler of a Lambda function that gets one event or, with Max Batch Size above 1, an
 * array of them.
 *
 * ```ts
 * export const handler = eachEvent(async (event) => {
 *   if (event.type === "track") await store(event);
 * });
 * ```
 *
 * A single event's return value and error are the function's own. The events of a batch are handled in their order, one
 * after the other: one that fails is logged and reported, so that it alone comes back, as do those for which there is no
 * time left; one that is given up (`DropEvent`) is logged and done.
 */
export function eachEvent<Context extends LambdaContext = LambdaContext>(
  handle: (event: SegmentEvent, context: Context) => unknown,
  { reserveMs = 500 }: EachEventOptions = {},
): (input: SegmentEvent | readonly SegmentEvent[], context: Context) => Promise<unknown> {
  return async (input, context) => {
    if (!isBatch(input)) return handle(input, context);
    const failed: SegmentEvent[] = [];
    for (const [position, event] of input.entries()) {
      if (position > 0 && context.getRemainingTimeInMillis() < reserveMs) {
        const rest = input.slice(position);
        console.error(`No time is left for ${rest.length} of ${input.length} events: they come back.`);
        failed.push(...rest);
        break;
      }
      try {
        await handle(event, context);
      } catch (error) {
        if (givesUp(error)) console.warn(`${event.messageId} is dropped: ${error.message}`);
        else {
          console.error(`${event.messageId} comes back:`, error);
          failed.push(event);
        }
      }
    }
    const batchItemFailures = failed.map(({ messageId }) => ({ itemIdentifier: messageId }));
    return { batchItemFailures } satisfies BatchResponse;
  };
}

function isBatch(input: SegmentEvent | readonly SegmentEvent[]): input is readonly SegmentEvent[] {
  return Array.isArray(input);
}
