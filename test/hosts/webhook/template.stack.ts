import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { type EmbeddedAws, startEmbeddedAws } from "../../../src/local/aws/embedded-aws";
import { createStack, type Stack } from "../../iam/stack";
import { permit, trust } from "../../local/aws/policies";

/** More of them with `npm run stack -- --events 20000`. */
const EVENTS = Number(process.env["STACK_EVENTS"] ?? 400);
const USERS = 50;
const LIMIT_MS = 600_000;
const ROLE = "arn:aws:iam::123456789012:role/router-events-invoker";
const SECRET = "a-secret-of-mine";

let aws: EmbeddedAws;
let stack: Stack;
let processes: ChildProcess[];
let received: {
  readonly messageId: string;
  readonly userId: string;
  readonly properties: { readonly place: number };
}[];

beforeEach(async () => {
  processes = [];
  received = [];
  aws = await startEmbeddedAws({ history: 10 });
  aws.addFunction({
    name: "router-events",
    handler: async (event) => {
      await sleep(2);
      received.push(event as never);
    },
  });
  stack = createStack(aws, readFileSync("templates/receiver.cloudformation.yaml", "utf8"), {
    CodeBucket: "my-bucket",
    CodeKey: "receiver.zip",
    RoleArns: ROLE,
  });
  aws.addRole({
    name: "router-events-invoker",
    trustPolicy: trust(String(stack.outputs["RoleArn"]), "my-source-id"),
    permissionPolicies: [
      permit("lambda:InvokeFunction", "arn:aws:lambda:us-east-1:123456789012:function:router-events*"),
    ],
  });
});

afterEach(async () => {
  for (const each of processes) each.kill("SIGKILL");
  await aws.close();
});

/** Runs a function of the stack, with the variables that the template gives it and as the role that it has there. */
async function start(
  id: "ReceiverFunction" | "DrainFunction",
  ...args: string[]
): Promise<{ child: ChildProcess; said: { port?: number } }> {
  const { Environment } = Object(stack.resources[id]?.properties);
  const { accessKeyId, secretAccessKey, sessionToken } = aws.startTaggedSession(String(stack.outputs["RoleArn"]), {});
  const child = spawn(process.execPath, [join(__dirname, "lambda-process.mjs"), ...args], {
    stdio: ["ignore", "pipe", "inherit"],
    env: {
      PATH: process.env["PATH"],
      NODE_NO_WARNINGS: "1",
      AWS_ENDPOINT_URL: aws.url,
      AWS_REGION: aws.region,
      AWS_ACCESS_KEY_ID: accessKeyId,
      AWS_SECRET_ACCESS_KEY: secretAccessKey,
      AWS_SESSION_TOKEN: sessionToken,
      ...Environment.Variables,
      AMAZON_LAMBDA_CONNECTIONS: JSON.stringify({
        connections: {
          "my-source-id": {
            acknowledge: "accepted",
            webhook: [{ type: "bearer", secrets: [SECRET] }],
            settings: { lambda: "router-events", region: "us-east-1", roleAddress: ROLE, externalId: "my-source-id" },
          },
        },
      }),
    },
  });
  processes.push(child);
  const ended = once(child, "exit").then(() => Promise.reject(new Error("The function's process ended at once.")));
  const [line] = await Promise.race([once(child.stdout as NodeJS.ReadableStream, "data"), ended]);
  ended.catch(() => {});
  child.stdout?.resume();
  return { child, said: JSON.parse(String(line)) };
}

async function end(child: ChildProcess): Promise<void> {
  const ended = once(child, "exit");
  child.kill("SIGKILL");
  await ended;
}

async function until(what: string, holds: () => boolean): Promise<void> {
  for (const started = Date.now(); !holds(); await sleep(50))
    if (Date.now() - started > LIMIT_MS / 2) throw new Error(`Waited in vain until ${what}.`);
}

const distinct = () => new Set(received.map(({ messageId }) => messageId)).size;
const counts = (id: string) =>
  aws.queueCounts(String(Object(stack.resources[id]) && `amazon-lambda-destination-${id}-AB12CD34.fifo`));

test(
  "the template's stack delivers everything that it answered 2xx, in each user's order, whatever is killed",
  async () => {
    const { child: receiver, said } = await start("ReceiverFunction", "url");
    const drains = await Promise.all([1, 2, 3].map(() => start("DrainFunction", "mapping")));
    const url = `http://127.0.0.1:${said.port}/webhook/my-source-id`;
    const sent = async (events: readonly object[]): Promise<void> => {
      const headers = { "content-type": "application/json", authorization: `Bearer ${SECRET}` };
      const answer = await fetch(url, { method: "POST", headers, body: JSON.stringify(events) }).catch(() => undefined);
      if (answer?.status === 200) return void (await answer.text());
      await sleep(100);
      return sent(events);
    };
    const started = Date.now();
    const posting = (async () => {
      for (let n = 0; n < EVENTS; n += USERS) {
        const place = n / USERS;
        await sent(
          Array.from({ length: Math.min(USERS, EVENTS - n) }, (_none, i) => ({
            type: "track",
            event: "Order Completed",
            userId: `user-${i}`,
            messageId: `user-${i}/${place}`,
            properties: { place },
          })),
        );
      }
    })();

    await until("a quarter is delivered", () => distinct() >= EVENTS / 4);
    const hidden = () => counts("Queue").hidden;
    await until("a batch is under way", () => hidden() > 0);
    await end((drains[0] as (typeof drains)[number]).child);
    await end(receiver);
    await start("ReceiverFunction", "url", String(said.port));
    const error = { status: 429, code: "TooManyRequestsException", headers: { "retry-after": "1" } };
    aws.misbehave({ service: "lambda", action: "Invoke", times: Number.POSITIVE_INFINITY, error });
    await sleep(EVENTS > 1000 ? 20_000 : 1_000);
    aws.behave();
    await posting;
    // What the killed function had in hand is shown again after the visibility timeout, and all else of its users waits for it.
    let last = { at: Date.now(), deliveries: received.length };
    await until("all is delivered", () => {
      const stands = received.length === last.deliveries;
      if (stands && Date.now() - last.at < 1_000) return distinct() === EVENTS;
      if (stands) aws.clock.advance(720_000);
      last = { at: Date.now(), deliveries: received.length };
      return distinct() === EVENTS;
    });
    await until("the queue is empty", () => counts("Queue").visible + counts("Queue").hidden === 0);

    const places = new Map<string, number[]>();
    const seen = new Set<string>();
    for (const { messageId, userId, properties } of received) {
      if (!seen.has(messageId)) places.set(userId, [...(places.get(userId) ?? []), properties.place]);
      seen.add(messageId);
    }
    for (const [userId, theirs] of places)
      expect([userId, theirs]).toEqual([userId, [...theirs].sort((a, b) => a - b)]);
    expect(counts("DeadLetterQueue")).toEqual({ visible: 0, hidden: 0 });
    // What the killed function had in hand: ten messages at most.
    expect(received.length - seen.size).toBeLessThanOrEqual(10);
    const seconds = (Date.now() - started) / 1000;
    process.stderr.write(
      `${EVENTS} events accepted and delivered in ${seconds.toFixed(1)} s, 0 lost, ${received.length - seen.size} twice\n`,
    );
  },
  LIMIT_MS,
);
