// @ts-nocheck
import { AssumeRoleCommand, STSClient } from "@aws-sdk/client-sts";
import { type EmbeddedAws, startEmbeddedAws } from "../../../src/local/aws/embedded-aws";
import { permit } from "./policies";

const ROUTER = "arn:aws:iam::123456789012:role/router";
const ASSUME = {
  Effect: "Allow",
  Principal: { AWS: ROUTER },
  Action: "sts:AssumeRole",
  Condition: { StringEquals: { "sts:ExternalId": "my-source-id" } },
};
const TAG = { Effect: "Allow", Principal: { AWS: ROUTER }, Action: "sts:TagSession" };
const TAGS = { "eks-cluster-name": "events", "kubernetes-namespace": "routers" };

let aws: EmbeddedAws;

beforeEach(async () => {
  aws = await startEmbeddedAws();
  aws.addRole({
    name: "router",
    trustPolicy: { Version: "2012-10-17", Statement: { Effect: "Allow", Principal: "*", Action: "sts:AssumeRole" } },
    permissionPolicies: [],
  });
});

afterEach(() => aws.close());

/** Assumes a role with this trust policy as a pod does whose identity has these tags. */
async function assume(statements: readonly object[], more: { tags?: Record<string, string>; policy?: string } = {}) {
  const { arn } = aws.addRole({
    name: "invoker",
    trustPolicy: { Version: "2012-10-17", Statement: statements },
    permissionPolicies: [permit("lambda:InvokeFunction", "*")],
  });
  const credentials = aws.startTaggedSession(ROUTER, more.tags ?? TAGS);
  const sts = new STSClient({ endpoint: aws.url, region: aws.region, credentials, maxAttempts: 1 });
  try {
    return await sts.send(
      new AssumeRoleCommand({
        RoleArn: arn,
        RoleSessionName: "router-events",
        ExternalId: "my-source-id",
        ...(more.policy !== undefined && { Policy: more.policy }),
      }),
    );
  } finally {
    sts.destroy();
  }
}

test("a tagged identity needs sts:TagSession in the trust policy, in a statement of its own", async () => {
  expect(await assume([ASSUME, TAG])).toMatchObject({ PackedPolicySize: 3, Credentials: expect.anything() });
});

test.each([
  ["missing", [ASSUME]],
  ["under the condition on the external ID", [{ ...ASSUME, Action: ["sts:AssumeRole", "sts:TagSession"] }]],
])("without it, where it is %s, AWS names the action", async (_what, statements) => {
  await expect(assume(statements)).rejects.toMatchObject({
    name: "AccessDenied",
    message: `User: arn:aws:sts::123456789012:assumed-role/router/eks-cluster-router is not authorized to perform: sts:TagSession on resource: arn:aws:iam::123456789012:role/invoker`,
  });
});

test("sts:TagSession alone lets nobody in", async () => {
  await expect(assume([TAG])).rejects.toMatchObject({ message: expect.stringContaining("perform: sts:AssumeRole") });
});

test("an identity without tags does not need it", async () => {
  expect(await assume([ASSUME], { tags: {} })).toHaveProperty("Credentials");
});

test("tags take their part of the space that a session policy has", async () => {
  const policy = JSON.stringify(permit("lambda:InvokeFunction", `arn:aws:lambda:*:*:function:${"x".repeat(1880)}`));

  expect(await assume([ASSUME, TAG], { tags: {}, policy })).toMatchObject({ PackedPolicySize: 99 });
  await expect(assume([ASSUME, TAG], { policy })).rejects.toMatchObject({
    name: "PackedPolicyTooLargeException",
  });
});
