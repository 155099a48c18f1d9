// @ts-nocheck
import { type EmbeddedAws, startEmbeddedAws } from "../../src/local/aws/embedded-aws";
import type { Source, Try } from "../../src/local/local-host";
import { createRudderStackHost } from "../../src/local/rudderstack-host";

let aws: EmbeddedAws;
let source: Source;
let failures: string[];

beforeAll(async () => {
  aws = await startEmbeddedAws();
  const { accessKeyId, secretAccessKey } = aws.addUser({ name: "router" });
  aws.addFunction({
    name: "function",
    handler: async () => {
      const name = failures.shift();
      if (name) throw Object.assign(new Error("not now"), { name });
    },
  });
  source = { id: "source", settings: { trackLambda: "function", region: aws.region, accessKeyId, secretAccessKey } };
  process.env["AWS_ENDPOINT_URL"] = aws.url;
});

afterAll(async () => {
  delete process.env["AWS_ENDPOINT_URL"];
  await aws.close();
});

beforeEach(() => {
  failures = [];
});

async function deliver(event: unknown): Promise<Try[]> {
  const tries: Try[] = [];
  await createRudderStackHost((attempt) => tries.push(attempt), 0).deliver(event, source);
  return tries;
}

test("an event is delivered once", async () => {
  const tries = await deliver({ type: "track", event: "A", messageId: "m" });

  expect(tries).toMatchObject([{ next: "done", retries: 0, result: { outcome: "delivered", messageId: "m" } }]);
});

test("a function that fails gets the event again", async () => {
  failures = ["Error"];

  const tries = await deliver({ type: "track", event: "A", messageId: "m" });

  expect(tries.map(({ next, result }) => [next, result.outcome])).toEqual([
    ["retry", "retry"],
    ["done", "delivered"],
  ]);
});

test("a function that goes on failing is asked for three hours, as the server does it", async () => {
  failures = Array(100).fill("Error");

  const tries = await deliver({ type: "track", event: "A", messageId: "m" });

  expect(tries.at(-1)?.next).toBe("dead letter");
  expect(tries).toHaveLength(41);
});

test.each([
  ["given up by the function", { type: "track", event: "A" }, "rejected"],
  ["without a function", { type: "page" }, "skipped"],
  ["that is none", { type: "purchase" }, "rejected"],
])("an event %s is not sent again", async (_name, event, outcome) => {
  failures = ["DropEvent"];

  const tries = await deliver(event);

  expect(tries.map(({ next, result }) => [next, result.outcome])).toEqual([["done", outcome]]);
});
