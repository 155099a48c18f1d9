// @ts-nocheck
import { EventEmitter, once } from "node:events";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { Analytics } from "@segment/analytics-node";
import type { DeliveryResult } from "../../src/delivery/delivery-result";
import { assessedResult } from "../assess";
import { ndjson, runCli, startCli } from "./run-cli";

describe("start --once", () => {
  test.each(["jitsu", "rudderstack"])(
    "delivers every sample through %s as it should end and prints a result per try, with --json",
    async (host) => {
      const { code, out } = await runCli(["start", "--once", "--json", "--host", host]);

      const lines = ndjson(out);
      const results = lines.slice(0, -1) as unknown as DeliveryResult[];
      results.forEach(assessedResult);
      expect(lines.at(-1)).toEqual({ summary: { delivered: 7, skipped: 1, retry: 1, rejected: 2 } });
      const endsOf = (messageId: string) =>
        results.filter((result) => result.messageId === messageId).map(({ outcome }) => outcome);
      expect(endsOf("sample-7")).toEqual(["retry", "delivered"]);
      expect(endsOf("sample-9")).toEqual(["skipped"]);
      expect(endsOf("sample-10")).toEqual(["rejected"]);
      const functions = results
        .filter(({ outcome }) => outcome === "delivered")
        .map((result) => result.function?.split(":").at(-1));
      expect(new Set(functions)).toEqual(new Set(["track", "identify", "page", "screen", "group", "alias", "orders"]));
      expect(code).toBe(0);
    },
  );

  test("prints a line per delivery for people", async () => {
    const { code, out } = await runCli(["start", "--once"]);

    expect(out).toMatch(/✓ delivered track +Product Viewed +→ track/);
    expect(out).toContain("Execution Error");
    expect(out).toContain("7 delivered, 1 skipped, 1 retry, 2 rejected");
    expect(code).toBe(0);
  });

  test("uses no AWS but its own, whatever the environment says", async () => {
    const elsewhere = {
      AWS_ENDPOINT_URL_LAMBDA: "http://127.0.0.1:1",
      AWS_ENDPOINT_URL_STS: "http://127.0.0.1:1",
      AWS_USE_FIPS_ENDPOINT: "true",
      AWS_USE_DUALSTACK_ENDPOINT: "true",
      AWS_PROFILE: "other",
      AWS_SESSION_TOKEN: "other",
    };

    const { code } = await runCli(["start", "--once", "--json"], { env: elsewhere });

    expect(code).toBe(0);
  });
});

describe("start with one's own functions", () => {
  let folder: string;
  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), "functions-"));
  });
  afterEach(() => rm(folder, { recursive: true }));

  test("sends each call type to the file of its name, the others to lambda.mjs", async () => {
    await writeFile(join(folder, "track.mjs"), "export const handler = async () => null;");
    await writeFile(join(folder, "lambda.cjs"), "exports.handler = (event, context, done) => done(null, event.type);");

    const { code, out } = await runCli(["start", "--once", "--json", "--functions", folder]);

    const results = ndjson(out).slice(0, -1);
    const functionOf = (type: string) =>
      (results.find(({ callType }) => callType === type) as { function: string }).function.split(":").at(-1);
    expect([functionOf("track"), functionOf("page"), functionOf("alias")]).toEqual(["track", "lambda", "lambda"]);
    expect(ndjson(out).at(-1)).toEqual({ summary: { delivered: 6, skipped: 0, retry: 0, rejected: 0 } });
    expect(code).toBe(0);
  });

  test("shows what a function logs line by line and where it threw, and gives up in the end", async () => {
    await writeFile(
      join(folder, "lambda.mjs"),
      "export const handler = async ({ type }) => {\n  console.log('first\\nsecond');\n  if (type === 'alias') throw new Error('no\\nalias');\n};\n",
    );

    const { code, out } = await runCli(["start", "--once", "--functions", folder]);

    expect(out).toContain("│ INFO first\n            │ second\n");
    expect(out).toContain("            Execution Error: The function failed with Error: no\n            alias\n");
    expect(out).toMatch(/ at handler \(file:\/\/.*lambda\.mjs:3:\d+\)/);
    expect(out).toMatch(/✗ given up +alias/);
    expect(out).toContain("5 delivered, 0 skipped, 4 retry, 0 rejected, 1 given up");
    expect(out).not.toContain("\r");
    expect(code).toBe(1);
  });

  test("hands on the user's environment, but nothing of AWS, and any setting", async () => {
    await writeFile(
      join(folder, "lambda.mjs"),
      "export const handler = async () => { if (process.env.GREETING !== 'hi' || process.env.AWS_PROFILE) throw new Error('other'); };",
    );
    await writeFile(join(folder, "settings.json"), '{"maxBatchSize":2,"logType":"None"}');

    const { code, out } = await runCli(["start", "--once", "--json", "--functions", folder], {
      env: { GREETING: "hi", AWS_PROFILE: "real" },
    });

    expect(ndjson(out).at(-1)).toMatchObject({ summary: { delivered: 6 } });
    expect(out).not.toContain("logTail");
    expect(code).toBe(0);
  });

  test("a mistake in settings.json is told once, with exit code 2", async () => {
    await writeFile(join(folder, "lambda.mjs"), "export const handler = async () => null;");
    await writeFile(join(folder, "settings.json"), '{"logType":"Tial"}');

    const { code, err, out } = await runCli(["start", "--once", "--functions", folder]);

    expect(err).toContain("logType must be None or Tail");
    expect(out).toBe("");
    expect(code).toBe(2);
  });

  test("exits with 2 and says why where there is nothing to run", async () => {
    const { code, err } = await runCli(["start", "--functions", folder]);

    expect(err).toContain("There are no functions in");
    expect(code).toBe(2);
  });

  test("exits with 2 and says why where two files have one name", async () => {
    await writeFile(join(folder, "track.mjs"), "export const handler = async () => null;");
    await writeFile(join(folder, "track.js"), "exports.handler = async () => null;");

    const { code, err } = await runCli(["start", "--once", "--functions", folder]);

    expect(err).toContain("There are several files for the function track");
    expect(code).toBe(2);
  });

  test("stays up whatever is sent in place of an event's name", async () => {
    await writeFile(join(folder, "lambda.mjs"), "export const handler = async () => null;");
    const child = startCli(["start", "--port", "0", "--functions", folder]);
    try {
      let out = "";
      const more = new EventEmitter();
      child.stdout?.on("data", (chunk) => {
        out += String(chunk);
        more.emit("more");
      });
      const printed = async (what: RegExp) => {
        for (let match = what.exec(out); ; match = what.exec(out)) {
          if (match) return match[0];
          await once(more, "more");
        }
      };
      const url = await printed(/http:\S+\/v1\/track/);
      const track = (event: unknown) =>
        fetch(url, {
          method: "POST",
          headers: { authorization: `Basic ${btoa("website:")}` },
          body: JSON.stringify({ event, messageId: "own-1", userId: "u" }),
        });

      await track({ toString: 1, valueOf: 1 });
      await printed(/✗ rejected[^\n]*own-1/);
      await track("Signed Up");
      await printed(/✓ delivered[^\n]*own-1/);
    } finally {
      child.kill("SIGKILL");
    }
  });

  test("takes events from Segment's own library, and loads functions afresh when what they import has changed", async () => {
    await writeFile(join(folder, "broken.cjs"), "module.exports = 'u-77';");
    await writeFile(
      join(folder, "lambda.mjs"),
      "import broken from './broken.cjs';\nexport const handler = async ({ userId }) => { if (userId === broken) throw new Error('first'); };",
    );
    const child = startCli(["start", "--json", "--port", "0", "--functions", folder]);
    try {
      const lines = createInterface({ input: child.stdout as NodeJS.ReadableStream })[Symbol.asyncIterator]();
      const next = async (): Promise<DeliveryResult> =>
        JSON.parse((await lines.next()).value as string) as DeliveryResult;
      const host = await routerUrl(child.stderr as NodeJS.ReadableStream);
      const until = async (wanted: (result: DeliveryResult) => boolean) => {
        for (;;) {
          const result = await next();
          if (wanted(result)) return result;
        }
      };
      const analytics = new Analytics({ writeKey: "website", host, maxEventsInBatch: 1 });
      analytics.track({ userId: "u-77", event: "Signed Up", messageId: "own-1" });
      await until(({ messageId, outcome }) => messageId === "own-1" && outcome === "retry");
      await writeFile(join(folder, "broken.cjs"), "module.exports = 'nobody';");
      const result = await until(({ messageId, outcome }) => messageId === "own-1" && outcome !== "retry");

      expect(assessedResult(result)).toMatchObject({ outcome: "delivered", callType: "track", status: 200 });
      await analytics.closeAndFlush();
      child.kill("SIGINT");
      expect(await once(child, "exit")).toEqual([0, null]);
    } finally {
      child.kill("SIGKILL");
    }
  });
});

async function routerUrl(stderr: NodeJS.ReadableStream): Promise<string> {
  for await (const line of createInterface({ input: stderr })) {
    const [, url] = /^Router: (http:\S+)$/.exec(line) ?? [];
    if (url) return url;
  }
  throw new Error("The router did not start.");
}

test.each([
  [["start", "--port", "http"], "--port must be a number"],
  [["start", "--host", "other"], "--host must be one of"],
  [["start", "--functions", "/nowhere"], "There is no folder /nowhere"],
  [["start", "--unknown"], "--unknown"],
  [["fly"], 'There is no command "fly"'],
])("%j is answered with exit code 2 and the reason", async (args, reason) => {
  const { code, err, out } = await runCli(args);

  expect(err).toContain(reason);
  expect(err).not.toContain("    at ");
  expect(out).toBe("");
  expect(code).toBe(2);
});
