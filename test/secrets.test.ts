import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Writable } from "node:stream";
import { check } from "../src/cli/check";
import type { Command } from "../src/cli/command";
import { form } from "../src/cli/form";
import { iam } from "../src/cli/iam";
import { send } from "../src/cli/send";
import { AmazonLambdaDestination } from "../src/hosts/jitsu/index";
import DeployedFunction from "../src/hosts/jitsu/sandbox";
import { networkHandler } from "../src/hosts/rudderstack/network-handler";
import { processRouterDest } from "../src/hosts/rudderstack/transform";
import { fixedConnections } from "../src/hosts/webhook/connection";
import { bearer } from "../src/hosts/webhook/credentials";
import { receiverLog } from "../src/hosts/webhook/log";
import { logAnswered } from "../src/hosts/webhook/log-answered";
import { createReceiver } from "../src/hosts/webhook/receiver";
import * as face from "../src/index";
import { environment } from "./aws/loopback";
import type { RawRequest } from "./chaos/raw-server";
import { bufferedIo } from "./cli/buffered-io";
import { answerOf, type Surroundings, session, surroundings, taken } from "./hostile/surroundings";
import { leaked } from "./secrets";

/** Everything that went in and must not come out. */
const SECRETS = {
  "access key ID of the settings": "AKIDCANARYSETTINGS00",
  "secret of the settings": "CanarySecretOfTheSettings+/0000000000000",
  "the router's access key ID": "AKIDCANARYROUTER0000",
  "the router's secret": "CanarySecretOfTheRouter+/000000000000000",
  "the session's access key ID": "ASIACANARYSESSION000",
  "the session's secret": "CanarySecretOfTheSession+/00000000000000",
  "the session's token": "CanaryTokenOfTheSession+/==",
  "a webhook's secret": "canary-secret-of-a-webhook",
};
const SETTINGS = {
  lambda: "arn:aws:lambda:us-east-1:123456789012:function:router-events",
  roleAddress: "arn:aws:iam::123456789012:role/router-events-invoker",
  externalId: "my-source-id",
  accessKeyId: SECRETS["access key ID of the settings"],
  secretAccessKey: SECRETS["secret of the settings"],
  logType: "Tail",
  timeoutMs: 300,
} as const;
const EVENT = { type: "track", event: "Order Completed", messageId: "m-1", userId: "u-1" };
const ORIGIN = { sourceId: "my-source-id", workspaceId: "my-workspace-id" };

const HEADERS = "x-amzn-requestid: 1\r\n";
const grantedSession = () =>
  answerOf(
    200,
    "content-type: text/xml\r\n",
    session({} as never)
      .toString()
      .replace("ASIAEXAMPLESESSION00", SECRETS["the session's access key ID"])
      .replace("session-secret", SECRETS["the session's secret"])
      .replace("session-token", SECRETS["the session's token"])
      .split("\r\n\r\n")[1] as string,
  );

/** Whoever answers repeats all that was sent, as Lambda does where a signature does not match. */
const echo = ({ headers, body }: RawRequest) =>
  `The Canonical String for this request should have been\n'POST\n${Object.entries(headers)
    .map(([name, value]) => `${name}:${value}`)
    .join("\n")}\n\n${body.toString()}'`;

const error = (status: number, code: string) => (request: RawRequest) =>
  answerOf(status, `${HEADERS}x-amzn-errortype: ${code}\r\n`, JSON.stringify({ message: `no: ${echo(request)}` }));

/** What AWS may answer, each with all that it was sent in it wherever a text can stand. */
const ANSWERS: Readonly<Record<string, Partial<Pick<Surroundings, "lambda" | "sts">>>> = {
  "all is well": {},
  "the signature does not match": { lambda: error(403, "InvalidSignatureException") },
  "access is denied": { lambda: error(403, "AccessDeniedException") },
  "the session expired": { lambda: error(403, "ExpiredTokenException") },
  "the function is throttled": { lambda: error(429, "TooManyRequestsException") },
  "an error of an unknown name": { lambda: error(418, "Whatever") },
  "a proxy quotes the request as JSON": {
    lambda: ({ headers }) =>
      answerOf(502, `${HEADERS}x-amzn-errortype: Proxy\r\n`, JSON.stringify({ message: JSON.stringify(headers) })),
  },
  "somebody quotes the token alone": {
    lambda: ({ headers }) =>
      answerOf(
        403,
        `${HEADERS}x-amzn-errortype: UnrecognizedClientException\r\n`,
        JSON.stringify({ message: `${headers["x-amz-security-token"]} is no token` }),
      ),
  },
  "AWS failed": { lambda: error(500, "ServiceException") },
  "no HTTP": { lambda: (request) => echo(request) },
  "STS denies": {
    sts: (request) =>
      answerOf(
        403,
        "",
        `<ErrorResponse><Error><Code>AccessDenied</Code><Message>no: ${echo(request).replace(/[<&]/g, "")}</Message></Error></ErrorResponse>`,
      ),
  },
  "STS answers half": {
    sts: () =>
      answerOf(
        200,
        "",
        grantedSession()
          .toString()
          .replace(/<Expiration>.*<\/Expiration>/, ""),
      ),
  },
  "the function throws": {
    lambda: () =>
      answerOf(
        200,
        `${HEADERS}x-amz-function-error: Unhandled\r\n`,
        JSON.stringify({ errorType: "Error", errorMessage: "x" }),
      ),
  },
};

let world: Surroundings;
let restore: () => void;
const folder = mkdtempSync(join(tmpdir(), "secrets-"));

beforeAll(async () => {
  world = await surroundings();
  restore = environment({
    AWS_ACCESS_KEY_ID: SECRETS["the router's access key ID"],
    AWS_SECRET_ACCESS_KEY: SECRETS["the router's secret"],
  });
});

afterAll(async () => {
  restore();
  await world.close();
  rmSync(folder, { recursive: true });
});

beforeEach(() => {
  world.lambda = taken;
  world.sts = grantedSession;
});

/** All that was written to the log, and counted. */
function hostContext() {
  const seen: unknown[] = [];
  const note =
    (level: string) =>
    (...said: unknown[]) =>
      void seen.push([level, ...said]);
  const metrics = { status: (...said: unknown[]) => ({ inc: () => void seen.push(said) }) };
  return { seen, log: { info: note("info"), warn: note("warn"), debug: note("debug"), error: note("error") }, metrics };
}

let n = 0;

/** Others' sessions and what is remembered of them stay out of it. */
const fresh = () => ({ ...SETTINGS, externalId: `my-source-id-${n++}` });

describe.each(Object.entries(ANSWERS))("where %s", (_, answers) => {
  beforeEach(() => Object.assign(world, answers));

  test("nothing secret is in a result, an error or an exported object", async () => {
    const ofRole = face.createDestination(fresh());
    const { roleAddress: _role, ...ofKeys } = SETTINGS;
    const destinations = [
      ofRole,
      face.createDestination(ofKeys),
      face.createDestination({ ...fresh(), maxBatchSize: 5 }),
    ];
    const results = await Promise.all(
      destinations.flatMap((each) => [
        each.deliver(EVENT, ORIGIN),
        each.deliverBatch([EVENT, { ...EVENT, messageId: "m-2" }], ORIGIN),
      ]),
    );

    expect(leaked(SECRETS, results, destinations, { ...face })).toEqual([]);
  });

  test("nor in the report of a check", async () => {
    const steps: unknown[] = [];
    const report = await face.checkConnection(fresh(), {
      send: true,
      onStep: (step) => void steps.push(step),
      ...ORIGIN,
    });

    expect(leaked(SECRETS, report, steps)).toEqual([]);
  });

  test("nor in what Jitsu is told, logs and counts", async () => {
    const { seen, ...context } = hostContext();
    const source = { id: ORIGIN.sourceId };
    const ctx = { ...context, source, workspace: { id: ORIGIN.workspaceId }, props: fresh() };
    const told = await AmazonLambdaDestination({ ...EVENT }, ctx as never).catch((thrown: unknown) => thrown);

    expect(leaked(SECRETS, told, seen, AmazonLambdaDestination)).toEqual([]);
  });

  test("nor by the function that is deployed to Jitsu, but to AWS", async () => {
    const { seen, ...context } = hostContext();
    const endpoint = process.env["AWS_ENDPOINT_URL"] as string;
    const ctx = {
      ...context,
      source: { id: ORIGIN.sourceId },
      workspace: { id: ORIGIN.workspaceId },
      props: fresh(),
      // Jitsu's own has a third parameter: what not to log.
      fetch: (url: string, options: RequestInit, _log: object) =>
        fetch(`${endpoint}${new URL(url).pathname}${new URL(url).search}`, options),
    };
    const told = await Promise.resolve(DeployedFunction(EVENT as never, ctx as never)).catch(
      (thrown: unknown) => thrown,
    );

    expect(leaked(SECRETS, told, seen, DeployedFunction)).toEqual([]);
  });

  test("nor in what rudder-server stores of a job", async () => {
    const Config = fresh();
    const metadata = { jobId: 1, ...ORIGIN };
    const [transformed] = processRouterDest([{ message: EVENT, metadata, destination: { Config } }]);
    // The server keeps these; the destination with its settings is its own.
    const { batchedRequest, error: problem, statTags } = transformed ?? {};
    interface Handler {
      proxy(request: unknown): Promise<unknown>;
      processAxiosResponse(raw: unknown): unknown;
      responseHandler(answered: object): object;
    }
    const handler = new (networkHandler as unknown as new () => Handler)();
    const raw = await handler.proxy({ ...batchedRequest, metadata: [metadata], destinationConfig: Config });
    const answer = handler.responseHandler({
      destinationResponse: handler.processAxiosResponse(raw),
      rudderJobMetadata: [metadata],
      destType: "AMAZON_LAMBDA",
    });

    expect(leaked(SECRETS, batchedRequest, problem, statTags, raw, answer)).toEqual([]);
  });

  test("nor in the receiver's answers and log", async () => {
    const lines: string[] = [];
    const log = receiverLog(
      "debug",
      new Writable({
        write(chunk, _encoding, done) {
          lines.push(String(chunk));
          done();
        },
      }),
    );
    const connection = {
      name: "shop",
      sourceId: ORIGIN.sourceId,
      router: "generic" as const,
      credentials: [bearer([SECRETS["a webhook's secret"]])],
      behind: face.createDestination(fresh()),
    };
    const connections = fixedConnections([connection], []);
    const receiver = createReceiver({
      connections: () => connections,
      observer: { answered: (answered) => logAnswered(log, answered) },
    });
    const answers = await Promise.all(
      [SECRETS["a webhook's secret"], `${SECRETS["a webhook's secret"]}-wrong`].map(async (secret) => {
        const response = await receiver.fetch(
          new Request(`http://localhost/webhook/shop?secret=${secret}`, {
            method: "POST",
            headers: {
              authorization: `Bearer ${secret}`,
              "content-type": "application/json",
              prefer: "return=representation",
            },
            body: JSON.stringify(EVENT),
          }),
        );
        return `${JSON.stringify(Object.fromEntries(response.headers as never))} ${await response.text()}`;
      }),
    );

    expect(lines.length).toBeGreaterThan(0);
    expect(leaked(SECRETS, answers, lines)).toEqual([]);
  });

  test.each<[string, Command, readonly string[]]>([
    ["send", send, []],
    ["check", check, ["--source-id", "my-source-id", "--send"]],
    ["check --json", check, ["--json"]],
    ["iam", iam, ["cloudformation"]],
  ])("nor in what the command %s prints", async (_name, command, argv) => {
    const settings = join(folder, "settings.json");
    writeFileSync(settings, JSON.stringify(fresh()));
    const io = bufferedIo(`${JSON.stringify(EVENT)}\nno JSON\n`);
    const before = readdirSync(folder);
    const thrown = await command
      .run([...argv, "--settings", settings], { ...io, env: process.env })
      .catch((failure: unknown) => failure);

    expect(leaked(SECRETS, io.out(), io.err(), thrown)).toEqual([]);
    const written = readdirSync(folder).filter((file) => !before.includes(file));
    expect(leaked(SECRETS, ...written.map((file) => readFileSync(join(folder, file), "utf8")))).toEqual([]);
  });
});

describe("settings that are no good", () => {
  test.each([
    ["a secret without its ID", { ...SETTINGS, accessKeyId: undefined }],
    ["a secret in the place of another setting", { ...SETTINGS, lambda: SECRETS["secret of the settings"] }],
    [
      "a secret under a name that is no setting",
      { ...SETTINGS, [SECRETS["secret of the settings"].slice(0, 10)]: 1, secret: SECRETS["secret of the settings"] },
    ],
    ["a secret of the wrong form", { ...SETTINGS, secretAccessKey: `${SECRETS["secret of the settings"]} ` }],
    ["a secret as a region", { ...SETTINGS, region: SECRETS["secret of the settings"] }],
  ])("%s: the error says what, and not which", async (_, settings) => {
    let thrown: unknown;
    try {
      face.parseSettings(settings);
    } catch (problem) {
      thrown = problem;
    }
    const result = await face.createDestination(settings as object).deliver(EVENT, ORIGIN);

    expect(result.error?.code ?? "").toBe("InvalidSettings");
    expect(leaked(SECRETS, thrown, result)).toEqual([]);
  });
});

test("a workspace configuration holds the settings, as it must: its file is for its owner alone", async () => {
  const settings = join(folder, "settings.json");
  writeFileSync(settings, JSON.stringify(SETTINGS));
  const io = bufferedIo();

  await form.run(["rudderstack", "--workspace-config", "--settings", settings], { ...io, env: process.env });

  expect(leaked(SECRETS, io.out())).toContain("secret of the settings");
  expect(leaked(SECRETS, io.err())).toEqual([]);
});

test("the scan finds a secret in each of its forms", () => {
  const secret = SECRETS["secret of the settings"];
  const hidden = Object.defineProperty({}, "hidden", { value: secret, enumerable: false });

  for (const form of [
    secret,
    { a: [secret] },
    hidden,
    new Error(secret),
    new Error("x", { cause: new Error(secret) }),
    encodeURIComponent(secret),
    Buffer.from(secret).toString("base64"),
    Buffer.from(`user:${secret}`).toString("base64"),
    new Map([["a", secret]]),
  ]) {
    expect(leaked(SECRETS, form)).toEqual(["secret of the settings"]);
  }
  expect(leaked(SECRETS, { a: "b" })).toEqual([]);
});
