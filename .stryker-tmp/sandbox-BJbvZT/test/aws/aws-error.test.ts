// @ts-nocheck
import { runInNewContext } from "node:vm";
import { AwsError } from "../../src/aws/aws-error";

const TOKEN = "FwoGZXIvYXdzEDoaDNotARealToken//with+signs==";

function told(message: string): string {
  return new AwsError({ service: "lambda", kind: "service", code: "Unknown", message }).message;
}

test.each([
  ["a header", `x-amz-security-token:${TOKEN}`],
  ["a header with a blank", `X-Amz-Security-Token: ${TOKEN}`],
  ["a query", `/?X-Amz-Algorithm=AWS4-HMAC-SHA256&X-Amz-Security-Token=${encodeURIComponent(TOKEN)}&X-Amz-Date=1`],
  ["an encoded query", `X-Amz-Security-Token%3D${encodeURIComponent(TOKEN)}`],
  ["JSON", JSON.stringify({ "X-Amz-Security-Token": TOKEN, after: 1 })],
  ["JSON of a header's values", JSON.stringify({ "x-amz-security-token": [TOKEN] })],
  ["JSON of a session", JSON.stringify({ SessionToken: TOKEN }, null, 2)],
  ["JSON in small letters", JSON.stringify({ sessionToken: TOKEN, secretAccessKey: TOKEN })],
  ["JSON within JSON", JSON.stringify({ message: JSON.stringify({ SecretAccessKey: TOKEN }) })],
  ["XML", `<Credentials><SecretAccessKey>${TOKEN}</SecretAccessKey></Credentials>`],
  ["an environment", `aws_session_token = ${TOKEN}\naws_secret_access_key=${TOKEN}`],
  ["an Authorization header", `Credential=AKIAIOSFODNN7EXAMPLE/20260101, SignedHeaders=host, Signature=${TOKEN}`],
])("a secret quoted in %s is told to nobody", (_where, message) => {
  const text = told(`Not understood: ${message}, sorry.`);

  for (const part of [...TOKEN.split(/[/+=]+/).filter((each) => each.length > 5), "AKIAIOSFODNN7EXAMPLE"])
    expect(text).not.toContain(part);
  expect(text).toMatch(/^Not understood: .*\(hidden\).*sorry\.$/s);
});

test.each([
  "The security token included in the request is invalid.",
  "The request signature we calculated does not match the signature you provided. Check your AWS Secret Access Key and signing method.",
  "Signature expired: 20260101T000000Z is now earlier than 20260101T000500Z (20260101T001000Z - 5 min.)",
])("what AWS says stays: %s", (message) => {
  expect(told(message)).toBe(message);
});

test.each([
  ["blanks", " "],
  ["line ends", "\n"],
  ["quotes", '"'],
  ["the token's name", "x-amz-security-token"],
  ["the token's name and blanks", `x-amz-security-token${" ".repeat(1000)}`],
  ["access key IDs", "AKIA"],
])("a megabyte of %s keeps nobody waiting", (_what, piece) => {
  const message = `${piece.repeat(1_000_000 / piece.length)}x`;

  // Ends what would take minutes.
  const text = runInNewContext("told()", { told: () => told(message) }, { timeout: 5000 });

  expect(text.length).toBeLessThanOrEqual(2000);
});
