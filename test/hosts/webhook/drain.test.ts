import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { event, QueueStage, until } from "./queue-stage";

let stage: QueueStage;

beforeEach(async () => {
  stage = await QueueStage.open();
});

afterEach(() => stage.close());

test("at SIGTERM it finishes what is under way, hides nothing from others, and ends with 0", async () => {
  const receiver = await stage.start();
  await receiver.post("/webhook/shop", event("a", "Waits"));
  const drain = await stage.start("--drain");
  await until("the function runs", () => stage.received.length === 1);
  const code = drain.end();
  await drain.says(/"msg":"ending"/);
  for (let i = 0; i < 20; i++) await receiver.post("/webhook/shop", event(`b-${i}`, "Works"));
  expect(drain.hasEnded).toBe(false);
  stage.release();

  expect(await code).toBe(0);
  expect(stage.received.map(({ userId }) => userId)).toContain("a");
  expect(stage.counts()).toEqual({ visible: 21 - stage.received.length, hidden: 0 });
  expect(drain.err).toBe("");
});

test("what a killed drain had in hand is delivered by another, in its user's order", async () => {
  await stage.accept(event("a", "Waits", 1), event("b", "Works"), event("a", "Works", 2));
  const drain = await stage.start("--drain");
  await until("both users' first are there", () => stage.received.length === 2);
  await drain.end("SIGKILL");
  stage.release();
  await stage.start("--drain");
  stage.aws.clock.advance(299_000);
  expect(stage.received.filter(({ userId }) => userId === "a")).toHaveLength(1);
  stage.aws.clock.advance(1_000);
  await stage.emptied();

  const places = stage.received.filter(({ userId }) => userId === "a").map(({ properties }) => properties.place);
  expect(places).toEqual([1, 1, 2]);
});

test("a throttled function's events are hidden for as long as AWS says, with those that follow", async () => {
  const error = { code: "TooManyRequestsException", status: 429, headers: { "retry-after": "60" } };
  stage.aws.misbehave({ service: "lambda", error });
  await stage.accept(event("a", "Works", 1), event("a", "Works", 2));
  await stage.start("--drain");
  await until("they are hidden", () => stage.hiddenFor.length === 2);

  expect(stage.hiddenFor).toEqual([60, 60]);
  stage.aws.clock.advance(59_000);
  expect(stage.counts()).toEqual({ visible: 0, hidden: 2 });
  await until("they are delivered", () => {
    stage.aws.clock.advance(1_000);
    return stage.isEmpty;
  });
  expect(stage.received.map(({ properties }) => properties.place)).toEqual([1, 2]);
});

test("what fails is hidden longer each time until it is mended, and then delivered with what follows", async () => {
  await stage.accept(event("a", "Fails", 1), event("b", "Works"), event("a", "Works", 2));
  await stage.start("--drain");
  let times = 0;
  await until("it has failed 8 times", () => {
    if (stage.hiddenFor.length > 2 * times) stage.aws.clock.advance(1_000 * (stage.hiddenFor[2 * times++] ?? 0));
    return times === 8;
  });
  stage.isBroken = false;
  await stage.emptied();

  // Two messages each time.
  expect(stage.hiddenFor).toEqual([5, 10, 20, 40, 80, 160, 320, 640].flatMap((seconds) => [seconds, seconds]));
  expect(stage.received.map(({ messageId }) => messageId)).toEqual(["b/0", "a/1", "a/2"]);
});

test("what the function rejects goes to the dead-letter queue, else to the connection's file, and holds up nobody", async () => {
  await stage.accept(event("a", "Dropped", 1), event("a", "Works", 2));
  const first = await stage.start("--drain", "--dead-letter-queue", stage.deadLetterQueue);
  await stage.emptied();
  expect((await stage.givenUp())[0]).toMatchObject({
    event: { messageId: "a/1" },
    rejected: { code: "RejectedByFunction" },
  });
  await first.end("SIGKILL");

  await stage.accept(event("b", "Dropped", 1), event("b", "Works", 2));
  await stage.start("--drain");
  await stage.emptied();
  expect(JSON.parse(await readFile(join(stage.folder, "dead.ndjson"), "utf8"))).toMatchObject({
    connection: "shop",
    code: "RejectedByFunction",
    event: { messageId: "b/1" },
  });
  expect(stage.received.map(({ messageId }) => messageId)).toEqual(["a/2", "b/2"]);
});
