// @ts-nocheck
import { UsageError } from "../../src/cli/command";
import { migrate } from "../../src/cli/migrate";
import { parseSettings } from "../../src/settings/settings";
import { bufferedIo } from "./buffered-io";

const ROLE = "arn:aws:iam::123456789012:role/invoker";
const KEYS = { accessKeyId: "AKIDEXAMPLE000000000", accessKey: "fakeSecretAccessKeyForTests0EXAMPLE00000" };

async function run(from: string, config: unknown) {
  const io = bufferedIo(JSON.stringify(config));
  const code = await migrate.run(["--from", from, "-"], io);
  return { code, settings: JSON.parse(io.out()), told: io.err() };
}

describe("from RudderStack's native LAMBDA destination", () => {
  test("a role, batches and a client context", async () => {
    const { code, settings, told } = await run("rudderstack", {
      region: "us-east-1",
      roleBasedAuth: true,
      iamRoleARN: ROLE,
      externalId: "workspace-1",
      lambda: "my-function",
      enableBatchInput: true,
      maxBatchSize: "50",
      clientContext: Buffer.from('{"environment":"test"}').toString("base64"),
      connectionMode: { web: "cloud" },
    });

    expect(settings).toEqual({
      lambda: "my-function",
      region: "us-east-1",
      invocationType: "Event",
      roleAddress: ROLE,
      externalId: "workspace-1",
      maxBatchSize: "50",
      clientContext: { environment: "test" },
    });
    expect(code).toBe(0);
    expect(told).toMatch(/^note: invocationType: Event/);
    expect(parseSettings(settings)).toMatchObject({ maxBatchSize: 50 });
  });

  test("keys, without the role that is switched off", async () => {
    const { code, settings } = await run("rudderstack", {
      region: "us-east-1",
      roleBasedAuth: false,
      iamRoleARN: ROLE,
      ...KEYS,
      lambda: "my-function",
      enableBatchInput: false,
      maxBatchSize: "50",
    });

    expect(settings).toEqual({
      lambda: "my-function",
      region: "us-east-1",
      invocationType: "Event",
      accessKeyId: KEYS.accessKeyId,
      secretAccessKey: KEYS.accessKey,
    });
    expect(code).toBe(0);
  });

  test("a batch without a size is as large as there is", async () => {
    const config = { region: "us-east-1", iamRoleARN: ROLE, lambda: "my-function", enableBatchInput: true };

    const { settings, told } = await run("rudderstack", config);

    expect(settings).toMatchObject({ maxBatchSize: 10_000 });
    expect(told).toContain("externalId: the native destination sends the workspace's ID");
  });

  test("what cannot be carried over is named, and left out", async () => {
    const config = { region: "us-east-1", iamRoleARN: ROLE, lambda: "my-function", clientContext: "bm8gbWFw" };

    const { code, settings, told } = await run("rudderstack", config);

    expect(settings).not.toHaveProperty("clientContext");
    expect(told).toContain("not carried over: clientContext is not the base64 of a JSON map");
    expect(code).toBe(1);
  });
});

describe("from Segment's Amazon Lambda destination", () => {
  const config = { function: "my-function", roleAddress: ROLE, externalId: "source", region: "us-west-2" };

  test("its settings under their own names", async () => {
    const { code, settings, told } = await run("segment", { ...config, logType: true, clientContext: { a: "b" } });

    expect(settings).toEqual({
      lambda: "my-function",
      roleAddress: ROLE,
      externalId: "source",
      region: "us-west-2",
      logType: "Tail",
      clientContext: { a: "b" },
    });
    expect(code).toBe(0);
    expect(told).toContain("595280932656");
  });

  test("a function per call type, and per track event", async () => {
    const functions = { track: "t", Identify: "i", "Order Completed": "orders" };

    const { settings } = await run("segment", { ...config, function: functions, logType: "None" });

    expect(settings).toMatchObject({
      trackLambda: "t",
      identifyLambda: "i",
      eventLambdas: { "Order Completed": "orders" },
      logType: "None",
    });
    expect(settings).not.toHaveProperty("lambda");
  });

  test("finds them within a destination as an API shows it", async () => {
    const { settings } = await run("segment", { id: "destination", settings: config });

    expect(settings).toMatchObject({ lambda: "my-function" });
  });

  test("names what has no equivalent, and what is missing", async () => {
    const { code, told } = await run("segment", { function: "my-function", nextTime: true, logType: "Loud" });

    expect(told).toContain("not carried over: nextTime is no setting of Segment's Amazon Lambda destination");
    expect(told).toContain("not carried over: logType is in a form that is not known here");
    expect(told).toContain("to do: region is needed");
    expect(told).toContain("note: externalId: Segment sends the ID of the Segment source");
    expect(told).not.toContain("595280932656");
    expect(code).toBe(1);
  });

  test.each([["my-function"], [{ track: "t" }]])("its function under the name of its page, too: %j", async (lambda) => {
    const { function: _, ...others } = config;

    const { code, settings } = await run("segment", { ...others, lambda });

    expect(settings).toEqual((await run("segment", { ...others, function: lambda })).settings);
    expect(code).toBe(0);
  });
});

test.each([
  ["segment", /no setting of Segment's Amazon Lambda destination: function, /],
  ["rudderstack", /no setting of RudderStack's native LAMBDA destination: iamRoleARN, /],
])("a JSON that has nothing to do with %s is refused", async (from, message) => {
  for (const config of [{}, { name: "some-package", version: "1.0.0" }, { name: "x", settings: { colour: "red" } }]) {
    await expect(run(from, config)).rejects.toThrow(UsageError);
    await expect(run(from, config)).rejects.toThrow(message);
  }
});

test.each<[string, string[], string, RegExp]>([
  ["no origin", ["-"], "{}", /--from must be segment or rudderstack/],
  ["another origin", ["--from", "jitsu", "-"], "{}", /--from must be segment or rudderstack/],
  ["no file", ["--from", "segment"], "{}", /Give one file/],
  [
    "a file that is not there",
    ["--from", "segment", "absent.json"],
    "{}",
    /Cannot read absent.json: there is no such file/,
  ],
  ["no JSON", ["--from", "segment", "-"], '{"secret', /^- is not JSON\.$/],
  ["no object", ["--from", "segment", "-"], "[1]", /must hold a JSON object/],
])("%s is wrong usage", async (_name, argv, input, message) => {
  const run = migrate.run(argv, bufferedIo(input));

  await expect(run).rejects.toThrow(UsageError);
  await expect(run).rejects.toThrow(message);
});
