import "./errors-of-any-realm";
import fc from "fast-check";
import type { DeliveryResult } from "../src/delivery/delivery-result";
import type { Destination } from "../src/destination/contract";
import { createDestinationIn } from "../src/destination/create-destination";
import { createDestination } from "../src/index";
import { SETTING_KEYS } from "../src/settings/settings";
import { assessedResult } from "./assess";
import { FakeAws } from "./aws/fake-aws";
import { environment, loopback, refusedPort } from "./aws/loopback";
import { routerOn } from "./router";

const settings = {
  lambda: "arn:aws:lambda:us-east-1:123456789012:function:events",
  roleAddress: "arn:aws:iam::123456789012:role/router",
};
const keys = { accessKeyId: "AKIDEXAMPLE00000000", secretAccessKey: "not/a/real+secret/only+for+this+test00000" };
const track = { type: "track", event: "Order Completed", messageId: "m-1" };
const source = { sourceId: "source-1" };

function destination(more: object = {}): { readonly aws: FakeAws; readonly destination: Destination } {
  const aws = new FakeAws();
  const surroundings = routerOn(aws);
  return { aws, destination: createDestinationIn(surroundings, { ...settings, ...more }) };
}

/** What becomes of an input, alone and between two good events, which must not notice. */
async function outcomesOf(input: unknown): Promise<DeliveryResult> {
  const alone = assessedResult(await destination().destination.deliver(input, source));
  for (const maxBatchSize of [1, 10]) {
    const { aws, destination: batching } = destination({ maxBatchSize });
    const neighbours = [track, input, { ...track, messageId: "m-2" }];
    const [before, own, after] = (await batching.deliverBatch(neighbours, source)).map(assessedResult);
    expect(before).toMatchObject({ outcome: "delivered", messageId: "m-1" });
    expect(after).toMatchObject({ outcome: "delivered", messageId: "m-2" });
    expect(own?.outcome).toBe(alone.outcome);
    const payloads = aws.invoked.flatMap(({ request }) => JSON.parse(request.payload)) as { messageId: string }[];
    expect(payloads.map(({ messageId }) => messageId)).toEqual(expect.arrayContaining(["m-1", "m-2"]));
    expect(payloads).toHaveLength(alone.outcome === "delivered" ? 3 : 2);
  }
  return alone;
}

function nested(depth: number): object {
  let value: object = {};
  for (let i = 0; i < depth; i++) value = { value };
  return value;
}

function circle(): Record<string, unknown> {
  const self: Record<string, unknown> = {};
  self["self"] = self;
  return self;
}

const throwing = (thrown: unknown) => ({
  get trap(): never {
    throw thrown;
  },
});

describe("an event that cannot be delivered is rejected and says why", () => {
  test.each<[what: string, input: unknown, why: string]>([
    ["nothing", undefined, "must be a JSON object"],
    ["null", null, "must be a JSON object"],
    ["text", '{"type":"track"}', "must be a JSON object"],
    ["a number", Number.NaN, "must be a JSON object"],
    ["a BigInt", 1n, "must be a JSON object"],
    ["a symbol", Symbol("track"), "must be a JSON object"],
    ["a handler", () => track, "must be a JSON object"],
    ["a list of events", [track], "must be a JSON object"],
    ["a date", new Date(), "must be a JSON object"],
    ["a date that is none", new Date(Number.NaN), "must be a JSON object"],
    ["an event without a type", { messageId: "m" }, "type must be one of"],
    ["an event of an unknown type", { ...track, type: "video" }, "type must be one of"],
    ["an event whose type is inherited by all objects", { type: "constructor" }, "type must be one of"],
    ["a circle in the properties", { ...track, properties: circle() }, "written as JSON"],
    ["a circle, and no message ID", { type: "track", properties: circle() }, "written as JSON"],
    ["a BigInt in the traits", { ...track, type: "identify", traits: { count: 1n } }, "written as JSON"],
    ["nesting without end", { ...track, properties: nested(100_000) }, "written as JSON"],
    ["nesting without end, and no message ID", { type: "track", properties: nested(100_000) }, "written as JSON"],
    ["a getter that throws", { ...track, properties: throwing(new Error("trapped")) }, "trapped"],
    ["a getter that throws nothing", { ...track, properties: throwing(undefined) }, "reading it fails"],
    ["a getter that throws an odd thing", { ...track, properties: throwing(Object.create(null)) }, "reading it fails"],
    [
      "a proxy that throws at everything",
      new Proxy(
        {},
        {
          get: () => {
            throw new Error("trapped");
          },
        },
      ),
      "trapped",
    ],
    ["a field of another type", { ...track, userId: { id: 1 } }, "userId must be a string"],
    ["properties of another type", { ...track, properties: "none" }, "properties must be an object"],
  ])("%s", async (_what, input, why) => {
    const result = await outcomesOf(input);
    expect(result).toMatchObject({ outcome: "rejected", status: 400, attempts: 0 });
    expect(result.error).toMatchObject({ code: "InvalidEvent", label: "Invalid Event" });
    expect(result.error?.message).toContain(why);
  });

  test("an event of 7 MB", async () => {
    const result = await outcomesOf({ ...track, properties: { text: "x".repeat(7_000_000) } });
    expect(result).toMatchObject({ outcome: "rejected", status: 413, error: { code: "PayloadTooLarge" } });
  });
});

describe("odd events that can be delivered are delivered", () => {
  test.each<[what: string, input: object]>([
    ["dates as Date objects", { ...track, timestamp: new Date(), properties: { at: new Date(0) } }],
    ["dates that are none", { ...track, timestamp: "yesterday", sentAt: new Date(Number.NaN) }],
    ["lone surrogates", { ...track, event: "\uD800", properties: { "\uDFFF": "\uDBFF" } }],
    [
      "parts of prototypes as keys",
      JSON.parse(
        '{"type":"track","messageId":"m","__proto__":{"type":"page"},"properties":{"__proto__":{"a":1},"constructor":{"prototype":{"a":1}}}}',
      ),
    ],
    ["no prototype", Object.assign(Object.create(null), track)],
    ["what JSON leaves out", { ...track, properties: { a: undefined, b: () => 1, c: Symbol("c"), d: [undefined] } }],
    ["numbers that JSON does not know", { ...track, properties: { a: Number.NaN, b: Number.POSITIVE_INFINITY } }],
    [
      "100,000 keys",
      { ...track, properties: Object.fromEntries(Array.from({ length: 100_000 }, (_, i) => [`key${i}`, i])) },
    ],
    ["a frozen event", Object.freeze({ ...track, context: Object.freeze({ geo: Object.freeze({}) }) })],
    ["a message ID of 10,000 letters", { ...track, messageId: "m".repeat(10_000) }],
  ])("%s", async (_what, input) => {
    expect(await outcomesOf(input)).toMatchObject({ outcome: "delivered" });
    expect({}).not.toHaveProperty("a");
  });
});

const anything = fc.anything({
  withBigInt: true,
  withBoxedValues: true,
  withDate: true,
  withMap: true,
  withNullPrototype: true,
  withObjectString: true,
  withSet: true,
  withSparseArray: true,
  withTypedArray: true,
});

describe("whatever comes in place of an event", () => {
  const eventKeys = [
    "type",
    "event",
    "userId",
    "messageId",
    "properties",
    "traits",
    "context",
    "timestamp",
    "__proto__",
  ];
  const nearly = fc
    .tuple(
      fc.dictionary(fc.oneof(fc.constantFrom(...eventKeys), fc.string()), anything),
      fc.constantFrom("track", "identify", "page", "screen", "group", "alias", "Track"),
    )
    .map(([event, type]) => ({ ...event, type }));

  test.each([
    ["anything", anything],
    ["something with a call type", nearly],
  ])("%s resolves to a valid result and harms no neighbour", async (_what, arbitrary) => {
    await fc.assert(
      fc.asyncProperty(arbitrary as fc.Arbitrary<unknown>, async (input) => {
        expect(["delivered", "rejected"]).toContain((await outcomesOf(input)).outcome);
      }),
      { numRuns: 200 },
    );
  });
});

describe("whatever comes in place of settings", () => {
  const value = fc.oneof(anything, fc.json(), fc.constantFrom<unknown>(...Object.values({ ...settings, ...keys })));
  const settingsLike = fc.dictionary(fc.oneof(fc.constantFrom(...SETTING_KEYS), fc.string()), value);
  const aws = new FakeAws();
  const surroundings = routerOn(aws);

  test.each([
    ["anything", anything],
    ["something with settings' keys", settingsLike],
    ["good settings and one that is not", settingsLike.map((more) => ({ ...settings, ...more }))],
  ])("%s makes a destination that keeps every event", async (_what, arbitrary) => {
    await fc.assert(
      fc.asyncProperty(arbitrary as fc.Arbitrary<unknown>, async (input) => {
        const made = createDestinationIn(surroundings, input);
        const results = [await made.deliver(track, source), ...(await made.deliverBatch([track, track], source))];
        for (const result of results) {
          expect(["delivered", "skipped", "retry"]).toContain(assessedResult(result).outcome);
          expect(JSON.stringify(result)).not.toContain(keys.secretAccessKey);
        }
      }),
    );
  });

  test.each([
    "arn:aws:lambda:us-east-1:123456789012:function:a\n",
    "arn:aws:lambda:us-east-1:123456789012:function:a\r\nX-Amz-Log-Type: Tail",
    "arn:aws:lambda:us-east-1:123456789012:function:../../2015-03-31/functions/b",
    "arn:aws:lambda:us-east-1:123456789012:function:a?Qualifier=b",
    "arn:aws:lambda:us-east-1@example.com:123456789012:function:a",
    "arn:aws:lambda:us-east-1.example.com/:123456789012:function:a",
  ])("a function given as %j is never invoked", async (lambda) => {
    const { aws: fake, destination: made } = destination({ lambda });
    expect(assessedResult(await made.deliver(track, source))).toMatchObject({
      outcome: "retry",
      error: { code: "InvalidSettings" },
    });
    expect(fake.invoked).toEqual([]);
  });

  test.each(["us-east-1.example.com", "us-east-1/", "us-east-1\n", "us-east-1@example.com", "../us-east-1"])(
    "a region given as %j leads nowhere",
    async (region) => {
      const { destination: made } = destination({ lambda: "events", region });
      expect(assessedResult(await made.deliver(track, source)).error?.code).toBe("InvalidSettings");
    },
  );
});

describe("createDestination, over a network that is no good,", () => {
  const withKeys = { ...settings, roleAddress: "", ...keys, timeoutMs: 2000 };
  let restore = environment({});

  afterEach(() => restore());

  test("says that an endpoint cannot be reached", async () => {
    restore = environment({ AWS_ENDPOINT_URL: `http://127.0.0.1:${await refusedPort()}` });
    // A region of its own: where its endpoint is is remembered.
    const made = createDestination({ ...withKeys, lambda: "events", region: "eu-west-1" });
    const results = [await made.deliver(track), ...(await made.deliverBatch([track, null, track]))];
    expect(results.map((result) => assessedResult(result).error?.code)).toEqual([
      "NetworkError",
      "NetworkError",
      "InvalidEvent",
      "NetworkError",
    ]);
    expect(results[0]).toMatchObject({ attempts: 3, error: { awsError: "ECONNREFUSED" } });
  });

  test("says that an answer broke off, and does not try again", async () => {
    const server = await loopback((socket) => {
      socket.write('HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n{"half', () => socket.destroy());
    });
    restore = environment({ AWS_ENDPOINT_URL: server.url });
    const made = createDestination({ ...withKeys, lambda: "events", region: "eu-west-2" });
    expect(assessedResult(await made.deliver(track))).toMatchObject({
      outcome: "retry",
      attempts: 1,
      error: { code: "NetworkError", awsError: "ECONNRESET" },
    });
    expect(server.connections()).toBe(1);
    await server.close();
  });

  test("gives up in time", async () => {
    const server = await loopback(() => {});
    restore = environment({ AWS_ENDPOINT_URL: server.url });
    const made = createDestination({ ...withKeys, lambda: "events", region: "eu-west-3", timeoutMs: 100 });
    expect(assessedResult(await made.deliver(track))).toMatchObject({
      outcome: "retry",
      status: 504,
      attempts: 1,
      error: { code: "OperationTimedOut", label: "Operation timedout" },
    });
    await server.close();
  });
});
