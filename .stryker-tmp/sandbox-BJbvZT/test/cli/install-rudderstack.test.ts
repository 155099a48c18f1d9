// @ts-nocheck
import { readFile, rm } from "node:fs/promises";
import { join } from "node:path";
import { UsageError } from "../../src/cli/command";
import { installRudderstack, uninstallRudderstack } from "../../src/cli/install-rudderstack";
import { CAPABILITIES, makeBuild } from "../hosts/rudderstack/host/build";
import { bufferedIo } from "./buffered-io";

let build: string;

beforeEach(async () => {
  build = await makeBuild();
});

afterEach(async () => {
  await rm(build, { recursive: true });
});

function features(): Promise<string> {
  return readFile(join(build, "dist", "src", "features.js"), "utf8");
}

test("--dry-run shows every change and makes none", async () => {
  const io = bufferedIo();

  const code = await installRudderstack.run([build, "--dry-run"], io);

  expect(code).toBe(0);
  expect(io.out()).toMatch(/^rudder-transformer 1\.145\.0 in /);
  expect(io.out()).toMatch(/^create v0\/destinations\/amazon_lambda\/transform\.js \(\d+ bytes\)$/m);
  expect(io.out()).toMatch(/^create v1\/destinations\/amazon_lambda\/networkHandler\.js \(\d+ bytes\)$/m);
  expect(io.out()).toContain("+const destinationCapabilities = { AMAZON_LAMBDA: { routerTransform: true },");
  expect(io.out()).toContain("Nothing was changed");
  expect(await features()).toBe(CAPABILITIES);
});

test("installs the built files, says so, and takes them out again", async () => {
  const [first, second, removal] = [bufferedIo(), bufferedIo(), bufferedIo()];

  await installRudderstack.run([build], first);
  const installed = await features();
  await installRudderstack.run([build], second);
  await uninstallRudderstack.run([build], removal);

  expect(first.out()).toContain("The destination is installed. Start the transformer anew.");
  expect(installed).toContain("AMAZON_LAMBDA");
  expect(second.out()).toContain("installed already");
  expect(removal.out()).toContain("delete v1/destinations/amazon_lambda/networkHandler.js");
  expect(await features()).toBe(CAPABILITIES);
});

test.each<[string, string[], RegExp]>([
  ["no folder", [], /Give one folder/],
  ["two folders", ["a", "b"], /Give one folder/],
  ["a folder that is not there", [join(__dirname, "absent")], /^There is no folder .*absent\. Give the folder/],
  ["a file", [__filename], /install-rudderstack\.test\.ts is a file\. Give the folder/],
  ["a folder that is no transformer", [__dirname], /is no build of rudder-transformer/],
])("%s is wrong usage", async (_name, argv, message) => {
  for (const command of [installRudderstack, uninstallRudderstack]) {
    const run = command.run(argv, bufferedIo());
    await expect(run).rejects.toThrow(UsageError);
    await expect(run).rejects.toThrow(message);
  }
});
