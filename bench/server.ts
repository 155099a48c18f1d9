// The other end of the benchmarks, in a process of its own so that only the client's CPU time is measured.
import { readFileSync } from "node:fs";
import { startEmbeddedAws } from "../src/local/aws/embedded-aws";
import { startStub } from "./stub";

const KEYS = { accessKeyId: "AKIDEXAMPLEBENCH0000", secretAccessKey: "bench-secret-that-opens-nothing-at-all00" };

async function main(): Promise<void> {
  const aws = await startEmbeddedAws({ history: 1 });
  const user = aws.addUser({ name: "router", ...KEYS });
  const { arn: functionArn } = aws.addFunction({ name: "bench", handler: async () => null });
  const { url: queue } = aws.addQueue({ name: "bench.fifo" });
  const allow = (statement: object) => ({ Version: "2012-10-17", Statement: [{ Effect: "Allow", ...statement }] });
  const { arn: roleArn } = aws.addRole({
    name: "bench",
    trustPolicy: allow({ Principal: { AWS: user.arn }, Action: "sts:AssumeRole" }),
    permissionPolicies: [allow({ Action: "lambda:InvokeFunction", Resource: functionArn })],
  });
  const { BENCH_CERT: cert, BENCH_KEY: key } = process.env;
  const tls = cert && key ? await startStub({ cert: readFileSync(cert), key: readFileSync(key) }) : undefined;
  process.send?.({ embedded: aws.url, stub: await startStub(), tls, queue, roleArn, functionArn, keys: KEYS });
}

process.on("disconnect", () => process.exit(0));
void main();
