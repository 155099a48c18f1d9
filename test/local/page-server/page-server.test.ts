import { once } from "node:events";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { request as httpRequest } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { importSettings } from "../../../src/cli/settings-import";
import type { JsonObject } from "../../../src/events/segment-event";
import type { Source } from "../../../src/local/local-host";
import { LocalRouter } from "../../../src/local/local-router";
import { Journal } from "../../../src/local/page-server/journal";
import { createPageHandler } from "../../../src/local/page-server/page-server";
import type { PageState, StreamMessage } from "../../../src/local/page-server/protocol";

const SECRETS = { accessKeyId: "AKIAIOSFODNN7EXAMPLE", secretAccessKey: "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY" };
const SETTINGS = { lambda: "router-events", region: "us-east-1", ...SECRETS };

let folder: string;
let router: LocalRouter;
let url: string;
let journal: Journal;
let source: Source;
let applied: JsonObject[];
let token: string;

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "page-"));
  await writeFile(join(folder, "index.html"), '<meta name="page-token" content="{{token}}">');
  for (const name of ["page.js", "page.css", "icon.svg"]) await writeFile(join(folder, name), "");
  journal = new Journal();
  source = { id: "my-source-id", settings: SETTINGS };
  applied = [];
  const page = createPageHandler({
    journal,
    folder,
    about: () => ({
      version: "1",
      host: "jitsu",
      account: "123456789012",
      region: "us-east-1",
      awsUrl: "http://127.0.0.1:1",
      functions: [],
      folder,
      separator: "/",
      notes: [],
      callTypes: ["track"],
      samples: [],
    }),
    operator: { externalIdFrom: "settings", allowAmbientCredentials: false },
    sources: () => [source],
    async apply(_id, settings) {
      applied.push(settings);
      source = { ...source, settings };
      return ["a note"];
    },
    redeliver: (event, from, replayOf) => journal.took(event, from, replayOf),
    importSettings,
    checks: {},
  });
  router = new LocalRouter({
    sources: [source],
    createHost: () => ({ deliver: async () => {} }),
    onTry: (attempt) => journal.tried(attempt),
    onTaken: (event) => void journal.took(event, source),
    page,
  });
  url = await router.listen(0);
  token = /content="([\w-]+)"/.exec(await (await fetch(url)).text())?.[1] ?? "";
});

afterEach(async () => {
  await router.close();
  await rm(folder, { recursive: true });
});

async function call(path: string, body: unknown): Promise<{ status: number; body: JsonObject }> {
  const response = await fetch(url + path, {
    method: "POST",
    headers: { "x-page-token": token },
    body: JSON.stringify(body),
  });
  return { status: response.status, body: (await response.json()) as JsonObject };
}

async function state(): Promise<PageState> {
  return (await (await fetch(`${url}/api/state`, { headers: { "x-page-token": token } })).json()) as PageState;
}

/** What a request with this `Host` header is answered with: the client of Node.js lets it be set. */
async function statusFor(host: string, path: string): Promise<number> {
  const request = httpRequest(url + path, { headers: { host } });
  request.end();
  const [response] = (await once(request, "response")) as [{ statusCode: number; resume(): void }];
  response.resume();
  return response.statusCode;
}

describe("who may read the page", () => {
  test.each(["/", "/page.js", "/api/state", "/api/stream"])("%s is not for other host names", async (path) => {
    expect(await statusFor("attacker.example", path)).toBe(421);
    expect(await statusFor(`attacker.example:${new URL(url).port}`, path)).toBe(421);
    expect(await statusFor("127.0.0.1:1", path)).toBe(421);
  });

  test("the machine's own names are fine", async () => {
    const { port } = new URL(url);
    for (const name of ["127.0.0.1", "localhost", "[::1]"]) expect(await statusFor(`${name}:${port}`, "/")).toBe(200);
  });

  test.each([
    ["GET", "/api/state"],
    ["GET", "/api/entry?id=1"],
    ["GET", "/api/stream"],
    ["POST", "/api/replay"],
    ["POST", "/api/apply"],
    ["POST", "/api/export"],
    ["POST", "/api/import"],
    ["POST", "/api/problems"],
    ["POST", "/api/check"],
    ["POST", "/api/clear"],
  ])("%s %s is only for who has the token", async (method, path) => {
    for (const given of [undefined, "", "x".repeat(token.length), `${token}x`]) {
      const response = await fetch(url + path, {
        method,
        headers: given === undefined ? {} : { "x-page-token": given },
      });
      expect(response.status).toBe(401);
    }
  });

  test("each start has a token of its own", () => {
    expect(token).toMatch(/^[\w-]{32}$/);
  });

  test("nothing comes without its security headers, and nothing may be framed or run from elsewhere", async () => {
    for (const path of ["/", "/page.js", "/api/state"]) {
      const { headers } = await fetch(url + path, { headers: { "x-page-token": token } });
      expect(headers.get("content-security-policy")).toContain("default-src 'self'");
      expect(headers.get("content-security-policy")).toContain("frame-ancestors 'none'");
      expect(headers.get("content-security-policy")).not.toContain("unsafe");
      expect(headers.get("x-content-type-options")).toBe("nosniff");
      expect(headers.get("access-control-allow-origin")).toBeNull();
    }
  });

  test("other websites may send events, and nothing else", async () => {
    const origin = "https://shop.example";
    const preflight = (path: string) =>
      fetch(url + path, {
        method: "OPTIONS",
        headers: { origin, "access-control-request-method": "POST", "access-control-request-headers": "authorization" },
      });
    const asked = await preflight("/v1/track");
    expect([asked.status, asked.headers.get("access-control-allow-origin")]).toEqual([204, origin]);
    expect((await preflight("/api/state")).headers.get("access-control-allow-origin")).toBeNull();
  });

  test("no file but the page's own can be asked for", async () => {
    for (const path of ["/../package.json", "/%2e%2e/package.json", "/index.html", "/constructor"]) {
      expect((await fetch(url + path)).status).toBe(404);
    }
  });
});

describe("secrets", () => {
  const told = async () => JSON.stringify(await state());

  test("do not reach the page, and come back as they were", async () => {
    expect(await told()).not.toMatch(/AKIAIOSFODNN7EXAMPLE|wJalrXUtnFEMI/);
    const [{ settings } = { settings: {} }] = (await state()).sources;

    const { body } = await call("/api/apply", { source: "my-source-id", settings: { ...settings, externalId: "new" } });

    expect(applied).toEqual([{ ...SETTINGS, externalId: "new" }]);
    expect(JSON.stringify(body)).not.toMatch(/AKIAIOSFODNN7EXAMPLE|wJalrXUtnFEMI/);
    expect(body).toMatchObject({ problems: [], notes: ["a note"] });
  });

  test.each(["settings", "rudderstack", "jitsu", "cloudformation"])("are not in the export as %s", async (format) => {
    const { body } = await call("/api/export", { source: "my-source-id", settings: SETTINGS, format });

    expect(body["problems"]).toEqual(
      format === "cloudformation" ? [expect.objectContaining({ setting: "account" })] : [],
    );
    expect(JSON.stringify(body)).not.toMatch(/AKIAIOSFODNN7EXAMPLE|wJalrXUtnFEMI/);
  });
});

test("settings that are no good are not applied, and said to be in the schema's words", async () => {
  const { body } = await call("/api/apply", { source: "my-source-id", settings: { ...SETTINGS, logType: "Tial" } });

  expect(body["problems"]).toEqual([expect.objectContaining({ setting: "logType", problem: "must be None or Tail" })]);
  expect(applied).toEqual([]);
});

test.each([
  ["this destination", { lambda: "router-events", region: "us-east-1" }, "settings of this destination"],
  ["Segment", { settings: { function: "router-events", region: "us-east-1" } }, "Segment's Amazon Lambda destination"],
  [
    "RudderStack's native LAMBDA",
    { Config: { lambda: "router-events", region: "us-east-1", roleBasedAuth: true } },
    "RudderStack's native LAMBDA destination",
  ],
])("settings are imported from a file of %s, and nothing is applied by that", async (_name, file, from) => {
  const { status, body } = await call("/api/import", { text: JSON.stringify(file) });

  expect(status).toBe(200);
  expect(body).toMatchObject({ from, settings: { lambda: "router-events", region: "us-east-1" } });
  expect(applied).toEqual([]);
});

test("an event that its integrations keep away is in the list, with the reason", async () => {
  const event = { type: "track", event: "Signed Up", userId: "u", integrations: { All: false } };
  const response = await fetch(`${url}/v1/track?writeKey=my-source-id`, {
    method: "POST",
    body: JSON.stringify(event),
  });
  expect(await response.json()).toEqual({ success: true, skipped: 1 });

  const [entry] = journal.summaries();
  expect(entry).toMatchObject({ kind: "delivery", state: "skipped" });
  expect(journal.detail(entry?.id ?? 0)?.trail).toMatchObject([{ outcome: "skipped", next: "done", keptAway: true }]);
});

test("the stream tells what there is, then what is new, and what the router refuses", async () => {
  journal.took({ type: "track", event: "Before", messageId: "m-1" }, source);
  const response = await fetch(`${url}/api/stream?token=${token}`);
  const reader = (response.body as ReadableStream<Uint8Array>).getReader();
  const next = async () => {
    const text = new TextDecoder().decode((await reader.read()).value);
    return JSON.parse(text.replace(/^data: /, "")) as StreamMessage;
  };

  expect(await next()).toMatchObject({ type: "entries", entries: [{ name: "Before", state: "under way" }] });
  journal.took({ type: "track", event: "After", messageId: "m-2" }, source);
  expect(await next()).toMatchObject({ type: "entry", entry: { name: "After" } });
  await fetch(`${url}/v1/track`, { method: "POST", body: "{}" });
  expect(await next()).toMatchObject({
    type: "entry",
    entry: {
      kind: "refusal",
      state: "refused",
      name: "POST /v1/track",
      problem: expect.stringMatching(/^401 .*write key/),
    },
  });
  await reader.cancel();
});

test.each([
  ["/api/replay", { id: 99 }, 404],
  ["/api/apply", { source: "nobody", settings: {} }, 404],
  ["/api/apply", { source: "my-source-id", settings: "x" }, 400],
  ["/api/export", { source: "my-source-id", settings: SETTINGS, format: "constructor" }, 400],
  ["/api/check", { source: "my-source-id", settings: SETTINGS, target: "aws" }, 400],
  ["/api/nothing", {}, 404],
])("%s with %j is answered with %i and a reason", async (path, body, status) => {
  const answer = await call(path, body);

  expect(answer).toEqual({ status, body: { error: expect.any(String) } });
});
