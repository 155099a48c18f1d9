// @ts-nocheck
// The other end of the benchmarks, in a process of its own so that only the client's CPU time is measured.
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { startEmbeddedAws } from "../src/local/aws/embedded-aws";

const KEYS = { accessKeyId: "AKIDEXAMPLEBENCH0000", secretAccessKey: "bench-secret-that-opens-nothing-at-all00" };

/** Answers every request as if all had gone well, without looking at it: what is left is the client's own cost. */
function startStub(): Promise<string> {
  const expiration = new Date(Date.now() + 3_600_000).toISOString();
  const session = `<AssumeRoleResponse xmlns="https://sts.amazonaws.com/doc/2011-06-15/"><AssumeRoleResult><Credentials><AccessKeyId>ASIAEXAMPLESESSION00</AccessKeyId><SecretAccessKey>bench</SecretAccessKey><SessionToken>${"t".repeat(600)}</SessionToken><Expiration>${expiration}</Expiration></Credentials></AssumeRoleResult><ResponseMetadata><RequestId>stub</RequestId></ResponseMetadata></AssumeRoleResponse>`;
  const server = createServer((request, response) => {
    request.resume().on("end", () => {
      if (request.url?.startsWith("/2015-03-31/")) {
        response
          .writeHead(200, {
            "content-type": "application/json",
            "x-amzn-requestid": "stub",
            "x-amz-executed-version": "$LATEST",
          })
          .end("null");
      } else {
        response.writeHead(200, { "content-type": "text/xml" }).end(session);
      }
    });
  });
  return new Promise((resolve) => {
    server.listen(0, "127.0.0.1", () => resolve(`http://127.0.0.1:${(server.address() as AddressInfo).port}`));
  });
}

async function main(): Promise<void> {
  const aws = await startEmbeddedAws({ history: 1 });
  const user = aws.addUser({ name: "router", ...KEYS });
  const { arn: functionArn } = aws.addFunction({ name: "bench", handler: async () => null });
  const allow = (statement: object) => ({ Version: "2012-10-17", Statement: [{ Effect: "Allow", ...statement }] });
  const { arn: roleArn } = aws.addRole({
    name: "bench",
    trustPolicy: allow({ Principal: { AWS: user.arn }, Action: "sts:AssumeRole" }),
    permissionPolicies: [allow({ Action: "lambda:InvokeFunction", Resource: functionArn })],
  });
  process.send?.({ embedded: aws.url, stub: await startStub(), roleArn, functionArn, keys: KEYS });
}

process.on("disconnect", () => process.exit(0));
void main();
