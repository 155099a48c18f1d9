import fc from "fast-check";
import { AmazonLambdaDestination } from "../../src/hosts/jitsu/index";
import { networkHandler } from "../../src/hosts/rudderstack/network-handler";
import { processRouterDest, process as transformEvent } from "../../src/hosts/rudderstack/transform";
import { createDestination, parseSettings } from "../../src/index";
import { SETTING_KEYS } from "../../src/settings/settings";
import { SettingsError } from "../../src/settings/settings-error";
import { assessedResult } from "../assess";
import { json, objectWith, parameters, unserialisable } from "./corpus";
import { answerOf, type Surroundings, session, surroundings, taken } from "./surroundings";

const SETTINGS = {
  lambda: "arn:aws:lambda:us-east-1:123456789012:function:router-events",
  roleAddress: "arn:aws:iam::123456789012:role/router-events-invoker",
  timeoutMs: 5000,
};
const TRACK = { type: "track", event: "Order Completed", messageId: "m-1" };
const ORIGIN = { sourceId: "my-source-id", workspaceId: "my-workspace-id" };
/** Milliseconds that a delivery may take on a busy machine, its timeout included; a test that hangs is what is looked for. */
const HANGS_MS = 10_000;

let world: Surroundings;

beforeAll(async () => {
  world = await surroundings();
});

afterAll(() => world.close());

afterEach(() => {
  world.lambda = taken;
  world.sts = session;
  world.assess();
});

const EVENT_KEYS = [
  "type",
  "event",
  "name",
  "category",
  "userId",
  "anonymousId",
  "groupId",
  "previousId",
  "properties",
  "traits",
  "context",
  "integrations",
  "messageId",
  "originalTimestamp",
  "timestamp",
  "sentAt",
  "receivedAt",
  "channel",
  "requestIp",
  "writeKey",
];

const event = fc.oneof(
  json,
  unserialisable,
  objectWith(EVENT_KEYS),
  fc
    .tuple(objectWith(EVENT_KEYS), fc.constantFrom("track", "identify", "page", "screen", "group", "alias"))
    .map(([object, type]) => ({ ...object, type })),
);

function inTime<T>(promise: Promise<T>): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error(`not over after ${HANGS_MS} ms`)), HANGS_MS);
  });
  return Promise.race([promise, late]).finally(() => clearTimeout(timer));
}

test("an event of any kind comes to a result, alone and among others", async () => {
  const one = createDestination(SETTINGS);
  const many = createDestination({ ...SETTINGS, maxBatchSize: 10 });

  await fc.assert(
    fc.asyncProperty(event, async (input) => {
      assessedResult(await inTime(one.deliver(input, ORIGIN)));
      const results = await inTime(many.deliverBatch([TRACK, input, { ...TRACK, messageId: "m-2" }], ORIGIN));
      expect(results.map(assessedResult).map(({ outcome }) => outcome)).toEqual([
        "delivered",
        expect.stringMatching(/^(?:delivered|rejected)$/),
        "delivered",
      ]);
    }),
    parameters,
  );
});

test("no key of an event reaches another event, or a header", async () => {
  const destination = createDestination(SETTINGS);
  const headers: string[] = [];
  world.lambda = (request) => {
    headers.push(...Object.keys(request.headers));
    return taken(request);
  };

  await fc.assert(
    fc.asyncProperty(objectWith(EVENT_KEYS), async (input) => {
      await destination.deliver({ ...input, type: "track" }, ORIGIN);
      expect(headers).not.toContain("x-injected");
    }),
    parameters,
  );
});

test("settings of any kind are told to be wrong, or used", async () => {
  const settings = fc.oneof(
    json,
    objectWith(SETTING_KEYS),
    objectWith(SETTING_KEYS).map((given) => ({ ...given, ...SETTINGS })),
    objectWith(SETTING_KEYS).map((given) => ({ ...SETTINGS, ...given })),
  );

  await fc.assert(
    fc.asyncProperty(settings, async (given) => {
      try {
        parseSettings(given);
      } catch (error) {
        expect(error).toBeInstanceOf(SettingsError);
      }
      assessedResult(await inTime(createDestination(given).deliver(TRACK, ORIGIN)));
    }),
    { ...parameters, numRuns: 100 },
  );
});

describe("what AWS, or whoever is in its place, answers", () => {
  const header = fc.tuple(
    fc.constantFrom(
      "x-amz-function-error",
      "x-amz-log-result",
      "x-amz-executed-version",
      "x-amzn-errortype",
      "x-amzn-requestid",
      "retry-after",
      "date",
      "content-type",
      "location",
      "content-encoding",
      "set-cookie",
    ),
    fc.string({ unit: fc.constantFrom(..."abcXYZ0189-_=/:,;.<>{}\"' %"), maxLength: 60 }),
  );
  const headers = fc
    .uniqueArray(header, { maxLength: 6, selector: ([name]) => name })
    .map((list) => list.map(([name, value]) => `${name}: ${value}\r\n`).join(""));
  const body = fc.oneof(
    json.map((value) => JSON.stringify(value)),
    fc.string(),
    fc.uint8Array().map((b) => Buffer.from(b)),
  );
  const status = fc.constantFrom(
    200,
    200,
    200,
    202,
    204,
    206,
    301,
    307,
    400,
    403,
    404,
    413,
    418,
    429,
    500,
    502,
    503,
    599,
  );

  test("a result, whatever it is", async () => {
    const one = createDestination({ ...SETTINGS, logType: "Tail", timeoutMs: 300 });
    const many = createDestination({ ...SETTINGS, maxBatchSize: 10, timeoutMs: 300 });
    const answer = fc.oneof(
      {
        weight: 6,
        arbitrary: fc.tuple(status, headers, body).map(([code, list, text]) => answerOf(code, list, text as string)),
      },
      { weight: 1, arbitrary: fc.uint8Array({ maxLength: 300 }).map((bytes) => Buffer.from(bytes)) },
    );

    await fc.assert(
      fc.asyncProperty(answer, async (bytes) => {
        world.lambda = () => bytes;
        assessedResult(await inTime(one.deliver(TRACK, ORIGIN)));
        const results = await inTime(many.deliverBatch([TRACK, { ...TRACK, messageId: "m-2" }], ORIGIN));
        results.map(assessedResult);
      }),
      parameters,
    );
  });

  test("a function may return anything to a batch: only what names its events fails them", async () => {
    const many = createDestination({ ...SETTINGS, maxBatchSize: 10 });
    const failures = fc.oneof(
      json,
      fc.record({ batchItemFailures: json }),
      fc.record({ batchItemFailures: fc.array(fc.record({ itemIdentifier: fc.oneof(json, fc.constant("m-2")) })) }),
    );

    await fc.assert(
      fc.asyncProperty(failures, async (returned) => {
        world.lambda = () => answerOf(200, "x-amzn-requestid: 1\r\n", JSON.stringify(returned));
        const results = await inTime(many.deliverBatch([TRACK, { ...TRACK, messageId: "m-2" }], ORIGIN));
        for (const result of results) expect(assessedResult(result).outcome).toMatch(/^(?:delivered|retry)$/);
      }),
      parameters,
    );
  });

  test("a result, whatever STS says", async () => {
    const xml = fc.oneof(
      body,
      fc
        .tuple(fc.constantFrom("AccessKeyId", "SecretAccessKey", "SessionToken", "Expiration"), fc.string())
        .map(([element, text]) =>
          session({} as never)
            .toString()
            .split("\r\n\r\n")[1]
            ?.replace(new RegExp(`<${element}>[^<]*`), `<${element}>${text.replace(/[<&]/g, "")}`),
        ),
    );
    let n = 0;

    await fc.assert(
      fc.asyncProperty(status, headers, xml, async (code, list, text) => {
        world.sts = () => answerOf(code, list, text as string);
        // A session that was granted would be used again.
        const destination = createDestination({ ...SETTINGS, externalId: `source-${n++}` });
        assessedResult(await inTime(destination.deliver(TRACK, ORIGIN)));
      }),
      { ...parameters, numRuns: 100 },
    );
  });
});

describe("what a host hands over", () => {
  const log = { info() {}, warn() {}, debug() {}, error() {} };

  test("to Jitsu's function: it returns the event, or throws an error that Jitsu knows", async () => {
    const props = fc.oneof(fc.constant(SETTINGS), objectWith(SETTING_KEYS));
    const context = objectWith(["source", "workspace", "receivedAt", "metrics", "retries", "connection"]);

    await fc.assert(
      fc.asyncProperty(event, props, context, async (input, settings, more) => {
        const ctx = { ...more, log, props: { ...settings, timeoutMs: 300 } };
        const outcome = AmazonLambdaDestination(input as never, ctx as never).then(
          () => "returned",
          (error: Error) => error.name,
        );
        expect(await inTime(outcome)).toMatch(/^(?:returned|RetryError|NoRetryError)$/);
      }),
      parameters,
    );
  });

  const metadata = objectWith(["jobId", "userId", "sourceId", "destinationId", "workspaceId", "dontBatch"]);
  const config = fc.oneof(fc.constant(SETTINGS), objectWith(SETTING_KEYS), json);
  const input = fc.oneof(
    json,
    fc.record({
      message: fc.oneof(event, json),
      metadata: fc.oneof(metadata, json),
      destination: fc.record({ Config: config }),
    }),
  );

  test("to RudderStack's transformation: a request, or a host's error; an answer for each job", async () => {
    await fc.assert(
      fc.property(fc.oneof(json, fc.array(input, { maxLength: 5 })), input, (many, one) => {
        const answers = processRouterDest(many);
        expect(Array.isArray(answers)).toBe(true);
        for (const { statusCode } of answers) expect(statusCode).toBeGreaterThanOrEqual(200);
        try {
          expect(transformEvent(one)).toMatchObject({ version: "1" });
        } catch (error) {
          expect(error).toMatchObject({ name: expect.any(String), status: expect.any(Number) });
        }
      }),
      parameters,
    );
  });

  test("to RudderStack's delivery: a verdict for each job, and no address from the queue", async () => {
    interface Handler {
      proxy(request: unknown): Promise<unknown>;
      processAxiosResponse(raw: unknown): unknown;
      responseHandler(answered: object): { readonly status: number; readonly response: readonly unknown[] };
    }
    const delivery = objectWith(["callType", "messageId", "function", "externalId", "json", "bytes", "user"]);
    const request = fc.oneof(
      json,
      fc.record({
        endpoint: json,
        headers: json,
        body: fc.record({
          JSON: fc.oneof(json, fc.record({ deliveries: fc.array(fc.oneof(delivery, json), { maxLength: 4 }) })),
        }),
        metadata: fc.oneof(metadata, fc.array(metadata, { maxLength: 4 }), json),
        destinationConfig: config,
      }),
    );

    await fc.assert(
      fc.asyncProperty(request, async (given) => {
        const handler = new (networkHandler as unknown as new () => Handler)();
        const raw = await inTime(handler.proxy(given));
        const jobs = (given as { metadata?: unknown } | null)?.metadata;
        const answer = handler.responseHandler({
          destinationResponse: handler.processAxiosResponse(raw),
          rudderJobMetadata: jobs,
          destType: "AMAZON_LAMBDA",
        });
        expect(answer.status).toBeGreaterThanOrEqual(200);
        expect(answer.response).toHaveLength(Array.isArray(jobs) ? jobs.length : 1);
      }),
      { ...parameters, numRuns: 100 },
    );
  });
});
