import type { DeliveryResult } from "../../../src/delivery/delivery-result";
import type { CallRecord, InvocationRecord } from "../../../src/local/aws/records";
import type { Source } from "../../../src/local/local-host";
import { Journal } from "../../../src/local/page-server/journal";

const source: Source = { id: "my-source-id", settings: {} };
const ARN = "arn:aws:lambda:us-east-1:123456789012:function:router-events";

function result(more: Partial<DeliveryResult> = {}): DeliveryResult {
  return { outcome: "delivered", status: 200, messageId: "m-1", durationMs: 5, attempts: 1, function: ARN, ...more };
}

function run(payload: unknown, more: Partial<InvocationRecord> = {}): InvocationRecord {
  return {
    requestId: "r-1",
    function: "router-events",
    arn: ARN,
    version: "$LATEST",
    payload,
    clientContext: undefined,
    principalArn: "arn:aws:sts::123456789012:assumed-role/r/s",
    invocationType: "RequestResponse",
    attempt: 1,
    at: 1000,
    durationMs: 3,
    logTail: "",
    ...more,
  } as InvocationRecord;
}

function journalAt(now: number, limits?: { entries: number; bytes: number }): Journal {
  return new Journal({ now: () => now, ...(limits && { limits }) });
}

test("what was sent, logged and answered belongs to the event that it was sent for", () => {
  const journal = journalAt(1000);
  const event = { type: "track", event: "Signed Up", messageId: "m-1", writeKey: "k" };
  const id = journal.took(event, source);
  journal.took({ type: "track", messageId: "m-2" }, source);

  journal.ran(run({ type: "track", messageId: "m-1" }), { log: "START\nEND\n", answer: '{"ok":1}' });
  journal.tried({ event, source, retries: 0, result: result(), next: "done" });

  expect(journal.detail(id)).toMatchObject({
    state: "delivered",
    event,
    sent: { type: "track", messageId: "m-1" },
    function: "router-events",
    runs: [{ log: "START\nEND\n", answer: '{"ok":1}', failed: false }],
    trail: [{ outcome: "delivered", durationMs: 5 }],
  });
  expect(journal.summaries()[1]).toMatchObject({ state: "under way", tries: 0 });
});

test("an event without an ID is found by the one that is derived from its content", () => {
  const journal = journalAt(1000);
  const event = { type: "identify", userId: "u-1" };
  const id = journal.took(event, source);
  const { messageId } = journal.summaries()[0] ?? {};
  expect(messageId).toBeUndefined();

  const derived = new Map<string, string>();
  journal.listen((entry) => derived.set("last", entry?.messageId ?? ""));
  journal.tried({ event, source, retries: 0, result: result({ messageId: "derived" }), next: "retry" });
  journal.ran(run({ type: "identify", messageId: "derived" }), { log: "", answer: "null" });

  expect(derived.get("last")).toBe("derived");
  expect(journal.detail(id)?.runs).toHaveLength(1);
});

test("of a batch, each event is shown what of it was sent", () => {
  const journal = journalAt(1000);
  const ids = ["m-1", "m-2"].map((messageId) => journal.took({ type: "track", messageId }, source));

  journal.ran(
    run([
      { messageId: "m-1", n: 1 },
      { messageId: "m-2", n: 2 },
    ]),
    { log: "", answer: "null" },
  );

  expect(ids.map((id) => journal.detail(id)?.sent)).toEqual([
    { messageId: "m-1", n: 1 },
    { messageId: "m-2", n: 2 },
  ]);
  expect(journal.detail(ids[0] ?? 0)?.runs[0]?.batchSize).toBe(2);
});

test("what AWS refused to run was sent all the same", () => {
  const journal = journalAt(1000);
  const id = journal.took({ type: "track", messageId: "m-1" }, source);

  const call = { service: "lambda", action: "Invoke", status: 403, at: 1001 } as CallRecord;
  journal.called(call, '{"messageId":"m-1","type":"track"}');

  expect(journal.detail(id)).toMatchObject({ sent: { messageId: "m-1" }, runs: [] });
});

test("an invocation by somebody else is a line of its own, its retries by AWS in it", () => {
  const journal = journalAt(1000);

  journal.ran(run({ hello: 1 }, { invocationType: "Event", error: { errorType: "Error", errorMessage: "no" } }), {
    log: "",
    answer: "{}",
  });
  journal.ran(run({ hello: 1 }, { invocationType: "Event", attempt: 2 }), { log: "", answer: "null" });

  expect(journal.summaries()).toMatchObject([{ kind: "invocation", state: "invoked", tries: 2 }]);
  expect(journal.detail(1)?.runs).toHaveLength(2);
});

test("an event that the router lost is given up", () => {
  const journal = journalAt(1000);
  const event = { type: "track", messageId: "m-1" };
  journal.took(event, source);

  journal.tried({ event, source, retries: 3, result: result({ outcome: "retry", status: 500 }), next: "dead letter" });

  expect(journal.summaries()).toMatchObject([{ state: "given up" }]);
});

test("forgets the oldest beyond so many lines, and beyond so many bytes", () => {
  const few = journalAt(1000, { entries: 3, bytes: 1e9 });
  const small = journalAt(1000, { entries: 100, bytes: 1000 });
  for (let i = 1; i <= 5; i++) {
    few.took({ type: "track", messageId: `m-${i}` }, source);
    small.took({ type: "track", messageId: `m-${i}`, text: "x".repeat(400) }, source);
  }

  expect(few.summaries().map(({ id }) => id)).toEqual([3, 4, 5]);
  expect(small.summaries().map(({ id }) => id)).toEqual([4, 5]);
});

test.each([null, 7, "text", ["list"], { type: 3, event: {}, userId: [] }])("takes %j for an event", (event) => {
  const journal = journalAt(1000);
  const id = journal.took(event, source);
  journal.tried({ event, source, retries: 0, result: result({ outcome: "rejected", messageId: "" }), next: "done" });

  expect(journal.detail(id)).toMatchObject({ state: "rejected", event });
});
