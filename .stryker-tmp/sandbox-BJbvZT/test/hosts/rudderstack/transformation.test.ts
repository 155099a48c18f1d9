// @ts-nocheck
import type { JsonObject } from "../../../src/events/segment-event";
import { processRouterDest } from "../../../src/hosts/rudderstack/transform";

const destination = {
  ID: "d",
  Config: { trackLambda: "f", region: "us-east-1", roleAddress: "arn:aws:iam::123456789012:role/r", maxBatchSize: 2 },
};

test.each<[string, unknown, number]>([
  ["nothing", undefined, 500],
  ["a text", "input", 500],
])("an input that is %s gets one answer that says so", (_name, inputs, statusCode) => {
  expect(processRouterDest(inputs)).toMatchObject([
    { statusCode, metadata: [], error: expect.stringContaining("no array") },
  ]);
});

test("an empty input gets no answer", () => {
  expect(processRouterDest([])).toEqual([]);
});

test.each<[string, unknown, number]>([
  ["nothing", null, 500],
  ["a text", "event", 500],
  ["no destination", { message: { type: "track" }, metadata: { jobId: 1 } }, 500],
  ["no message", { metadata: { jobId: 1, sourceId: "source" }, destination }, 400],
  ["no metadata", { message: { type: "track" }, destination }, 500],
])("an event that is %s does not keep its neighbours", (_name, input, statusCode) => {
  const good = { message: { type: "track" }, metadata: { jobId: 2, sourceId: "source" }, destination };

  const answers = processRouterDest([good, input, good]);

  expect(answers.map((answer) => [answer.statusCode, answer.metadata.length])).toEqual([
    [200, 2],
    [statusCode, (input as JsonObject | null)?.["metadata"] ? 1 : 0],
  ]);
});

test("answers hold the destination as it came, for the delivery", () => {
  const [answer] = processRouterDest([
    { message: { type: "track" }, metadata: { jobId: 1, sourceId: "source" }, destination },
  ]);

  expect(answer?.destination).toBe(destination);
});
