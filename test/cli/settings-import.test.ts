import { importSettings } from "../../src/cli/settings-import";

const ROLE = "arn:aws:iam::123456789012:role/invoker";

const imported = (file: unknown) => importSettings(JSON.stringify(file));

describe("settings of this destination", () => {
  const settings = {
    lambda: "router-events",
    region: "us-east-1",
    roleAddress: ROLE,
    eventLambdas: { "Order Completed": "orders" },
  };

  test.each([
    ["alone", settings],
    ["within the whole destination", { name: "Lambda", settings }],
    ["as a RudderStack destination", { Config: settings }],
    ["as a RudderStack destination of a workspaceConfig", { id: "d", config: settings }],
  ])("are taken as they are, %s", (_where, file) => {
    expect(imported(file)).toEqual({ from: "settings of this destination", settings, notes: [], problems: [] });
  });

  test("come with what is wrong with them, so that they can be mended in the form", () => {
    expect(imported({ ...settings, region: "us-east" })).toMatchObject({
      settings: { region: "us-east" },
      problems: [{ setting: "region", problem: expect.stringContaining("AWS region") }],
    });
  });

  test("may begin with the mark that editors put before UTF-8", () => {
    expect(importSettings(`\uFEFF${JSON.stringify(settings)}`)).toMatchObject({ settings, problems: [] });
  });
});

test("settings of Segment become ours, and what has no counterpart is told", () => {
  const { from, settings, notes, problems } = imported({
    settings: {
      function: "router-events",
      region: "us-east-1",
      roleAddress: ROLE,
      externalId: "segment-1",
      logType: true,
      qualifier: "live",
    },
  });

  expect(from).toBe("Segment's Amazon Lambda destination");
  expect(settings).toEqual({
    lambda: "router-events",
    region: "us-east-1",
    roleAddress: ROLE,
    externalId: "segment-1",
    logType: "Tail",
  });
  expect(problems).toEqual([]);
  expect(notes).toEqual([
    expect.stringMatching(/^Not carried over: qualifier /),
    expect.stringMatching(/^roleAddress: the role trusts Segment's AWS account/),
  ]);
});

test("settings of RudderStack's native LAMBDA become ours, and what will be different is told", () => {
  const { from, settings, notes, problems } = imported({
    Config: {
      region: "us-east-1",
      roleBasedAuth: true,
      iamRoleARN: ROLE,
      externalId: "workspace-1",
      lambda: "router-events",
      enableBatchInput: true,
      maxBatchSize: "50",
    },
  });

  expect(from).toBe("RudderStack's native LAMBDA destination");
  expect(settings).toEqual({
    lambda: "router-events",
    region: "us-east-1",
    roleAddress: ROLE,
    externalId: "workspace-1",
    maxBatchSize: "50",
    invocationType: "Event",
  });
  expect(problems).toEqual([]);
  expect(notes).toContainEqual(expect.stringMatching(/^invocationType: Event/));
});

test.each([
  ["{", "This is not JSON."],
  ["[]", "Settings are a JSON object."],
  ["{}", "There is no setting in it."],
  ['{"settings":{}}', "There is no setting in it."],
  ['{"bucket":"b"}', "It holds no settings of this destination"],
])("%s is refused with the reason, and the form stays as it is", (text, reason) => {
  expect(importSettings(text)).toEqual({
    notes: [],
    problems: [{ setting: "", problem: expect.stringContaining(reason) }],
  });
});
