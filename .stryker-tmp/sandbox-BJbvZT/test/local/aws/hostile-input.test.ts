// @ts-nocheck
import { once } from "node:events";
import { connect } from "node:net";
import fc from "fast-check";
import { type EmbeddedAws, startEmbeddedAws } from "../../../src/local/aws/embedded-aws";
import { errorType, type RawAnswer, send, sign, signForm, signInvoke } from "./raw-client";

const keys = { accessKeyId: "AKIDEXAMPLE", secretAccessKey: "not-a-secret-EXAMPLEKEY" };
let aws: EmbeddedAws;

beforeAll(async () => {
  aws = await startEmbeddedAws();
  aws.addUser({ name: "router", ...keys });
  aws.addFunction({ name: "echo", handler: (event) => event });
});

afterAll(() => aws.close());

/** Whatever came before, a decent request is still answered. */
afterEach(async () => {
  expect((await send(aws.url, await signInvoke(aws.url, keys, "echo"))).status).toBe(200);
});

/** Writes bytes as they are; resolves to all that comes back until the connection ends. */
async function sendBytes(bytes: string | Buffer): Promise<string> {
  const socket = connect(Number(new URL(aws.url).port), "127.0.0.1");
  const chunks: Buffer[] = [];
  socket.on("data", (chunk: Buffer) => chunks.push(chunk));
  socket.on("error", () => {});
  socket.end(bytes);
  await once(socket, "close");
  return Buffer.concat(chunks).toString("latin1");
}

test.each([
  ["no HTTP", "hello\r\n\r\n"],
  ["a broken request line", "POST  HTTP/1.1\r\n\r\n"],
  ["a TLS greeting", Buffer.from("16030100a5010000a10303", "hex")],
  ["a header without end", `POST / HTTP/1.1\r\nhost: x\r\nx: ${"y".repeat(100_000)}`],
  ["two lengths", "POST / HTTP/1.1\r\nhost: x\r\ncontent-length: 1\r\ncontent-length: 2\r\n\r\n"],
  ["a length that is none", "POST / HTTP/1.1\r\nhost: x\r\ncontent-length: -5\r\n\r\n"],
])("%s is a bad request", async (_, bytes) => {
  expect(await sendBytes(bytes)).toMatch(/^HTTP\/1.1 400 /);
});

test("a body that ends early ends the connection", async () => {
  const answer = await sendBytes("POST / HTTP/1.1\r\nhost: x\r\ncontent-length: 100\r\n\r\nAction=");
  expect(answer).not.toContain("200 OK");
});

test.each([
  "/%",
  "/%zz",
  "/2015-03-31/functions/%/invocations",
  "/2015-03-31/functions/%ff%fe/invocations",
  "/2015-03-31/functions/%00/invocations",
  "/2015-03-31/functions//invocations",
  "/2015-03-31/functions/../invocations",
  "/2015-03-31/functions/__proto__/invocations",
  "/2015-03-31/functions/echo/invocations?Qualifier=%",
  "/2015-03-31/functions/echo/invocations?Qualifier=__proto__",
  "/2015-03-31/functions/echo/invocations?Qualifier=constructor",
])("%s is answered with a client error, signed or not", async (target) => {
  const [path = "", query] = target.split("?");
  const wire = await sign(aws.url, { service: "lambda", credentials: keys, path, body: "{}" });
  const unsigned = await send(aws.url, { method: "POST", target, headers: {}, body: "{}" });
  const signed = await send(aws.url, query === undefined ? wire : { ...wire, target });
  for (const { status } of [unsigned, signed]) {
    expect(status).toBeGreaterThanOrEqual(400);
    expect(status).toBeLessThan(500);
  }
});

test("a body of 20 MB is answered and not kept", async () => {
  const answer = await send(aws.url, {
    method: "POST",
    target: "/2015-03-31/functions/echo/invocations",
    headers: {},
    body: Buffer.alloc(20_000_000),
  });
  expect([answer.status, errorType(answer)]).toEqual([413, "RequestTooLargeException"]);
});

test("a body without end is cut off", async () => {
  const chunk = `${(1_000_000).toString(16)}\r\n${"x".repeat(1_000_000)}\r\n`;
  const socket = connect(Number(new URL(aws.url).port), "127.0.0.1");
  socket.on("error", () => {});
  const cut = new Promise<boolean>((resolve) => socket.on("close", () => resolve(true)));
  const pour = (): void => {
    while (socket.writable && socket.write(chunk));
  };
  socket.on("drain", pour);
  socket.write("POST / HTTP/1.1\r\nhost: x\r\ntransfer-encoding: chunked\r\n\r\n");
  pour();
  await expect(cut).resolves.toBe(true);
});

test("no header and no form makes it fail with an error of its own", async () => {
  const word = fc.oneof(
    fc.string({ unit: "binary", maxLength: 20 }),
    fc.constantFrom("", "__proto__", "AWS4-HMAC-SHA256", "{}", "%"),
  );
  const headerText = word.map((text) => text.replace(/[^\t\x20-\x7e\x80-\xff]/g, "?"));
  await fc.assert(
    fc.asyncProperty(
      headerText,
      headerText,
      fc.dictionary(word, word, { maxKeys: 4 }),
      fc.constantFrom("AssumeRole", "GetCallerIdentity", "constructor", ""),
      async (authorization, date, form, Action) => {
        const body = new URLSearchParams({ ...form, Action }).toString();
        const unsigned = await send(aws.url, {
          method: "POST",
          target: "/",
          headers: { authorization, "x-amz-date": date },
          body,
        });
        const signed = await send(aws.url, await signForm(aws.url, keys, { ...form, Action }));
        expect([unsigned.status, signed.status].filter((status) => status >= 500)).toEqual([]);
        expect(unsigned.status).toBeGreaterThanOrEqual(400);
      },
    ),
    { numRuns: 60 },
  );
});

test("no policy makes it fail with an error of its own", async () => {
  aws.addRole({
    name: "open",
    trustPolicy: { Statement: { Effect: "Allow", Principal: "*", Action: "sts:*" } },
    permissionPolicies: [],
  });
  const key = fc.constantFrom(
    "Version",
    "Statement",
    "Effect",
    "Action",
    "Resource",
    "Condition",
    "StringLike",
    "__proto__",
    "Principal",
  );
  const leaf = fc.constantFrom<unknown>(
    "Allow",
    "Deny",
    "*",
    "2012-10-17",
    "(",
    "\\",
    1,
    null,
    true,
    "$".concat("{aws:username}"),
  );
  const { tree } = fc.letrec<{ tree: unknown }>((tie) => ({
    tree: fc.oneof(
      { maxDepth: 4 },
      leaf,
      fc.array(tie("tree"), { maxLength: 2 }),
      fc.dictionary(key, tie("tree"), { maxKeys: 5 }),
    ),
  }));
  const assume = async (Policy: string): Promise<RawAnswer> =>
    send(
      aws.url,
      await signForm(aws.url, keys, {
        Action: "AssumeRole",
        RoleArn: "arn:aws:iam::123456789012:role/open",
        RoleSessionName: "test",
        Policy,
      }),
    );
  await fc.assert(
    fc.asyncProperty(tree, async (policy) => {
      const answer = await assume(JSON.stringify(policy));
      expect([200, 400]).toContain(answer.status);
    }),
    { numRuns: 60 },
  );
});
