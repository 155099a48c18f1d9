import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { stripVTControlCharacters } from "node:util";
import type { Io } from "../../src/cli/command";
import { serve } from "../../src/cli/serve";
import { bufferedIo } from "./buffered-io";
import { ndjson } from "./run-cli";
import { terminal } from "./terminal";

let folder: string;
let file: string;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "serve-command-"));
  file = join(folder, "connections.json");
  const settings = {
    lambda: "arn:aws:lambda:us-east-1:123456789012:function:router-events",
    roleAddress: "arn:aws:iam::123456789012:role/router-events-invoker",
  };
  const webhook = [{ type: "bearer", secrets: ["a-secret-of-the-webhook"] }];
  await writeFile(
    file,
    JSON.stringify({
      connections: {
        "my-source-id": { router: "jitsu", settings, webhook },
        "a-name-of-24-characters-": {
          router: "jitsu-reverse-etl",
          settings,
          webhook,
          writeKeys: [{ key: "website" }],
        },
        open: { settings },
      },
    }),
  );
});

afterAll(() => rm(folder, { recursive: true }));

/** Starts it, and ends it as soon as it is at work. */
async function run(stderr: Io["stderr"], env: Record<string, string> = {}) {
  const io = { ...bufferedIo(), env, stderr };
  let interrupted = false;
  const interrupt = (callback: () => void) => {
    if (!interrupted) setImmediate(callback);
    interrupted = true;
    return () => {};
  };
  const argv = ["--connections", file, "--port", "0", "--admin-port", "0", "--insecure"];
  const code = await serve.run(argv, { ...io, onInterrupt: interrupt });
  return { code, log: ndjson(io.out()) };
}

test("shows a person at a terminal where it is and who may send, in 80 columns, and logs JSON", async () => {
  const screen = terminal();
  const { code, log } = await run(screen);

  expect(code).toBe(0);
  const [{ url, adminUrl } = {}] = log;
  const lines = stripVTControlCharacters(screen.written()).trimEnd().split("\n");
  expect(lines).toEqual([
    `Receiver                  ${url}`,
    `Metrics                   ${adminUrl}/metrics`,
    "my-source-id              /webhook/my-source-id (jitsu)",
    "a-name-of-24-characters-  /webhook/a-name-of-24-characters- (jitsu-reverse-etl)",
    "                          /v1 and /api/s by write key",
    "open                      /webhook/open (generic)",
    "                          open to everybody on this machine (--insecure)",
  ]);
  expect(Math.max(...lines.map((line) => line.length))).toBeLessThanOrEqual(80);
  expect(screen.written()).not.toBe(stripVTControlCharacters(screen.written()));
  expect(log.map(({ msg }) => msg)).toEqual(["listening", "ending", "ended"]);
});

test("uses no colours where none are wanted", async () => {
  const screen = terminal();
  await run(screen, { NO_COLOR: "1" });

  expect(screen.written()).toBe(stripVTControlCharacters(screen.written()));
});

test("says nothing but its log where nobody looks on: containers collect both outputs", async () => {
  const { stderr, err } = bufferedIo();
  const { log } = await run(stderr);

  expect(err()).toBe("");
  expect(log[0]).toMatchObject({
    level: "info",
    msg: "listening",
    connections: 3,
    url: expect.stringMatching(/^http:/),
  });
});
