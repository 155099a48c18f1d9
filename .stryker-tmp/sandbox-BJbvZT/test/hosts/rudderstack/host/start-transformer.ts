// @ts-nocheck
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { rm } from "node:fs/promises";
import { type AddressInfo, createServer } from "node:net";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { applyChanges } from "../../../../src/hosts/file-changes";
import { planInstallation } from "../../../../src/hosts/rudderstack/installation";
import { makeBuild, readBuiltFiles } from "./build";

export interface Transformer {
  readonly url: string;
  stop(): Promise<void>;
}

/**
 * Starts a transformer with this destination installed: the test's own host or, where `RUDDER_TRANSFORMER` names the
 * checkout of a built rudder-transformer, that one (the destination has to be installed there already).
 */
export async function startTransformer(env: Readonly<Record<string, string>>): Promise<Transformer> {
  const real = process.env["RUDDER_TRANSFORMER"];
  return real ? startReal(real, env) : startOwn(env);
}

async function startOwn(env: Readonly<Record<string, string>>): Promise<Transformer> {
  const build = await makeBuild();
  const { changes } = await planInstallation(build, await readBuiltFiles(), "0.0.0-test");
  await applyChanges(changes);
  const host = join(__dirname, "transformer.cjs");
  const child = spawn(process.execPath, [host, join(build, "dist", "src")], {
    env: { ...cleanEnvironment(), ...env },
    stdio: ["pipe", "pipe", "inherit"],
  });
  const lines = createInterface({ input: child.stdout });
  const [line] = (await once(lines, "line")) as [string];
  return {
    url: `http://127.0.0.1:${JSON.parse(line).port}`,
    stop: async () => {
      await end(child);
      await rm(build, { recursive: true });
    },
  };
}

async function startReal(folder: string, env: Readonly<Record<string, string>>): Promise<Transformer> {
  const port = await freePort();
  const child = spawn(process.execPath, ["dist/src/index.js"], {
    cwd: folder,
    env: { ...cleanEnvironment(), ...env, PORT: String(port), LOG_LEVEL: "none" },
    stdio: ["pipe", "ignore", "inherit"],
  });
  const url = `http://127.0.0.1:${port}`;
  while (
    !(await fetch(`${url}/health`).then(
      ({ ok }) => ok,
      () => false,
    ))
  ) {
    if (child.exitCode !== null) throw new Error(`${folder} does not start.`);
    await new Promise((resolve) => setTimeout(resolve, 200));
  }
  return { url, stop: () => end(child) };
}

/** No AWS configuration of the machine's gets into a test. */
function cleanEnvironment(): NodeJS.ProcessEnv {
  const own = Object.entries(process.env).filter(([name]) => !/^(AWS_|AMAZON_LAMBDA_|NODE_OPTIONS)/.test(name));
  return {
    ...Object.fromEntries(own),
    AWS_EC2_METADATA_DISABLED: "true",
    AWS_CONFIG_FILE: "/dev/null",
    AWS_SHARED_CREDENTIALS_FILE: "/dev/null",
  };
}

async function end(child: ChildProcess): Promise<void> {
  const exited = once(child, "exit");
  child.kill();
  await exited;
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as AddressInfo;
  server.close();
  await once(server, "close");
  return port;
}
