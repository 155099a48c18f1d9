// @ts-nocheck
import { createNodeAws } from "../../src/aws/node";
import { checkConnection, createDestination } from "../../src/index";
import { assessedResult } from "../assess";

jest.mock("@aws-sdk/client-sts", () => {
  const message = "Cannot find module '@aws-sdk/client-sts'\nRequire stack:\n- /router/index.js";
  throw Object.assign(new Error(message), { code: "MODULE_NOT_FOUND" });
});

const settings = {
  lambda: "arn:aws:lambda:us-east-1:123456789012:function:events",
  roleAddress: "arn:aws:iam::123456789012:role/router",
  externalId: "source-1",
};

test("an AWS SDK that is not installed is named, and is no failure of the network", async () => {
  await expect(createNodeAws().callerIdentity("us-east-1", undefined, 1000)).rejects.toMatchObject({
    details: { kind: "installation", code: "MODULE_NOT_FOUND" },
  });
  const result = assessedResult(await createDestination(settings).deliver({ type: "track", event: "Any" }));
  expect(result).toMatchObject({ outcome: "retry", error: { code: "Unknown", awsError: "MODULE_NOT_FOUND" } });
  expect(result.error?.message).toContain("@aws-sdk/client-sts is not installed.");
  expect(result.error?.hint).toMatch(/^Install what is missing/);
  const { steps } = await checkConnection(settings);
  expect(steps.at(-1)).toMatchObject({ step: "identity", diagnosis: { name: "MissingSdk" } });
});
