import { chmod, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createNodeAws } from "../src/aws/node";
import type { Surroundings } from "../src/destination/contract";
import { createDestinationIn } from "../src/destination/create-destination";
import { DEFAULT_OPERATOR_POLICY } from "../src/settings/operator-policy";
import { assessedResult } from "./assess";
import { pointEnvironmentAt, type Scene, startScene } from "./iam/scene";
import { permit } from "./local/aws/policies";
import { routerOn } from "./router";

const environment = { ...process.env };
const track = { type: "track", event: "Order Completed", messageId: "m-1", userId: "u-1" };
const MINUTE_MS = 60_000;

let scene: Scene;
/** One router's. */
let router: Surroundings;

beforeEach(async () => {
  scene = await startScene();
  router = routerOn(createNodeAws(), () => ({ ...DEFAULT_OPERATOR_POLICY, allowAmbientCredentials: true }));
});

afterEach(async () => {
  jest.restoreAllMocks();
  await scene.aws.close();
  process.env = { ...environment };
});

test.each([20, -20])("a router whose clock is %s minutes off AWS's delivers", async (minutes) => {
  scene.aws.clock.advance(minutes * MINUTE_MS);
  const destination = createDestinationIn(router, scene.settings);
  for (const messageId of ["m-1", "m-2"]) {
    expect(assessedResult(await destination.deliver({ ...track, messageId }))).toMatchObject({ outcome: "delivered" });
  }
});

test("a session ends by AWS's time, not by that of a clock that is wrong", async () => {
  scene.aws.clock.advance(20 * MINUTE_MS);
  const destination = createDestinationIn(router, scene.settings);
  await destination.deliver(track);
  // Sessions last an hour; to the router's own clock, this one would have 20 minutes left.
  scene.aws.clock.advance(61 * MINUTE_MS);
  expect(assessedResult(await destination.deliver(track))).toMatchObject({ outcome: "delivered" });
});

test.each([3600, -3600])(
  "a clock that jumps by %s s leaves its mark on no duration and no deadline",
  async (seconds) => {
    const now = Date.now;
    scene.changeRole({ permission: permit("lambda:InvokeFunction", "*") });
    const { arn: lambda } = scene.aws.addFunction({
      name: "jumps",
      handler: () => {
        jest.spyOn(Date, "now").mockImplementation(() => now() + seconds * 1000);
      },
    });
    const { outcome, durationMs } = assessedResult(
      await createDestinationIn(router, { ...scene.settings, lambda }).deliver(track),
    );
    expect(outcome).toBe("delivered");
    expect(durationMs).toBeGreaterThanOrEqual(0);
    expect(durationMs).toBeLessThan(MINUTE_MS);
  },
);

describe("a credential_process that hangs", () => {
  let folder: string;

  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), "credential-process-"));
    const { accessKeyId, secretAccessKey } = scene.router;
    const identity = JSON.stringify({ Version: 1, AccessKeyId: accessKeyId, SecretAccessKey: secretAccessKey });
    const script = join(folder, "identity.sh");
    await writeFile(script, `#!/bin/sh\nwhile [ ! -e '${folder}/mended' ]; do sleep 0.02; done\necho '${identity}'\n`);
    await chmod(script, 0o700);
    await writeFile(join(folder, "config"), `[default]\nregion = us-east-1\ncredential_process = ${script}\n`);
    pointEnvironmentAt(scene.aws.url, { AWS_CONFIG_FILE: join(folder, "config") });
  });

  afterEach(async () => {
    await writeFile(join(folder, "mended"), "");
    await rm(folder, { recursive: true });
  });

  test("holds an event no longer than its time, and the next ones not at all once it is mended", async () => {
    const { accessKeyId: _, secretAccessKey: __, ...settings } = scene.settings;
    const held = createDestinationIn(router, { ...settings, timeoutMs: 200 });
    expect(assessedResult(await held.deliver(track))).toMatchObject({
      outcome: "retry",
      attempts: 0,
      error: { code: "OperationTimedOut" },
    });
    await writeFile(join(folder, "mended"), "");
    expect(assessedResult(await createDestinationIn(router, settings).deliver(track))).toMatchObject({
      outcome: "delivered",
    });
  });
});
