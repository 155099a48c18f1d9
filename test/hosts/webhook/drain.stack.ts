import { setTimeout as sleep } from "node:timers/promises";
import { event, QueueStage, type Received, until } from "./queue-stage";

/** More of them with `npm run stack -- --events 20000`. */
const EVENTS = Number(process.env["STACK_EVENTS"] ?? 400);
const USERS = 50;
/** What a drain may have in hand: ten batches of ten. */
const IN_HAND = 100;
/** For how long a drain hides what it has in hand. */
const HIDDEN_MS = 300_000;
/** What may have an event delivered twice. */
const REPEATS = /kill|no SQS/;
const LIMIT_MS = 600_000;

const say = (text: string) => process.stderr.write(`${text}\n`);

let stage: QueueStage;

beforeEach(async () => {
  stage = await QueueStage.open();
});

afterEach(() => stage.close());

test(
  "receivers and drains lose nothing and keep each user's order, whatever falls over",
  async () => {
    const seconds = EVENTS > 1000 ? 20 : 1;
    const disturbances: { readonly what: string; readonly from: number; readonly to: number }[] = [];
    const disturb = async (what: string, trouble: () => unknown) => {
      const from = Date.now();
      await trouble();
      disturbances.push({ what, from, to: Date.now() });
      say(`${what}: ${((Date.now() - from) / 1000).toFixed(1)} s; ${stage.distinct} of ${EVENTS} delivered`);
    };
    let receiver = await stage.start();
    const drains = await Promise.all([1, 2, 3].map(() => stage.start("--drain")));
    const send = async (events: readonly object[]): Promise<void> => {
      const answer = await receiver.post("/webhook/shop", events).catch(() => undefined);
      if (answer?.status === 200) return void (await answer.text());
      await sleep(100);
      return send(events);
    };
    const started = Date.now();
    const posting = (async () => {
      for (let n = 0; n < EVENTS; n += USERS) {
        const place = n / USERS;
        await send(Array.from({ length: Math.min(USERS, EVENTS - n) }, (_none, i) => event(`u-${i}`, "Works", place)));
        // Spread over what happens below, each time as much as was taken.
        await until("there is room", () => stage.distinct >= n - EVENTS / 5);
      }
    })();
    const reached = async (share: number) => {
      let last = { at: Date.now(), deliveries: stage.received.length };
      await until(`${share * 100} % are delivered`, () => {
        // What a killed one had in hand comes again after five minutes, and all else of its users waits for it.
        if (stage.received.length !== last.deliveries) last = { at: Date.now(), deliveries: stage.received.length };
        else if (Date.now() - last.at > 2_000) {
          const now = Date.now();
          disturbances.push({ what: "the end of its hiding, after a kill", from: now, to: now });
          stage.aws.clock.advance(HIDDEN_MS);
          last.at = now;
        }
        return stage.distinct >= share * EVENTS;
      });
    };

    await reached(0.1);
    await disturb("kill -9 of one drain of three", async () => {
      await until("it has something in hand", () => stage.counts().hidden > 0);
      await drains[0]?.end("SIGKILL");
      await stage.start("--drain");
    });
    await reached(0.25);
    await disturb("kill -9 of the receiver", async () => {
      await receiver.end("SIGKILL");
      receiver = await stage.start();
    });
    await reached(0.4);
    await disturb(`throttled for ${seconds} s`, async () => {
      const error = { status: 429, code: "TooManyRequestsException", headers: { "retry-after": "1" } };
      stage.aws.misbehave({ service: "lambda", action: "Invoke", times: Number.POSITIVE_INFINITY, error });
      await sleep(seconds * 1000);
      stage.aws.behave();
    });
    await reached(0.6);
    await disturb(`no SQS for ${seconds} s`, async () => {
      const error = { status: 503, code: "ServiceUnavailable" };
      stage.aws.misbehave({ service: "sqs", times: 50, fault: "drop-after-run" });
      stage.aws.misbehave({ service: "sqs", times: Number.POSITIVE_INFINITY, error });
      await sleep(seconds * 1000);
      stage.aws.behave();
    });
    await reached(0.8);
    await disturb("SIGTERM of one drain of three", async () => {
      expect(await drains[1]?.end("SIGTERM")).toBe(0);
      await stage.start("--drain");
    });
    await posting;
    await reached(1);
    const took = (Date.now() - started) / 1000;
    await until("the queue is empty", () => {
      if (!stage.isEmpty) stage.aws.clock.advance(HIDDEN_MS / 10);
      return stage.isEmpty;
    });
    expect(stage.counts("events-dead.fifo")).toEqual({ visible: 0, hidden: 0 });

    const first = new Map<string, Received>();
    const places = new Map<string, number[]>();
    const twice = new Map<string, number>();
    for (const each of stage.received) {
      const { messageId, userId, at, properties } = each;
      const before = first.get(messageId);
      if (!before) {
        first.set(messageId, each);
        places.set(userId, [...(places.get(userId) ?? []), properties.place]);
        continue;
      }
      const cause = disturbances.find(({ what, from, to }) => REPEATS.test(what) && before.at <= to && at >= from);
      twice.set(cause?.what ?? "unexplained", (twice.get(cause?.what ?? "unexplained") ?? 0) + 1);
    }
    say(
      `${EVENTS} events accepted and delivered in ${took.toFixed(1)} s, 0 lost; delivered twice: ${JSON.stringify(Object.fromEntries(twice))}`,
    );
    for (const [userId, theirs] of places)
      expect([userId, theirs]).toEqual([userId, [...theirs].sort((a, b) => a - b)]);
    expect(twice.get("unexplained") ?? 0).toBe(0);
    expect(stage.received.length - first.size).toBeLessThanOrEqual(3 * IN_HAND);
  },
  LIMIT_MS,
);
