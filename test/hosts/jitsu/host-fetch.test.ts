import { once } from "node:events";
import { createServer, type RequestListener } from "node:http";
import type { AddressInfo } from "node:net";
import type { FetchType } from "@jitsu/protocols/functions";
import { endpointAt, MAX_ANSWER_BYTES, type TimeLimit, type TransportError } from "../../../src/aws/transport";
import { jitsuTransport } from "../../../src/hosts/jitsu/host-fetch";

let listener: RequestListener = () => {};
let asked: string[] = [];
const server = createServer((request, response) => {
  asked.push(request.url ?? "");
  listener(request, response);
});

beforeAll(async () => {
  await once(server.listen(0, "127.0.0.1"), "listening");
});

beforeEach(() => {
  asked = [];
});

afterAll(() => {
  server.closeAllConnections();
  server.close();
});

const unlimited: TimeLimit = { watch() {}, unwatch() {} };

/** By Node.js's own fetch, which Jitsu hands on to functions outside of isolates. */
async function post(answer: RequestListener) {
  listener = answer;
  const { port } = server.address() as AddressInfo;
  const endpoint = endpointAt(`http://127.0.0.1:${port}`, false);
  const transport = jitsuTransport(fetch as FetchType);
  try {
    const { status, body } = await transport.post(
      { endpoint, path: "/invoke", headers: ["x-a", "1"], body: "{}" },
      unlimited,
    );
    return { status, body };
  } catch (error) {
    const { kind, code } = error as TransportError;
    return { kind, code };
  }
}

test.each([301, 302, 303, 307, 308])(
  "a redirect is an answer, and is not followed: it would hand the session on (%s)",
  async (status) => {
    const answer = await post((_request, response) => response.writeHead(status, { location: "/elsewhere" }).end());
    expect(answer).toEqual({ status, body: "" });
    expect(asked).toEqual(["/invoke"]);
  },
);

test("an answer that is said to be too long is not waited for", async () => {
  const headers = { "content-length": String(MAX_ANSWER_BYTES + 1) };
  const answer = await post((_request, response) => response.writeHead(200, headers).write("the beginning"));
  expect(answer).toEqual({ kind: "broken", code: "AnswerTooLong" });
});

test("one that does not say so is not taken either", async () => {
  const answer = await post((_request, response) => response.end("x".repeat(MAX_ANSWER_BYTES + 1)));
  expect(answer).toEqual({ kind: "broken", code: "AnswerTooLong" });
});

test("an answer that breaks off may be one of a function that ran", async () => {
  const answer = await post((_request, response) => {
    response.writeHead(200, { "content-length": "5" }).write("null");
    setImmediate(() => response.destroy());
  });
  expect(answer).toMatchObject({ kind: "broken" });
});

test("without a listener nothing was sent", async () => {
  const other = createServer();
  await once(other.listen(0, "127.0.0.1"), "listening");
  const endpoint = endpointAt(`http://127.0.0.1:${(other.address() as AddressInfo).port}`, false);
  await new Promise((resolve) => other.close(resolve));
  await expect(
    jitsuTransport(fetch as FetchType).post({ endpoint, path: "/", headers: [], body: "{}" }, unlimited),
  ).rejects.toMatchObject({ kind: "unsent", code: "ECONNREFUSED" });
});
