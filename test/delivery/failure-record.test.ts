import { failureRecord } from "../../src/delivery/failure-record";
import { failed } from "../../src/delivery/result";

const NOW = Date.parse("2026-01-02T03:04:05Z");
const result = failed("RejectedByFunction", "Not wanted.", { messageId: "m-1", durationMs: 1, attempts: 0 });
/** Bytes that an `Event` invocation takes at most. */
const MOST = 1_048_576;

const recordOf = (json?: string) => failureRecord({ result, json }, NOW);
/** An event by which the record is so many bytes. */
const eventFor = (bytes: number) => JSON.stringify("x".repeat(bytes - recordOf('""').length));

test("a record is whole up to what Lambda takes, and beyond it holds the event's beginning, marked", () => {
  const whole = recordOf(eventFor(MOST));
  expect(Buffer.byteLength(whole)).toBe(MOST);
  expect(JSON.parse(whole).requestPayload).toMatch(/^x+$/);
  const event = eventFor(MOST + 1);
  expect(JSON.parse(recordOf(event)).requestPayload).toEqual({
    truncated: true,
    bytes: event.length,
    beginning: event.slice(0, 100_000),
  });
});

test("a record of no event at all says so", () => {
  expect(JSON.parse(recordOf()).requestPayload).toBeNull();
});

test("a record says nothing of what there was not", () => {
  const facts = { messageId: "m-1", durationMs: 1, attempts: 1 };
  const record = failureRecord({ result: failed("RejectedByFunction", "Not wanted.", facts), json: "{}" }, NOW);
  expect(JSON.parse(record)).toEqual({
    version: "1.0",
    timestamp: "2026-01-02T03:04:05.000Z",
    requestContext: { condition: "RetriesExhausted", approximateInvokeCount: 1 },
    requestPayload: {},
    responseContext: { statusCode: 200 },
    responsePayload: { errorType: "RejectedByFunction", errorMessage: "Not wanted." },
  });
});
