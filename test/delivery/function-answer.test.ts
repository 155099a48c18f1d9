import fc from "fast-check";
import { readBatchAnswer, readFunctionError, readReturnValue } from "../../src/delivery/function-answer";

const batch = ["m-1", "m-2", "m-3"];
const failures = (...ids: unknown[]) =>
  JSON.stringify({ batchItemFailures: ids.map((itemIdentifier) => ({ itemIdentifier })) });
const read = (payload: string) => {
  const answer = readBatchAnswer(payload, batch);
  return "unreadable" in answer ? batch : batch.filter((_, position) => answer.failed.has(position));
};

describe("partial failure of a batch", () => {
  test.each([
    ["one", failures("m-2"), ["m-2"]],
    ["several, in any order", failures("m-3", "m-1"), ["m-1", "m-3"]],
    ["one twice", failures("m-2", "m-2"), ["m-2"]],
    ["none", failures(), []],
    ["with other keys beside it", '{"ok":2,"batchItemFailures":[{"itemIdentifier":"m-2","why":"x"}]}', ["m-2"]],
  ])("%s", (_what, payload, failed) => {
    expect(read(payload)).toEqual(failed);
  });

  test.each([
    ["an unknown event", failures("m-4")],
    ["a known and an unknown event", failures("m-1", "m-4")],
    ["an empty ID", failures("")],
    ["no ID", failures(null)],
    ["an ID of another type", failures(1)],
    ["items of another shape", '{"batchItemFailures":["m-1"]}'],
    ["nothing as an item", '{"batchItemFailures":[null]}'],
    ["another key", '{"batchItemFailures":[{"messageId":"m-1"}]}'],
    ["no list", '{"batchItemFailures":"m-1"}'],
    ["a map", '{"batchItemFailures":{"m-1":true}}'],
    ["a yes", '{"batchItemFailures":true}'],
    ["half of it missing", '{"batchItemFailures":['],
    ["no JSON around it", "{not JSON}"],
    ["nothing but words: what a custom runtime may answer", "OK"],
    ["the page of something in between", "<html>Bad gateway</html>"],
  ])("a report with %s fails the whole batch", (_what, payload) => {
    expect(read(payload)).toEqual(batch);
  });

  test.each([
    "",
    "null",
    '"ok"',
    "[]",
    "{}",
    '{"batchItemFailures":null}',
    '"the text \\"batchItemFailures\\" in a text"',
    '{"body":"{\\"batchItemFailures\\":[{\\"itemIdentifier\\":\\"m-1\\"}]}"}',
    '[{"batchItemFailures":[{"itemIdentifier":"m-1"}]}]',
  ])("%s reports none", (payload) => {
    expect(read(payload)).toEqual([]);
  });

  test("whatever a function returns, only the batch's own events fail", () => {
    const report = fc.jsonValue().map((batchItemFailures) => JSON.stringify({ batchItemFailures }));
    fc.assert(
      fc.property(fc.oneof(fc.string(), fc.json(), report), (payload) => {
        expect(batch).toEqual(expect.arrayContaining(read(payload)));
      }),
    );
  });
});

test("events of one message ID are each told their own result", () => {
  const answer = readBatchAnswer(failures("m-1"), ["m-1", "m-2", "m-1"]);
  expect(answer).toEqual({ failed: new Set([0, 2]) });
});

test("what cannot be read is told, with what to answer", () => {
  expect(readBatchAnswer("OK", batch)).toEqual({ unreadable: expect.stringContaining("nothing, null or JSON") });
});

describe("a function's error", () => {
  test("is read whatever its body is", () => {
    fc.assert(
      fc.property(
        fc.oneof(
          fc.string(),
          fc.json(),
          fc
            .record(
              {
                errorType: fc.jsonValue(),
                errorMessage: fc.jsonValue(),
                trace: fc.jsonValue(),
                stackTrace: fc.array(fc.jsonValue()),
              },
              { requiredKeys: [] },
            )
            .map((said) => JSON.stringify(said)),
        ),
        (payload) => {
          const { kind, errorType = "", errorMessage = "", trace = [] } = readFunctionError("Unhandled", payload);
          for (const said of [kind, errorType, errorMessage, ...trace]) expect(typeof said).toBe("string");
        },
      ),
    );
  });

  test("without a known shape is shown as it came, shortened", () => {
    expect(readFunctionError("Unhandled", "x".repeat(5000))).toEqual({
      kind: "Unhandled",
      errorMessage: "x".repeat(1000),
    });
  });

  test("with a trace of anything but texts is still readable", () => {
    expect(readFunctionError("Handled", '{"errorType":"E","trace":["a",{"toString":1},null]}')).toEqual({
      kind: "Handled",
      errorType: "E",
      trace: ["a", "…", "null"],
    });
  });
});

test("what a function says of its error is cut to what a person reads, part by part", () => {
  const long = "x".repeat(5000);
  const nested = Array.from({ length: 50 }, (_, i) => i);
  const said = { errorType: long, errorMessage: long, trace: [long, nested, ...Array(50).fill("line")] };
  expect(readFunctionError("Unhandled", JSON.stringify(said))).toEqual({
    kind: "Unhandled",
    errorType: "x".repeat(1000),
    errorMessage: "x".repeat(1000),
    trace: ["x".repeat(300), "0, 1, 2, 3, 4, 5, 6, 7, 8, 9", ...Array(18).fill("line")],
  });
});

test("what a function returned is told whole up to 4 KB, and beyond them cut and marked", () => {
  const whole = "x".repeat(4096);
  expect(readReturnValue(whole)).toBe(whole);
  const cut = readReturnValue(`${whole}y`);
  expect(cut).toMatch(/^x+… \(cut, 4097 bytes in all\)$/);
  expect(Buffer.byteLength(cut)).toBe(4096);
});
