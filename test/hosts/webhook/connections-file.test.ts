import { generateKeyPairSync } from "node:crypto";
import Ajv from "ajv";
import connectionsSchema from "../../../schemas/connections.schema.json";
import settingsSchema from "../../../schemas/settings.schema.json";
import {
  ConnectionsError,
  type ConnectionsFileOptions,
  connectionsFromFile,
} from "../../../src/hosts/webhook/connections-file";
import { ROUTERS } from "../../../src/hosts/webhook/routers";
import { DEFAULT_OPERATOR_POLICY } from "../../../src/settings/operator-policy";
import { RecordingBehind } from "./recording-behind";

const SECRET = "a-secret-that-is-nobody-elses";
const SETTINGS = {
  lambda: "arn:aws:lambda:us-east-1:123456789012:function:router-events",
  roleAddress: "arn:aws:iam::123456789012:role/router-events-invoker",
};
const BEARER = { type: "bearer", secrets: [SECRET] };

function load(file: unknown, options: Partial<ConnectionsFileOptions> = {}) {
  const made: unknown[] = [];
  const loaded = connectionsFromFile(file, {
    operator: DEFAULT_OPERATOR_POLICY,
    secrets: {
      env: { HOOK_SECRET: SECRET, KEY_SECRET: "x".repeat(40) },
      readFile(path) {
        if (path !== "/run/secret") throw Object.assign(new Error("no"), { code: "ENOENT" });
        return `${SECRET}\n`;
      },
    },
    behind(settings) {
      made.push(settings);
      return new RecordingBehind();
    },
    keepIn: () => async () => {},
    ...options,
  });
  return { loaded, made };
}

function problemsOf(file: unknown, options: Partial<ConnectionsFileOptions> = {}): string {
  try {
    load(file, options);
  } catch (error) {
    if (!(error instanceof ConnectionsError)) throw error;
    expect(error.message).not.toContain(SECRET);
    return error.message;
  }
  throw new Error("Nothing was wrong with it.");
}

const isRight = new Ajv({ strict: false }).addSchema(settingsSchema).compile(connectionsSchema);
const shop = (connection: object) => ({ connections: { shop: { settings: SETTINGS, ...connection } } });

const EVERYTHING = {
  $schema: "https://amazon-lambda-destination/schemas/connections.schema.json",
  settings: { production: { ...SETTINGS, accessKeyId: "AKIAIOSFODNN7EXAMPLE", secretAccessKey: "env:KEY_SECRET" } },
  connections: {
    shop: {
      settings: { $ref: "#/settings/production" },
      sourceId: "my-source-id",
      workspaceId: "my-workspace",
      router: "jitsu",
      webhook: [
        BEARER,
        { type: "basic", user: "me", secrets: ["env:HOOK_SECRET"] },
        { type: "header", header: "X-Api-Key", secrets: ["file:/run/secret"] },
        { type: "jitsu", secrets: [SECRET] },
        { type: "jitsu", signed: "body", publicKeys: [`${"00".repeat(31)}01`] },
        { type: "segment", secrets: [SECRET] },
        { type: "outpost", secrets: [SECRET, "another-secret-of-mine"] },
      ],
      deadLetter: "dead-letters.ndjson",
    },
    site: {
      settings: SETTINGS,
      writeKeys: [{ key: "public", origins: ["https://www.example.com"], eventsPerSecond: 50 }, { key: "id:env:x" }],
    },
  },
};

test("everything that may stand in it is taken, and is right by the schema", () => {
  const { loaded, made } = load(EVERYTHING);

  expect(
    loaded.all.map(({ name, sourceId, router, credentials }) => [name, sourceId, router, credentials?.length]),
  ).toEqual([
    ["shop", "my-source-id", "jitsu", 7],
    ["site", "site", "generic", undefined],
  ]);
  expect(loaded.named("site")?.credentials).toBeUndefined();
  expect(loaded.writeKeys("public")).toMatchObject([{ origins: ["https://www.example.com"], eventsPerSecond: 50 }]);
  expect(loaded.writeKeys("id")[0]?.secretDigest).toBeInstanceOf(Buffer);
  expect(made[0]).toMatchObject({ secretAccessKey: "x".repeat(40) });
  expect(loaded.secretFiles).toEqual(["/run/secret"]);
  expect(isRight(EVERYTHING)).toBe(true);
});

test("an editor finds a misspelt setting by the schema", () => {
  expect(isRight(shop({ webhook: [BEARER] }))).toBe(true);
  expect(isRight(shop({ settings: { ...SETTINGS, lamda: "x" }, webhook: [BEARER] }))).toBe(false);
});

test("the routers of the schema are those of the table", () => {
  expect(connectionsSchema.definitions.connection.properties.router.enum).toEqual(Object.keys(ROUTERS));
});

test("everything that is wrong is told at once, by connection, and no value is", () => {
  const { publicKey } = generateKeyPairSync("ec", { namedCurve: "P-256" });
  const message = problemsOf({
    connections: {
      open: { settings: SETTINGS },
      weak: { settings: SETTINGS, webhook: [{ type: "bearer", secrets: ["short"] }] },
      unset: { settings: SETTINGS, webhook: [{ type: "bearer", secrets: ["env:NOWHERE", "file:/nowhere"] }] },
      half: { settings: { ...SETTINGS, region: "eu-west-1" }, webhook: [{ type: "header", secrets: [SECRET] }] },
      lost: { settings: { $ref: "#/settings/none" }, webhook: [{ type: "outpost" }] },
      wrong: {
        settings: SETTINGS,
        webhook: [{ type: "jitsu", publicKeys: [publicKey.export({ type: "spki", format: "pem" })] }],
      },
      one: { settings: SETTINGS, writeKeys: [{ key: "same" }] },
      two: { settings: SETTINGS, writeKeys: [{ key: "same:env:x" }] },
    },
  });

  expect(message.split("\n")).toEqual([
    "open: needs `webhook` or `writeKeys`: nothing says who may send",
    expect.stringMatching(/^weak: webhook.0.secrets.0 is shorter than 12 characters/),
    "unset: webhook.0.secrets.0: the environment variable NOWHERE is not set",
    "unset: webhook.0.secrets.1: the file /nowhere cannot be read (ENOENT)",
    expect.stringMatching(/^half: settings.lambda is in us-east-1, while the region is eu-west-1/),
    "half: webhook.0 needs `header`: which one holds the secret",
    expect.stringMatching(/^lost: settings.\$ref must name settings of this file/),
    "lost: webhook.0 needs `secrets`",
    "wrong: webhook.0.publicKeys.0 must be an Ed25519 public key: PEM, or its 32 bytes as hex or base64",
    "two: has a write key that is also one of one",
  ]);
});

test.each<[unknown, string]>([
  [[], "must be object"],
  [{ connections: {} }, "connections must NOT have fewer than 1 properties"],
  [{ conections: {} }, "has `conections`, which is not known"],
  [shop({ weebhook: [] }), "shop: has `weebhook`, which is not known"],
  [shop({ router: "fivetran", webhook: [BEARER] }), "shop: router must be one of generic, rudderstack"],
  [shop({ webhook: [] }), "shop: webhook must NOT have fewer than 1 items"],
  [shop({ webhook: [{ type: "bearer", secrets: [7] }] }), "shop: webhook.0.secrets.0 must be string"],
  [
    shop({ writeKeys: [{ key: "k", origins: ["www.example.com"] }] }),
    "shop: writeKeys.0.origins.0 has not the form that is wanted",
  ],
  [
    { connections: { "a/b": { settings: SETTINGS, webhook: [BEARER] } } },
    "has a name that is not 1 to 64 letters, digits or any of _.-",
  ],
  [{ connections: { shop: { webhook: [BEARER] } } }, "shop: needs `settings`"],
  [
    shop({ settings: { $ref: "https://example.com/settings.json" }, webhook: [BEARER] }),
    "shop: settings.$ref must name settings of this file",
  ],
])("%j is refused", (file, reason) => {
  expect(problemsOf(file)).toContain(reason);
});

test("webhooks are open to everybody only where the operator says so", () => {
  expect(load(shop({}), { insecure: true }).loaded.named("shop")?.credentials).toEqual([]);
});

test("what Failure Lambda has taken is kept, and what it rejected itself is not", async () => {
  const failureLambda = "arn:aws:lambda:us-east-1:123456789012:function:failures";
  const { loaded } = load(shop({ settings: { ...SETTINGS, failureLambda }, webhook: [BEARER] }));
  const why = { messageId: "m-1", code: "InvalidEvent", message: "It is none." };

  await expect(loaded.named("shop")?.keep?.({}, why)).resolves.toBeUndefined();
  await expect(loaded.named("shop")?.keep?.({}, { ...why, function: failureLambda })).rejects.toThrow(/Failure Lambda/);
  expect(load(shop({ webhook: [BEARER] })).loaded.named("shop")?.keep).toBeUndefined();
});
