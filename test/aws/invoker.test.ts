import type { AwsCredentials, InvokeAnswer, InvokeTarget } from "../../src/aws/aws";
import { AwsError } from "../../src/aws/aws-error";
import { type Invocation, Invoker } from "../../src/aws/invoker";
import { Sessions } from "../../src/aws/sessions";
import { parseFunctionReference } from "../../src/names/function-reference";
import { parseSettings } from "../../src/settings/settings";
import { ANSWER, FakeAws, failure, pending } from "./fake-aws";

const events = parseFunctionReference("arn:aws:lambda:us-east-1:123456789012:function:events");
const target: InvokeTarget = {
  function: events,
  region: "us-east-1",
  invocationType: "RequestResponse",
  logType: "None",
};
const settings = { lambda: events.configured, roleAddress: "arn:aws:iam::123456789012:role/router", timeoutMs: 5000 };
const keys = { accessKeyId: "AKIDEXAMPLE00000000", secretAccessKey: "not/a/real+secret/only+for+this+test00000" };

let aws: FakeAws;

beforeEach(() => {
  aws = new FakeAws();
});

function invoker(more: object = {}): Invoker {
  return new Invoker(aws, new Sessions(aws), { ...parseSettings({ ...settings, ...more }), functions: [events] });
}

const deadline = () => aws.deadline(settings.timeoutMs);
const invoke = (more: object = {}) => invoker(more).invoke(target, "source-1", '{"type":"track"}', deadline());

/** Fails so often before it answers. */
function failing(times: number, error: AwsError): () => Promise<InvokeAnswer> {
  return async () => {
    if (aws.invoked.length <= times) throw error;
    return ANSWER;
  };
}

const refused = failure({ service: "lambda", kind: "network", code: "ECONNREFUSED", unsent: true });
const expired = failure({ service: "lambda", code: "ExpiredTokenException", status: 403 });

test("an invocation carries the role's session, the payload and what is left of the time", async () => {
  aws.onAssumeRole = async () => {
    aws.pass(1500);
    return aws.session();
  };
  expect(await invoke()).toEqual({ attempts: 1, answer: ANSWER });
  expect(aws.assumed[0]?.request).toEqual({
    roleArn: settings.roleAddress,
    externalId: "source-1",
    sessionName: "amazon-lambda-destination-source-1",
    region: "us-east-1",
    policy: expect.stringContaining(events.configured),
  });
  expect(aws.invoked).toEqual([
    {
      timeoutMs: 3500,
      request: {
        target,
        ...target,
        payload: '{"type":"track"}',
        credentials: expect.objectContaining({ sessionToken: "token-1" }),
      },
    },
  ]);
});

test("the keys in the settings assume the role", async () => {
  await invoke(keys);
  expect(aws.assumed[0]?.request.base).toEqual(keys);
});

test("without a role, the keys in the settings sign the invocation", async () => {
  await invoke({ roleAddress: "", ...keys });
  expect(aws.assumed).toEqual([]);
  expect(aws.invoked[0]?.request.credentials).toEqual(keys);
});

test("without a role and keys, nobody is named: the operator's own identity signs", async () => {
  const ambient = parseSettings(
    { ...settings, roleAddress: "" },
    { externalIdFrom: "settings", allowAmbientCredentials: true },
  );
  await new Invoker(aws, new Sessions(aws), { ...ambient, functions: [events] }).invoke(
    target,
    undefined,
    "{}",
    deadline(),
  );
  expect(aws.assumed).toEqual([]);
  expect(aws.invoked[0]?.request).not.toHaveProperty("credentials");
});

test.each([
  ["source with spaces/and:signs", "amazon-lambda-destination-source-with-spaces-and-signs"],
  ["x".repeat(200), `amazon-lambda-destination-${"x".repeat(38)}`],
])("the session's name tells the source, as far as AWS lets it: %s", async (externalId, name) => {
  await invoker().invoke(target, externalId, "{}", deadline());
  expect(aws.assumed[0]?.request.sessionName).toBe(name);
});

describe("the invocation is repeated", () => {
  test.each(["ECONNREFUSED", "ENOTFOUND", "EAI_AGAIN", "EHOSTUNREACH", "ENETUNREACH"])(
    "where no connection was made: %s",
    async (code) => {
      aws.onInvoke = failing(2, failure({ service: "lambda", kind: "network", code, unsent: true }));
      expect(await invoke()).toEqual({ attempts: 3, answer: ANSWER });
      expect(aws.slept).toEqual([50, 100]);
    },
  );

  test("three times at most", async () => {
    aws.onInvoke = failing(9, refused);
    expect(await invoke()).toEqual({ attempts: 3, error: refused });
  });

  test("three times at most where STS cannot be reached, and no invocation was sent", async () => {
    const unreachable = failure({ kind: "network", code: "ECONNREFUSED", unsent: true });
    aws.onAssumeRole = async () => Promise.reject(unreachable);
    expect(await invoke()).toEqual({ attempts: 0, error: unreachable });
    expect(aws.assumed).toHaveLength(3);
  });

  test("once, as a new session, where AWS declared the old one expired", async () => {
    aws.onInvoke = failing(1, expired);
    expect(await invoke()).toEqual({ attempts: 2, answer: ANSWER });
    const [first, second] = aws.invoked.map(({ request }) => request.credentials?.sessionToken);
    expect([first, second]).toEqual(["token-1", "token-2"]);
    expect(aws.slept).toEqual([]);
  });
});

describe("a session that Lambda refuses", () => {
  const denied = failure({ service: "lambda", code: "AccessDeniedException", status: 403 });

  test.each(["AccessDeniedException", "UnrecognizedClientException", "InvalidClientTokenId"])(
    "may have been revoked: the role is assumed anew for %s, and the invocation repeated",
    async (code) => {
      const shared = invoker();
      await shared.invoke(target, "source-1", "{}", deadline());
      aws.pass(60_000);
      aws.onInvoke = failing(2, failure({ service: "lambda", code, status: 403 }));
      expect(await shared.invoke(target, "source-1", "{}", deadline())).toEqual({ attempts: 2, answer: ANSWER });
      expect(aws.assumed).toHaveLength(2);
    },
  );

  test("is not blamed for a role that lacks one function: one AssumeRole in five minutes, whoever asks", async () => {
    const shared = invoker();
    const other: InvokeTarget = {
      ...target,
      function: parseFunctionReference("arn:aws:lambda:us-east-1:123456789012:function:other"),
    };
    aws.onInvoke = async ({ function: { name } }) => (name === "other" ? Promise.reject(denied) : ANSWER);
    for (let second = 0; second < 300; second++) {
      expect(await shared.invoke(target, "source-1", "{}", deadline())).toEqual({ attempts: 1, answer: ANSWER });
      expect(await shared.invoke(other, "source-1", "{}", deadline())).toMatchObject({ error: denied });
      aws.pass(1000);
    }
    expect(aws.assumed).toHaveLength(1 + 1);
  });
});

test("a signature that a wrong clock made is made again with AWS's time, once", async () => {
  const wrong = failure({ service: "lambda", code: "InvalidSignatureException", status: 403, clockWasOff: true });
  aws.onInvoke = failing(1, wrong);
  expect(await invoke()).toEqual({ attempts: 2, answer: ANSWER });
  aws.onInvoke = failing(9, wrong);
  expect(await invoke()).toEqual({ attempts: 2, error: wrong });
});

describe("the invocation is not repeated", () => {
  test.each([
    ["AWS failed, and told that our clock is wrong", { code: "ServiceException", status: 500, clockWasOff: true }],
    ["a gateway gave up, and has another time than we", { code: "Unknown", status: 504, clockWasOff: true }],
    ["the connection broke: the function may have run", { kind: "network", code: "ECONNRESET" }],
    ["the answer broke off", { kind: "network", code: "UnreadableAnswer" }],
    ["TLS failed", { kind: "network", code: "CERT_HAS_EXPIRED" }],
    ["nobody answered in time", { kind: "timeout", code: "Timeout" }],
    ["there is nobody to sign as", { kind: "identity", code: "NoIdentity" }],
    ["AWS failed", { code: "ServiceException", status: 500 }],
    ["AWS denied it", { code: "AccessDeniedException", status: 403 }],
    ["the connection was refused to something on the way", { kind: "network", code: "ECONNREFUSED" }],
    ["AWS throttles", { code: "TooManyRequestsException", status: 429 }],
    ["AWS asks to wait, however shortly", { code: "TooManyRequestsException", status: 429, retryAfterMs: 100 }],
  ] as const)("where %s", async (_why, details) => {
    const error = failure({ service: "lambda", ...details });
    aws.onInvoke = failing(1, error);
    expect(await invoke()).toEqual({ attempts: 1, error });
    expect(aws.slept).toEqual([]);
  });

  test("where the new session is expired as well", async () => {
    aws.onInvoke = failing(9, expired);
    expect(await invoke()).toEqual({ attempts: 2, error: expired });
    expect(aws.assumed).toHaveLength(2);
  });

  test("where keys are expired that nobody can replace", async () => {
    aws.onInvoke = failing(1, expired);
    expect(await invoke({ roleAddress: "", ...keys })).toEqual({ attempts: 1, error: expired });
  });

  test("where there is no way to wait", async () => {
    delete aws.clock.timer;
    aws.onInvoke = failing(1, refused);
    expect(await invoke()).toEqual({ attempts: 1, error: refused });
  });

  test("where the wait would end after the deadline", async () => {
    aws.onInvoke = async () => {
      aws.pass(4950);
      throw refused;
    };
    expect(await invoke()).toMatchObject({ attempts: 1, error: refused });
    expect(aws.slept).toEqual([]);
  });
});

describe("the deadline", () => {
  test("is one for all tries", async () => {
    aws.onInvoke = async () => {
      aws.pass(1000);
      throw refused;
    };
    await invoke();
    expect(aws.invoked.map(({ timeoutMs }) => timeoutMs)).toEqual([5000, 3950, 2850]);
  });

  test("that has passed lets nothing be sent", async () => {
    const late = await invoker().invoke(target, "source-1", "{}", aws.deadline(0));
    expect(late).toMatchObject({ attempts: 0, error: { details: { kind: "timeout", service: "lambda" } } });
    expect([aws.assumed, aws.invoked]).toEqual([[], []]);
  });

  test("is the end of waiting for STS", async () => {
    aws.onAssumeRole = () => pending<AwsCredentials>().promise;
    const invocation = invoke();
    aws.pass(5000);
    expect(await invocation).toMatchObject({ attempts: 0, error: { details: { kind: "timeout" } } });
    expect(aws.invoked).toEqual([]);
  });

  test("lets nothing be sent after it, where STS came late and nothing could cut it short", async () => {
    delete aws.clock.timer;
    aws.onAssumeRole = async () => {
      aws.pass(6000);
      return aws.session();
    };
    expect(await invoke()).toMatchObject({ attempts: 0, error: { details: { kind: "timeout", service: "sts" } } });
    expect(aws.invoked).toEqual([]);
  });

  test("lets no session be assumed again after it", async () => {
    aws.onInvoke = async () => {
      aws.pass(6000);
      throw expired;
    };
    expect(await invoke()).toMatchObject({ attempts: 1, error: { details: { kind: "timeout" } } });
    expect(aws.assumed).toHaveLength(1);
  });
});

test("many deliveries whose session expired together assume the role once more, not once each", async () => {
  const shared = invoker();
  aws.onInvoke = async ({ credentials }) => {
    if (credentials?.sessionToken === "token-1") throw expired;
    return ANSWER;
  };
  const all = await Promise.all(Array.from({ length: 50 }, () => shared.invoke(target, "source-1", "{}", deadline())));
  expect(all.every((each) => "answer" in each && each.attempts === 2)).toBe(true);
  expect(aws.assumed).toHaveLength(2);
});

test("more external IDs than are remembered still have one session each", async () => {
  const shared = invoker();
  const sources = Array.from({ length: 1001 }, (_, i) => `source-${i}`);
  for (const source of [...sources, ...sources]) await shared.invoke(target, source, "{}", deadline());
  expect(aws.assumed.map(({ request }) => request.externalId)).toEqual(sources);
  expect(aws.invoked).toHaveLength(2002);
});

describe("what nobody foresaw", () => {
  const bug = async () => Promise.reject(new TypeError("undefined is no function of AKIAEXAMPLE000000000"));
  const told = { code: "TypeError", message: "undefined is no function of (access key ID)" };

  test("ends the invocation as an error, without secrets", async () => {
    aws.onInvoke = bug;
    const { attempts, error } = (await invoke()) as Extract<Invocation, { error: unknown }>;
    expect(error).toBeInstanceOf(AwsError);
    expect({ attempts, details: error.details }).toEqual({
      attempts: 1,
      details: { service: "lambda", kind: "service", ...told },
    });
  });

  test("ends it where the role is assumed, and is not remembered", async () => {
    const shared = invoker();
    aws.onAssumeRole = bug;
    expect(await shared.invoke(target, "source-1", "{}", deadline())).toMatchObject({
      attempts: 0,
      error: { details: { service: "sts", kind: "service", ...told } },
    });
    aws.onAssumeRole = async () => aws.session();
    expect(await shared.invoke(target, "source-1", "{}", deadline())).toEqual({ attempts: 1, answer: ANSWER });
  });

  test.each([undefined, null, "text", Object.create(null)])("may be no error at all: %j", async (thrown) => {
    aws.onInvoke = async () => Promise.reject(thrown);
    expect(await invoke()).toMatchObject({ attempts: 1, error: { details: { kind: "service", code: "Error" } } });
  });
});
