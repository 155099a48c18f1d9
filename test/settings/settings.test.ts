import fc from "fast-check";
import settingsSchema from "../../schemas/settings.schema.json";
import { CALL_TYPES } from "../../src/events/segment-event";
import { partitionOf } from "../../src/names/partitions";
import { parseSettings, pickSettings, SETTING_KEYS } from "../../src/settings/settings";
import { SettingsError, type SettingsProblem } from "../../src/settings/settings-error";

const region = "us-east-1";
const account = "123456789012";
const arn = (name: string, { partition = "aws", at = region } = {}) =>
  `arn:${partition}:lambda:${at}:${account}:function:${name}`;
const role = "arn:aws:iam::123456789012:role/amazon-lambda-destination";
const minimal = { lambda: arn("events"), roleAddress: role };
const keys = { accessKeyId: "AKIDEXAMPLE00000000", secretAccessKey: "not/a/real+secret/only+for+this+test00000" };

function errorOf(settings: unknown): SettingsError {
  try {
    parseSettings(settings);
  } catch (error) {
    expect(error).toBeInstanceOf(SettingsError);
    return error as SettingsError;
  }
  throw new Error("These settings were accepted.");
}

function problemOf(settings: unknown, setting: string): SettingsProblem {
  const { problems } = errorOf(settings);
  const [problem] = problems.filter((each) => each.setting === setting);
  expect(problems.map((each) => each.setting)).toContain(setting);
  return problem as SettingsProblem;
}

test("a function and a role are enough; everything else has a default", () => {
  expect(parseSettings(minimal)).toEqual({
    functions: Object.fromEntries(
      CALL_TYPES.map((callType) => [
        callType,
        { configured: arn("events"), partition: "aws", region, account, name: "events" },
      ]),
    ),
    eventFunctions: new Map(),
    routes: expect.anything(),
    region,
    role: { arn: role, partition: "aws", account, path: "/", name: "amazon-lambda-destination" },
    logType: "None",
    returnValue: "None",
    invocationType: "RequestResponse",
    batchWindowMs: 0,
    executionName: "None",
    timeoutMs: 5000,
    maxBatchSize: 1,
  });
});

test("a call type's own function wins over the one for all", () => {
  const { functions } = parseSettings({ ...minimal, trackLambda: "tracks", groupLambda: "groups" });
  expect(CALL_TYPES.map((callType) => functions[callType]?.name)).toEqual([
    "tracks",
    "events",
    "events",
    "events",
    "groups",
    "events",
  ]);
});

test.each(CALL_TYPES)("a function for %s alone leaves the others without one", (callType) => {
  const { functions } = parseSettings({ roleAddress: role, region, [`${callType}Lambda`]: "only" });
  expect(Object.keys(functions)).toEqual([callType]);
});

test("functions for single track events are found by the event's name, whatever it is", () => {
  const { eventFunctions, functions } = parseSettings({
    roleAddress: role,
    region,
    eventLambdas: JSON.parse('{"Order Completed":"orders","__proto__":"odd","constructor":"odd-too"}'),
  });
  expect([...eventFunctions].map(([event, { name }]) => [event, name])).toEqual([
    ["Order Completed", "orders"],
    ["__proto__", "odd"],
    ["constructor", "odd-too"],
  ]);
  expect(functions).toEqual({});
});

describe("forms that hold strings only", () => {
  test("numbers and maps are read from strings", () => {
    const asStrings = parseSettings({
      ...minimal,
      timeoutMs: "2500",
      maxBatchSize: " 10 ",
      eventLambdas: '{"Order Completed":"orders"}',
      clientContext: '{"environment":"test"}',
    });
    const asValues = parseSettings({
      ...minimal,
      timeoutMs: 2500,
      maxBatchSize: 10,
      eventLambdas: { "Order Completed": "orders" },
      clientContext: { environment: "test" },
    });
    expect(asStrings).toEqual(asValues);
    expect(asStrings).toMatchObject({ timeoutMs: 2500, maxBatchSize: 10 });
  });

  test.each(["", null, undefined])("a field that holds %p is absent", (empty) => {
    const form = { ...Object.fromEntries(SETTING_KEYS.map((key) => [key, empty])), ...minimal };
    expect(parseSettings(form)).toEqual(parseSettings(minimal));
  });

  test.each([
    ["timeoutMs", "5s"],
    ["timeoutMs", "5e3"],
    ["timeoutMs", "5000.5"],
    ["timeoutMs", "0x1388"],
    ["timeoutMs", " "],
    ["timeoutMs", "99"],
    ["timeoutMs", "900001"],
    ["timeoutMs", Number.NaN],
    ["timeoutMs", Number.POSITIVE_INFINITY],
    ["timeoutMs", 5000.5],
    ["timeoutMs", true],
    ["timeoutMs", [5000]],
    ["maxBatchSize", "0"],
    ["maxBatchSize", "10001"],
    ["maxBatchSize", "99999999999999999999999"],
    ["eventLambdas", "orders"],
    ["eventLambdas", "[]"],
    ["eventLambdas", "null"],
    ["clientContext", "{"],
    ["clientContext", "7"],
    ["logType", "tail"],
    ["logType", 1],
    ["invocationType", "DryRun"],
    ["lambda", 12],
    ["lambda", {}],
    ["region", "US-EAST-1"],
    ["region", "us-east"],
    ["externalId", "a"],
    ["externalId", "with space"],
    ["externalId", "x".repeat(1225)],
    ["accessKeyId", "short"],
    ["secretAccessKey", "has spaces in it, so it is none"],
    ["roleAddress", "amazon-lambda-destination"],
    ["roleAddress", "arn:aws:iam::123456789012:user/somebody"],
    ["roleAddress", "arn:aws:iam::12345:role/too-short-an-account"],
    ["roleAddress", `${role}\n`],
    ["roleAddress", `${role}/`],
    ["roleAddress", `${role} `],
  ])("%s is refused where it holds %p, in its own words and with an example", (setting, value) => {
    const problem = problemOf({ ...minimal, ...keys, [setting]: value }, setting);
    expect(problem.problem).toMatch(/^must be /);
    expect(problem.example).toEqual(expect.any(String));
  });
});

const PARTITIONS = [
  ["aws", "eu-central-1"],
  ["aws", "ap-southeast-7"],
  ["aws-cn", "cn-northwest-1"],
  ["aws-us-gov", "us-gov-west-1"],
  ["aws-iso", "us-iso-east-1"],
  ["aws-iso-b", "us-isob-east-1"],
  ["aws-iso-e", "eu-isoe-west-1"],
  ["aws-iso-f", "us-isof-south-1"],
  ["aws-eusc", "eusc-de-east-1"],
] as const;

describe.each(PARTITIONS)("in partition %s, region %s", (partition, at) => {
  const roleAddress = `arn:${partition}:iam::${account}:role/path/to/router`;
  const whole = { partition, region: at, account, name: "my-function" };

  test.each([
    ["my-function", { name: "my-function" }],
    ["my_function:live", { name: "my_function", qualifier: "live" }],
    ["my-function:$LATEST", { name: "my-function", qualifier: "$LATEST" }],
    ["my-function:$LATEST.PUBLISHED", { name: "my-function", qualifier: "$LATEST.PUBLISHED" }],
    ["my-function:42", { name: "my-function", qualifier: "42" }],
    ["function:my-function", { name: "my-function" }],
    [`${account}:function:my-function`, { account, name: "my-function" }],
    [`${account}:function:my-function:live`, { account, name: "my-function", qualifier: "live" }],
    [`${at}:${account}:function:my-function`, { region: at, account, name: "my-function" }],
    [`arn:${partition}:lambda:${at}:${account}:function:my-function`, whole],
    [`arn:${partition}:lambda:${at}:${account}:function:my-function:live`, { ...whole, qualifier: "live" }],
    [`arn:${partition}:lambda:${at}:${account}:function:my-function:$LATEST`, { ...whole, qualifier: "$LATEST" }],
  ])("a function may be given as %s", (configured, parts) => {
    const { functions } = parseSettings({ lambda: configured, roleAddress, region: at });
    expect(functions.track).toEqual({ configured, ...parts });
  });

  test("the region comes from the function's ARN where it is not given", () => {
    const lambda = `arn:${partition}:lambda:${at}:${account}:function:my-function`;
    expect(parseSettings({ lambda, roleAddress })).toMatchObject({ region: at, role: { partition, account } });
  });

  test("the region's partition is known", () => {
    expect(partitionOf(at)).toBe(partition);
  });
});

test.each([
  "",
  "my function",
  "my/function",
  "my-function\n",
  "\nmy-function",
  "my-function:",
  "my-function:live:2",
  "my-function:$OLDEST",
  "a".repeat(65),
  `arn:aws:lambda:us-east-1:${account}:function`,
  `arn:aws:lambda:us-east-1:${account}:function:`,
  `arn:aws:lambda:us-east-1:${account}:function:a/../b`,
  `arn:aws:lambda:us-east-1:${account}:function:a\r\nX-Amz-Log-Type: Tail`,
  `arn:aws:lambda:us-east-1:12345:function:short-account`,
  `arn:aws:lambda::${account}:function:no-region`,
  `arn:aws:s3:us-east-1:${account}:function:not-lambda`,
  `arn:gcp:lambda:us-east-1:${account}:function:not-aws`,
  `arn:aws:lambda:us-east-1:${account}:layer:no-function`,
  "https://example.com/function",
  "../../2015-03-31/functions",
  "name?Qualifier=1",
])("%j is no function", (lambda) => {
  const problem = problemOf({ roleAddress: role, region, trackLambda: "fine", lambda: lambda || {} }, "lambda");
  expect(problem).toEqual({
    setting: "lambda",
    problem: "must be the name or ARN of a Lambda function, with or without a version or alias; or (skip) for none",
    example: settingsSchema.definitions.function.examples[0],
  });
});

describe("settings that contradict each other", () => {
  test("no function at all", () => {
    expect(problemOf({ roleAddress: role, region }, "lambda").problem).toMatch(/^is needed/);
    expect(problemOf({ roleAddress: role, region, eventLambdas: {} }, "lambda").problem).toMatch(/^is needed/);
  });

  test("nothing but functions that are skipped, or the one for failures", () => {
    expect(problemOf({ roleAddress: role, region, lambda: "(skip)" }, "lambda").problem).toMatch(/^is needed/);
    expect(problemOf({ roleAddress: role, region, failureLambda: "failures" }, "lambda").problem).toMatch(/^is needed/);
  });

  test("a Failure Lambda that is skipped, or in another region", () => {
    expect(problemOf({ ...minimal, failureLambda: "(skip)" }, "failureLambda").problem).toMatch(/^must be /);
    const elsewhere = { ...minimal, failureLambda: arn("failures", { at: "eu-west-1" }) };
    expect(problemOf(elsewhere, "failureLambda").problem).toMatch("is in eu-west-1");
  });

  test("one execution per event, in batches", () => {
    const settings = { ...minimal, lambda: arn("events:live"), executionName: "MessageId", maxBatchSize: 2 };
    expect(problemOf(settings, "maxBatchSize").problem).toMatch(/^must be 1 with Execution Name MessageId/);
  });

  test("one execution per event, by functions without version or alias", () => {
    const settings = { ...minimal, trackLambda: "tracks:live", failureLambda: "failures", executionName: "MessageId" };
    expect(errorOf(settings).problems).toEqual([
      {
        setting: "lambda",
        problem: "needs a version or alias, because AWS takes durable functions by those only",
        example: `${arn("events")}:live`,
      },
    ]);
  });

  test.each(["", "{users}", "{user", "x{user}", "a*b", "x".repeat(257), "é"].filter(Boolean))(
    "a Tenant ID %p that AWS would not take",
    (tenantId) => {
      expect(problemOf({ ...minimal, tenantId }, "tenantId").problem).toMatch(/^must be 1 to 256 /);
    },
  );

  test("no region from anywhere", () => {
    expect(problemOf({ roleAddress: role, lambda: "by-name" }, "region")).toMatchObject({ example: "us-east-1" });
  });

  test("functions of two regions", () => {
    const settings = { ...minimal, pageLambda: arn("pages", { at: "eu-west-1" }) };
    expect(problemOf(settings, "pageLambda").problem).toMatch("is in eu-west-1, while the region is us-east-1");
  });

  test("a partial ARN of another region", () => {
    const settings = { ...minimal, pageLambda: `eu-west-1:${account}:function:pages` };
    expect(problemOf(settings, "pageLambda").problem).toMatch("eu-west-1");
  });

  test("a region that is not the functions'", () => {
    expect(problemOf({ ...minimal, region: "eu-west-1" }, "lambda").problem).toMatch("us-east-1");
  });

  test("a single event's function in another region", () => {
    const settings = { ...minimal, eventLambdas: { "Order Completed": arn("orders", { at: "eu-west-1" }) } };
    expect(problemOf(settings, "eventLambdas.Order Completed").problem).toMatch("eu-west-1");
  });

  test("a role in another partition", () => {
    const settings = { ...minimal, roleAddress: `arn:aws-cn:iam::${account}:role/router` };
    expect(problemOf(settings, "roleAddress").problem).toMatch("partition aws-cn");
  });

  test("a function whose ARN's partition does not have its region", () => {
    const settings = { roleAddress: role, lambda: arn("events", { partition: "aws-cn" }) };
    expect(problemOf(settings, "lambda").problem).toMatch("partition aws-cn");
  });

  test("half a key pair", () => {
    const { accessKeyId, secretAccessKey } = keys;
    expect(problemOf({ ...minimal, accessKeyId }, "secretAccessKey").problem).toMatch("together with accessKeyId");
    expect(problemOf({ ...minimal, secretAccessKey }, "accessKeyId").problem).toMatch("together with secretAccessKey");
  });
});

describe("whose AWS identity invokes", () => {
  const withoutRole = { lambda: arn("events") };

  test("the operator's own is refused where the operator has not allowed it", () => {
    expect(problemOf(withoutRole, "roleAddress").problem).toMatch(/operator does not allow/);
  });

  test("the operator may allow it", () => {
    const settings = parseSettings(withoutRole, { externalIdFrom: "settings", allowAmbientCredentials: true });
    expect(settings).not.toHaveProperty("role");
    expect(settings).not.toHaveProperty("keys");
  });

  test("a key pair does without a role", () => {
    expect(parseSettings({ ...withoutRole, ...keys })).toMatchObject({ keys });
  });
});

describe("client context", () => {
  const decoded = (clientContext: unknown) =>
    JSON.parse(Buffer.from(parseSettings({ ...minimal, clientContext }).clientContext ?? "", "base64").toString());

  test("is found by Node.js and by Python functions", () => {
    expect(decoded({ a: 1, text: "Zürich 🚆" })).toEqual({
      a: 1,
      text: "Zürich 🚆",
      custom: { a: 1, text: "Zürich 🚆" },
    });
  });

  test("that is made for Python already stays as it is, and all of it is in custom", () => {
    const [client, env] = [{ installation_id: "i" }, { b: "2" }];
    expect(decoded({ client, custom: { a: 1 }, env })).toEqual({ client, custom: { a: 1, client, env }, env });
  });

  test.each(["acme", 7, true, null, ["acme"]])(
    "the keys client and env are only in custom where they hold %j",
    (value) => {
      expect(decoded({ client: value, env: value, a: 1 })).toEqual({
        a: 1,
        custom: { client: value, env: value, a: 1 },
      });
    },
  );

  test.each(["acme", null, ["acme"]])("a key custom that holds %j is kept", (custom) => {
    expect(decoded({ custom, a: 1 })).toEqual({ a: 1, custom: { custom, a: 1 } });
  });

  test("is left out where it is empty", () => {
    expect(parseSettings({ ...minimal, clientContext: {} })).not.toHaveProperty("clientContext");
  });

  test("may be as long as Lambda takes and no longer", () => {
    // {"a":"…","custom":{"a":"…"}} in base64: 4 characters for 3 bytes.
    const longest = parseSettings({ ...minimal, clientContext: { a: "x".repeat(1329) } });
    expect(longest.clientContext).toHaveLength(3580);
    expect(problemOf({ ...minimal, clientContext: { a: "x".repeat(1330) } }, "clientContext").problem).toMatch(
      "takes 3583 at most",
    );
  });

  test("that JSON cannot hold is refused, not thrown", () => {
    const circle: Record<string, unknown> = {};
    circle["self"] = circle;
    for (const clientContext of [circle, { count: 1n }]) {
      expect(problemOf({ ...minimal, clientContext }, "clientContext").problem).toBe("cannot be written as JSON");
    }
  });
});

describe("the error", () => {
  test("names every bad field at once", () => {
    const { problems, message } = errorOf({
      lambda: "not a function",
      trackLambda: 7,
      eventLambdas: { "Order Completed": "not one either" },
      roleAddress: "nobody",
      region: "the moon",
      timeoutMs: "soon",
      colour: "blue",
    });
    const named = [
      "lambda",
      "trackLambda",
      "eventLambdas.Order Completed",
      "roleAddress",
      "region",
      "timeoutMs",
      "colour",
    ];
    expect(problems.map(({ setting }) => setting).sort()).toEqual([...named].sort());
    for (const name of named) expect(message).toContain(name);
  });

  test("tells an unknown key which ones there are", () => {
    expect(problemOf({ ...minimal, lamda: "typo" }, "lamda").problem).toContain("there are lambda, trackLambda");
  });

  test("is one line, whatever the keys are", () => {
    const { message } = errorOf({ ...minimal, "a\nb\u0000": 1, [`long${"g".repeat(1000)}`]: 1 });
    expect(message).not.toMatch(/[\n\0]/);
    expect(message.length).toBeLessThan(1500);
  });

  test.each([[null], [undefined], ["settings"], [7], [[]], [true]])(
    "says that settings are an object, not %p",
    (input) => {
      const { problems } = errorOf(input);
      expect(problems).toHaveLength(1);
      expect(problems[0]).toMatchObject({ setting: "", problem: "must be an object" });
    },
  );

  test("never shows a value, of secret fields or any other", () => {
    fc.assert(
      fc.property(fc.constantFrom(...SETTING_KEYS), fc.stringMatching(/^[a-z0-9 ]{12,40}$/), (setting, tail) => {
        const value = `\u{1F510} ${tail}`;
        const { message, problems } = errorOf({ ...minimal, ...keys, [setting]: value });
        const told = JSON.stringify([message, problems]);
        for (const secret of [value, tail, keys.secretAccessKey, keys.accessKeyId]) expect(told).not.toContain(secret);
      }),
    );
  });

  test("never shows a value inside a map", () => {
    const { message } = errorOf({ ...minimal, eventLambdas: { Paid: "wJalrXUtnFEMI/K7MDENG/pasted" } });
    expect(message).not.toContain("wJalrXUtnFEMI");
  });
});

describe("prototype pollution", () => {
  test.each(["__proto__", "constructor", "prototype", "toString", "hasOwnProperty"])("%s is not a setting", (key) => {
    const settings = JSON.parse(`{"lambda":"${arn("events")}","roleAddress":"${role}","${key}":{"polluted":true}}`);
    expect(problemOf(settings, key).problem).toMatch("is not a setting");
    expect({}).not.toHaveProperty("polluted");
  });

  test("settings that are only inherited do not count", () => {
    expect(errorOf(Object.create(minimal)).problems.map(({ setting }) => setting)).toContain("lambda");
  });

  test("a client context's keys are only data", () => {
    const clientContext = JSON.parse('{"__proto__":{"polluted":true},"constructor":{"prototype":{"polluted":true}}}');
    expect(parseSettings({ ...minimal, clientContext }).clientContext).toEqual(expect.any(String));
    expect({}).not.toHaveProperty("polluted");
  });
});

describe("what a host hands over beside the settings", () => {
  test("is left out, inherited or not", () => {
    const props = Object.assign(Object.create({ region: "eu-west-1" }), minimal, { internalId: 7 });
    expect(pickSettings(props)).toEqual(minimal);
  });
});

describe("arbitrary input", () => {
  const anything = fc.anything({
    withBigInt: true,
    withDate: true,
    withMap: true,
    withNullPrototype: true,
    withSet: true,
  });
  const field = fc.oneof(
    anything,
    fc.json(),
    fc.constantFrom<unknown>(...Object.values(keys), arn("f"), role, region, "5000"),
  );
  const settingsLike = fc.dictionary(fc.oneof(fc.constantFrom(...SETTING_KEYS), fc.string()), field);
  const near = fc.record(
    {
      lambda: fc.constantFrom(arn("a"), "by-name", "by-name:live"),
      pageLambda: fc.constantFrom(arn("b"), arn("b", { at: "eu-west-1" }), "no function"),
      roleAddress: fc.constantFrom(role, role.replace("aws", "aws-cn")),
      region: fc.constantFrom(region, "eu-west-1", "cn-north-1"),
      externalId: fc.string({ maxLength: 5 }),
      timeoutMs: fc.oneof(fc.integer(), fc.integer().map(String)),
      maxBatchSize: fc.oneof(fc.nat(12000), fc.nat(12000).map(String)),
      clientContext: fc.oneof(fc.json(), fc.object()),
      eventLambdas: fc.dictionary(fc.string(), fc.constantFrom("orders", arn("c"), "no function")),
      logType: fc.constantFrom("None", "Tail", "Head"),
    },
    { requiredKeys: [] },
  );

  test.each([
    ["anything", anything],
    ["an object with settings' keys", settingsLike],
    ["nearly right settings", near],
  ])("%s is parsed or refused, the same each time, and never changed", (_what, arbitrary) => {
    fc.assert(
      fc.property(arbitrary as fc.Arbitrary<unknown>, (input) => {
        const before = fc.stringify(input);
        const outcome = () => {
          try {
            return parseSettings(input);
          } catch (error) {
            expect(error).toBeInstanceOf(SettingsError);
            const { problems } = error as SettingsError;
            expect(problems.length).toBeGreaterThan(0);
            return problems;
          }
        };
        const first = outcome();
        expect(outcome()).toEqual(first);
        expect(fc.stringify(input)).toBe(before);
      }),
    );
  });

  test("settings that are accepted are accepted as strings too, with the same meaning", () => {
    const asText = (value: unknown) => (typeof value === "string" ? value : JSON.stringify(value));
    const right = fc.record(
      {
        timeoutMs: fc.integer({ min: 100, max: 900_000 }),
        maxBatchSize: fc.integer({ min: 1, max: 10_000 }),
        clientContext: fc.dictionary(fc.string({ maxLength: 5 }), fc.jsonValue({ maxDepth: 1 }), { maxKeys: 2 }),
        eventLambdas: fc.dictionary(fc.string(), fc.constantFrom("orders", arn("c"))),
        logType: fc.constantFrom("None", "Tail"),
      },
      { requiredKeys: [] },
    );
    fc.assert(
      fc.property(right, (extra) => {
        // As JSON has them: -0 is 0 there.
        const settings = JSON.parse(JSON.stringify({ ...minimal, ...extra }));
        const parsed = parseSettings(settings);
        const form = Object.fromEntries(Object.entries(settings).map(([key, value]) => [key, asText(value)]));
        expect(parseSettings(form)).toEqual(parsed);
      }),
    );
  });
});
