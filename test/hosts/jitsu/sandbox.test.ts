import { existsSync, readFileSync, statSync } from "node:fs";
import { request as httpRequest } from "node:http";
import { join } from "node:path";
import { text } from "node:stream/consumers";
import type { AnalyticsServerEvent } from "@jitsu/protocols/analytics";
import type { FullContext } from "@jitsu/protocols/functions";
import ts from "typescript";
import { CALL_TYPES } from "../../../src/events/segment-event";
import { AmazonLambdaDestination } from "../../../src/hosts/jitsu/index";
import { type EmbeddedAws, startEmbeddedAws } from "../../../src/local/aws/embedded-aws";
import type { Settings } from "../../../src/settings/settings";
import {
  type FetchAnswer,
  type FetchRequest,
  SANDBOX_KINDS,
  type Sandbox,
  type SandboxCall,
  type SandboxKind,
  startSandbox,
} from "./sandbox-process";

const FUNCTION = join(__dirname, "../../../dist/functions/amazon-lambda.js");

let aws: EmbeddedAws;
let keys: { accessKeyId: string; secretAccessKey: string };
/** What the user types in as function variables: text, all of it. */
let variables: Record<string, string>;
const before = process.env["AWS_ENDPOINT_URL"];

/** A role that may invoke all functions but one. @returns its ARN */
let roleCalled: (name: string) => string;

beforeAll(async () => {
  if (!existsSync(FUNCTION)) throw new Error("Run `npm run build` first: this tests what is deployed.");
  aws = await startEmbeddedAws();
  process.env["AWS_ENDPOINT_URL"] = aws.url;
  const { arn, accessKeyId, secretAccessKey } = aws.addUser({ name: "jitsu" });
  keys = { accessKeyId, secretAccessKey };
  roleCalled = (name) =>
    aws.addRole({
      name,
      trustPolicy: {
        Version: "2012-10-17",
        Statement: {
          Effect: "Allow",
          Principal: { AWS: arn },
          Action: "sts:AssumeRole",
          Condition: { StringLike: { "sts:ExternalId": "source-*" } },
        },
      },
      permissionPolicies: [
        {
          Version: "2012-10-17",
          Statement: {
            Effect: "Allow",
            Action: "lambda:InvokeFunction",
            Resource: "arn:aws:lambda:*:123456789012:function:*",
          },
        },
        {
          Version: "2012-10-17",
          Statement: {
            Effect: "Deny",
            Action: "lambda:InvokeFunction",
            Resource: "arn:aws:lambda:*:*:function:forbidden",
          },
        },
      ],
    }).arn;
  for (const name of [...CALL_TYPES, "forbidden"])
    aws.addFunction({ name, handler: async (event) => ({ got: event }) });
  const throwing = (name: string) => async () => {
    throw Object.assign(new Error("That was too much."), { name });
  };
  aws.addFunction({ name: "durable", durable: true, tenantIsolation: true, handler: () => "done" });
  aws.addFunction({ name: "failures", handler: () => null });
  aws.addFunction({ name: "throws", handler: throwing("TypeError") });
  aws.addFunction({ name: "gives-up", handler: throwing("DropEvent") });
  aws.addFunction({
    name: "slow",
    timeoutMs: 50,
    source: "export const handler = () => new Promise(() => setTimeout(() => {}, 60_000));",
  });
  aws.addFunction({
    name: "logs",
    source: 'export const handler = async () => { console.log("hello from the function"); };',
  });
  variables = {
    ...keys,
    ...Object.fromEntries(CALL_TYPES.map((type) => [`${type}Lambda`, type])),
    eventLambdas: JSON.stringify(
      Object.fromEntries(["throws", "gives-up", "slow", "forbidden", "missing", "logs"].map((name) => [name, name])),
    ),
    roleAddress: roleCalled("amazon-lambda-destination"),
    region: "us-east-1",
    logType: "Tail",
    clientContext: '{"environment":"test"}',
    // Of another function of the same connection.
    SLACK_TOKEN: "not-ours",
  };
});

afterAll(async () => {
  if (before === undefined) delete process.env["AWS_ENDPOINT_URL"];
  else process.env["AWS_ENDPOINT_URL"] = before;
  await aws.close();
});

afterEach(() => aws.behave());

/** Jitsu's fetch: sends what is meant for AWS to the embedded one. `host` stays as it was signed. */
function fetchFromAws({ url, init }: FetchRequest): Promise<FetchAnswer> {
  const { hostname, port } = new URL(aws.url);
  const { host, pathname, search } = new URL(url);
  const { method, headers, body } = init;
  return new Promise((resolve, reject) => {
    const request = httpRequest({ hostname, port, method, path: pathname + search, headers: { ...headers, host } });
    request.on("error", ({ message }) => reject(new Error(`fetch failed: ${message}`)));
    request.on("response", async (response) => {
      const ended = Object.fromEntries(Object.entries(response.headers).map(([name, value]) => [name, String(value)]));
      text(response).then((body) => resolve({ status: response.statusCode ?? 0, headers: ended, body }), reject);
    });
    request.end(body);
  });
}

/** The same event through the module in this process, over the AWS SDK. */
async function callModule(event: unknown, context: { source?: { id: string } }, props: object): Promise<SandboxCall> {
  const silent = { info() {}, warn() {}, debug() {}, error() {} };
  const ctx = { ...context, props, log: silent } as unknown as FullContext<Settings>;
  try {
    return { result: await AmazonLambdaDestination(event as AnalyticsServerEvent, ctx) };
  } catch (error) {
    const { name, message, retryPolicy } = error as NonNullable<SandboxCall["error"]>;
    return { error: { name, message, ...(retryPolicy && { retryPolicy }) } };
  }
}

const track = (event: string, more: object = {}) => ({
  type: "track",
  event,
  messageId: `message-${event}`,
  anonymousId: "anonymous",
  context: { library: { name: "@jitsu/js" }, geo: { country: { code: "DE" } } },
  timestamp: "2026-11-22T15:00:00.000Z",
  properties: { title: "Ærø 🚀" },
  ...more,
});

const without = (...names: string[]) =>
  Object.fromEntries(Object.entries(variables).filter(([name]) => !names.includes(name)));

describe.each(SANDBOX_KINDS)("in %s", (kind: SandboxKind) => {
  const running: Sandbox[] = [];
  let sandbox: Sandbox;
  let fetched: { request: FetchRequest; answer?: FetchAnswer }[] = [];

  async function start(props: object, fetch = fetchFromAws): Promise<Sandbox> {
    const started = await startSandbox(kind, FUNCTION, props, async (request) => {
      const record: (typeof fetched)[number] = { request };
      fetched.push(record);
      const answer = await fetch(request);
      record.answer = answer;
      return answer;
    });
    running.push(started);
    return started;
  }

  async function withOwnRole() {
    const roleAddress = roleCalled(`role-${running.length}-in-${kind.replaceAll(" ", "-")}`);
    return { sandbox: await start({ ...variables, roleAddress }), variables: { ...variables, roleAddress } };
  }

  beforeAll(async () => {
    sandbox = await start(variables);
  });

  beforeEach(() => {
    fetched = [];
    aws.clearRecords();
  });

  afterAll(() => Promise.all(running.map((each) => each.close())));

  test.each(CALL_TYPES)("a %s call arrives at its function as the module sends it, through the role", async (type) => {
    const event = {
      ...track("Order Completed"),
      type,
      userId: "user",
      groupId: "group",
      previousId: "before",
      traits: { plan: "pro" },
    };
    const context = {
      source: { id: "source-calls" },
      workspace: { id: "workspace" },
      receivedAt: "2026-11-22T15:00:01.000Z",
    };

    const { result, error } = await sandbox.call(event, context);
    await callModule(event, context, variables);

    expect(error).toBeUndefined();
    expect(result).toEqual(event);
    const [ours, modules] = aws.invocations;
    expect(ours).toMatchObject({
      function: type,
      payload: { type, messageId: "message-Order Completed", projectId: "source-calls" },
      clientContext: { environment: "test", custom: { environment: "test" } },
      principalArn: expect.stringContaining("assumed-role/amazon-lambda-destination/"),
    });
    expect(ours?.payload).toEqual(modules?.payload);
  });

  test("the end of the function's log appears in Jitsu's", async () => {
    await sandbox.call(track("logs"), { source: { id: "source-calls" } });

    expect(sandbox.logs).toContainEqual({ log: "info", message: expect.stringContaining("hello from the function") });
  });

  test("one execution, one tenant, a record of what is given up and patterns are to be had there, too", async () => {
    const offering = await start({
      ...without("eventLambdas", "logType", "clientContext"),
      eventLambdas: JSON.stringify({ "Order *": "durable:$LATEST", "Gone *": "(skip)" }),
      trackLambda: "durable:$LATEST",
      ...Object.fromEntries(CALL_TYPES.filter((type) => type !== "track").map((type) => [`${type}Lambda`, "(skip)"])),
      executionName: "MessageId",
      tenantId: "{user}",
      failureLambda: "failures",
      returnValue: "Include",
    });
    const source = { source: { id: "source-calls" } };
    const order = track("Order Completed", { messageId: `once-${kind}`, userId: "zoë" });
    await offering.call(order, source);
    await offering.call({ ...order, requestIp: "192.0.2.9" }, source);
    await offering.call(track("Gone Away"), source);
    const unmapped = await offering.call({ ...order, type: "purchase" }, source);
    await aws.idle();

    expect(unmapped.error).toMatchObject({ message: expect.stringContaining("purchase") });
    expect(aws.invocations).toMatchObject([
      {
        function: "durable",
        executionName: expect.stringMatching(/^[0-9a-f]{64}$/),
        tenantId: expect.stringMatching(/^sha256:/),
      },
      {
        function: "failures",
        payload: { requestPayload: { type: "purchase" }, responsePayload: { errorType: "InvalidEvent" } },
      },
    ]);
    const told = offering.logs.map(({ message }) => message);
    expect(told).toContainEqual(expect.stringMatching(/, execution arn:.*\/durable-execution\/[0-9a-f]{64}\//));
    expect(told).toContain('Returned by durable:$LATEST: "done"');
  });

  test("a call type without a function is skipped", async () => {
    const { pageLambda: _, ...others } = variables;
    const skipping = await start(others);

    const { error } = await skipping.call({ ...track("x"), type: "page" }, { source: { id: "source-skip" } });

    expect(error).toBeUndefined();
    expect(aws.invocations).toEqual([]);
  });

  type Trouble = Parameters<EmbeddedAws["misbehave"]>[0];
  const answering = (service: "lambda" | "sts", status: number, code: string, headers = {}): Trouble => ({
    service,
    times: Number.POSITIVE_INFINITY,
    error: { status, code, headers },
  });

  test.each<[string, unknown, string, string, Trouble?]>([
    [
      "a function that throws",
      track("throws"),
      "RetryError",
      "Execution Error: The function failed with TypeError: That was too much.",
    ],
    ["a function that gives the event up", track("gives-up"), "NoRetryError", "Execution Error"],
    ["a function that AWS stops", track("slow"), "RetryError", "Operation timedout"],
    ["a function that the role may not invoke", track("forbidden"), "RetryError", "Accessdenied"],
    ["a role that may not be assumed", track("x"), "RetryError", "Accessdenied", answering("sts", 403, "AccessDenied")],
    ["unknown keys", track("x"), "RetryError", "Invalid Credentials", answering("sts", 403, "InvalidClientTokenId")],
    [
      "a signature that does not match",
      track("x"),
      "RetryError",
      "Invalid Credentials",
      answering("lambda", 403, "InvalidSignatureException"),
    ],
    [
      "a session that stays expired",
      track("x"),
      "RetryError",
      "Invalid Credentials",
      answering("lambda", 403, "ExpiredTokenException"),
    ],
    [
      "throttling",
      track("x"),
      "RetryError",
      "Throttled",
      answering("lambda", 429, "TooManyRequestsException", { "retry-after": "120" }),
    ],
    ["throttling by STS", track("x"), "RetryError", "Throttled", answering("sts", 400, "Throttling")],
    ["a function that is not there", track("missing"), "RetryError", "Function not found"],
    [
      "a function that cannot start",
      track("x"),
      "RetryError",
      "Function not ready",
      answering("lambda", 502, "SnapStartException"),
    ],
    [
      "a function in the making",
      track("x"),
      "RetryError",
      "Function not ready",
      answering("lambda", 409, "ResourceConflictException"),
    ],
    ["a failing Lambda", track("x"), "RetryError", "AWS service error", answering("lambda", 500, "ServiceException")],
    ["a failing STS", track("x"), "RetryError", "AWS service error", answering("sts", 500, "InternalFailure")],
    [
      "a payload that Lambda finds too large",
      track("x"),
      "NoRetryError",
      "Payload too large",
      answering("lambda", 413, "RequestTooLargeException"),
    ],
    [
      "an event of 7 MB",
      track("x", { properties: { blob: "x".repeat(7_000_000) } }),
      "NoRetryError",
      "Payload too large",
    ],
    ["an event of no known type", { type: "purchase", messageId: "m" }, "NoRetryError", "Invalid Event"],
    [
      "content that Lambda cannot read",
      track("x"),
      "NoRetryError",
      "Invalid Event",
      answering("lambda", 400, "InvalidRequestContentException"),
    ],
    [
      "a loop",
      track("x"),
      "NoRetryError",
      "Recursive invocation",
      answering("lambda", 400, "RecursiveInvocationException"),
    ],
    [
      "a parameter that Lambda refuses",
      track("x"),
      "RetryError",
      "Invalid Settings",
      answering("lambda", 400, "InvalidParameterValueException"),
    ],
    [
      "a policy that STS refuses",
      track("x"),
      "RetryError",
      "Invalid Settings",
      answering("sts", 400, "MalformedPolicyDocument"),
    ],
    [
      "an error nobody listed",
      track("x"),
      "RetryError",
      "Unknown error",
      answering("lambda", 400, "BrandNewException"),
    ],
  ])("%s ends as in the module", async (name, event, errorName, label, ...[trouble]) => {
    const context = { source: { id: `source-${name.replaceAll(" ", "-")}-${kind.replaceAll(" ", "-")}` } };
    // A function that was turned away is left alone for a moment: each case has it as a role of its own sees it.
    const own = trouble?.service === "lambda" ? await withOwnRole() : { sandbox, variables };
    if (trouble) aws.misbehave(trouble);

    const ours = await own.sandbox.call(event, context);
    const modules = await callModule(event, context, own.variables);

    expect(ours.error).toMatchObject({ name: errorName, message: expect.stringContaining(label) });
    expect(comparable(ours)).toEqual(comparable(modules));
  });

  test("a wait that AWS asks for becomes the retry policy", async () => {
    const own = await withOwnRole();
    aws.misbehave(answering("lambda", 429, "TooManyRequestsException", { "retry-after": "1200" }));

    const { error } = await own.sandbox.call(track("x"), { source: { id: "source-calls" } });

    // No more than 15 minutes are believed.
    expect(error?.retryPolicy).toEqual({ delays: [15, 100, 1000] });
  });

  test("events that come one by one are collected where there are timers, and sent at once where there are none", async () => {
    const collecting = await start({ ...variables, maxBatchSize: "10", batchWindowMs: "20" });

    const { result, error } = await collecting.call(track("x"), { source: { id: "source-calls" } });

    expect(error).toBeUndefined();
    expect(result).toMatchObject({ event: "x" });
  });

  test("AWS that cannot be reached is a network error", async () => {
    const cutOff = await start(variables, async () => {
      throw new Error("fetch failed: connect ECONNREFUSED 10.0.0.1:443");
    });

    const { error } = await cutOff.call(track("x"), { source: { id: "source-x" } });

    expect(error).toMatchObject({
      name: "RetryError",
      message: expect.stringMatching(/^Network error: .*ECONNREFUSED/),
    });
  });

  test("a connection that is cut is a network error, and the event is not sent twice", async () => {
    await sandbox.call(track("x"), { source: { id: "source-calls" } });
    aws.clearRecords();
    aws.misbehave({ service: "lambda", fault: "drop-after-run" });

    const { error } = await sandbox.call(track("x"), { source: { id: "source-calls" } });

    expect(error).toMatchObject({ name: "RetryError", message: expect.stringMatching(/^Network error: /) });
    expect(aws.invocations).toHaveLength(1);
  });

  test("half an answer of STS is no session, and is told to nobody", async () => {
    const halved = await start(variables, async (request) => {
      const answer = await fetchFromAws(request);
      return request.url.startsWith("https://sts.")
        ? { ...answer, body: answer.body.slice(0, answer.body.indexOf("<Expiration>")) }
        : answer;
    });

    const { error } = await halved.call(track("x"), { source: { id: "source-x" } });

    expect(error?.name).toBe("RetryError");
    expect(error?.message).not.toContain("SecretAccessKey");
  });

  test("Jitsu's limit for a request is named where it strikes", async () => {
    const impatient = await start(variables, async () => {
      throw new Error("Fetch request exceeded timeout 2000ms and was aborted");
    });

    const { error } = await impatient.call(track("x"), { source: { id: "source-x" } });

    expect(error).toMatchObject({
      name: "RetryError",
      message: expect.stringMatching(/^Operation timedout: .*Jitsu .*2000ms.*FETCH_TIMEOUT_MS/),
    });
  });

  if (kind !== "isolate") {
    test("Jitsu's limit for a function is named where the time for a delivery is up", async () => {
      const silent = await start({ ...variables, timeoutMs: "100" }, () => new Promise(() => {}));

      const { error } = await silent.call(track("x"), { source: { id: "source-x" } });

      expect(error).toMatchObject({
        name: "RetryError",
        message: expect.stringMatching(/^Operation timedout: .*100 ms.*5 seconds/),
      });
    });
  }

  test("bad variables are named, all of them, and no secret is quoted", async () => {
    const wrong = await start({
      ...variables,
      roleAddress: "nonsense",
      logType: "Loud",
      timeoutMs: "soon",
      secretAccessKey: "not a secret key",
    });

    const { error } = await wrong.call(track("x"), { source: { id: "source-x" } });

    expect(error?.name).toBe("RetryError");
    expect(error?.message).toMatch(/^Invalid Settings: .*roleAddress.*logType.*timeoutMs.*secretAccessKey/s);
    expect(error?.message).not.toContain("not a secret key");
  });

  test("a role without keys to assume it with says that there is no identity", async () => {
    const anonymous = await start(without("accessKeyId", "secretAccessKey"));

    const { error } = await anonymous.call(track("x"), { source: { id: "source-x" } });

    expect(error).toMatchObject({
      name: "RetryError",
      message: expect.stringMatching(/^Invalid Credentials: .*no keys/),
    });
    expect(fetched).toEqual([]);
  });

  test("a wrong secret is refused by AWS", async () => {
    const mistyped = await start({ ...variables, secretAccessKey: "mistyped/mistyped/mistyped/mistyped/1234" });

    const { error } = await mistyped.call(track("x"), { source: { id: "source-x" } });

    expect(error).toMatchObject({ name: "RetryError", message: expect.stringMatching(/^Invalid Credentials: /) });
    expect(aws.calls).toMatchObject([{ service: "sts", errorCode: "SignatureDoesNotMatch" }]);
  });

  test("a wrong external ID is refused by the role", async () => {
    const { error } = await sandbox.call(track("x"), { source: { id: "another-source" } });

    expect(error).toMatchObject({ name: "RetryError", message: expect.stringMatching(/^Accessdenied: /) });
  });

  test("one session serves all events of a source, however many come at once", async () => {
    const busy = await start(variables);
    const call = () => busy.call(track("x"), { source: { id: "source-busy" } });

    const results = await Promise.all(Array.from({ length: 20 }, call));
    results.push(await call());

    expect(results.filter(({ error }) => error)).toEqual([]);
    expect(aws.calls.filter(({ action }) => action === "AssumeRole")).toHaveLength(1);
    expect(aws.invocations).toHaveLength(21);
  });

  test("a session that has expired at AWS is replaced, and the event delivered", async () => {
    await sandbox.call(track("x"), { source: { id: "source-calls" } });
    aws.expireSessions();

    const { error } = await sandbox.call(track("x"), { source: { id: "source-calls" } });

    expect(error).toBeUndefined();
  });

  test("keys alone invoke without STS", async () => {
    const roleless = await start(without("roleAddress"));

    const { error } = await roleless.call(track("x"), { source: { id: "source-x" } });

    expect(error).toBeUndefined();
    expect(aws.calls.map(({ service }) => service)).toEqual(["lambda"]);
    expect(roleless.logs.filter(({ log }) => log === "warn")).toEqual([]);
  });

  test("credentials stay out of Jitsu's log, and where they cannot, a warning says so, once", async () => {
    const careful = await start(variables);

    for (const id of ["source-log-1", "source-log-2"]) await careful.call(track("throws"), { source: { id } });

    const tokens = fetched.flatMap(({ answer }) => /<SessionToken>(.*?)</.exec(answer?.body ?? "")?.[1] ?? []);
    expect(tokens).toHaveLength(2);
    for (const secret of [...tokens, keys.secretAccessKey]) expect(JSON.stringify(careful.logs)).not.toContain(secret);
    const warnings = careful.logs.filter(({ log }) => log === "warn");
    // Jitsu keeps the request's body: nothing secret may be in it. Headers named so it masks.
    for (const { request } of fetched) {
      const { "x-amz-security-token": _token, authorization: _authorization, ...headers } = request.init.headers;
      for (const secret of [...tokens, keys.secretAccessKey])
        expect(JSON.stringify([request.url, headers, request.init.body])).not.toContain(secret);
    }
    if (kind === "isolate") {
      expect(warnings).toEqual([{ log: "warn", message: expect.stringMatching(/^SECURITY: .*live-events log/) }]);
    } else {
      expect(warnings).toEqual([]);
    }
    if (kind === "Deno in process") {
      // What goes to Lambda is for the user to see.
      const kept = fetched.filter(({ request }) => request.extra?.log === false);
      expect(kept.map(({ request }) => new URL(request.url).host)).toEqual(
        tokens.map(() => expect.stringMatching(/^sts\./)),
      );
      expect(kept.length).toBeLessThan(fetched.length);
    }
  });
});

test("the deployed file is small and takes nothing from its surroundings but timers, clock and Buffer, where there are any", () => {
  const program = ts.createProgram([FUNCTION], {
    allowJs: true,
    checkJs: true,
    noEmit: true,
    lib: ["lib.es2022.d.ts"],
    types: [],
    target: ts.ScriptTarget.ES2022,
    module: ts.ModuleKind.ESNext,
    moduleResolution: ts.ModuleResolutionKind.Bundler,
  });
  const unknown = ts
    .getPreEmitDiagnostics(program)
    .map(
      ({ messageText }) => /^Cannot find name '([^']+)'/.exec(ts.flattenDiagnosticMessageText(messageText, "\n"))?.[1],
    )
    .filter((name) => name !== undefined);

  // Each is used where it is there only.
  expect(new Set(unknown)).toEqual(new Set(["setTimeout", "clearTimeout", "performance", "Buffer"]));
  expect(readFileSync(FUNCTION, "utf8")).not.toMatch(/\bimport\s*[({"'*]|\brequire\(/);
  expect(statSync(FUNCTION).size).toBeLessThanOrEqual(115_000);
});

/** Without what differs from call to call. */
function comparable({ error }: SandboxCall): unknown {
  return { ...error, message: error?.message.replace(/[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}/g, "(request)") };
}
