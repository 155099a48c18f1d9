import { spawn } from "node:child_process";
import { once } from "node:events";
import { createServer } from "node:net";
import { join } from "node:path";
import { text } from "node:stream/consumers";

const PYTHON = process.env["REFEREE_PYTHON"] ?? "python3";

/** Runs a script of this folder with a JSON text as input, and reads what it prints as JSON. */
export async function python<Result>(
  script: string,
  input: unknown,
  env: Readonly<Record<string, string>> = {},
): Promise<Result> {
  const child = spawn(PYTHON, ["-B", join("test", "referees", script)], {
    env: { PATH: process.env["PATH"] ?? "", ...env },
  });
  child.stdin.end(JSON.stringify(input));
  const [output, complaint, [code]] = await Promise.all([text(child.stdout), text(child.stderr), once(child, "close")]);
  if (code !== 0) throw new Error(complaint);
  return JSON.parse(output) as Result;
}

/** moto in place of AWS. */
export interface Moto {
  readonly url: string;
  /** What boto3 needs to find it. */
  readonly env: Readonly<Record<string, string>>;
  /** Forgets everything that was made. */
  reset(): Promise<void>;
  stop(): Promise<void>;
}

export async function startMoto(): Promise<Moto> {
  const port = await freePort();
  const child = spawn(PYTHON, ["-m", "moto.server", "-H", "127.0.0.1", "-p", String(port)], {
    stdio: ["ignore", "pipe", "pipe"],
  });
  let said = "";
  const ready = new Promise<void>((resolve, reject) => {
    const listen = (chunk: Buffer) => {
      said += chunk;
      if (said.includes("Running on")) resolve();
    };
    child.stdout.on("data", listen);
    child.stderr.on("data", listen);
    child.on("exit", (code) => reject(new Error(`moto ended with ${code}: ${said}`)));
  });
  await ready;
  const url = `http://127.0.0.1:${port}`;
  return {
    url,
    env: {
      AWS_ENDPOINT_URL: url,
      AWS_DEFAULT_REGION: "us-east-1",
      AWS_ACCESS_KEY_ID: "testing",
      AWS_SECRET_ACCESS_KEY: "testing",
    },
    async reset() {
      const { ok } = await fetch(`${url}/moto-api/reset`, { method: "POST" });
      if (!ok) throw new Error("moto could not be reset");
    },
    async stop() {
      const ended = once(child, "exit");
      child.kill();
      await ended;
    },
  };
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, "127.0.0.1");
  await once(server, "listening");
  const address = server.address();
  server.close();
  await once(server, "close");
  if (address === null || typeof address === "string") throw new Error("no port");
  return address.port;
}
