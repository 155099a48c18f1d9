import fc from "fast-check";
import { fixedConnections } from "../../src/hosts/webhook/connection";
import { ConnectionsError, connectionsFromFile } from "../../src/hosts/webhook/connections-file";
import { bearer } from "../../src/hosts/webhook/credentials";
import { createReceiver } from "../../src/hosts/webhook/receiver";
import { DEFAULT_OPERATOR_POLICY } from "../../src/settings/operator-policy";
import { RecordingBehind } from "../hosts/webhook/recording-behind";
import { json, KEYS, objectWith, parameters } from "./corpus";
import { type Surroundings, surroundings } from "./surroundings";

const SECRET = "a-secret-of-the-shop";
let world: Surroundings;

beforeAll(async () => {
  world = await surroundings();
});

afterAll(() => world.close());

afterEach(() => world.assess());

function receiver(failed: (error: unknown) => void) {
  const connection = {
    name: "shop",
    sourceId: "my-source-id",
    router: "generic" as const,
    credentials: [bearer([SECRET])],
    behind: new RecordingBehind(),
  };
  const connections = fixedConnections([connection], [{ id: "my-write-key", origins: [], connection }]);
  return createReceiver({ connections: () => connections, observer: { failed } });
}

test("a request of any kind gets an answer that is not our mistake", async () => {
  const failures: unknown[] = [];
  const { fetch } = receiver((error) => failures.push(error));
  const path = fc.oneof(
    fc.constantFrom("/webhook/shop", "/v1/track", "/v1/batch", "/v1/page", "/v1/p", "/api/s/track", "/beacon/v1/b"),
    fc.constantFrom(...KEYS).map((key) => `/webhook/${encodeURIComponent(key.replace(/[\ud800-\udfff]/g, ""))}`),
    fc.constantFrom("/%", "/webhook/%ff", "/v1/%2e%2e/track", "//", "/webhook/shop/../../x", "/v1/__proto__"),
  );
  const headerValue = fc.string({ unit: fc.constantFrom(..."abcXYZ0189-_=/:,;.<>{}\"' %"), maxLength: 60 });
  const headers = fc.dictionary(
    fc.constantFrom(
      "content-type",
      "content-encoding",
      "authorization",
      "x-forwarded-for",
      "origin",
      "x-message-id",
      "prefer",
    ),
    fc.oneof(
      headerValue,
      fc.constantFrom(
        "application/json",
        "text/plain",
        "gzip",
        "deflate",
        "br",
        `Bearer ${SECRET}`,
        "Basic bXktd3JpdGUta2V5Og==",
      ),
    ),
  );
  const body = fc.oneof(
    json.map((value) => JSON.stringify(value)),
    objectWith(["type", "batch", "event", "writeKey", "messageId", "properties", "sentAt"]).map((value) =>
      JSON.stringify(value),
    ),
    fc.string(),
    fc.uint8Array({ maxLength: 300 }),
    fc.constantFrom("[".repeat(100_000), `{"a":${"[".repeat(5000)}`, "\u0000"),
  );

  await fc.assert(
    fc.asyncProperty(
      fc.constantFrom("POST", "PUT", "GET", "OPTIONS", "DELETE"),
      path,
      headers,
      body,
      async (method, where, list, sent) => {
        const bodiless = method === "GET";
        const response = await fetch(
          new Request(new URL(`http://localhost${where}`), {
            method,
            headers: { authorization: `Bearer ${SECRET}`, ...list },
            ...(!bodiless && { body: sent as unknown as string }),
          }),
        );
        expect(response.status).toBeGreaterThanOrEqual(200);
        expect(await response.text()).not.toContain(SECRET);
        expect(failures).toEqual([]);
      },
    ),
    { ...parameters, numRuns: 300 },
  );
});

test("a connections file of any kind is told to be wrong, or used; its secrets stay in it", () => {
  const entry = objectWith(["webhook", "writeKeys", "router", "sourceId", "workspaceId", "deadLetter", "settings"]);
  const file = fc.oneof(
    json,
    fc.record({
      connections: fc.oneof(json, fc.dictionary(fc.constantFrom("shop", ...KEYS), fc.oneof(entry, json))),
      settings: json,
    }),
  );

  fc.assert(
    fc.property(file, (given) => {
      const withSecret = { ...(given as object), secret: SECRET };
      for (const each of [given, withSecret]) {
        try {
          connectionsFromFile(each, {
            operator: DEFAULT_OPERATOR_POLICY,
            secrets: { env: {}, readFile: () => "" },
            behind: () => new RecordingBehind(),
            keepIn: () => async () => {},
          });
        } catch (error) {
          expect(error).toBeInstanceOf(ConnectionsError);
          expect((error as Error).message).not.toContain(SECRET);
        }
      }
    }),
    parameters,
  );
});
