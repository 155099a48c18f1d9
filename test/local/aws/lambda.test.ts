import { type EmbeddedAws, startEmbeddedAws } from "../../../src/local/aws/embedded-aws";
import { grant, permit, trust } from "./policies";
import {
  type Credentials,
  errorMessage,
  errorType,
  type RawAnswer,
  send,
  signForm,
  signInvoke,
  type ToSign,
} from "./raw-client";

const keys = { accessKeyId: "AKIDEXAMPLE", secretAccessKey: "not-a-secret-EXAMPLEKEY" };
const userArn = "arn:aws:iam::123456789012:user/router";
const arn = "arn:aws:lambda:us-east-1:123456789012:function:echo";
let aws: EmbeddedAws;

beforeEach(async () => {
  aws = await startEmbeddedAws({ regions: ["eu-west-1"] });
  aws.addUser({ name: "router", ...keys });
});

afterEach(() => aws.close());

async function invoke(
  functionName: string,
  more: Partial<ToSign> = {},
  credentials: Credentials = keys,
): Promise<RawAnswer> {
  return send(aws.url, await signInvoke(aws.url, credentials, functionName, more));
}

/** A session of a role with these permissions. */
async function session(permissions: readonly object[], sessionPolicy?: object): Promise<Credentials> {
  const role = aws.addRole({ name: "invoker", trustPolicy: trust(userArn), permissionPolicies: permissions });
  const form = {
    Action: "AssumeRole",
    RoleArn: role.arn,
    RoleSessionName: "test",
    ...(sessionPolicy && { Policy: JSON.stringify(sessionPolicy) }),
  };
  const { body } = await send(aws.url, await signForm(aws.url, keys, form));
  const element = (name: string): string => new RegExp(`<${name}>(.*?)</${name}>`).exec(body)?.[1] ?? "";
  return {
    accessKeyId: element("AccessKeyId"),
    secretAccessKey: element("SecretAccessKey"),
    sessionToken: element("SessionToken"),
  };
}

describe("a synchronous invocation", () => {
  test("answers with what the function returned", async () => {
    aws.addFunction({ name: "echo", handler: (event) => ({ got: event }) });
    const answer = await invoke("echo", { body: '{"a":"ü"}' });
    expect([answer.status, answer.body]).toEqual([200, '{"got":{"a":"ü"}}']);
    expect(answer.headers).toMatchObject({
      "content-type": "application/json",
      "x-amz-executed-version": "$LATEST",
      "x-amzn-requestid": expect.stringMatching(/^[0-9a-f-]{36}$/),
    });
    expect(answer.headers).not.toHaveProperty("x-amz-function-error");
    expect(answer.headers).not.toHaveProperty("x-amz-log-result");
  });

  test("is still HTTP 200 when the function throws", async () => {
    const handler = () => {
      throw new RangeError("boom");
    };
    aws.addFunction({ name: "echo", handler });
    const answer = await invoke("echo");
    expect([answer.status, answer.headers["x-amz-function-error"]]).toEqual([200, "Unhandled"]);
    expect(JSON.parse(answer.body)).toEqual({
      errorType: "RangeError",
      errorMessage: "boom",
      trace: expect.arrayContaining(["RangeError: boom"]),
    });
  });

  test("brings the end of the log along if asked", async () => {
    aws.addFunction({ name: "echo", handler: () => null });
    const answer = await invoke("echo", { headers: { "x-amz-log-type": "Tail" } });
    const log = Buffer.from(String(answer.headers["x-amz-log-result"]), "base64").toString();
    const id = String(answer.headers["x-amzn-requestid"]);
    expect(log).toMatch(
      new RegExp(
        `^START RequestId: ${id} Version: \\$LATEST\nEND RequestId: ${id}\n` +
          `REPORT RequestId: ${id}\tDuration: [\\d.]+ ms\tBilled Duration: \\d+ ms\tMemory Size: 128 MB\tMax Memory Used: \\d+ MB\t\n$`,
      ),
    );
  });

  test("hands the client context over", async () => {
    aws.addFunction({ name: "echo", handler: (_, context) => context.clientContext });
    const clientContext = Buffer.from('{"custom":{"a":"ü"}}').toString("base64");
    expect((await invoke("echo", { headers: { "x-amz-client-context": clientContext } })).body).toBe(
      '{"custom":{"a":"ü"}}',
    );
  });

  test("without a payload hands over an empty object", async () => {
    aws.addFunction({ name: "echo", handler: (event) => event });
    expect((await invoke("echo", { body: "" })).body).toBe("{}");
  });

  test("is remembered", async () => {
    aws.addFunction({ name: "echo", handler: () => null });
    const clientContext = Buffer.from('{"a":1}').toString("base64");
    const answer = await invoke("echo:$LATEST", {
      body: '{"n":1}',
      headers: { "x-amz-client-context": clientContext },
    });
    expect(aws.invocations).toEqual([
      {
        requestId: answer.headers["x-amzn-requestid"],
        function: "echo",
        arn: `${arn}:$LATEST`,
        version: "$LATEST",
        payload: { n: 1 },
        clientContext: { a: 1 },
        principalArn: userArn,
        invocationType: "RequestResponse",
        attempt: 1,
        at: expect.any(Number),
        durationMs: expect.any(Number),
        logTail: expect.stringContaining("REPORT"),
      },
    ]);
    expect(aws.calls).toMatchObject([
      { service: "lambda", action: "Invoke", status: 200, function: "echo:$LATEST", principalArn: userArn },
    ]);
    aws.clearRecords();
    expect([aws.invocations, aws.calls]).toEqual([[], []]);
  });
});

test("no more is remembered than the history holds", async () => {
  const forgetful = await startEmbeddedAws({ history: 2 });
  forgetful.addUser({ name: "router", ...keys });
  forgetful.addFunction({ name: "echo", handler: () => null });
  for (const n of [1, 2, 3])
    await send(forgetful.url, await signInvoke(forgetful.url, keys, "echo", { body: String(n) }));
  await forgetful.close();
  expect(forgetful.invocations.map(({ payload }) => payload)).toEqual([2, 3]);
  expect(forgetful.calls).toHaveLength(2);
});

describe("a function can be named by", () => {
  beforeEach(() => {
    aws.addFunction({
      name: "echo",
      handler: (_, context) => context.invokedFunctionArn,
      aliases: { live: "1" },
      versions: { "1": { handler: (_, context) => context.invokedFunctionArn } },
    });
  });

  test.each([
    ["its name", "echo", arn, "$LATEST"],
    ["name and version", "echo:1", `${arn}:1`, "1"],
    ["name and alias", "echo:live", `${arn}:live`, "1"],
    ["name and $LATEST", "echo:$LATEST", `${arn}:$LATEST`, "$LATEST"],
    ["a partial ARN", "123456789012:function:echo", arn, "$LATEST"],
    ["a partial ARN and an alias", "123456789012:function:echo:live", `${arn}:live`, "1"],
    ["its ARN", arn, arn, "$LATEST"],
    ["its ARN and a version", `${arn}:1`, `${arn}:1`, "1"],
  ])("%s", async (_, functionName, invokedArn, version) => {
    const answer = await invoke(functionName);
    expect([answer.body, answer.headers["x-amz-executed-version"]]).toEqual([JSON.stringify(invokedArn), version]);
  });

  test("a qualifier of its own", async () => {
    const answer = await invoke(arn, { query: { Qualifier: "live" } });
    expect([answer.body, answer.headers["x-amz-executed-version"]]).toEqual([JSON.stringify(`${arn}:live`), "1"]);
  });

  test("a qualifier twice, if it is the same", async () => {
    const same = await invoke("echo:live", { query: { Qualifier: "live" } });
    const other = await invoke("echo:live", { query: { Qualifier: "1" } });
    expect(same.status).toBe(200);
    expect([other.status, errorType(other)]).toEqual([400, "InvalidParameterValueException"]);
  });

  test.each([
    ["an unknown function", "nobody", "Function not found: arn:aws:lambda:us-east-1:123456789012:function:nobody"],
    ["an unknown version", "echo:99", `Function not found: ${arn}:99`],
    ["an unknown alias", "echo:dead", `Function not found: ${arn}:dead`],
    [
      "another region's ARN",
      arn.replace("us-east-1", "eu-west-1"),
      "Functions from 'eu-west-1' are not reachable in this region ('us-east-1')",
    ],
  ])("but not found by %s", async (_, functionName, message) => {
    const answer = await invoke(functionName);
    expect([answer.status, errorType(answer)]).toEqual([404, "ResourceNotFoundException"]);
    expect(JSON.parse(answer.body)).toEqual({ Type: "User", Message: message });
  });

  test("but not found in another region", async () => {
    const answer = await invoke("echo", { region: "eu-west-1" });
    expect([errorType(answer), errorMessage(answer)]).toEqual([
      "ResourceNotFoundException",
      `Function not found: ${arn.replace("us-east-1", "eu-west-1")}`,
    ]);
  });

  test.each(["echo/", "e cho", "echo:", "arn:aws:s3:::bucket", "echo\n", "x".repeat(257), "echo:live:more"])(
    "not by %j",
    async (functionName) => {
      const answer = await invoke(functionName);
      expect([answer.status, errorType(answer)]).toEqual([400, "ValidationException"]);
      expect(errorMessage(answer)).toContain("at 'functionName' failed to satisfy constraint");
    },
  );
});

test("functions of other regions are found there", async () => {
  aws.addFunction({ name: "echo", region: "ap-southeast-2", handler: (_, context) => context.invokedFunctionArn });
  const answer = await invoke("echo", { region: "ap-southeast-2" });
  expect(answer.body).toBe(JSON.stringify(arn.replace("us-east-1", "ap-southeast-2")));
});

describe("versions and aliases", () => {
  const saying = (word: string) => ({ handler: () => word });
  const answerOf = async (name: string): Promise<unknown> => JSON.parse((await invoke(name)).body);

  test("a published version keeps its code", async () => {
    aws.addFunction({ name: "echo", ...saying("old") });
    const version = aws.publishVersion("echo");
    await aws.updateFunction("echo", saying("new"));
    expect([version, await answerOf("echo:1"), await answerOf("echo")]).toEqual(["1", "old", "new"]);
  });

  test("an alias can be moved and removed", async () => {
    aws.addFunction({
      name: "echo",
      ...saying("latest"),
      versions: { "1": saying("one"), "2": saying("two") },
      aliases: { live: "1" },
    });
    const before = await answerOf("echo:live");
    aws.setAlias(arn, "live", "2");
    const after = await answerOf("echo:live");
    aws.removeAlias("echo", "live");
    const gone = await invoke("echo:live");
    expect([before, after, gone.status]).toEqual(["one", "two", 404]);
    expect(aws.publishVersion("echo")).toBe("3");
  });

  test("a removed function is not found", async () => {
    aws.addFunction({ name: "echo", ...saying("x") });
    await aws.removeFunction("echo");
    expect((await invoke("echo")).status).toBe(404);
  });

  test("a name is taken once", () => {
    aws.addFunction({ name: "echo", ...saying("x") });
    expect(() => aws.addFunction({ name: "echo", ...saying("y") })).toThrow(`${arn} exists`);
  });
});

describe("a dry run", () => {
  test("answers 204 and runs nothing", async () => {
    aws.addFunction({ name: "echo", handler: () => null });
    const answer = await invoke("echo", { headers: { "x-amz-invocation-type": "DryRun" } });
    expect([answer.status, answer.body, aws.invocations]).toEqual([204, "", []]);
  });

  test("tells who may not invoke", async () => {
    aws.addFunction({ name: "echo", handler: () => null });
    const nobody = await session([]);
    const answer = await invoke("echo", { headers: { "x-amz-invocation-type": "DryRun" } }, nobody);
    expect(errorType(answer)).toBe("AccessDeniedException");
  });
});

describe("permission to invoke", () => {
  const sessionArn = "arn:aws:sts::123456789012:assumed-role/invoker/test";
  const denied = (resource: string, because: string): object => ({
    Message: `User: ${sessionArn} is not authorized to perform: lambda:InvokeFunction on resource: ${resource} ${because}`,
  });
  const noIdentity = "because no identity-based policy allows the lambda:InvokeFunction action";
  const noSession = "because no session policy allows the lambda:InvokeFunction action";

  beforeEach(() => {
    aws.addFunction({ name: "echo", handler: () => "ran", versions: { "1": { handler: () => "ran" } } });
  });

  test.each([
    ["everything", "*", "*"],
    ["the function", "lambda:InvokeFunction", arn],
    ["the action in another case", "LAMBDA:invokefunction", arn],
    ["all of Lambda's actions", "lambda:*", arn],
    ["a pattern", "lambda:Invoke*", "arn:aws:lambda:*:123456789012:function:ec?o"],
  ])("is given by a policy on %s", async (_, action, resource) => {
    expect((await invoke("echo", {}, await session([permit(action, resource)]))).body).toBe('"ran"');
  });

  test.each([
    ["no policy", []],
    ["another action", [permit("lambda:GetFunction", "*")]],
    ["another function", [permit("lambda:*", `${arn}2`)]],
    ["only the function's versions", [permit("lambda:*", `${arn}:*`)]],
    ["a pattern of regular expressions", [permit("lambda:*", "arn.*")]],
  ])("is not given by %s", async (_, policies) => {
    const answer = await invoke("echo", {}, await session(policies));
    expect([answer.status, errorType(answer)]).toEqual([403, "AccessDeniedException"]);
    expect(JSON.parse(answer.body)).toEqual(denied(arn, noIdentity));
  });

  test("for a qualifier is another than for the function", async () => {
    const onFunction = await session([permit("lambda:*", arn)]);
    const byName = await invoke("echo:1", {}, onFunction);
    const byQuery = await invoke("echo", { query: { Qualifier: "1" } }, onFunction);
    const both = await session([permit("lambda:*", [arn, `${arn}:*`])]);
    expect([JSON.parse(byName.body), JSON.parse(byQuery.body)]).toEqual([
      denied(`${arn}:1`, noIdentity),
      denied(`${arn}:1`, noIdentity),
    ]);
    expect((await invoke("echo:1", {}, both)).body).toBe('"ran"');
  });

  test("is asked before the function is looked for", async () => {
    const answer = await invoke("nobody", {}, await session([]));
    expect(errorType(answer)).toBe("AccessDeniedException");
  });

  test("is narrowed by the session policy", async () => {
    const other = await invoke(
      "echo",
      {},
      await session([permit("*", "*")], permit("lambda:InvokeFunction", `${arn}2`)),
    );
    const same = await invoke("echo", {}, await session([permit("*", "*")], permit("lambda:InvokeFunction", arn)));
    const wider = await invoke("echo", {}, await session([permit("lambda:*", `${arn}2`)], permit("*", "*")));
    expect(JSON.parse(other.body)).toEqual(denied(arn, noSession));
    expect(same.body).toBe('"ran"');
    expect(JSON.parse(wider.body)).toEqual(denied(arn, noIdentity));
  });

  test.each([
    ["an identity-based", [permit("*", "*"), permit("lambda:*", arn, "Deny")], undefined],
    [
      "a session",
      [permit("*", "*")],
      {
        Statement: [
          { Effect: "Allow", Action: "*", Resource: "*" },
          { Effect: "Deny", Action: "*", Resource: arn },
        ],
      },
    ],
  ])("is taken away by a Deny in %s policy", async (type, policies, sessionPolicy) => {
    const answer = await invoke("echo", {}, await session(policies, sessionPolicy));
    expect(JSON.parse(answer.body)).toEqual(denied(arn, `with an explicit deny in ${type} policy`));
  });

  test("changes with the role's policies while a session runs", async () => {
    const running = await session([permit("*", "*")]);
    aws.addRole({ name: "invoker", trustPolicy: trust(userArn), permissionPolicies: [] });
    const narrowed = await invoke("echo", {}, running);
    aws.removeRole("arn:aws:iam::123456789012:role/invoker");
    const removed = await invoke("echo", {}, running);
    expect([narrowed.status, removed.status]).toEqual([403, 403]);
  });

  test("of a user can be restricted too", async () => {
    aws.addUser({ name: "router", ...keys, policy: permit("sts:*", "*") });
    expect(errorMessage(await invoke("echo"))).toMatch(
      /^User: arn:aws:iam::123456789012:user\/router is not authorized .* no identity-based policy/,
    );
  });

  describe("by the function's resource policy", () => {
    const guarded = "arn:aws:lambda:us-east-1:123456789012:function:guarded";
    const guard = (resourcePolicy: object): void => {
      aws.addFunction({ name: "guarded", handler: () => "ran", resourcePolicy });
    };

    test("is enough within the account if it names the session, the role or the user", async () => {
      guard(grant("arn:aws:iam::123456789012:role/invoker", guarded));
      const nothing = await session([]);
      const narrow = await session([], permit("s3:*", "*"));
      expect((await invoke("guarded", {}, nothing)).body).toBe('"ran"');
      expect(errorMessage(await invoke("guarded", {}, narrow))).toContain(noSession);
    });

    test("denies", async () => {
      guard(grant("*", guarded, "Deny"));
      expect(errorMessage(await invoke("guarded"))).toMatch(/with an explicit deny in a resource-based policy$/);
    });

    test("is needed across accounts, and the caller's own policy too", async () => {
      const foreign = "arn:aws:lambda:us-east-1:210987654321:function:foreign";
      const open = "arn:aws:lambda:us-east-1:210987654321:function:open";
      aws.addFunction({ name: "foreign", account: "210987654321", handler: () => "ran" });
      aws.addFunction({
        name: "open",
        account: "210987654321",
        handler: () => "ran",
        resourcePolicy: grant("123456789012", open),
      });
      const allowed = await session([permit("*", "*")]);
      const closed = await invoke(foreign, {}, allowed);
      const opened = await invoke(open, {}, allowed);
      const both = await invoke(open, {}, await session([]));
      expect(JSON.parse(closed.body)).toEqual(
        denied(foreign, "because no resource-based policy allows the lambda:InvokeFunction action"),
      );
      expect(opened.body).toBe('"ran"');
      expect(JSON.parse(both.body)).toEqual(denied(open, noIdentity));
    });
  });
});

describe("an invocation is refused", () => {
  beforeEach(() => {
    aws.addFunction({ name: "echo", handler: (event) => String((event as { text: string }).text).length });
  });

  const json = (bytes: number): string => JSON.stringify({ text: "x".repeat(bytes - 11) });

  test("over 6 MB", async () => {
    const fits = await invoke("echo", { body: json(6_291_456) });
    const tooLarge = await invoke("echo", { body: json(6_291_457) });
    expect([fits.status, fits.body]).toEqual([200, String(6_291_456 - 11)]);
    expect([tooLarge.status, errorType(tooLarge), errorMessage(tooLarge)]).toEqual([
      413,
      "RequestTooLargeException",
      "Request must be smaller than 6291456 bytes for the InvokeFunction operation",
    ]);
  });

  test("over 1 MB if it is asynchronous", async () => {
    const headers = { "x-amz-invocation-type": "Event" };
    const fits = await invoke("echo", { body: json(1_048_576), headers });
    const tooLarge = await invoke("echo", { body: json(1_048_577), headers });
    expect(fits.status).toBe(202);
    expect([tooLarge.status, errorType(tooLarge), errorMessage(tooLarge)]).toEqual([
      413,
      "RequestTooLargeException",
      "1048577 byte payload is too large for the Event invocation type (limit 1048576 bytes)",
    ]);
  });

  test.each([
    ["JSON", "{"],
    ["UTF-8", Buffer.from([0x22, 0xff, 0x22])],
  ])("if it is not %s", async (_, body) => {
    const answer = await invoke("echo", { body });
    expect([answer.status, errorType(answer)]).toEqual([400, "InvalidRequestContentException"]);
    expect(JSON.parse(answer.body)).toEqual({
      Type: "User",
      message: expect.stringMatching(/^Could not parse request body into json: /),
    });
  });

  test.each([
    ["not base64", "{}"],
    ["not JSON", Buffer.from("{").toString("base64")],
    ["not an object", Buffer.from("[1]").toString("base64")],
    ["too large", Buffer.from(JSON.stringify({ a: "x".repeat(2700) })).toString("base64")],
  ])("with a client context that is %s", async (_, clientContext) => {
    const answer = await invoke("echo", { headers: { "x-amz-client-context": clientContext } });
    expect([answer.status, errorType(answer)]).toEqual([400, "InvalidRequestContentException"]);
    expect(errorMessage(answer)).toMatch(/^Client context must be/);
  });

  test("with a type that is none", async () => {
    const answer = await invoke("echo", { headers: { "x-amz-invocation-type": "Sometimes" } });
    expect([answer.status, errorType(answer)]).toEqual([400, "ValidationException"]);
  });
});

test("a response over 6 MB is the function's error", async () => {
  aws.addFunction({ name: "echo", handler: () => "ü".repeat(3_145_778) });
  const answer = await invoke("echo");
  expect(answer.headers["x-amz-function-error"]).toBe("Unhandled");
  expect(JSON.parse(answer.body)).toEqual({
    errorType: "Function.ResponseSizeTooLarge",
    errorMessage: "Response payload size exceeded maximum allowed payload size (6291556 bytes).",
  });
});

describe("the concurrency limit", () => {
  /** A handler whose runs end when told. */
  function gate() {
    let open = (): void => {};
    const opened = new Promise<void>((resolve) => {
      open = resolve;
    });
    let begin = (): void => {};
    const begun = new Promise<void>((resolve) => {
      begin = resolve;
    });
    return {
      begun,
      open,
      handler: async () => {
        begin();
        await opened;
        return "ran";
      },
    };
  }

  test.each([
    ["of the function", { concurrency: 1 }, {}, "ReservedFunctionConcurrentInvocationLimitExceeded"],
    ["of the account", {}, { concurrency: 1 }, "ConcurrentInvocationLimitExceeded"],
  ])("%s throttles what is too much", async (_, ofFunction, ofAccount, Reason) => {
    const narrow = await startEmbeddedAws(ofAccount);
    narrow.addUser({ name: "router", ...keys });
    const { begun, open, handler } = gate();
    narrow.addFunction({ name: "busy", handler, ...ofFunction });
    const call = async () => send(narrow.url, await signInvoke(narrow.url, keys, "busy"));

    const first = call();
    await begun;
    const second = await call();
    open();
    const [one, three] = [await first, await call()];
    await narrow.close();

    expect([one.body, three.body]).toEqual(['"ran"', '"ran"']);
    expect([second.status, errorType(second), second.headers["retry-after"]]).toEqual([
      429,
      "TooManyRequestsException",
      "1",
    ]);
    expect(JSON.parse(second.body)).toEqual({ Type: "User", message: "Rate Exceeded.", Reason });
  });

  test("of zero throttles everything", async () => {
    aws.addFunction({ name: "off", handler: () => null, concurrency: 0 });
    expect((await invoke("off")).status).toBe(429);
  });

  test("makes asynchronous invocations wait, and counts them when they run", async () => {
    const gates = [gate(), gate(), gate()];
    let next = 0;
    aws.addFunction({ name: "busy", handler: () => gates[next++]?.handler(), concurrency: 1 });
    const asynchronous = { headers: { "x-amz-invocation-type": "Event" } };

    const first = invoke("busy");
    await gates[0]?.begun;
    const accepted = [await invoke("busy", asynchronous), await invoke("busy", asynchronous)];
    gates[0]?.open();
    await gates[1]?.begun;
    const throttled = await invoke("busy");
    const started = next;
    gates[1]?.open();
    gates[2]?.open();
    await Promise.all([first, aws.idle()]);

    expect(accepted.map(({ status }) => status)).toEqual([202, 202]);
    expect([throttled.status, started]).toEqual([429, 2]);
    expect(aws.invocations.map(({ invocationType }) => invocationType)).toEqual(["RequestResponse", "Event", "Event"]);
  });
});

describe("an asynchronous invocation", () => {
  const event = { headers: { "x-amz-invocation-type": "Event" } };

  test("is accepted at once and runs later", async () => {
    aws.addFunction({ name: "echo", handler: (_, context) => context.clientContext });
    const clientContext = Buffer.from('{"a":1}').toString("base64");
    const answer = await invoke("echo", {
      body: "[1]",
      headers: { ...event.headers, "x-amz-client-context": clientContext },
    });
    await aws.idle();
    expect([answer.status, answer.body]).toEqual([202, ""]);
    expect(aws.invocations).toMatchObject([
      {
        requestId: answer.headers["x-amzn-requestid"],
        payload: [1],
        clientContext: undefined,
        attempt: 1,
        invocationType: "Event",
      },
    ]);
  });

  test("that fails is run again after one minute and after two more, and then no more", async () => {
    aws.addFunction({
      name: "echo",
      handler: () => {
        throw new Error("boom");
      },
    });
    const attempts = async (): Promise<number[]> => {
      await aws.idle();
      return aws.invocations.map(({ attempt }) => attempt);
    };
    await invoke("echo", event);
    const history = [await attempts()];
    for (const ms of [59_000, 2_000, 118_000, 3_000, 600_000]) {
      aws.clock.advance(ms);
      history.push(await attempts());
    }
    expect(history).toEqual([[1], [1], [1, 2], [1, 2], [1, 2, 3], [1, 2, 3]]);
    expect(new Set(aws.invocations.map(({ requestId }) => requestId)).size).toBe(1);
    expect(aws.invocations[0]?.error).toMatchObject({ errorType: "Error", errorMessage: "boom" });
  });

  test("that fails is not settled before its last run", async () => {
    aws.addFunction({
      name: "echo",
      handler: () => {
        throw new Error("boom");
      },
    });
    await invoke("echo", event);
    const runsWhenSettled = aws.settled().then(() => aws.invocations.length);
    for (const ms of [60_000, 120_000]) {
      await aws.idle();
      aws.clock.advance(ms);
    }
    expect(await runsWhenSettled).toBe(3);
  });

  test("that succeeds at last is not run again", async () => {
    let failures = 1;
    aws.addFunction({
      name: "echo",
      handler: () => {
        if (failures-- > 0) throw new Error("boom");
      },
    });
    await invoke("echo", event);
    await aws.idle();
    aws.clock.advance(60_000);
    await aws.idle();
    aws.clock.advance(600_000);
    await aws.idle();
    expect(aws.invocations.map(({ error }) => error?.errorMessage ?? "fine")).toEqual(["boom", "fine"]);
  });
});

test.each([
  ["GET", "/2015-03-31/functions/echo/invocations"],
  ["POST", "/2015-03-31/functions/echo/configuration"],
  ["GET", "/2015-03-31/functions"],
])("%s %s is no operation", async (method, path) => {
  const answer = await invoke("echo", { method, path, body: "" });
  expect([answer.status, errorType(answer)]).toEqual([404, "UnknownOperationException"]);
});
