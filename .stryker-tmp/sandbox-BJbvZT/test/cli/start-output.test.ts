// @ts-nocheck
import { jsonOutput, readableOutput } from "../../src/cli/start-output";
import type { DeliveryResult } from "../../src/delivery/delivery-result";
import type { Try } from "../../src/local/local-host";
import { bufferedIo } from "./buffered-io";

const HOSTILE = "\u001b[2J\u009b31m\rforged\n\u202e";
const result: DeliveryResult = {
  outcome: "retry",
  status: 500,
  messageId: `m-1${HOSTILE}`,
  callType: "track",
  function: "arn:aws:lambda:us-east-1:123456789012:function:orders:live",
  durationMs: 7,
  attempts: 1,
  logTail: `2026\tr-1\tINFO\tlogged${HOSTILE}`,
  error: {
    code: "ExecutionError",
    label: "Execution Error",
    message: `failed${HOSTILE}`,
    functionError: {
      kind: "Unhandled",
      errorType: "Error",
      errorMessage: HOSTILE,
      trace: [`at handler (file:///${HOSTILE}orders.mjs:1:1)`],
    },
    hint: `Read its log.${HOSTILE}`,
  },
};
const attempt: Try = {
  event: { type: "track", event: `Order Completed${HOSTILE}` },
  source: { id: "website", settings: {} },
  retries: 0,
  result,
  next: "dead letter",
};

test("nothing of an event or a function steers the terminal or forges a line", () => {
  const io = bufferedIo();

  readableOutput(io).tried(attempt);

  const out = io.out();
  expect(out).not.toMatch(/[^\P{Cc}\t\n]|\u202e/u);
  expect(out).not.toMatch(/^forged/m);
  expect(out).toMatch(/Order Completed forged .* → orders:live {2}7 ms {2}m-1 *forged/);
  expect(out).toMatch(/at handler \(file:\/\/\/ *forged *.*orders\.mjs/);
});

test("nor does a result as JSON, which holds it all", () => {
  const io = bufferedIo();

  jsonOutput(io).tried(attempt);

  expect(io.out()).not.toMatch(/[^\P{Cc}\n]|\u202e/u);
  expect(JSON.parse(io.out())).toEqual(result);
});
