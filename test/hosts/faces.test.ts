import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { AmazonLambdaDestination, type JitsuContext } from "../../src/hosts/jitsu";
import { createDestination } from "../../src/index";
import { type EmbeddedAws, startEmbeddedAws } from "../../src/local/aws/embedded-aws";
import { runCli } from "../cli/run-cli";
import { pointEnvironmentAt } from "../iam/scene";
import { permit, trust } from "../local/aws/policies";
import { startServing } from "./webhook/serving";

type Settings = Readonly<Record<string, unknown>>;
type Event = Readonly<Record<string, unknown>>;

const environment = { ...process.env };
const ORDER = { type: "track", event: "Order Completed", userId: "zoë", messageId: "m-1" };

let aws: EmbeddedAws;
let folder: string;
let common: Settings;
let messages = 0;

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), "faces-"));
  aws = await startEmbeddedAws();
  const { arn, accessKeyId, secretAccessKey } = aws.addUser({ name: "router" });
  pointEnvironmentAt(aws.url, { AWS_ACCESS_KEY_ID: accessKeyId, AWS_SECRET_ACCESS_KEY: secretAccessKey });
  const { arn: roleAddress } = aws.addRole({
    name: "router-events-invoker",
    trustPolicy: trust(arn, "my-source-id"),
    permissionPolicies: [permit("lambda:InvokeFunction", "*")],
  });
  aws.addFunction({ name: "durable", durable: true, handler: () => "done" });
  aws.addFunction({ name: "isolated", tenantIsolation: true, handler: () => "done" });
  aws.addFunction({ name: "failures", handler: () => null });
  aws.addFunction({ name: "orders", handler: () => ({ stored: "in the orders" }) });
  aws.addFunction({
    name: "drops",
    handler: () => {
      throw Object.assign(new Error("not for us"), { name: "DropEvent" });
    },
  });
  common = { region: "us-east-1", roleAddress };
});

afterAll(async () => {
  await aws.close();
  rmSync(folder, { recursive: true });
  process.env = environment;
});

beforeEach(() => aws.clearRecords());

/** Delivers events one after the other, and brings all that it tells of them. */
type Face = (settings: Settings, events: readonly Event[]) => Promise<string>;

const FACES: Readonly<Record<string, Face>> = {
  async "a program of one's own"(settings, events) {
    const destination = createDestination(settings);
    const results = [];
    for (const event of events) results.push(await destination.deliver(event, { sourceId: "my-source-id" }));
    return JSON.stringify(results);
  },

  async "a Jitsu that was built with it"(settings, events) {
    const told: unknown[] = [];
    const tell = (message: string) => told.push(message);
    const context = {
      props: settings,
      log: { info: tell, warn: tell, debug: tell, error: tell },
      source: { id: "my-source-id" },
      workspace: { id: "my-workspace" },
    } as unknown as JitsuContext;
    for (const event of events) {
      await AmazonLambdaDestination({ ...event }, context).catch(({ name, message }) => told.push(name, message));
    }
    return told.join("\n");
  },

  async "the receiver"(settings, events) {
    const behind = createDestination(settings);
    const serving = await startServing({ behind, router: "per-event" });
    const answers: string[] = [];
    for (const event of events) answers.push(await (await serving.post("/webhook/shop", event)).text());
    await serving.close();
    return answers.join("\n");
  },

  async "the command send"(settings, events) {
    const file = join(folder, "settings.json");
    writeFileSync(file, JSON.stringify(settings));
    const input = events.map((event) => `${JSON.stringify(event)}\n`).join("");
    const args = ["send", "--settings", file, "--source-id", "my-source-id", "--concurrency", "1"];
    return (await runCli(args, { env: process.env, input })).out;
  },
};

/** What each invocation was: its function, and what of it is asked for. */
async function invoked<Key extends keyof EmbeddedAws["invocations"][number]>(key: Key) {
  await aws.idle();
  return aws.invocations.map((each) => [each.function, each[key]]);
}

describe.each(Object.entries(FACES))("by %s", (_name, face) => {
  const deliver = (settings: Settings, ...events: Event[]) => face({ ...common, ...settings }, events);
  const order = (more: Event = {}) => ({ ...ORDER, messageId: `m-${++messages}`, ...more });

  test("Execution Name starts one execution per event, and tells which", async () => {
    const once = order();
    const told = await deliver({ lambda: "durable:$LATEST", executionName: "MessageId" }, once, once);

    expect(await invoked("executionName")).toEqual([["durable", expect.stringMatching(/^[0-9a-f]{64}$/)]]);
    expect(told.match(/:durable:\$LATEST\/durable-execution\/[0-9a-f]{64}\//g)).toHaveLength(2);
  });

  test("Tenant ID invokes for the event's tenant", async () => {
    await deliver({ lambda: "isolated", tenantId: "{user}" }, order(), order({ userId: "u 2" }));

    expect(await invoked("tenantId")).toEqual([
      ["isolated", expect.stringMatching(/^sha256:/)],
      ["isolated", "u 2"],
    ]);
  });

  test("Failure Lambda gets what is rejected", async () => {
    const told = await deliver({ lambda: "drops", failureLambda: "failures" }, order());

    expect(await invoked("payload")).toEqual([
      ["drops", expect.anything()],
      [
        "failures",
        expect.objectContaining({ responsePayload: expect.objectContaining({ errorMessage: "not for us" }) }),
      ],
    ]);
    expect(told).toContain("not for us");
  });

  test("Return Value is told where it is asked for", async () => {
    const settings = { lambda: "orders" };
    const [asked, silent] = [
      await deliver({ ...settings, returnValue: "Include" }, order()),
      await deliver(settings, order()),
    ];

    expect(asked).toMatch(/\{\\*"stored\\*":\\*"in the orders\\*"\}/);
    expect(silent).not.toContain("in the orders");
  });

  test("patterns of events lead to functions, and (skip) to none", async () => {
    const settings = {
      trackLambda: "durable:$LATEST",
      eventLambdas: { "Order *": "orders", "Order Viewed": "(skip)" },
    };
    await deliver(settings, order(), order({ event: "Order Viewed" }), order({ event: "Signed Up" }));

    expect(await invoked("version")).toEqual([
      ["orders", "$LATEST"],
      ["durable", "$LATEST"],
    ]);
  });
});
