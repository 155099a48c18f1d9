import type { DeliveryResult } from "../../../src/delivery/delivery-result";
import { CALL_TYPES, type JsonObject } from "../../../src/events/segment-event";
import { type EmbeddedAws, startEmbeddedAws } from "../../../src/local/aws/embedded-aws";
import { DELIVERY_TAGS } from "./delivery-tags";
import { type Job, RudderServer, type Verdict } from "./host/rudder-server";
import { startTransformer, type Transformer } from "./host/start-transformer";

const SOURCES = ["source-1", "source-2"];
const ROUTER = { accessKeyId: "AKIDEXAMPLEROUTER000", secretAccessKey: "fakeSecretAccessKeyForTheRouter0EXAMPLE0" };

// A real transformer takes its time to start.
jest.setTimeout(60_000);

let aws: EmbeddedAws;
let transformer: Transformer;
let server: RudderServer;
let roleAddress: string;
let lastJob = 0;

beforeAll(async () => {
  aws = await startEmbeddedAws();
  const { arn } = aws.addUser({ name: "router", ...ROUTER });
  roleAddress = aws.addRole({
    name: "amazon-lambda-destination",
    trustPolicy: {
      Version: "2012-10-17",
      Statement: [
        {
          Effect: "Allow",
          Principal: { AWS: arn },
          Action: "sts:AssumeRole",
          Condition: { StringEquals: { "sts:ExternalId": [...SOURCES, "workspace-1"] } },
        },
      ],
    },
    permissionPolicies: [
      { Version: "2012-10-17", Statement: [{ Effect: "Allow", Action: "lambda:InvokeFunction", Resource: "*" }] },
    ],
  }).arn;
  for (const name of [...CALL_TYPES, "all", "orders"]) aws.addFunction({ name, handler: async () => ({ ok: true }) });
  aws.addFunction({ name: "throws", handler: throwing("Error", "boom") });
  aws.addFunction({ name: "shouts", handler: throwing(`${"E".repeat(50_000)}!`, "no ".repeat(400_000)) });
  aws.addFunction({ name: "drops", handler: throwing("DropEvent", "not wanted") });
  aws.addFunction({
    name: "poisoned",
    handler: async (events) => {
      if (failuresIn(events).length > 0) throw Object.assign(new Error("not wanted"), { name: "DropEvent" });
    },
  });
  aws.addFunction({ name: "slow", handler: () => new Promise(() => {}), timeoutMs: 500 });
  aws.addFunction({ name: "partial", handler: async (events) => ({ batchItemFailures: failuresIn(events) }) });
  transformer = await startTransformer({
    AWS_ENDPOINT_URL: aws.url,
    AWS_ACCESS_KEY_ID: ROUTER.accessKeyId,
    AWS_SECRET_ACCESS_KEY: ROUTER.secretAccessKey,
  });
  server = new RudderServer(transformer.url);
});

afterAll(async () => {
  await transformer?.stop();
  await aws?.close();
});

beforeEach(() => {
  aws.behave();
  aws.clearRecords();
});

function throwing(name: string, message: string): () => Promise<never> {
  return async () => {
    throw Object.assign(new Error(message), { name });
  };
}

function failuresIn(events: unknown): { itemIdentifier: unknown }[] {
  return (events as { messageId: string; properties?: JsonObject }[])
    .filter(({ properties }) => properties?.["fail"])
    .map(({ messageId }) => ({ itemIdentifier: messageId }));
}

function settings(more: JsonObject = {}): JsonObject {
  return { lambda: "all", region: "us-east-1", roleAddress, ...more };
}

function message(more: JsonObject = {}): JsonObject {
  return {
    type: "track",
    event: "Order Completed",
    messageId: `message-${lastJob + 1}`,
    userId: "user-1",
    anonymousId: "anonymous-1",
    channel: "web",
    rudderId: "rudder-1",
    request_ip: "192.0.2.7",
    context: { traits: { email: "jane@example.com" }, library: { name: "test" } },
    properties: { zeta: 1, alpha: "<&>", big: 12345678901234567000, ratio: 0.1 },
    originalTimestamp: "2026-11-01T10:00:00.000Z",
    sentAt: "2026-11-01T10:00:01.000Z",
    receivedAt: "2026-11-01T10:00:02.000Z",
    timestamp: "2026-11-01T10:00:00.500Z",
    integrations: { All: true },
    ...more,
  };
}

function job(event: unknown, config: unknown = settings(), more: JsonObject = {}): Job {
  const jobId = ++lastJob;
  return {
    message: event,
    metadata: {
      jobId,
      userId: `user-of-${jobId}`,
      sourceId: "source-1",
      destinationId: "destination-1",
      workspaceId: "workspace-1",
      attemptNum: 0,
      secret: null,
      ...more,
    },
    destination: {
      ID: "destination-1",
      Name: "Amazon Lambda",
      Config: config,
      DestinationDefinition: { ID: "definition-1", Name: "AMAZON_LAMBDA", DisplayName: "Amazon Lambda", Config: {} },
      Enabled: true,
      WorkspaceID: "workspace-1",
      hasDynamicConfig: true,
    } as JsonObject,
  };
}

function jobs(count: number, config: unknown, more: (i: number) => JsonObject = () => ({})): Job[] {
  return Array.from({ length: count }, (_, i) => job(message(more(i)), config));
}

function resultOf(verdict: Verdict | undefined): DeliveryResult {
  return JSON.parse(verdict?.error ?? "") as DeliveryResult;
}

function idOf(each: Job | undefined): unknown {
  const { messageId } = (each?.message ?? {}) as JsonObject;
  return messageId;
}

/** What each invocation carried: the messageIds, and the function. */
function invoked(): [string, string[]][] {
  return aws.invocations.map(({ function: name, payload }) => {
    const events = [payload].flat() as { messageId: string }[];
    return [String(name).split(":").at(-1) ?? "", events.map(({ messageId }) => messageId)];
  });
}

test("the destination is in the list of what the router may transform", async () => {
  const { routerTransform } = (await server.features()) as { routerTransform: JsonObject };
  expect(routerTransform["AMAZON_LAMBDA"]).toBe(true);
});

describe("each call type", () => {
  const config = () =>
    settings({ lambda: "", ...Object.fromEntries(CALL_TYPES.map((type) => [`${type}Lambda`, type])) });

  test.each(CALL_TYPES)("%s arrives Segment-shaped in its own function", async (type) => {
    const [verdict] = await server.route([job(message({ type }), config())]);

    expect(verdict).toMatchObject({ state: "succeeded", statusCode: 200, metadata: { sourceId: "source-1" } });
    expect(resultOf(verdict)).toMatchObject({ outcome: "delivered", callType: type, function: type });
    const event = aws.invocations[0]?.payload as JsonObject;
    expect(event).toMatchObject({ type, projectId: "source-1", version: 2, context: { ip: "192.0.2.7" } });
    expect(event).not.toHaveProperty("rudderId");
    expect(Object.keys(event)[0]).toBe("type");
  });

  test.each(CALL_TYPES)("%s goes the same way where the processor transforms", async (type) => {
    const each = job(message({ type }), config());

    const [answer] = await server.transformAtProcessor([each]);
    const output = await server.deliver(answer?.["output"] as JsonObject, [each.metadata], each.destination);

    expect(answer).toMatchObject({ statusCode: 200, metadata: each.metadata });
    expect(output.response).toMatchObject([{ statusCode: 200, metadata: { jobId: each.metadata.jobId } }]);
    expect(invoked()).toEqual([[type, [idOf(each)]]]);
  });
});

test("an event survives the server's re-encoding: its content, and Segment's order of fields", async () => {
  const event = message();

  await server.route([job(event)]);

  const sent = aws.invocations[0]?.payload as JsonObject;
  expect(sent["properties"]).toEqual(event["properties"]);
  expect(Object.keys(sent).slice(0, 4)).toEqual(["type", "event", "userId", "anonymousId"]);
});

describe("events that are not sent", () => {
  test("a call type without a function is filtered", async () => {
    const config = settings({ lambda: undefined, trackLambda: "track" });
    const each = job(message({ type: "identify" }), config);

    const [verdict] = await server.route([each]);
    const [answer] = await server.transformAtProcessor([each]);

    expect(verdict).toMatchObject({ state: "filtered", error: "No Lambda function is set for identify calls." });
    expect(answer).toMatchObject({ statusCode: 298, error: "No Lambda function is set for identify calls." });
    expect(aws.invocations).toHaveLength(0);
  });

  test.each<[string, unknown]>([
    ["an unknown type", message({ type: "refund" })],
    ["no type", message({ type: undefined })],
    ["no message", undefined],
    ["a text for properties", message({ properties: "text" })],
  ])("%s is the event's fault: 400, instrumentation", async (_name, event) => {
    const each = job(event);
    const tags = { errorCategory: "dataValidation", errorType: "instrumentation", destType: "AMAZON_LAMBDA" };

    const [atRouter] = await server.transformAtRouter([each]);
    const [atProcessor] = await server.transformAtProcessor([each]);

    expect(atRouter).toMatchObject({
      statusCode: 400,
      metadata: [each.metadata],
      statTags: { ...tags, feature: "router" },
    });
    expect(atRouter?.error).toMatch(/^Invalid Event: The event's /);
    expect(atProcessor).toMatchObject({
      statusCode: 400,
      metadata: each.metadata,
      statTags: { ...tags, feature: "processor" },
    });
    expect(atProcessor?.["error"]).toBe(atRouter?.error);
  });

  test("an event over Lambda's limit is given up, its neighbours are delivered", async () => {
    const config = settings({ maxBatchSize: "10" });
    const batch = [
      job(message(), config),
      job(message({ properties: { text: "x".repeat(6_300_000) } }), config),
      job(message(), config),
    ];

    const verdicts = await server.route(batch);

    expect(verdicts.map(({ statusCode }) => statusCode)).toEqual([200, 413, 200]);
    expect(verdicts[1]?.error).toMatch(/^Payload too large: /);
    expect(aws.invocations).toHaveLength(1);
  });

  test.each<[string, unknown, RegExp]>([
    ["no function", { region: "us-east-1", roleAddress: "arn:aws:iam::123456789012:role/r" }, /lambda is needed/],
    ["a role that is none", settings({ roleAddress: "admin" }), /roleAddress must be the ARN of an IAM role/],
    ["no role and no keys", { lambda: "all", region: "us-east-1" }, /roleAddress is needed/],
    ["no Config", null, /destination\.Config is missing/],
    ["a Config that is a text", "text", /destination\.Config is missing/],
  ])("%s is a failure of the settings that the server retries", async (_name, config, message_) => {
    const each = job(message(), config);
    const tags = { errorCategory: "dataValidation", errorType: "configuration" };

    const [atRouter] = await server.transformAtRouter([each]);
    const [atProcessor] = await server.transformAtProcessor([each]);

    for (const answer of [atRouter, atProcessor]) {
      expect(answer).toMatchObject({ statusCode: 500, statTags: tags });
      expect(answer?.["error"]).toMatch(message_);
    }
  });
});

describe("each way an invocation can fail", () => {
  const denied = { code: "AccessDeniedException", status: 403 };
  const outcomes: [
    string,
    JsonObject,
    Parameters<EmbeddedAws["misbehave"]>[0] | undefined,
    Partial<Verdict>,
    JsonObject,
  ][] = [
    [
      "the function threw",
      { lambda: "throws" },
      undefined,
      { state: "failed", statusCode: 500 },
      { errorType: "retryable" },
    ],
    [
      "the function gave it up",
      { lambda: "drops" },
      undefined,
      { state: "aborted", statusCode: 400 },
      { errorType: "aborted" },
    ],
    [
      "our time was up",
      { lambda: "slow", timeoutMs: 300 },
      undefined,
      { state: "failed", statusCode: 504 },
      { errorType: "retryable" },
    ],
    [
      "access was denied",
      {},
      { service: "lambda", error: denied },
      { state: "failed", statusCode: 500 },
      { errorType: "configuration" },
    ],
    [
      "the role was denied",
      {},
      { service: "sts", error: { code: "AccessDenied", status: 403 } },
      { state: "failed", statusCode: 500 },
      { errorType: "configuration" },
    ],
    [
      "the keys are wrong",
      { roleAddress: "", accessKeyId: "AKIDEXAMPLEUNKNOWN00", secretAccessKey: ROUTER.secretAccessKey },
      undefined,
      { state: "failed", statusCode: 500 },
      { errorType: "configuration" },
    ],
    [
      "Lambda throttled",
      {},
      { service: "lambda", error: { code: "TooManyRequestsException", status: 429, headers: { "Retry-After": "7" } } },
      { state: "failed", statusCode: 429 },
      { errorType: "throttled" },
    ],
    [
      "there is no such function",
      { lambda: "absent" },
      undefined,
      { state: "failed", statusCode: 500 },
      { errorType: "configuration" },
    ],
    [
      "the function is not ready",
      {},
      { service: "lambda", error: { code: "ResourceNotReadyException", status: 502 } },
      { state: "failed", statusCode: 500 },
      { errorType: "retryable" },
    ],
    [
      "Lambda failed",
      {},
      { service: "lambda", error: { code: "ServiceException", status: 500 } },
      { state: "failed", statusCode: 500 },
      { errorType: "retryable" },
    ],
    [
      "the connection broke",
      {},
      { service: "lambda", fault: "half" },
      { state: "failed", statusCode: 500 },
      { errorType: "retryable" },
    ],
    [
      "Lambda found it too large",
      {},
      { service: "lambda", error: { code: "RequestTooLargeException", status: 413 } },
      { state: "aborted", statusCode: 413 },
      { errorType: "instrumentation" },
    ],
    [
      "Lambda stopped a loop",
      {},
      { service: "lambda", error: { code: "RecursiveInvocationException", status: 400 } },
      { state: "aborted", statusCode: 400 },
      { errorType: "aborted" },
    ],
    [
      "an error nobody knows",
      {},
      { service: "lambda", error: { code: "BrandNewException", status: 418 } },
      { state: "failed", statusCode: 500 },
      { errorType: "retryable" },
    ],
  ];

  test.each(outcomes)("%s", async (name, more, trouble, expected, tags) => {
    // A role of its own for each case: sessions and denials are remembered.
    const config = { ...settings(), roleAddress: ownRole(name), ...more };
    if (trouble) aws.misbehave(trouble);
    const each = job(message(), config);

    const [answer] = await server.transformAtRouter([each]);
    const { response, statTags } = await server.deliver(
      answer?.batchedRequest ?? {},
      [each.metadata],
      answer?.destination ?? {},
    );

    expect(response).toMatchObject([{ statusCode: expected.statusCode, metadata: { jobId: each.metadata.jobId } }]);
    expect(statTags).toMatchObject({
      ...tags,
      ...DELIVERY_TAGS,
    });
    const { error } = JSON.parse(response[0]?.error ?? "") as DeliveryResult;
    expect(error?.hint).not.toBe("");
    expect(response[0]?.error).not.toContain(ROUTER.secretAccessKey);
  });

  function ownRole(name: string): string {
    return aws.addRole({
      name: name.replace(/\W/g, "-"),
      trustPolicy: {
        Version: "2012-10-17",
        Statement: [
          { Effect: "Allow", Principal: { AWS: `arn:aws:iam::${aws.account}:root` }, Action: "sts:AssumeRole" },
        ],
      },
      permissionPolicies: [
        { Version: "2012-10-17", Statement: [{ Effect: "Allow", Action: "lambda:InvokeFunction", Resource: "*" }] },
      ],
    }).arn;
  }

  test("the wait that AWS asked for is in the result", async () => {
    aws.misbehave({
      service: "lambda",
      error: { code: "TooManyRequestsException", status: 429, headers: { "Retry-After": "7" } },
    });

    // The function as this role sees it is left alone from then on; the other tests' is not.
    const [verdict] = await server.route([job(message(), settings({ roleAddress: ownRole("throttled") }))]);

    expect(resultOf(verdict).retryAfterMs).toBe(7000);
  });

  test("the log tail comes with the result", async () => {
    const [verdict] = await server.route([job(message(), settings({ logType: "Tail" }))]);

    expect(resultOf(verdict).logTail).toContain("REPORT RequestId");
  });

  test("Invocation Type Event is delivered once AWS has it", async () => {
    const [verdict] = await server.route([job(message(), settings({ invocationType: "Event" }))]);

    expect(verdict).toMatchObject({ state: "succeeded", statusCode: 202 });
    await aws.idle();
  });
});

describe("batches", () => {
  test("hold as many events as the settings say, in the order of arrival", async () => {
    const verdicts = await server.route(jobs(5, settings({ maxBatchSize: 2 })));

    expect(verdicts.map(({ state }) => state)).toEqual(Array(5).fill("succeeded"));
    expect(invoked().map(([, ids]) => ids.length)).toEqual([2, 2, 1]);
    expect(invoked().flatMap(([, ids]) => ids)).toEqual(verdicts.map(({ error }) => JSON.parse(error).messageId));
  });

  test("stay within Lambda's limit, however many events they may hold", async () => {
    const config = settings({ maxBatchSize: 100 });
    const large = { properties: { text: "ä".repeat(1_100_000) } };

    const verdicts = await server.route(jobs(4, config, () => large));

    expect(verdicts.map(({ statusCode }) => statusCode)).toEqual([200, 200, 200, 200]);
    expect(invoked().map(([, ids]) => ids.length)).toEqual([2, 2]);
  });

  test("hold events of one function and one external ID, which is the source's", async () => {
    const config = settings({ maxBatchSize: 10, identifyLambda: "identify" });
    const batch = [
      job(message(), config, { sourceId: "source-1" }),
      job(message(), config, { sourceId: "source-2" }),
      job(message({ type: "identify" }), config, { sourceId: "source-1" }),
      job(message(), config, { sourceId: "source-1" }),
      job(message(), config, { sourceId: "a-third" }),
    ];
    const id = (i: number) => idOf(batch[i]);

    const verdicts = await server.route(batch);

    expect(invoked()).toEqual([
      ["all", [id(0), id(3)]],
      ["all", [id(1)]],
      ["identify", [id(2)]],
    ]);
    expect(verdicts.map(({ statusCode }) => statusCode)).toEqual([200, 200, 200, 200, 500]);
    expect(resultOf(verdicts[4]).error).toMatchObject({ code: "AccessDenied" });
    expect(verdicts.map(({ metadata }) => metadata["sourceId"])).toEqual([
      "source-1",
      "source-2",
      "source-1",
      "source-1",
      "a-third",
    ]);
  });

  test("keep each user's events in order across functions", async () => {
    const config = settings({ maxBatchSize: 10, identifyLambda: "identify" });
    const types = ["track", "identify", "track", "track", "identify"];
    const users = ["jane", "jane", "joe", "jane", "joe"];
    const batch = types.map((type, i) => job(message({ type }), config, { userId: users[i] }));

    await server.route(batch);

    const order = invoked().flatMap(([, ids]) => ids);
    for (const user of new Set(users)) {
      const own = batch.filter(({ metadata }) => metadata.userId === user).map(idOf);
      expect(order.filter((id) => own.includes(id))).toEqual(own);
    }
    expect(invoked().map(([name, ids]) => [name, ids.length])).toEqual([
      ["all", 2],
      ["identify", 2],
      ["all", 1],
    ]);
  });

  test("leave out the jobs that the server wants alone", async () => {
    const config = settings({ maxBatchSize: 10 });
    const batch = [job(message(), config), job(message(), config, { dontBatch: true }), job(message(), config)];

    await server.route(batch);

    expect(invoked().map(([, ids]) => ids.length)).toEqual([1, 1, 1]);
  });

  test("of 40 events of one user, a poison one takes none of its neighbours with it", async () => {
    const config = settings({ lambda: "poisoned", maxBatchSize: 100 });
    const batch = jobs(40, config, (i) => ({ properties: { fail: i === 20 } })).map((each) => ({
      ...each,
      metadata: { ...each.metadata, userId: "user-1" },
    }));
    const delivered = jest.spyOn(server, "deliver");

    const verdicts = await server.route(batch);

    expect(delivered).toHaveBeenCalledTimes(1);
    delivered.mockRestore();
    expect(verdicts.map(({ state }) => state)).toEqual(batch.map((_, i) => (i === 20 ? "aborted" : "succeeded")));
    // Each of the neighbours was in one invocation that the function took.
    const times = invoked().flatMap(([, ids]) => ids);
    expect(new Set(times).size).toBe(40);
  });

  test("a function reports single events as failed, the others are delivered", async () => {
    const config = settings({ lambda: "partial", maxBatchSize: 10 });

    const verdicts = await server.route(jobs(3, config, (i) => ({ properties: { fail: i === 1 } })));

    expect(verdicts.map(({ statusCode, dontBatch }) => [statusCode, dontBatch])).toEqual([
      [200, false],
      [500, false],
      [200, false],
    ]);
    expect(aws.invocations).toHaveLength(1);
  });

  test.each([
    ["throws", 500],
    ["drops", 400],
  ])(
    "where the function %s for all, the one that was tried alone has its verdict, the others are tried again alone",
    async (lambda, status) => {
      const verdicts = await server.route(jobs(3, settings({ lambda, maxBatchSize: 10 })));

      expect(verdicts.map(({ statusCode, dontBatch }) => [statusCode, dontBatch])).toEqual([
        [500, true],
        [500, true],
        [status, false],
      ]);
    },
  );

  test("an error of a megabyte does not become a megabyte for each event", async () => {
    const verdicts = await server.route(jobs(20, settings({ lambda: "shouts", maxBatchSize: 20 })));

    expect(verdicts.map((verdict) => resultOf(verdict).error?.functionError?.errorMessage)).toEqual(
      Array(20).fill(expect.stringMatching(/^no no no/)),
    );
    for (const { error } of verdicts) expect(error?.length).toBeLessThan(20_000);
  });

  test("are split where Lambda takes less than it should", async () => {
    aws.misbehave({ service: "lambda", error: { code: "RequestTooLargeException", status: 413 } });

    const verdicts = await server.route(jobs(4, settings({ maxBatchSize: 10 })));

    expect(verdicts.map(({ statusCode }) => statusCode)).toEqual([200, 200, 200, 200]);
    expect(invoked().map(([, ids]) => ids.length)).toEqual([2, 2]);
  });

  test("one that is delivered after the settings went back to single events goes out singly", async () => {
    const batch = jobs(2, settings({ maxBatchSize: 10 }));
    const [answer] = await server.transformAtRouter(batch);

    const { response } = await server.deliver(
      answer?.batchedRequest ?? {},
      batch.map(({ metadata }) => metadata),
      { Config: settings({ maxBatchSize: 1 }) },
    );

    expect(response.map(({ statusCode }) => statusCode)).toEqual([200, 200]);
    expect(invoked().map(([, ids]) => ids.length)).toEqual([1, 1]);
  });

  test("events with settings of their own do not share one", async () => {
    const config = settings({ maxBatchSize: 10, lambda: '{{ event.context.lambda || "all" }}' });
    const batch = [
      job(message(), config),
      job(message({ context: { lambda: "orders" } }), config),
      job(message(), config),
    ];

    await server.route(batch);

    expect(
      invoked()
        .map(([name, ids]) => [name, ids.length])
        .sort(),
    ).toEqual([
      ["all", 2],
      ["orders", 1],
    ]);
  });
});

describe("settings as the host's forms hold them", () => {
  test("texts for numbers, lists of pairs for maps, keys of the host's own", async () => {
    const config = settings({
      timeoutMs: "4000",
      maxBatchSize: "1",
      eventLambdas: [
        { from: "Order Completed", to: "orders" },
        { from: "", to: "" },
      ],
      clientContext: [{ from: "environment", to: "test" }],
      connectionMode: { cloud: "cloud" },
      consentManagement: {},
    });

    const [verdict] = await server.route([job(message(), config)]);

    expect(verdict?.state).toBe("succeeded");
    expect(invoked()).toMatchObject([["orders", [expect.anything()]]]);
  });

  test("those of the native LAMBDA destination, with a role and with keys", async () => {
    const clientContext = Buffer.from('{"environment":"test"}').toString("base64");
    const withRole = {
      region: "us-east-1",
      lambda: "all",
      iamRoleARN: roleAddress,
      roleBasedAuth: true,
      enableBatchInput: true,
      maxBatchSize: "2",
      clientContext,
    };
    const withKeys = {
      region: "us-east-1",
      lambda: "all",
      roleBasedAuth: false,
      accessKeyId: ROUTER.accessKeyId,
      accessKey: ROUTER.secretAccessKey,
    };

    const first = await server.route(jobs(3, withRole));
    const second = await server.route(jobs(1, withKeys));

    expect([...first, ...second].map(({ statusCode }) => statusCode)).toEqual([202, 202, 202, 202]);
    await aws.idle();
    expect(
      invoked()
        .map(([, ids]) => ids.length)
        .sort(),
    ).toEqual([1, 1, 2]);
  });
});

describe("what the operator decides", () => {
  /** A transformer of its own, for its environment. */
  async function withEnvironment(env: Readonly<Record<string, string>>, act: (server: RudderServer) => Promise<void>) {
    const other = await startTransformer({
      AWS_ENDPOINT_URL: aws.url,
      AWS_ACCESS_KEY_ID: ROUTER.accessKeyId,
      AWS_SECRET_ACCESS_KEY: ROUTER.secretAccessKey,
      ...env,
    });
    try {
      await act(new RudderServer(other.url));
    } finally {
      await other.stop();
    }
  }

  test("a tenant cannot type another's external ID where it is pinned to the source", async () => {
    const stolen = job(message(), settings({ externalId: "source-1" }), { sourceId: "source-of-b" });

    await withEnvironment({ AMAZON_LAMBDA_EXTERNAL_ID: "source" }, async (pinned) => {
      const [verdict] = await pinned.route([stolen]);

      expect(resultOf(verdict).error).toMatchObject({
        code: "AccessDenied",
        message: expect.stringContaining("source-of-b"),
      });
    });
    expect(aws.invocations).toHaveLength(0);
  });

  test("an external ID that was taken over before it was pinned is not sent", async () => {
    const stolen = job(message(), settings({ externalId: "source-1" }), { sourceId: "source-of-b" });
    const [{ batchedRequest = {} } = {}] = await server.transformAtRouter([stolen]);

    await withEnvironment({ AMAZON_LAMBDA_EXTERNAL_ID: "source" }, async (pinned) => {
      const { response } = await pinned.deliver(batchedRequest, [stolen.metadata], stolen.destination);

      expect(JSON.parse(response[0]?.error ?? "")).toMatchObject({
        error: { code: "AccessDenied", message: expect.stringContaining("source-of-b") },
      });
    });
    expect(aws.invocations).toHaveLength(0);
  });

  test("the router's own identity invokes only where the operator allows it", async () => {
    const own = job(message(), settings({ roleAddress: "" }));

    const [refused] = await server.route([own]);
    await withEnvironment({ AMAZON_LAMBDA_ALLOW_AMBIENT_CREDENTIALS: "true" }, async (allowing) => {
      const [allowed] = await allowing.route([own]);

      expect(refused?.error).toContain("roleAddress is needed");
      expect(allowed).toMatchObject({ statusCode: 200 });
    });
  });

  test("a decision that means nothing keeps every event, and says what is wrong", async () => {
    await withEnvironment({ AMAZON_LAMBDA_EXTERNAL_ID: "sources" }, async (mistyped) => {
      const [verdict] = await mistyped.route([job(message())]);

      expect(verdict).toMatchObject({ state: "failed", statusCode: 500 });
      expect(verdict?.error).toContain("AMAZON_LAMBDA_EXTERNAL_ID must be settings, source or workspace");
    });
  });
});

describe("requests that are not as they should be", () => {
  test.each<[string, unknown]>([
    ["no input", { destType: "amazon_lambda" }],
    ["an empty input", { input: [], destType: "amazon_lambda" }],
  ])("the router sends %s", async (_name, body) => {
    const answer = await server.post("/routerTransform", body);

    expect(answer).toMatchObject({
      status: 200,
      body: { output: [{ statusCode: 400, error: "Invalid event array" }] },
    });
  });

  test.each<[string, JsonObject]>([
    ["no body", { destinationConfig: {} }],
    ["a body of another destination", { body: { JSON: { event: "x" } }, destinationConfig: {} }],
    ["deliveries of another shape", { body: { JSON: { deliveries: [{ json: 5 }] } }, destinationConfig: {} }],
    ["no destinationConfig", { body: { JSON: { deliveries: [delivery()] } } }],
    ["more deliveries than jobs", { body: { JSON: { deliveries: [delivery(), delivery()] } }, destinationConfig: {} }],
  ])("the delivery gets %s: kept for a retry", async (_name, request) => {
    const answer = await server.post("/v1/destinations/amazon_lambda/proxy", { ...request, metadata: [{ jobId: 7 }] });

    expect(answer).toMatchObject({
      status: 200,
      body: {
        output: {
          status: 500,
          message: expect.stringMatching(/^Unknown error: The request for delivery is not what /),
          response: [{ statusCode: 500, metadata: { jobId: 7 } }],
        },
      },
    });
  });

  test("metadata that is no array counts for the one job it is", async () => {
    const answer = await server.post("/v1/destinations/amazon_lambda/proxy", {
      body: { JSON: { deliveries: [delivery()] } },
      destinationConfig: settings(),
      metadata: { jobId: 7 },
    });

    expect(answer).toMatchObject({
      status: 200,
      body: { output: { response: [{ statusCode: 200, metadata: { jobId: 7 } }] } },
    });
  });

  test("the transformer is still there afterwards", async () => {
    const [verdict] = await server.route([job(message())]);

    expect(verdict?.state).toBe("succeeded");
  });

  function delivery(): JsonObject {
    return {
      callType: "track",
      messageId: "m",
      function: "all",
      externalId: "source-1",
      json: '{"messageId":"m"}',
      bytes: 17,
    };
  }
});

describe("what Lambda offers", () => {
  const invokedFor = (jobs: readonly Job[], name: string) => {
    const ids = jobs.map(({ message: each }) => (each as { messageId?: string }).messageId);
    return aws.invocations.filter(
      ({ function: fn, payload }) => fn === name && ids.includes((payload as { messageId?: string }).messageId),
    );
  };
  /** The records of these jobs that the Failure Lambda was given. */
  async function recordsOf(jobs: readonly Job[]) {
    await aws.idle();
    const ids = jobs.map(({ message: each }) => (each as { messageId?: string }).messageId);
    return aws.invocations
      .filter(({ function: fn }) => fn === "failures")
      .map(
        ({ payload }) => payload as { requestPayload: { messageId: string }; responsePayload: { errorType: string } },
      )
      .filter(({ requestPayload }) => ids.includes(requestPayload.messageId));
  }

  beforeAll(() => {
    aws.addFunction({ name: "failures", handler: () => null });
    aws.addFunction({ name: "durable", durable: true, handler: () => "done" });
    aws.addFunction({ name: "isolated", tenantIsolation: true, handler: () => "done" });
  });

  test("a rejected event, be it by its function or before it was sent, is recorded before the server aborts it", async () => {
    const config = settings({ lambda: "drops", failureLambda: "failures" });
    const batch = [job(message(), config), job(message({ type: "purchase" }), config)];
    const verdicts = await server.route(batch);

    expect(verdicts.map(({ statusCode }) => statusCode)).toEqual([400, 400]);
    const recorded = await recordsOf(batch);
    expect(recorded.map(({ responsePayload }) => responsePayload.errorType).sort()).toEqual([
      "DropEvent",
      "InvalidEvent",
    ]);
  });

  test("where no record is taken, the server keeps the event", async () => {
    const config = settings({ lambda: "drops", failureLambda: "not-there" });
    const verdicts = await server.route([job(message(), config), job(message({ type: "purchase" }), config)]);

    expect(verdicts.map(({ statusCode }) => statusCode)).toEqual([500, 500]);
  });

  test("a job that the server delivers twice has one execution", async () => {
    const config = settings({ lambda: "durable:$LATEST", executionName: "MessageId" });
    const one = job(message(), config);
    const verdicts = [...(await server.route([one])), ...(await server.route([one]))];

    expect(verdicts.map(({ statusCode }) => statusCode)).toEqual([200, 200]);
    expect(invokedFor([one], "durable")).toHaveLength(1);
  });

  test("jobs go by the pattern of their event, or nowhere, and what their function returned is kept with them", async () => {
    const eventLambdas = [
      { from: "Order *", to: "orders" },
      { from: "Order Viewed", to: "(skip)" },
    ];
    const config = settings({ lambda: "(skip)", eventLambdas, returnValue: "Include" });
    const batch = [
      job(message(), config),
      job(message({ event: "Order Viewed" }), config),
      job(message({ event: "x" }), config),
    ];
    const verdicts = await server.route(batch);

    expect(verdicts.map(({ state }) => state)).toEqual(["succeeded", "filtered", "filtered"]);
    expect(invoked()).toEqual([["orders", [idOf(batch[0])]]]);
    expect(resultOf(verdicts[0])).toMatchObject({ outcome: "delivered", returnValue: '{"ok":true}' });
  });

  test("a job is delivered for its tenant, and shares a batch with that tenant's only", async () => {
    const config = settings({ lambda: "isolated", tenantId: "{group}", maxBatchSize: 10 });
    const verdicts = await server.route(jobs(4, config, (i) => ({ context: { groupId: `group-${i % 2}` } })));

    expect(verdicts.map(({ statusCode }) => statusCode)).toEqual([200, 200, 200, 200]);
    const tenants = aws.invocations.filter(({ function: fn }) => fn === "isolated").map(({ tenantId }) => tenantId);
    expect(tenants.sort()).toEqual(["group-0", "group-1"]);
  });
});
