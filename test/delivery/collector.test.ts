import { Collector } from "../../src/delivery/collector";
import { FakeAws, pending, settled } from "../aws/fake-aws";

/** Longer than what the fake clock lets pass by itself. */
const WINDOW_MS = 200;
const MOST = 3;

let aws: FakeAws;
let sent: string[][];
let answer: () => Promise<void>;
let collector: Collector<string, string>;

beforeEach(() => {
  aws = new FakeAws();
  sent = [];
  answer = async () => {};
  collector = new Collector<string, string>(aws.clock, {
    windowMs: WINDOW_MS,
    full: ({ length }) => length >= MOST,
    send: async (deliveries) => {
      sent.push([...deliveries]);
      await answer();
      return deliveries.map((delivery) => delivery.toUpperCase());
    },
  });
});

/** So many deliveries, one after the other. */
async function oneByOne(count: number): Promise<void> {
  for (let i = 0; i < count; i++) {
    const result = collector.deliver(`lonely ${i}`);
    aws.pass(WINDOW_MS);
    await result;
  }
  sent = [];
}

test("what comes within the window of the first goes together, and each is told its own result", async () => {
  const results = [collector.deliver("a")];
  aws.pass(WINDOW_MS - 1);
  results.push(collector.deliver("b"));
  expect(sent).toEqual([]);
  expect(aws.timers).toBe(1);
  aws.pass(1);
  expect(await Promise.all(results)).toEqual(["A", "B"]);
  expect(sent).toEqual([["a", "b"]]);
});

test("a later delivery has a window of its own", async () => {
  const first = [collector.deliver("a"), collector.deliver("b"), collector.deliver("c")];
  await Promise.all(first);
  aws.pass(WINDOW_MS - 50);
  void collector.deliver("d");
  aws.pass(WINDOW_MS - 1);
  await settled();
  expect(sent).toEqual([["a", "b", "c"]]);
  aws.pass(1);
  expect(sent).toEqual([["a", "b", "c"], ["d"]]);
});

test("who delivers one by one waits ten times, and then no more", async () => {
  await oneByOne(10);
  const result = collector.deliver("a");
  expect(aws.timers).toBe(0);
  expect(await result).toBe("A");
});

test("deliveries of the same moment go together even then, and after them others are waited for again", async () => {
  await oneByOne(10);
  await Promise.all([collector.deliver("a"), collector.deliver("b")]);
  expect(sent).toEqual([["a", "b"]]);
  void collector.deliver("c");
  expect(aws.timers).toBe(1);
});

test("a delivery that comes while another is under way is no lonely one", async () => {
  await oneByOne(10);
  const hanging = pending<void>();
  answer = () => hanging.promise;
  const first = collector.deliver("a");
  await settled();
  void collector.deliver("b");
  expect(aws.timers).toBe(1);
  hanging.resolve();
  await first;
  aws.pass(WINDOW_MS);
  await settled();
  expect(sent).toEqual([["a"], ["b"]]);
});

test("what is withdrawn is not sent, and the others wait on", async () => {
  const others = [collector.deliver("a")];
  void collector.deliver("b");
  expect(collector.withdraw("b")).toBe(true);
  expect(collector.withdraw("b")).toBe(false);
  await settled();
  expect(sent).toEqual([]);
  aws.pass(WINDOW_MS);
  expect(await Promise.all(others)).toEqual(["A"]);
  expect(sent).toEqual([["a"]]);
});

test("the last that is withdrawn leaves no timer, and nothing is sent", async () => {
  void collector.deliver("a");
  expect(collector.withdraw("a")).toBe(true);
  expect(aws.timers).toBe(0);
  await settled();
  expect(sent).toEqual([]);
  expect(collector.idle).toBe(true);
});

test("nothing waits and nothing is under way: only then it is idle", async () => {
  expect(collector.idle).toBe(true);
  const hanging = pending<void>();
  answer = () => hanging.promise;
  const result = collector.deliver("a");
  expect(collector.idle).toBe(false);
  collector.flush();
  expect(collector.idle).toBe(false);
  hanging.resolve();
  await result;
  expect(collector.idle).toBe(true);
});
