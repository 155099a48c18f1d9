import { AwsTime } from "../../src/aws/clock";
import { retryAfterMs } from "../../src/aws/retry-after";
import { FakeAws } from "./fake-aws";

const MINUTE_MS = 60_000;

let aws: FakeAws;
let time: AwsTime;

beforeEach(() => {
  aws = new FakeAws();
  time = new AwsTime(aws.clock);
});

/** AWS's answer says that it is so many milliseconds later there than our clock has it. */
const learn = (aheadMs: number) => time.learn(new Date(aws.clock.wall() + aheadMs).toUTCString());

test("from four minutes on, the difference to AWS's clock is corrected, and below that left as it is", () => {
  expect([learn(4 * MINUTE_MS - 1000), time.offsetMs]).toEqual([false, 0]);
  expect([learn(4 * MINUTE_MS), time.offsetMs]).toEqual([true, 4 * MINUTE_MS]);
  expect(time.now()).toBe(aws.clock.wall() + 4 * MINUTE_MS);
});

test("a correction that is right is not made once more", () => {
  learn(-20 * MINUTE_MS);
  expect([learn(-20 * MINUTE_MS), time.offsetMs]).toEqual([false, -20 * MINUTE_MS]);
});

test("once the machine's clock is set right there is nothing to correct", () => {
  learn(20 * MINUTE_MS);
  expect([learn(3 * MINUTE_MS), time.offsetMs]).toEqual([true, 0]);
});

test.each([undefined, "", "tomorrow"])("a date that is none says nothing: %s", (date) => {
  expect([time.learn(date), time.offsetMs]).toEqual([false, 0]);
});

test.each<[string | undefined, number | undefined]>([
  ["5", 5000],
  [" 5 ", 5000],
  ["0.25", 250],
  ["901", 900_000],
  ["soon", undefined],
  [undefined, undefined],
])("a Retry-After of %j is %s ms", (header, ms) => {
  expect(retryAfterMs(header)).toBe(ms);
});
