import { failed, skipped } from "../../../src/delivery/result";
import { createDestinationIn } from "../../../src/destination/create-destination";
import type { JsonObject } from "../../../src/events/segment-event";
import { createNetworkHandler } from "../../../src/hosts/rudderstack/delivery";
import { MadeByConfig } from "../../../src/hosts/rudderstack/destinations";
import { processRouterDest } from "../../../src/hosts/rudderstack/transform";
import { assessedResult } from "../../assess";
import { ANSWER, FakeAws } from "../../aws/fake-aws";
import { routerOn } from "../../router";
import { DELIVERY_TAGS } from "./delivery-tags";

const ARN = "arn:aws:lambda:us-east-1:123456789012:function:router-events";
const Config = { lambda: ARN, roleAddress: "arn:aws:iam::123456789012:role/router-events-invoker", maxBatchSize: 10 };
const ORDER = { type: "track", event: "Order Completed", userId: "u-1", messageId: "m-1" };
const job = (jobId: number) => ({
  jobId,
  userId: `u-${jobId}`,
  sourceId: "my-source-id",
  workspaceId: "workspace-1",
  destinationId: "destination-1",
});

let aws: FakeAws;
let config: JsonObject;

beforeEach(() => {
  aws = new FakeAws();
  config = Config;
});

function handler() {
  return createNetworkHandler(new MadeByConfig((settings) => createDestinationIn(routerOn(aws), settings)));
}

/** What the server hands to the delivery for events with jobs of their own. */
function requestFor(events: readonly object[]) {
  const [answer, ...others] = processRouterDest(
    events.map((message, i) => ({ message, metadata: job(i + 1), destination: { ID: "d", Config: config } })),
  );
  expect(others).toEqual([]);
  return { body: answer?.batchedRequest?.body, metadata: answer?.metadata, destinationConfig: config } as const;
}

/** As the host's delivery service goes about it. */
async function deliver(request: unknown) {
  const { proxy, processAxiosResponse, responseHandler } = handler();
  const { metadata } = (request ?? {}) as { metadata?: unknown };
  const destinationResponse = processAxiosResponse(await proxy(request));
  for (const result of destinationResponse) assessedResult(result);
  return responseHandler({ destinationResponse, rudderJobMetadata: metadata });
}

test("what is delivered is a success with each job's own metadata", async () => {
  const answer = await deliver(requestFor([ORDER, { ...ORDER, messageId: "m-2", userId: "u-2" }]));
  expect(answer).toEqual({
    status: 200,
    message: "Delivered 2 event(s) to AWS Lambda.",
    response: [1, 2].map((jobId) => ({
      statusCode: 200,
      metadata: job(jobId),
      error: expect.stringContaining(`"messageId":"m-${jobId}"`),
    })),
  });
  expect(aws.invoked).toHaveLength(1);
});

test("a failure is told in words, with the tags by which the host counts it", async () => {
  aws.onInvoke = async () => ({
    ...ANSWER,
    functionError: "Unhandled",
    payload: JSON.stringify({ errorType: "TypeError", errorMessage: "x is not a function" }),
  });
  const answer = await deliver(requestFor([ORDER]));
  expect(answer).toMatchObject({
    status: 500,
    message: expect.stringMatching(/^Execution Error: .*x is not a function/),
    statTags: {
      errorCategory: "network",
      errorType: "retryable",
      ...DELIVERY_TAGS,
    },
    response: [{ statusCode: 500, metadata: job(1) }],
  });
});

test("a failure among successes is the answer's, and the jobs that were delivered are not repeated", async () => {
  aws.onInvoke = async () => ({
    ...ANSWER,
    payload: JSON.stringify({ batchItemFailures: [{ itemIdentifier: "m-2" }] }),
  });
  const { status, message, response } = await deliver(
    requestFor([ORDER, { ...ORDER, messageId: "m-2", userId: "u-2" }]),
  );
  expect([status, ...response.map(({ statusCode }) => statusCode)]).toEqual([500, 200, 500]);
  expect(message).toMatch(/^Execution Error/);
});

test("an event that was rejected before it was queued is recorded, and says why", async () => {
  config = { ...Config, failureLambda: "failures" };
  const { status, message } = await deliver(requestFor([{ ...ORDER, type: "purchase" }]));
  expect(status).toBe(400);
  expect(message).toMatch(/^Invalid Event/);
  expect(JSON.parse(aws.invoked[0]?.request.payload ?? "")).toMatchObject({
    requestPayload: { ...ORDER, type: "purchase" },
    responsePayload: { errorType: "InvalidEvent" },
  });
});

test("an event that settings name no function for any more is skipped", async () => {
  const request = requestFor([ORDER]);
  const { lambda: _, ...others } = Config;
  const answer = await deliver({
    ...request,
    destinationConfig: { ...others, region: "us-east-1", pageLambda: "pages" },
  });
  expect(answer).toMatchObject({ status: 298, response: [{ statusCode: 298, metadata: job(1) }] });
  expect(answer).not.toHaveProperty("statTags");
  expect(aws.invoked).toEqual([]);
});

describe("a request that the transformation did not make is kept for a retry, all jobs of it", () => {
  const good = () => requestFor([ORDER]);
  test.each<[string, () => unknown, RegExp, number]>([
    ["is nothing", () => undefined, /It has no deliveries in body\.JSON\./, 1],
    ["is a text", () => "request", /It has no deliveries in body\.JSON\./, 1],
    ["has no body", () => ({ ...good(), body: undefined }), /It has no deliveries in body\.JSON\./, 1],
    ["has a body that is a text", () => ({ ...good(), body: { JSON: "{}" } }), /It has no deliveries/, 1],
    [
      "has more jobs than deliveries",
      () => ({ ...good(), metadata: [job(1), job(2)] }),
      /It has 1 deliveries in body\.JSON for 2 jobs in metadata\./,
      2,
    ],
    [
      "has no configuration",
      () => ({ ...good(), destinationConfig: undefined }),
      /destinationConfig is missing or is no object\./,
      1,
    ],
  ])("where it %s", async (_what, request, message, jobs) => {
    const answer = await deliver(request());
    expect(answer.message).toMatch(message);
    expect(answer.message).toMatch(
      /^Unknown error: The request for delivery is not what .*install it in every transformer\.$/,
    );
    expect(answer.response.map(({ statusCode }) => statusCode)).toEqual(Array(jobs).fill(500));
    expect(aws.invoked).toEqual([]);
  });

  test("but a delivery that is none of ours keeps no other of the request", async () => {
    const { body, ...request } = requestFor([ORDER, { ...ORDER, messageId: "m-2", userId: "u-2" }]);
    const [, second] = body?.JSON.deliveries ?? [];
    const { response } = await deliver({ ...request, body: { JSON: { deliveries: [{ json: 1 }, second] } } });
    expect(response.map(({ statusCode }) => statusCode)).toEqual([500, 200]);
    expect(response[0]?.error).toContain("One of the deliveries in body.JSON is none of this destination's.");
  });

  test("and one job that is not in a list is one", async () => {
    const { metadata, ...request } = good();
    const answer = await deliver({ ...request, metadata: metadata?.[0] });
    expect(answer).toMatchObject({ status: 200, response: [{ statusCode: 200, metadata: job(1) }] });
  });

  test("and a mistake of our own is a retry, which the host would else abort", async () => {
    for (const thrown of [new Error("our own mistake"), "our own mistake"]) {
      const { proxy, responseHandler } = createNetworkHandler({
        for() {
          throw thrown;
        },
      });
      const { metadata, ...request } = good();
      const destinationResponse = await proxy({ ...request, metadata });
      const { status, message } = responseHandler({ destinationResponse, rudderJobMetadata: metadata });
      expect(status).toBe(500);
      expect(message).toContain("our own mistake");
    }
  });
});

describe("of results", () => {
  const facts = { messageId: "m-1", durationMs: 0, attempts: 1 };

  test("no job at all is a retry", () => {
    const answer = handler().responseHandler({ destinationResponse: [], rudderJobMetadata: [] });
    expect(answer).toMatchObject({ status: 500, response: [] });
  });

  test("a job that is to go alone from now on is marked for the server, and no other", () => {
    const destinationResponse = [
      failed("ExecutionError", "No.", { ...facts, alone: true }),
      failed("ExecutionError", "No.", facts),
    ];
    const { response } = handler().responseHandler({ destinationResponse, rudderJobMetadata: [job(1), job(2)] });
    expect(response.map(({ metadata }) => metadata)).toEqual([{ ...job(1), dontBatch: true }, job(2)]);
  });

  test("jobs without metadata are answered, too", () => {
    const destinationResponse = [failed("ExecutionError", "No.", facts), skipped(facts)];
    const answer = handler().responseHandler({ destinationResponse, rudderJobMetadata: undefined });
    expect(answer.statTags).toMatchObject({ destinationId: "unknown", workspaceId: "unknown" });
    expect(answer.response.map(({ metadata }) => metadata)).toEqual([{}, {}]);
  });
});
